//! The tools, and how each is told to do the same.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::Result;

use super::peers::Peers;
use super::sites::{HOMES, SSHD, Site};

/// Hosts at once, for every tool.
pub(super) const FANOUT: &str = "64";
/// Where squall and its peers are told to go.
const USER: &str = "root";

/// What is run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Tool {
    Squall,
    ParallelSsh,
    Pdsh,
    Clush,
    /// pdsh with the key exchange that its ssh chooses by itself.
    PdshDefault,
}

/// What a tool is to do.
#[derive(Debug, Clone, Copy)]
pub(super) enum Task<'a> {
    /// A command.
    Run(&'a str),
    /// A file into the home of every host.
    Put(&'a Path),
}

/// Programs.
#[derive(Debug)]
pub(super) struct Programs {
    pub(super) squall: PathBuf,
    pub(super) cheap: PathBuf,
    pub(super) rounds: PathBuf,
    pub(super) lab: PathBuf,
    pub(super) peers: Peers,
}

impl Tool {
    /// As tables name it.
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Squall => "squall",
            Self::ParallelSsh => "parallel-ssh",
            Self::Pdsh => "pdsh",
            Self::Clush => "clush",
            Self::PdshDefault => "pdsh, ssh's own choice",
        }
    }
}

/// The command line; none where the tool is not installed.
pub(super) fn command(
    programs: &Programs,
    tool: Tool,
    site: &Site,
    nodes: usize,
    task: Task<'_>,
) -> Result<Option<Command>> {
    let hosts = site.hosts(nodes)?;
    let peers = &programs.peers;
    let mut command = match tool {
        Tool::Squall => squall(programs, site, &hosts, task)?,
        Tool::ParallelSsh => {
            let Some(python) = &peers.python else { return Ok(None) };
            let mut command = parallel_ssh(python, &peers.script, site, &hosts, task)?;
            command.env("PYTHONDONTWRITEBYTECODE", "1");
            command
        }
        Tool::Pdsh | Tool::PdshDefault => {
            if !peers.pdsh {
                return Ok(None);
            }
            pdsh(tool, site, &hosts, task)
        }
        Tool::Clush => {
            let Some(clush) = &peers.clush else { return Ok(None) };
            clush_command(clush, site, &hosts, task)
        }
    };
    command.env("HOME", site.file(""));
    Ok(Some(command))
}

/// Host keys are verified by `~/.ssh/known_hosts`, which the site has.
fn squall(programs: &Programs, site: &Site, hosts: &Path, task: Task<'_>) -> Result<Command> {
    let mut command = Command::new(&programs.squall);
    command.env("SQUALL_HOME", site.file("squall-home")).env_remove("SSH_AUTH_SOCK");
    let port = site.port()?;
    let lines = std::fs::read_to_string(hosts)?;
    let lines: Vec<String> = lines.lines().map(|host| format!("{USER}@{host}:{port}\n")).collect();
    let hosts = hosts.with_extension("squall");
    std::fs::write(&hosts, lines.concat())?;
    let (verb, before) = match task {
        Task::Run(_) => ("run", None),
        Task::Put(file) => ("put", Some(file)),
    };
    command.arg(verb).arg("--hosts").arg(hosts).arg("--identity").arg(site.file("user"));
    command.args(["--fanout", FANOUT]).args(before).arg("*");
    if let Task::Run(line) = task {
        command.args(["--", line]);
    }
    Ok(command)
}

/// Key exchange of the ssh programs: ours, so that figures compare tools.
fn ssh_options(tool: Tool, site: &Site) -> Vec<String> {
    let mut options = vec![format!("-F{}", site.file("ssh_config").display())];
    if [SSHD, HOMES].contains(&site.name) && tool != Tool::PdshDefault {
        options.push("-oKexAlgorithms=curve25519-sha256".into());
    }
    options
}

fn parallel_ssh(
    python: &Path,
    script: &Path,
    site: &Site,
    hosts: &Path,
    task: Task<'_>,
) -> Result<Command> {
    let mut command = Command::new(python);
    let mode = match task {
        Task::Run(_) => "run",
        Task::Put(_) => "copy",
    };
    command.arg(script).arg(mode).arg(hosts).arg(site.port()?).arg(USER);
    command.arg(site.file("user")).arg(FANOUT);
    match task {
        Task::Run(line) => command.arg(line),
        Task::Put(file) => command.arg(file).arg("parallel-ssh"),
    };
    Ok(command)
}

fn pdsh(tool: Tool, site: &Site, hosts: &Path, task: Task<'_>) -> Command {
    let mut command = Command::new(match task {
        Task::Run(_) => "pdsh",
        Task::Put(_) => "pdcp",
    });
    let options = ssh_options(tool, site).join(" ");
    command.env("PDSH_SSH_ARGS", format!("{options} -2 -a -x -l%u %h"));
    command.args(["-R", "ssh", "-l", USER, "-f", FANOUT, "-w"]);
    command.arg(format!("^{}", hosts.display()));
    match task {
        Task::Run(line) => command.arg(line),
        Task::Put(file) => command.arg(file).arg("pdcp"),
    };
    command
}

fn clush_command(program: &Path, site: &Site, hosts: &Path, task: Task<'_>) -> Command {
    let mut command = Command::new(program);
    command.args(["-R", "ssh", "-l", USER, "-f", FANOUT, "-o"]);
    command.arg(ssh_options(Tool::Clush, site).join(" "));
    command.arg(format!("--hostfile={}", hosts.display()));
    match task {
        Task::Run(line) => command.arg(line),
        Task::Put(file) => command.arg("--copy").arg(file).args(["--dest", "clush"]),
    };
    command
}
