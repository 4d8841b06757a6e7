//! The benchmark from the build to the page.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail, ensure};

use super::cases::Bench;
use super::goals::goals;
use super::options::Options;
use super::page::{HEADING, promises, section, tables};
use super::peers::Peers;
use super::results::Results;
use super::sites::{HOMES, HYBRID, SSHD, Site, X25519};
use super::tools::Programs;
use crate::bench::pages::write_section;
use crate::bench::setting::{facts, load, target_directory};
use crate::command::{cargo, is_root, run};
use crate::say::say;

/// Measures, shows, and writes the page when told to. Says which promises are
/// not kept.
///
/// # Errors
/// When something cannot be built or started.
pub(crate) fn ssh(words: &[&str]) -> Result<()> {
    let options = Options::parse(words)?;
    ensure!(is_root(), "needs root: so many sessions of one user's sshd are refused elsewhere");
    if !options.built {
        build(&options)?;
    }
    let programs = programs(&options)?;
    let work = std::env::temp_dir().join(format!("sqb-{}", std::process::id()));
    std::fs::create_dir_all(&work)?;
    let load = load();
    let results = measured(&options, &programs, &work);
    let removed = std::fs::remove_dir_all(&work);
    let results = results?;
    removed.with_context(|| format!("remove {}", work.display()))?;

    let mut facts = facts("ssh", words, &options.rounds.to_string(), &load);
    facts.push(("peers", programs.peers.versions.clone()));
    say(format!("\n{}\n{}", tables(&results), promises(&goals(&results))));
    if options.write {
        write_section(HEADING, &section(&facts, &results))?;
    }
    let goals = goals(&results);
    for goal in &goals {
        match &goal.got {
            None => say(format!("bench: not measured: {}", goal.what)),
            Some(got) if !goal.is_met => {
                say(format!("bench: MISSED: {}: wanted {}, got {got}", goal.what, goal.wanted));
            }
            Some(_) => {}
        }
    }
    if goals.iter().all(|goal| goal.is_met) {
        say("bench: every promise is kept");
    }
    Ok(())
}

fn measured(options: &Options, programs: &Programs, work: &Path) -> Result<Results> {
    let nodes = if options.quick { 64 } else { 1000 };
    let sites = vec![
        Site::cheap(&programs.cheap, work, HYBRID, nodes)?,
        Site::cheap(&programs.cheap, work, X25519, nodes)?,
        Site::sshd(&programs.lab, work, SSHD)?,
        Site::sshd(&programs.lab, work, HOMES)?,
    ];
    let results = Results::default();
    let mut bench = Bench { options, programs, sites, work, results };
    if options.has("cold") {
        bench.cold()?;
    }
    if options.has("warm") {
        bench.warm()?;
    }
    if options.has("flood") {
        bench.engine_flood()?;
        bench.flood()?;
    }
    if options.has("put") {
        bench.put()?;
    }
    Ok(bench.results)
}

fn build(options: &Options) -> Result<()> {
    let mut build = cargo(&["build", "--release", "--locked", "--package", "transport"]);
    build.args(["--example", "cheap_sshd", "--example", "engine_rounds"]);
    if options.binary.is_none() {
        build.args(["--package", "cli", "--bin", "squall"]);
    }
    run(&mut build)?;
    run(&mut cargo(&["build", "--locked", "--package", "e2e", "--bin", "ssh_lab"]))
}

fn programs(options: &Options) -> Result<Programs> {
    let target = target_directory();
    let program = |name: &str| -> Result<PathBuf> {
        let path = target.join(name);
        if !path.is_file() {
            bail!("no {}", path.display());
        }
        Ok(path)
    };
    Ok(Programs {
        squall: match &options.binary {
            Some(path) => path.clone(),
            None => program("release/squall")?,
        },
        cheap: program("release/examples/cheap_sshd")?,
        rounds: program("release/examples/engine_rounds")?,
        lab: program("debug/ssh_lab")?,
        peers: Peers::install(&target.join("bench-peers"))?,
    })
}
