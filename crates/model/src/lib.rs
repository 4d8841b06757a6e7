//! The words of Squall as data: what a user writes, what is observed, what
//! will be done. Pure: no clock, no files, no network, no randomness.

#![forbid(unsafe_code)]

pub mod endpoint;

pub use endpoint::Endpoint;
