//! The tools squall is compared with, installed by ourselves: Python packages
//! into an environment below the build directory, pdsh with apt-get.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, ensure};

use crate::command::{find_program, run};
use crate::say::say;
use crate::setup;

/// The versions that the tables name.
const PACKAGES: [&str; 2] = ["parallel-ssh==2.16.0.post1", "ClusterShell==1.10.1"];

/// What runs the other tools.
const PARALLEL_SSH: &str = include_str!("python/parallel_ssh.py");
/// What measures all of them.
const MEASURE: &str = include_str!("python/measure.py");

/// Where they are; none for what could not be installed.
#[derive(Debug)]
pub(super) struct Peers {
    /// Python with parallel-ssh.
    pub(super) python: Option<PathBuf>,
    pub(super) clush: Option<PathBuf>,
    pub(super) pdsh: bool,
    /// The script for parallel-ssh.
    pub(super) script: PathBuf,
    /// The script that measures.
    pub(super) measure: PathBuf,
    /// What there is, with its version, for the page.
    pub(super) versions: String,
}

impl Peers {
    /// Installs what is missing.
    ///
    /// # Errors
    /// Without python3 nothing can be measured. A missing peer is no error.
    pub(super) fn install(directory: &Path) -> Result<Self> {
        std::fs::create_dir_all(directory)?;
        let (script, measure) = (directory.join("parallel_ssh.py"), directory.join("measure.py"));
        std::fs::write(&script, PARALLEL_SSH)?;
        std::fs::write(&measure, MEASURE)?;
        if find_program("python3").is_none() {
            setup::install(&["python3", "python3-venv"])?;
        }
        ensure!(find_program("python3").is_some(), "measuring needs python3");
        let environment = directory.join("venv");
        if let Err(error) = environment_of(&environment) {
            say(format!("bench: without parallel-ssh and clush: {error:#}"));
        }
        if find_program("pdsh").is_none()
            && let Err(error) = setup::install(&["pdsh"])
        {
            say(format!("bench: without pdsh: {error:#}"));
        }
        let there = |name: &str| Some(environment.join("bin").join(name)).filter(|p| p.is_file());
        let pdsh = find_program("pdsh").is_some();
        let (python, clush) = (there("clush").and_then(|_| there("python3")), there("clush"));
        let versions = versions(python.is_some(), pdsh);
        Ok(Self { python, clush, pdsh, script, measure, versions })
    }
}

fn environment_of(environment: &Path) -> Result<()> {
    // Written last by pip.
    if environment.join("bin/clush").is_file() {
        return Ok(());
    }
    run(Command::new("python3").args(["-m", "venv"]).arg(environment))?;
    let pip = environment.join("bin/pip");
    run(Command::new(pip).args(["install", "--quiet"]).args(PACKAGES))
}

fn versions(python: bool, pdsh: bool) -> String {
    let mut all = Vec::new();
    if python {
        all.extend(PACKAGES.map(|package| package.replace("==", " ")));
    }
    if pdsh {
        all.push(said(Command::new("pdsh").arg("-V")).unwrap_or_else(|_| "pdsh".into()));
    }
    all.push(said(Command::new("ssh").arg("-V")).unwrap_or_else(|_| "ssh".into()));
    all.join(", ")
}

/// The first line that a command prints, wherever to.
fn said(command: &mut Command) -> Result<String> {
    let output = command.output().context("start it")?;
    let all = [output.stdout, output.stderr].concat();
    let text = String::from_utf8_lossy(&all);
    Ok(text.lines().next().context("it said nothing")?.split(" (").next().unwrap_or("").to_owned())
}
