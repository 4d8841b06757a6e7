//! `cargo xtask check`: everything CI holds a change to, but for the tests.
//! Goes on after a failure, so that one run tells all.

use anyhow::{Result, bail};

use crate::command::{cargo, has_cargo_tool, run, top};
use crate::say::say;
use crate::skips::{Skips, in_ci};
use crate::tidy;

/// Runs all checks.
///
/// # Errors
/// Names the checks that failed.
pub(crate) fn check() -> Result<()> {
    let mut failed = Vec::new();
    let mut note = |name: &'static str, result: Result<()>| {
        if let Err(error) = result {
            say(format!("{name}: {error:#}"));
            failed.push(name);
        }
    };
    note("fmt", run(&mut cargo(&["fmt", "--all", "--check"])));
    say("\n$ xtask tidy");
    note("tidy", tidy::run(&top()));
    let clippy = ["clippy", "--workspace", "--all-targets", "--locked", "--", "-D", "warnings"];
    note("clippy", run(&mut cargo(&clippy)));
    // Documentation of private items too: it is what people who work here read.
    let doc = ["doc", "--workspace", "--no-deps", "--document-private-items", "--locked"];
    note("doc", run(cargo(&doc).env("RUSTDOCFLAGS", "-D warnings")));

    let mut skips = Skips::default();
    if has_cargo_tool("deny") {
        note("deny", run(&mut cargo(&["deny", "--locked", "check"])));
    } else {
        skips.add("check/deny", "cargo-deny is not installed");
    }
    let unexpected = skips.list(in_ci())?;
    if unexpected {
        failed.push("skips");
    }
    if !failed.is_empty() {
        bail!("failed: {}", failed.join(", "));
    }
    say("check: all passed");
    Ok(())
}
