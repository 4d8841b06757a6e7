//! `cargo xtask test`: all tests there are, and an honest end: what was
//! skipped and why, and whether anything was left on the machine.

use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result, bail};

use crate::command::{cargo, has_cargo_tool, run, run_remembering};
use crate::leftovers::Watch;
use crate::say::say;
use crate::setup::setup;
use crate::skips::{Skips, in_ci};

/// Tests name what they skip in the file that this variable names; see
/// `testkit::skip`.
const SKIP_FILE_VARIABLE: &str = "SQUALL_SKIP_FILE";
/// Packages whose tests make nodes.
const KERNEL_PACKAGES: [&str; 2] = ["e2e", "providers"];

/// Runs the tests; `arguments` go to the runner and narrow what is run.
///
/// # Errors
/// When a test fails, something is left, or in CI something was skipped that
/// is not on the list.
pub(crate) fn test(arguments: &[String]) -> Result<()> {
    let mut skips = Skips::default();
    for (name, reason) in setup()? {
        skips.add(&name, &reason);
    }
    run(&mut build(names_package(arguments)))?;

    let watch = Watch::new()?;
    let skip_file = std::env::temp_dir().join(format!("squall-skips-{}", std::process::id()));
    std::fs::File::create_new(&skip_file)
        .with_context(|| format!("make {}", skip_file.display()))?;
    let prepare = |command: &mut Command| {
        command.env("TMPDIR", watch.directory()).env(SKIP_FILE_VARIABLE, &skip_file);
    };
    let outcome = run_suite(arguments, &prepare);
    let recorded = skips.add_file(&skip_file);
    let _ = std::fs::remove_file(&skip_file);
    recorded?;
    let (passed, summary) = outcome?;

    let unexpected = skips.list(in_ci())?;
    let left = report_leftovers(&watch);
    if !summary.is_empty() {
        say("");
    }
    summary.iter().for_each(say);
    match (passed, left, unexpected) {
        (false, ..) => bail!("tests failed"),
        (_, true, _) => bail!("tests left something behind"),
        (.., true) => bail!("tests were skipped that must run here"),
        _ => Ok(()),
    }
}

/// The binary and the tests in one go: built apart, crates whose tests ask for
/// more features would be compiled twice.
fn build(chosen: bool) -> Command {
    if chosen {
        return cargo(&["build", "--locked", "--package", "cli"]);
    }
    cargo(&["build", "--locked", "--workspace", "--bins", "--tests"])
}

/// Doctests first, so that the runner's summary comes last.
fn run_suite(arguments: &[String], prepare: &dyn Fn(&mut Command)) -> Result<(bool, Vec<String>)> {
    let mut passed = true;
    if arguments.is_empty() {
        let mut doc = cargo(&["test", "--workspace", "--locked", "--doc", "--quiet"]);
        prepare(&mut doc);
        if let Err(error) = run(&mut doc) {
            say(format!("{error:#}"));
            passed = false;
        }
    } else {
        say("doctests are run when no arguments are given");
    }
    let (rest, summary) = if has_cargo_tool("nextest") {
        with_nextest(arguments, prepare)?
    } else {
        say("cargo-nextest is not installed: using cargo test");
        with_cargo_test(arguments, prepare)?
    };
    Ok((passed && rest, summary))
}

/// Whether the arguments choose packages, so that not all need be built.
fn names_package(arguments: &[String]) -> bool {
    arguments.iter().any(|word| word.starts_with("-p") || word.starts_with("--package"))
}

fn with_nextest(
    arguments: &[String],
    prepare: &dyn Fn(&mut Command),
) -> Result<(bool, Vec<String>)> {
    let profile = if in_ci() { "ci" } else { "default" };
    let mut command = cargo(&["nextest", "run", "--locked", "--profile", profile]);
    if !names_package(arguments) {
        command.arg("--workspace");
    }
    prepare(command.args(arguments));
    run_remembering(&mut command, |line| line.trim_start().starts_with("Summary ["))
}

fn with_cargo_test(
    arguments: &[String],
    prepare: &dyn Fn(&mut Command),
) -> Result<(bool, Vec<String>)> {
    let targets = ["--lib", "--bins", "--tests", "--locked", "--no-fail-fast"];
    let (mut passed, mut totals) = (true, Vec::new());
    for mut command in cargo_test_commands(names_package(arguments)) {
        prepare(command.args(targets).args(arguments));
        let (success, lines) = run_remembering(&mut command, |_| true)?;
        passed &= success;
        totals.extend(lines.into_iter().filter(|line| line.starts_with("test result:")));
    }
    Ok((passed, sum(&totals)))
}

/// What makes nodes runs one test after the other, because `cargo test` knows
/// no groups of tests.
fn cargo_test_commands(chosen: bool) -> Vec<Command> {
    let (mut free, mut one_by_one) = (cargo(&["test", "--workspace"]), cargo(&["test"]));
    one_by_one.env("RUST_TEST_THREADS", "1");
    if chosen {
        return vec![one_by_one];
    }
    for package in KERNEL_PACKAGES {
        free.args(["--exclude", package]);
        one_by_one.args(["--package", package]);
    }
    vec![free, one_by_one]
}

/// One line out of cargo's many.
fn sum(results: &[String]) -> Vec<String> {
    if results.is_empty() {
        return Vec::new();
    }
    let count = |word: &str| -> u64 {
        let before = |line: &String| {
            let words: Vec<&str> = line.split([' ', ';', '.']).filter(|w| !w.is_empty()).collect();
            words
                .windows(2)
                .find(|pair| pair[1] == word)
                .and_then(|pair| pair[0].parse::<u64>().ok())
        };
        results.iter().filter_map(before).sum()
    };
    let (passed, failed, ignored) = (count("passed"), count("failed"), count("ignored"));
    let run = passed + failed;
    vec![format!("Summary: {run} tests run: {passed} passed, {failed} failed, {ignored} ignored")]
}

fn report_leftovers(watch: &Watch) -> bool {
    let found = watch.finish();
    let directory: &Path = watch.directory();
    if found.is_empty() {
        say("\nleft behind: nothing");
        return false;
    }
    say(format!("\nleft behind by the tests (their directory was {}):", directory.display()));
    for line in &found {
        say(format!("  {line}"));
    }
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn results_of_cargo_test_are_added_up() {
        let lines = [
            "test result: ok. 12 passed; 0 failed; 1 ignored; 0 measured; 0 filtered out; finished in 0.01s",
            "test result: FAILED. 3 passed; 2 failed; 0 ignored; 0 measured; 0 filtered out; finished in 1.2s",
        ]
        .map(str::to_owned);
        assert_eq!(sum(&lines), ["Summary: 17 tests run: 15 passed, 2 failed, 1 ignored"]);
        assert_eq!(sum(&[]), Vec::<String>::new());
    }
}
