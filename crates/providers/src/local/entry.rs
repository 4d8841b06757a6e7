//! What this binary becomes when it is started by itself: a supervisor, or the
//! short-lived process that tries a rung. Called first thing in `main`, before
//! any runtime or thread.

use std::ffi::OsString;
use std::process::ExitCode;

use super::client::SUPERVISOR_ARGUMENT;
use super::probe::{PROBE_ARGUMENT, probe_main};
use super::supervisor::supervisor_main;

/// Runs the hidden process that the arguments (without the program's name) ask
/// for; `None` when they ask for none. The embedded ssh server
/// ([`super::SSH_SERVER_ARGUMENT`]) is the caller's to run.
pub fn run_if_called(arguments: &[OsString]) -> Option<ExitCode> {
    let (first, rest) = arguments.split_first()?;
    if first == SUPERVISOR_ARGUMENT {
        Some(supervisor_main(rest))
    } else if first == PROBE_ARGUMENT {
        Some(probe_main(rest))
    } else {
        None
    }
}
