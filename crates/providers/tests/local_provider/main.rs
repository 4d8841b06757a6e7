//! What the local provider keeps beyond the common contract, on a real kernel:
//! interruptions at every point, stores that are damaged or too new, a full
//! disk, supervisors that are lost, members that know each other, scripts.
//!
//! Runs as whoever runs the tests: on the root rung as root, in user
//! namespaces otherwise. The contract suite runs on both.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "a failed expectation is a failed test, and a seed is printed to repeat it"
)]

mod bed;
mod kept;
mod killed;
mod lost;
mod secret;
mod told;
