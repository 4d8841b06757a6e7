//! The engine without a command line: what a shell that keeps its sessions
//! will see. Prints its measurements as one JSON document.
//!
//! - `engine_rounds warm DIRECTORY NODES ROUNDS FANOUT`: connects to all hosts,
//!   then runs `true` on all of them, again and again over the same sessions;
//! - `engine_rounds flood DIRECTORY NODES LINES FANOUT`: all hosts print so
//!   many lines of 80 bytes, which are told apart and counted.
//!
//! The directory is one that `cheap_sshd` has written.

use std::collections::BTreeMap;
use std::io::Write;
use std::net::{IpAddr, SocketAddr};
use std::path::Path;
use std::sync::Arc;
use std::time::Instant;

use model::Endpoint;
use transport::fanout::{self, Assignment, LineEnd, Outcome, RunEventKind, RunOptions, Stop};
use transport::{
    DirectDial, Executor, ExecutorOptions, HostKeys, Login, PrivateKey, PublicKey, Target,
};

type Failure = Box<dyn std::error::Error + Send + Sync>;

fn main() -> Result<(), Failure> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let [mode, directory, nodes, count, fanout] = words.as_slice() else {
        return Err("usage: engine_rounds warm|flood DIRECTORY NODES COUNT FANOUT".into());
    };
    let (count, fanout_max) = (count.parse()?, fanout.parse()?);
    let targets = targets(Path::new(directory), nodes.parse()?)?;
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let document = runtime.block_on(async {
        match *mode {
            "warm" => warm(targets, count, fanout_max).await,
            "flood" => flood(targets, count, fanout_max).await,
            _ => Err("warm or flood".into()),
        }
    })?;
    writeln!(std::io::stdout(), "{document}")?;
    Ok(())
}

fn targets(directory: &Path, nodes: usize) -> Result<Vec<Target>, Failure> {
    let read = |name: &str| std::fs::read_to_string(directory.join(name));
    let port: u16 = read("port")?.parse()?;
    let known = read("known_hosts")?;
    let line = known.lines().next().and_then(|line| line.split_once(' ')).ok_or("no host key")?.1;
    let host_keys = HostKeys::new(vec![PublicKey::parse(line)?]);
    let login = Login::with_key("root", PrivateKey::parse(&read("user")?, "user")?);
    let target = |line: &str| -> Result<Target, Failure> {
        let address = SocketAddr::new(line.parse::<IpAddr>()?, port);
        Ok(Target {
            name: line.into(),
            endpoint: Endpoint::Tcp { address },
            login: login.clone(),
            host_keys: host_keys.clone(),
        })
    };
    read("addresses")?.lines().take(nodes).map(target).collect()
}

fn options(fanout_max: usize) -> RunOptions {
    RunOptions { fanout_max, ..RunOptions::default() }
}

async fn warm(targets: Vec<Target>, rounds: usize, fanout_max: usize) -> Result<String, Failure> {
    let nodes = targets.len();
    let rss_before = status_kib("VmRSS:");
    let executor = Executor::new(Arc::new(DirectDial), ExecutorOptions::default());
    executor.make_room(nodes);
    let cold = Instant::now();
    round(&executor, &targets, fanout_max).await?;
    let connect_s = cold.elapsed().as_secs_f64();
    let rss_connected = status_kib("VmRSS:");
    let (mut rounds_ms, cpu_before) = (Vec::new(), cpu_s());
    for _ in 0..rounds {
        let begun = Instant::now();
        round(&executor, &targets, fanout_max).await?;
        rounds_ms.push(begun.elapsed().as_secs_f64() * 1e3);
    }
    let commands = (rounds * nodes) as f64;
    let cpu_us = (cpu_s() - cpu_before) * 1e6 / commands;
    let kib = |now: u64| (now.saturating_sub(rss_before)) as f64 / nodes as f64;
    let document = serde_json::json!({
        "nodes": nodes,
        "connect_s": connect_s,
        "rounds_ms": rounds_ms,
        "cpu_us_per_command": cpu_us,
        "kib_per_session_connected": kib(rss_connected),
        "kib_per_session": kib(status_kib("VmRSS:")),
        "peak_mib": status_kib("VmHWM:") as f64 / 1024.0,
    });
    executor.close().await;
    Ok(document.to_string())
}

/// `true` on all of them; an error unless it succeeds everywhere.
async fn round(executor: &Executor, targets: &[Target], fanout_max: usize) -> Result<(), Failure> {
    let assignments = Assignment::each(targets.to_vec(), "true");
    let run = fanout::run(executor.clone(), assignments, options(fanout_max), Stop::default());
    let summary = run.summary().await;
    match summary.nodes.iter().find(|node| node.outcome != Outcome::Exited(0)) {
        Some(node) => Err(format!("{}: {:?}", node.node, node.outcome).into()),
        None => Ok(()),
    }
}

async fn flood(targets: Vec<Target>, lines: usize, fanout_max: usize) -> Result<String, Failure> {
    let nodes = targets.len();
    let executor = Executor::new(Arc::new(DirectDial), ExecutorOptions::default());
    executor.make_room(nodes);
    round(&executor, &targets, fanout_max).await?;
    let assignments = Assignment::each(targets, &format!("flood {lines}"));
    let (begun, cpu_before) = (Instant::now(), cpu_s());
    let mut run = fanout::run(executor.clone(), assignments, options(fanout_max), Stop::default());
    let (mut bytes_all, mut lines_of) = (0, BTreeMap::<usize, usize>::new());
    while let Some(event) = run.events.recv().await {
        match event.kind {
            RunEventKind::Output { bytes, end, .. } => {
                let newlines = bytes.iter().filter(|byte| **byte == b'\n').count();
                let last = usize::from(end == LineEnd::Newline);
                bytes_all += bytes.len() + last;
                *lines_of.entry(event.index).or_default() += newlines + last;
            }
            RunEventKind::Finished { outcome, .. } if outcome != Outcome::Exited(0) => {
                return Err(format!("{}: {outcome:?}", event.node).into());
            }
            _ => {}
        }
    }
    let (wall_s, cpu_s) = (begun.elapsed().as_secs_f64(), cpu_s() - cpu_before);
    if lines_of.len() != nodes || lines_of.values().any(|count| *count != lines) {
        return Err("lines are missing".into());
    }
    let document = serde_json::json!({
        "nodes": nodes,
        "bytes": bytes_all,
        "wall_s": wall_s,
        "cpu_s": cpu_s,
        "peak_mib": status_kib("VmHWM:") as f64 / 1024.0,
    });
    executor.close().await;
    Ok(document.to_string())
}

/// Processor time of this process so far, user and system.
fn cpu_s() -> f64 {
    let time = rustix::time::clock_gettime(rustix::time::ClockId::ProcessCPUTime);
    time.tv_sec as f64 + time.tv_nsec as f64 / 1e9
}

/// A line of `/proc/self/status`, in KiB.
fn status_kib(field: &str) -> u64 {
    let text = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = text.lines().find(|line| line.starts_with(field));
    line.and_then(|line| line.split_whitespace().nth(1)?.parse().ok()).unwrap_or(0)
}
