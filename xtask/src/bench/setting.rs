//! Where and how something was measured.

use std::path::PathBuf;
use std::process::Command;

use anyhow::{Result, ensure};

use crate::command::{cargo, run, top};

/// A release build of the binary.
///
/// # Errors
/// When it does not build.
pub(crate) fn release_build() -> Result<PathBuf> {
    run(&mut cargo(&["build", "--release", "--locked", "--package", "cli"]))?;
    let binary = target_directory().join("release/squall");
    ensure!(binary.is_file(), "no {}", binary.display());
    Ok(binary)
}

/// Where cargo builds.
pub(crate) fn target_directory() -> PathBuf {
    std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| top().join("target"), Into::into)
}

/// Load of one, five and fifteen minutes before anything is measured.
pub(crate) fn load() -> String {
    let text = std::fs::read_to_string("/proc/loadavg").unwrap_or_default();
    text.split(' ').take(3).collect::<Vec<_>>().join(" ")
}

/// Label and value of each, in the order they are shown.
pub(crate) fn facts(
    name: &str,
    words: &[&str],
    rounds: &str,
    load: &str,
) -> Vec<(&'static str, String)> {
    let command = format!("`cargo xtask bench {name} {}`", words.join(" "));
    let cpus = std::thread::available_parallelism().map_or(0, std::num::NonZero::get);
    let changed = !said("git", &["status", "--porcelain", "--untracked-files=no"]).is_empty();
    let commit = said("git", &["rev-parse", "--short=12", "HEAD"]);
    let dirty = if changed { ", with changes" } else { "" };
    vec![
        ("date", said("date", &["-u", "+%Y-%m-%d"])),
        ("commit", format!("{commit}{dirty}")),
        ("command", command.replace(" `", "`")),
        ("rounds", rounds.to_owned()),
        ("load before", load.to_owned()),
        ("machine", format!("{cpus} × {}, {} of memory", processor(), memory())),
        ("kernel", said("uname", &["-sr"])),
    ]
}

fn processor() -> String {
    let text = std::fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let line = text.lines().find_map(|line| line.strip_prefix("model name"));
    let name = line.and_then(|rest| rest.split_once(':')).map(|(_, name)| name.trim().to_owned());
    name.unwrap_or_else(|| std::env::consts::ARCH.to_owned())
}

fn memory() -> String {
    let text = std::fs::read_to_string("/proc/meminfo").unwrap_or_default();
    let line = text.lines().find_map(|line| line.strip_prefix("MemTotal:"));
    let kib = line.and_then(|rest| rest.split_whitespace().next()?.parse::<f64>().ok());
    format!("{:.0} GiB", kib.unwrap_or(0.0) / 1024.0 / 1024.0)
}

fn said(program: &str, arguments: &[&str]) -> String {
    let output = Command::new(program).args(arguments).current_dir(top()).output();
    output.map_or_else(|_| "?".into(), |o| String::from_utf8_lossy(&o.stdout).trim().to_owned())
}
