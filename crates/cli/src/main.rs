//! The `squall` command: arguments in, one call of the layers below, one
//! rendering out. The only crate that writes to the terminal, names clap, or
//! ends the process. Decides nothing that a library could decide.

#![forbid(unsafe_code)]

use std::ffi::OsString;
use std::process::ExitCode;

mod age;
mod app;
mod args;
mod ask;
mod change;
mod command;
mod complete;
mod context;
mod copy_output;
mod demo;
mod dispatch;
mod document;
mod duration;
mod exit;
mod hosts;
mod interactive;
mod logging;
mod output;
mod pace;
mod paint;
mod paths;
mod pick;
mod plain_ssh;
mod progress;
mod progress_line;
mod reach;
mod render;
mod report;
mod run;
mod run_output;
mod scope;
mod settings;
mod signals;
mod spec_file;
mod table;
mod terminal;
mod verb;
mod view;
mod world;

fn main() -> ExitCode {
    // Supervisors of clusters, first processes of nodes and their ssh servers
    // are this binary too. They must come first: no runtime, no thread, no
    // parser, since their memory is what a node costs.
    let arguments: Vec<OsString> = std::env::args_os().skip(1).collect();
    if let Some(code) = providers::local::entry::run_if_called(&arguments) {
        return code;
    }
    if let Some(code) = transport::server::dispatch(&arguments) {
        return code;
    }
    app::run()
}
