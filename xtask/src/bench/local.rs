//! Nodes on this machine: how long until ssh answers on all of them, what that
//! costs, and how long until nothing is left.

use std::path::PathBuf;
use std::process::Command;
use std::time::Instant;

use anyhow::{Context, Result, ensure};

use super::home::{CLUSTER, Home};
use super::options::{Options, Runner};
use super::processes::{cost, pids, waited_cpu_s};
use super::table::{Row, Sample, Setting, page, table};
use crate::command::{cargo, run, top};
use crate::say::say;

/// The page of the guide.
const PAGE: &str = "docs/src/benchmarks.md";

/// Measures, shows, and writes the page when told to.
///
/// # Errors
/// When squall fails or a node is missing.
pub(crate) fn local(words: &[&str]) -> Result<()> {
    let options = Options::parse(words)?;
    let binary = match &options.binary {
        Some(path) => path.clone(),
        None => release_build()?,
    };
    let load = load();
    let mut rows = Vec::new();
    for runner in &options.runners {
        let home = Home::new(&binary, *runner)?;
        for nodes in &options.nodes {
            rows.push(row(&home, *runner, *nodes, options.rounds)?);
        }
    }
    let setting = setting(words, &options, &load);
    say(format!("\n{}", table(&rows)));
    if options.write {
        std::fs::write(top().join(PAGE), page(&setting, &rows)).context("write the page")?;
        say(format!("written: {PAGE}"));
    }
    Ok(())
}

fn row(home: &Home, runner: Runner, nodes: u32, rounds: u32) -> Result<Row> {
    let mut samples = Vec::new();
    for round in 1..=rounds {
        let sample = sample(home, nodes)
            .with_context(|| format!("{nodes} nodes as {}, round {round}", runner.word()))?;
        say(format!(
            "{nodes} nodes as {}, round {round} of {rounds}: create {:.2} s, delete {:.2} s",
            runner.word(),
            sample.create_s,
            sample.delete_s
        ));
        samples.push(sample);
    }
    Ok(Row { nodes, runner: runner.word(), samples })
}

fn sample(home: &Home, nodes: u32) -> Result<Sample> {
    let spec = home.spec(nodes)?;
    let spec = spec.to_string_lossy();
    let cpu_before_s = waited_cpu_s();
    let create_s = timed(|| home.squall(&["create", &spec, "--yes"]))?;
    let client_cpu_s = waited_cpu_s() - cpu_before_s;
    let cost = cost(home.directory());
    ensure!(
        cost.processes > nodes as usize,
        "{} processes for {nodes} nodes and their supervisor",
        cost.processes
    );
    // Fails when a node does not answer, so `create` cannot have said so in vain.
    let run_s = timed(|| home.squall(&["run", "*", "--", "true"]))?;
    let delete_s = timed(|| home.squall(&["delete", CLUSTER, "--yes"]))?;
    let left = pids(home.directory());
    ensure!(left.is_empty(), "delete left the processes {left:?}");
    Ok(Sample {
        create_s,
        client_cpu_s,
        nodes_cpu_s: cost.cpu_s,
        pss_bytes: cost.pss_bytes as f64,
        charged_bytes: cost.charged_bytes.map(|bytes| bytes as f64),
        run_s,
        delete_s,
    })
}

fn timed(action: impl FnOnce() -> Result<()>) -> Result<f64> {
    let start = Instant::now();
    action()?;
    Ok(start.elapsed().as_secs_f64())
}

fn release_build() -> Result<PathBuf> {
    run(&mut cargo(&["build", "--release", "--locked", "--package", "cli"]))?;
    let target =
        std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| top().join("target"), Into::into);
    let binary = target.join("release/squall");
    ensure!(binary.is_file(), "no {}", binary.display());
    Ok(binary)
}

/// Load of one, five and fifteen minutes before anything is measured.
fn load() -> String {
    let text = std::fs::read_to_string("/proc/loadavg").unwrap_or_default();
    text.split(' ').take(3).collect::<Vec<_>>().join(" ")
}

fn setting(words: &[&str], options: &Options, load: &str) -> Setting {
    let command = format!("`cargo xtask bench local {}`", words.join(" "));
    let cpus = std::thread::available_parallelism().map_or(0, std::num::NonZero::get);
    let changed = !said("git", &["status", "--porcelain", "--untracked-files=no"]).is_empty();
    let commit = said("git", &["rev-parse", "--short=12", "HEAD"]);
    let dirty = if changed { ", with changes" } else { "" };
    Setting {
        facts: vec![
            ("date", said("date", &["-u", "+%Y-%m-%d"])),
            ("commit", format!("{commit}{dirty}")),
            ("command", command.replace(" `", "`")),
            ("rounds", options.rounds.to_string()),
            ("load before", load.to_owned()),
            ("machine", format!("{cpus} × {}, {} of memory", processor(), memory())),
            ("kernel", said("uname", &["-sr"])),
        ],
    }
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
