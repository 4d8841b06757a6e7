//! The embedded server as a process of its own, as the product starts it.

use std::ffi::OsString;
use std::process::ExitCode;

fn main() -> ExitCode {
    let arguments: Vec<OsString> = std::env::args_os().skip(1).collect();
    transport::server::dispatch(&arguments).unwrap_or(ExitCode::FAILURE)
}
