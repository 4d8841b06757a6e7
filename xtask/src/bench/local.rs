//! Nodes on this machine: how long until ssh answers on all of them, what that
//! costs, and how long until nothing is left.

use std::time::Instant;

use anyhow::{Context, Result, ensure};

use super::home::{CLUSTER, Home};
use super::options::{Options, Runner};
use super::pages::write_section;
use super::processes::{cost, pids, waited_cpu_s};
use super::setting::{facts, load, release_build};
use super::table::{Row, Sample, section, table};
use crate::say::say;

/// Heading of the section.
const HEADING: &str = "Local nodes";

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
    let facts = facts("local", words, &options.rounds.to_string(), &load);
    say(format!("\n{}", table(&rows)));
    if options.write {
        write_section(HEADING, &section(&facts, &rows))?;
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
