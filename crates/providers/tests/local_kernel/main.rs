//! The kernel side of the local provider on a real kernel: nodes made, looked
//! into, ended in every way, and no trace of them left. As root both rungs are
//! tested, the second one also as an ordinary user; as an ordinary user the
//! tests of the root rung say that they were skipped.
#![expect(
    clippy::unwrap_used,
    clippy::print_stderr,
    reason = "a test's support may fail the test, and tells what a failed one saw"
)]

mod bed;
mod ends;
mod life;
mod wire;
