//! The words of Squall as data: what a user writes, what is observed, what
//! will be done. Pure: no clock, no files, no network, no randomness.

#![forbid(unsafe_code)]

pub mod diagnostic;
pub mod endpoint;
pub mod event;
pub mod inventory;
pub mod name;
pub mod node;
pub mod plan;
pub mod resolved;
pub mod secret;
pub mod span;
pub mod spec;
pub mod substitute;
pub mod tag;
pub mod target;
pub mod unit;

pub use diagnostic::{Diagnostic, Diagnostics, Severity};
pub use endpoint::Endpoint;
