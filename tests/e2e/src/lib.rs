//! The harness of the end-to-end tests: a home of its own per test, the built
//! binary run as root or as a user made for the test, and a guard that leaves
//! nothing behind, whatever happened.

#![forbid(unsafe_code)]

mod account;
mod home;
pub mod lab;
mod leftovers;
mod process;
mod site;
mod terminal;

pub use account::{Account, Who};
pub use home::{Home, PAIR, with_home};
pub use leftovers::leftovers;
pub use process::{Finished, Running};
pub use site::{Site, Watched};
pub use terminal::Terminal;
pub use testkit::until;
