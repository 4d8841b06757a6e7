//! A home for squall during a benchmark, with the user it belongs to; both are
//! removed at the end, whatever happened.

use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, Result, ensure};

use super::options::Runner;
use super::processes;
use crate::command::is_root;
use crate::say::say;

/// Name of the cluster that is measured.
pub(crate) const CLUSTER: &str = "bench";

/// Where squall runs.
#[derive(Debug)]
pub(crate) struct Home {
    directory: PathBuf,
    account: Option<String>,
}

impl Home {
    /// Makes a home with a copy of the binary, readable by its user.
    ///
    /// # Errors
    /// When it cannot be made.
    pub(crate) fn new(binary: &Path, runner: Runner) -> Result<Self> {
        let name = format!("sqb-{}-{}", std::process::id(), runner.word());
        let directory = std::env::temp_dir().join(&name);
        std::fs::create_dir(&directory).with_context(|| format!("make {}", directory.display()))?;
        let mut home = Self { directory, account: None };
        std::fs::set_permissions(&home.directory, std::fs::Permissions::from_mode(0o755))?;
        std::fs::copy(binary, home.binary()).context("copy the binary")?;
        std::fs::create_dir(home.kept())?;
        if runner == Runner::User && is_root() {
            let account = format!("sqbench-{}", std::process::id());
            ended_well(Command::new("/usr/sbin/useradd").args([
                "--no-create-home",
                "--shell",
                "/bin/sh",
                &account,
            ]))?;
            home.account = Some(account.clone());
            ended_well(Command::new("chown").arg(format!("{account}:")).arg(home.kept()))?;
        }
        Ok(home)
    }

    /// Everything of this home lies below.
    pub(crate) fn directory(&self) -> &Path {
        &self.directory
    }

    fn binary(&self) -> PathBuf {
        self.directory.join("squall")
    }

    /// `SQUALL_HOME`.
    fn kept(&self) -> PathBuf {
        self.directory.join("home")
    }

    /// The spec of a cluster of a size.
    ///
    /// # Errors
    /// When it cannot be written.
    pub(crate) fn spec(&self, nodes: u32) -> Result<PathBuf> {
        let path = self.directory.join("bench.yaml");
        std::fs::write(&path, spec(nodes)).context("write the spec")?;
        Ok(path)
    }

    /// Runs squall to its end; an error with its words when it fails.
    ///
    /// # Errors
    /// When it cannot be started or fails.
    pub(crate) fn squall(&self, arguments: &[&str]) -> Result<()> {
        let mut command = match &self.account {
            Some(name) => {
                let mut command = Command::new("setpriv");
                command.args(["--reuid", name, "--regid", name, "--clear-groups", "--"]);
                command.arg(self.binary());
                command
            }
            None => Command::new(self.binary()),
        };
        command.args(arguments).env_clear().current_dir(&self.directory);
        command.env("PATH", "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin");
        command.env("HOME", self.kept()).env("SQUALL_HOME", self.kept()).env("LANG", "C.UTF-8");
        ended_well(&mut command)
    }
}

impl Drop for Home {
    fn drop(&mut self) {
        if !processes::pids(&self.directory).is_empty() {
            let _ = self.squall(&["delete", CLUSTER, "--yes"]);
        }
        for pid in processes::pids(&self.directory) {
            say(format!("bench: ending process {pid}, which delete left"));
            let _ = Command::new("kill").args(["-KILL", &pid.to_string()]).status();
        }
        if let Err(error) = std::fs::remove_dir_all(&self.directory) {
            say(format!("bench: cannot remove {}: {error}", self.directory.display()));
        }
        if let Some(account) = &self.account {
            let _ = ended_well(Command::new("/usr/sbin/userdel").arg(account));
        }
    }
}

fn ended_well(command: &mut Command) -> Result<()> {
    let name = command.get_program().to_string_lossy().into_owned();
    let output = command.stdin(Stdio::null()).output().with_context(|| format!("start {name}"))?;
    let words = [output.stdout, output.stderr].concat();
    let words = String::from_utf8_lossy(&words);
    ensure!(output.status.success(), "{name} ({}): {}", output.status, words.trim());
    Ok(())
}

/// A head, and workers when there is more than one node.
fn spec(nodes: u32) -> String {
    let pool = |name: &str, count: u32| {
        format!("- nodename: {name}\n  instance_type: local.nano\n  count: {count}\n")
    };
    let workers = if nodes > 1 { pool("worker", nodes - 1) } else { String::new() };
    let head = pool("head", 1);
    format!("cloud:\n  provider: local\ncluster:\n  name: {CLUSTER}\nnodes:\n{head}{workers}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_head_counts_as_a_node() {
        assert!(!spec(1).contains("worker"));
        assert!(spec(64).contains("count: 63"));
    }
}
