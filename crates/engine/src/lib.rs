//! The decisions of Squall, pure: what to do about a cluster, given what is
//! wanted and what was seen. The same arguments give the same answer.
//!
//! It must not know how anything is done: no provider, no network, no files,
//! no clock.

#![forbid(unsafe_code)]

pub mod lint;
pub mod plan;

pub use lint::{Flaw, lint};
pub use plan::{CODES, PlanContext, plan};
