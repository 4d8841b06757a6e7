//! What is measured, in which order. Within a round all tools take their turn,
//! so that what the machine does beside it meets all of them.

use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result, ensure};
use serde_json::Value;

use super::measure::{Output, Sample, measure};
use super::options::Options;
use super::results::{Results, Spread, Warm};
use super::sites::{HOMES, HYBRID, SSHD, Site, X25519};
use super::tools::{FANOUT, Programs, Task, Tool, command};
use crate::say::say;

/// Lines of 80 bytes in 10 MB.
const FLOOD_LINES: usize = 125_000;
/// Size of the file that is copied.
const PUT_BYTES: usize = 10_000_000;
/// Warm rounds of squall; sessions grow until they are used for a while.
const WARM_ROUNDS: usize = 200;
/// Warm rounds of others.
const WARM_ROUNDS_PEER: usize = 30;

/// One line of the schedule.
struct Turn {
    case: &'static str,
    nodes: usize,
    tool: Tool,
    site: &'static str,
    /// Takes part in this many rounds; slow ones in fewer.
    rounds: u32,
}

/// Everything of one run of the benchmark.
pub(super) struct Bench<'a> {
    pub(super) options: &'a Options,
    pub(super) programs: &'a Programs,
    pub(super) sites: Vec<Site>,
    pub(super) work: &'a Path,
    pub(super) results: Results,
}

impl Bench<'_> {
    /// Commands over new connections.
    pub(super) fn cold(&mut self) -> Result<()> {
        let all = self.options.rounds;
        let sizes: &[(&'static str, usize, u32)] = if self.options.quick {
            &[(HYBRID, 64, all), (SSHD, 64, all)]
        } else {
            &[
                (HYBRID, 64, all.min(3)),
                (HYBRID, 256, all),
                (HYBRID, 1000, all.min(3)),
                (SSHD, 64, all.min(3)),
                (SSHD, 256, all.min(3)),
            ]
        };
        for (site, nodes, rounds) in sizes.iter().copied() {
            let turns = cold_turns(site, nodes, rounds);
            self.take_turns(&turns, Task::Run("uptime"), Output::Lines(nodes))?;
        }
        Ok(())
    }

    /// Much output of many.
    pub(super) fn flood(&mut self) -> Result<()> {
        let nodes = if self.options.quick { 16 } else { 64 };
        let turn = |tool, site, rounds| Turn { case: "flood", nodes, tool, site, rounds };
        let turns = [
            turn(Tool::Squall, HYBRID, self.options.rounds),
            turn(Tool::Pdsh, X25519, 1),
            turn(Tool::Clush, X25519, 1),
            turn(Tool::ParallelSsh, X25519, 1),
        ];
        let line = format!("flood {FLOOD_LINES}");
        self.take_turns(&turns, Task::Run(&line), Output::Null)
    }

    /// A file to many.
    pub(super) fn put(&mut self) -> Result<()> {
        let nodes = if self.options.quick { 16 } else { 64 };
        let rounds = self.options.rounds.min(3);
        let payload = self.work.join("payload");
        std::fs::write(&payload, noise(PUT_BYTES)).context("write what is to be copied")?;
        let tools = [Tool::Squall, Tool::Pdsh, Tool::Clush, Tool::ParallelSsh];
        let turns = tools.map(|tool| Turn { case: "put", nodes, tool, site: HOMES, rounds });
        self.take_turns(&turns, Task::Put(&payload), Output::Null)
    }

    /// Commands over connections that are there.
    pub(super) fn warm(&mut self) -> Result<()> {
        let nodes = if self.options.quick { 64 } else { 1000 };
        let programs = self.programs;
        let site = self.site(HYBRID)?;
        let mut squall = Command::new(&programs.rounds);
        squall.arg("warm").arg(site.file(""));
        squall.args([&nodes.to_string(), &WARM_ROUNDS.to_string(), FANOUT]);
        let document = json(&mut squall)?;
        self.results.warm.push(warm("squall's engine", nodes, &document));

        let site = self.site(X25519)?;
        let Some(python) = &programs.peers.python else { return Ok(()) };
        let mut peer = Command::new(python);
        peer.arg(&programs.peers.script).arg("warm").arg(site.hosts(nodes)?);
        peer.arg(site.port()?).arg("root").arg(site.file("user"));
        peer.args([FANOUT, &WARM_ROUNDS_PEER.to_string()]);
        match json(&mut peer) {
            Ok(document) => self.results.warm.push(warm("parallel-ssh", nodes, &document)),
            Err(error) => self.leave_out(format!("warm, parallel-ssh: {error:#}")),
        }
        Ok(())
    }

    /// The engine alone, without a command line to print for.
    pub(super) fn engine_flood(&mut self) -> Result<()> {
        let nodes = if self.options.quick { 16 } else { 64 };
        let directory = self.site(HYBRID)?.file("");
        for _ in 0..self.options.rounds {
            let mut engine = Command::new(&self.programs.rounds);
            engine.arg("flood").arg(&directory);
            engine.args([&nodes.to_string(), &FLOOD_LINES.to_string(), FANOUT]);
            let document = json(&mut engine)?;
            let sample = Sample {
                wall_s: document["wall_s"].as_f64().unwrap_or(f64::NAN),
                cpu_s: document["cpu_s"].as_f64().unwrap_or(f64::NAN),
                peak_mib: document["peak_mib"].as_f64().unwrap_or(f64::NAN),
                timed_out: false,
            };
            self.results.add(("flood", HYBRID, nodes, "squall's engine"), sample);
        }
        Ok(())
    }

    fn take_turns(&mut self, turns: &[Turn], task: Task<'_>, output: Output) -> Result<()> {
        let rounds = turns.iter().map(|turn| turn.rounds).max().unwrap_or(0);
        let mut broken = Vec::new();
        for round in 0..rounds {
            for (number, turn) in turns.iter().enumerate() {
                if round >= turn.rounds || broken.contains(&number) {
                    continue;
                }
                if let Err(error) = self.take_turn(turn, task, output) {
                    let (case, tool, nodes) = (turn.case, turn.tool.name(), turn.nodes);
                    self.leave_out(format!("{case}, {tool}, {nodes} × {}: {error:#}", turn.site));
                    broken.push(number);
                }
            }
        }
        Ok(())
    }

    fn take_turn(&mut self, turn: &Turn, task: Task<'_>, output: Output) -> Result<()> {
        let Turn { case, nodes, tool, site, .. } = *turn;
        let programs = self.programs;
        let site = self.site(site)?;
        let command = command(programs, tool, site, nodes, task)?;
        let command = command.context("it is not installed")?;
        if case == "put" {
            site.clear_homes()?;
        }
        site.choices()?;
        let sample = measure(&programs.peers.measure, &command, output)?;
        if case == "put" {
            copied(site, nodes)?;
        }
        let (name, choices) = (site.name, site.choices()?.join("; "));
        say(format!(
            "{case}, {nodes} × {name}, {}: {:.3} s, {:.3} CPU s, {:.0} MiB {choices}",
            tool.name(),
            sample.wall_s,
            sample.cpu_s,
            sample.peak_mib
        ));
        let pair = (format!("{} with {name}", tool.name()), choices);
        if !pair.1.is_empty() && !self.results.choices.contains(&pair) {
            self.results.choices.push(pair);
        }
        self.results.add((case, name, nodes, tool.name()), sample);
        Ok(())
    }

    fn site(&mut self, name: &str) -> Result<&mut Site> {
        let found = self.sites.iter_mut().find(|site| site.name == name);
        found.with_context(|| format!("no {name}"))
    }

    fn leave_out(&mut self, what: String) {
        say(format!("bench: left out: {what}"));
        self.results.left_out.push(what);
    }
}

fn cold_turns(site: &'static str, nodes: usize, rounds: u32) -> Vec<Turn> {
    let turn = |tool, site, rounds| Turn { case: "cold", nodes, tool, site, rounds };
    // What starts a process per host takes its time with a thousand.
    let slow = if nodes > 256 { 1 } else { rounds };
    if site == SSHD {
        let mut turns = vec![
            turn(Tool::Squall, SSHD, rounds),
            turn(Tool::ParallelSsh, SSHD, rounds),
            turn(Tool::Pdsh, SSHD, rounds),
            turn(Tool::Clush, SSHD, rounds),
        ];
        if nodes <= 64 {
            turns.push(turn(Tool::PdshDefault, SSHD, 1));
        }
        return turns;
    }
    vec![
        turn(Tool::Squall, HYBRID, rounds),
        turn(Tool::Squall, X25519, rounds),
        turn(Tool::ParallelSsh, X25519, rounds),
        turn(Tool::Pdsh, X25519, slow),
        turn(Tool::Clush, X25519, slow),
    ]
}

/// Whether every home has a file of the right size.
fn copied(site: &Site, nodes: usize) -> Result<()> {
    let homes = std::fs::read_dir(site.file("nodes"))?.flatten();
    let files = homes.flat_map(|home| std::fs::read_dir(home.path()).into_iter().flatten());
    let sizes = files.flatten().filter_map(|file| Some(file.metadata().ok()?.len()));
    let whole = sizes.filter(|size| *size == PUT_BYTES as u64).count();
    ensure!(whole == nodes, "{whole} of {nodes} hosts have the file");
    Ok(())
}

/// Bytes that do not compress, the same every time.
fn noise(count: usize) -> Vec<u8> {
    let mut state = 0x2545_f491_4f6c_dd1d_u64;
    let mut next = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state.to_le_bytes()
    };
    (0..count.div_ceil(8)).flat_map(|_| next()).take(count).collect()
}

fn json(command: &mut Command) -> Result<Value> {
    let output = command.output().with_context(|| format!("start {command:?}"))?;
    let errors = String::from_utf8_lossy(&output.stderr).trim().to_owned();
    ensure!(output.status.success(), "{}: {errors}", output.status);
    serde_json::from_slice(&output.stdout).with_context(|| format!("no JSON: {errors}"))
}

fn warm(tool: &'static str, nodes: usize, document: &Value) -> Warm {
    let number = |name: &str| document[name].as_f64().unwrap_or(f64::NAN);
    let rounds = document["rounds_ms"].as_array().cloned().unwrap_or_default();
    let rounds: Vec<f64> = rounds.iter().filter_map(Value::as_f64).collect();
    let warm = Warm {
        tool,
        nodes,
        round_ms: Spread::of(&rounds),
        rounds: rounds.len(),
        cpu_us_per_command: number("cpu_us_per_command"),
        kib_per_session: number("kib_per_session"),
    };
    say(format!(
        "warm, {nodes}, {tool}: {:.1} ms a round, {:.1} us CPU a command, {:.1} KiB a session",
        warm.round_ms.median, warm.cpu_us_per_command, warm.kib_per_session
    ));
    warm
}
