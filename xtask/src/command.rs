//! Starting other programs, shown before they run.

use std::ffi::{OsStr, OsString};
use std::io::{BufRead, BufReader, IsTerminal, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, Result, ensure};

use crate::say::say;

/// The top of the repository.
pub(crate) fn top() -> PathBuf {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    here.parent().unwrap_or(here).to_path_buf()
}

/// A cargo command at the top of the repository.
pub(crate) fn cargo(arguments: &[&str]) -> Command {
    let program = std::env::var_os("CARGO").unwrap_or_else(|| OsString::from("cargo"));
    let mut command = Command::new(program);
    command.args(arguments).current_dir(top());
    // `cargo xtask` tells us about the package xtask. Build scripts that look
    // at such variables (ring's) would be run again for every change of hands.
    for (name, _) in std::env::vars_os() {
        if ["CARGO_PKG_", "CARGO_MANIFEST_"].iter().any(|begin| is_of(&name, begin)) {
            command.env_remove(name);
        }
    }
    command
}

fn is_of(name: &OsStr, begin: &str) -> bool {
    name.to_str().is_some_and(|name| name.starts_with(begin))
}

/// Whether cargo has the subcommand (`nextest`, `deny`).
pub(crate) fn has_cargo_tool(name: &str) -> bool {
    let mut command = cargo(&[name, "--version"]);
    let status = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).status();
    status.is_ok_and(|status| status.success())
}

/// Where a program is, in `PATH` or in the folders of administrators' tools.
pub(crate) fn find_program(name: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let more = ["/usr/local/sbin", "/usr/sbin", "/sbin"].map(PathBuf::from);
    std::env::split_paths(&path).chain(more).map(|folder| folder.join(name)).find(|p| p.is_file())
}

/// Whether this process may do everything.
pub(crate) fn is_root() -> bool {
    use std::os::unix::fs::MetadataExt;
    std::fs::metadata("/proc/self").is_ok_and(|metadata| metadata.uid() == 0)
}

/// Runs a command to its end, with its output as it comes.
///
/// # Errors
/// When it cannot be started or fails.
pub(crate) fn run(command: &mut Command) -> Result<()> {
    show(command);
    let status = command.status().with_context(|| format!("start {:?}", command.get_program()))?;
    ensure!(status.success(), "{} failed ({status})", line(command));
    Ok(())
}

/// Runs a command to its end and answers its last lines of output from the
/// first that `begins` on. On a terminal the output stays the command's own,
/// with its colours and progress, and nothing is remembered.
///
/// # Errors
/// When it cannot be started. Failing is told apart: the first value.
pub(crate) fn run_remembering(
    command: &mut Command,
    begins: impl Fn(&str) -> bool,
) -> Result<(bool, Vec<String>)> {
    show(command);
    let context = format!("start {:?}", command.get_program());
    if std::io::stderr().is_terminal() {
        return Ok((command.status().context(context)?.success(), Vec::new()));
    }
    let (reader, writer) = std::io::pipe().context("make a pipe")?;
    command.stdin(Stdio::null()).stdout(writer.try_clone()?).stderr(writer);
    let mut child = command.spawn().context(context)?;
    // The command holds the writing ends; without this the reader never ends.
    command.stdout(Stdio::null()).stderr(Stdio::null());
    let mut remembered = Vec::new();
    let mut reader = BufReader::new(reader);
    let mut bytes = Vec::new();
    while reader.read_until(b'\n', &mut bytes)? > 0 {
        let _ = std::io::stdout().write_all(&bytes);
        let line = String::from_utf8_lossy(&bytes).trim_end().to_owned();
        if !remembered.is_empty() || begins(&line) {
            remembered.push(line);
        }
        bytes.clear();
    }
    Ok((child.wait()?.success(), remembered))
}

fn show(command: &Command) {
    say(format!("\n$ {}", line(command)));
}

fn line(command: &Command) -> String {
    let program = Path::new(command.get_program());
    let mut words = vec![program.file_name().unwrap_or_default().to_string_lossy()];
    words.extend(command.get_args().map(|argument| argument.to_string_lossy()));
    words.join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_command_says_last_is_remembered() {
        let mut command = Command::new("sh");
        command.args(["-c", "echo a; echo Summary 1 >&2; echo b; exit 3"]);
        if std::io::stderr().is_terminal() {
            return;
        }
        let (success, lines) =
            run_remembering(&mut command, |line| line.starts_with("Summary")).expect("sh runs");
        assert_eq!((success, lines), (false, vec!["Summary 1".to_owned(), "b".to_owned()]));
    }
}
