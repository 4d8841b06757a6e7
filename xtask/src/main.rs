//! Project tasks: set-up, tests, checks, benchmarks. `cargo xtask` lists them.

#![forbid(unsafe_code)]

mod bench;
mod checks;
mod command;
mod leftovers;
mod say;
mod setup;
mod skips;
mod suite;
mod tidy;

use std::process::ExitCode;

use anyhow::{Result, bail};

use crate::say::say;

const USAGE: &str = "\
cargo xtask setup               install what the tests need (Debian, Ubuntu)
cargo xtask test [-- ARGS]      setup, then all tests; ARGS go to the runner
cargo xtask check               fmt, clippy, tidy, documentation, licences
cargo xtask tidy [--list]       the rules of STYLE.md; --list: what is over a target
cargo xtask bench local [...]   nodes on this machine: time, processor, memory
    --nodes 1,16,64,128           how many nodes
    --rounds 3                    rounds of each; the median is shown
    --as root,user                who runs it (default: both as root, else user)
    --binary PATH                 measure this one instead of a release build
    --write                       write its section of docs/src/benchmarks.md
cargo xtask bench ssh [...]     many hosts, beside clush, pdsh and parallel-ssh
    --cases cold,warm,flood,put   which kinds of work
    --rounds 5                    rounds; the tools take turns within each
    --quick                       fewer hosts, to see whether it works
    --binary PATH                 measure this one instead of a release build
    --built                       measure what was built before
    --write                       write its section of docs/src/benchmarks.md";

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match dispatch(&arguments) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            say(format!("xtask: {error:#}"));
            ExitCode::FAILURE
        }
    }
}

fn dispatch(arguments: &[String]) -> Result<()> {
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match words.as_slice() {
        ["setup"] => setup::setup().map(drop),
        ["test"] => suite::test(&[]),
        ["test", "--", ..] => suite::test(&arguments[2..]),
        ["check"] => checks::check(),
        ["tidy"] => tidy::run(&command::top()),
        ["tidy", "--list"] => tidy::listed(&command::top()),
        ["bench", "local", options @ ..] => bench::local(options),
        ["bench", "ssh", options @ ..] => bench::ssh(options),
        [] | ["help" | "-h" | "--help"] => {
            say(USAGE);
            Ok(())
        }
        _ => bail!("no such task\n{USAGE}"),
    }
}
