//! One run of one tool, and what it cost.

use std::path::Path;
use std::process::{Command, Stdio};

use anyhow::{Context, Result, ensure};
use serde_json::Value;

/// Longest time for one run; what takes longer is ended and shown as such.
const LIMIT_S: u32 = 45;

/// What one run cost.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Sample {
    pub(super) wall_s: f64,
    /// Of the tool and all its processes, user and system.
    pub(super) cpu_s: f64,
    /// Of the tool and all its processes together.
    pub(super) peak_mib: f64,
    /// It was ended after [`LIMIT_S`]; the figures are what it took by then.
    pub(super) timed_out: bool,
}

/// What becomes of the output of a command.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Output {
    /// At least so many lines are expected.
    Lines(usize),
    /// Nobody looks.
    Null,
}

/// Runs a command to its end.
///
/// # Errors
/// When it fails or prints too little: what did not work is no measurement.
pub(super) fn measure(script: &Path, command: &Command, output: Output) -> Result<Sample> {
    let mode = if output == Output::Null { "NULL" } else { "LINES" };
    let mut measured = Command::new("python3");
    measured.arg(script).args([&LIMIT_S.to_string(), mode]);
    measured.arg(command.get_program()).args(command.get_args());
    for (name, value) in command.get_envs() {
        match value {
            Some(value) => measured.env(name, value),
            None => measured.env_remove(name),
        };
    }
    let said = measured.stdin(Stdio::null()).output().context("start python3")?;
    let value: Value = serde_json::from_slice(&said.stdout)
        .with_context(|| format!("measure: {}", String::from_utf8_lossy(&said.stderr)))?;
    let number = |name: &str| value[name].as_f64().unwrap_or(f64::NAN);
    let timed_out = value["timed_out"] == true;
    if !timed_out {
        let errors = value["errors"].as_str().unwrap_or_default();
        let errors = errors.lines().take(3).collect::<Vec<_>>().join(" ");
        ensure!(value["code"] == 0, "ended with {}: {}", value["code"], errors.trim());
        if let Output::Lines(expected) = output {
            let lines = value["lines"].as_u64().unwrap_or(0);
            ensure!(lines >= expected as u64, "printed {lines} lines: {}", errors.trim());
        }
    }
    Ok(Sample {
        wall_s: number("wall_s"),
        cpu_s: number("cpu_s"),
        peak_mib: number("peak_mib"),
        timed_out,
    })
}
