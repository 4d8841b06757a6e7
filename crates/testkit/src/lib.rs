//! Builders and worlds for the tests of Squall. Never a normal dependency of
//! anything that is shipped.
//!
//! - [`build`]: accepted specs and wanted nodes without YAML;
//! - [`elsewhere`]: a test once more, as an ordinary user;
//! - [`now`]: answers of futures that never wait, as the fake provider's;
//! - [`skip`](mod@skip): what a test cannot do on this machine, said aloud;
//! - [`until`](mod@until): waiting for what nothing announces;
//! - [`world`]: plan and execute against the fake cloud in virtual time;
//! - what of `providers` the tests of pure crates need, which may not name it.

#![forbid(unsafe_code)]

pub mod build;
pub mod elsewhere;
pub mod now;
pub mod skip;
pub mod until;
pub mod world;

pub use providers::fake;
pub use providers::{ErrorKind, Provider, ProviderError};

pub use skip::skip;
pub use until::until;
