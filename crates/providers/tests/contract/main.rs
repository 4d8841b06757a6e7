//! The contract that every provider keeps, as scenarios run on each of them.
//!
//! A *bed* is a provider ready to be tested; a *scenario* is a function of a
//! [`site::Site`], one cluster on a bed. Every pair of the two is a test of its
//! own, named `BED::SCENARIO`, so `cargo nextest run -p providers -E
//! 'test(fake::)'` runs one bed.
//!
//! To plug in another provider: write `beds/NAME.rs` with a type that
//! implements [`bed::Bed`] and a `fn make() -> Made`, and add a row to
//! [`beds::ALL`]. A bed that cannot be made on this machine is
//! `Made::Skipped(reason)`. For `local` there are two rows:
//!
//! - `local-root`: skipped unless the test runs as root; the provider works in
//!   a data directory of the bed's own (`tempfile`), so nothing of the user's
//!   is touched, and `pause` sleeps some 50 ms between two looks.
//! - `local-user`: as an ordinary user. When the test runs as root, the bed
//!   runs this very binary again as a user that it makes (a uid without a name
//!   will do: `setpriv --reuid N --regid N --clear-groups`), with
//!   `SQUALL_CONTRACT_BED=local-user` and `--exact local-user::SCENARIO`, and
//!   answers with its exit code: give [`beds::Row::run_elsewhere`] for that. As
//!   an ordinary user the row is made like any other.
//!
//! Every scenario cleans up what it made, even when it fails: the clusters of
//! its sites are deleted through the provider, then [`bed::Bed::clean_up`] is
//! called.

#![forbid(unsafe_code)]
#![expect(clippy::unwrap_used, clippy::panic, reason = "a failed expectation is a failed test")]

mod bed;
mod beds;
mod run;
mod scenarios;
mod site;

fn main() {
    let arguments = libtest_mimic::Arguments::from_args();
    libtest_mimic::run(&arguments, run::trials()).exit();
}
