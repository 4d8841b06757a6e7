//! The servers that are measured against, as processes of their own with a
//! directory of files for clients.

use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use anyhow::{Context, Result, ensure};
use serde_json::Value;

/// Running servers.
#[derive(Debug)]
pub(super) struct Site {
    /// As tables name it.
    pub(super) name: &'static str,
    directory: PathBuf,
    /// Where lists of hosts are written that no server knows of.
    lists: PathBuf,
    process: Child,
    stdin: Option<ChildStdin>,
    stdout: BufReader<ChildStdout>,
}

/// Answers that cost nothing, with hybrid key exchange.
pub(super) const HYBRID: &str = "cheap, hybrid";
/// Answers that cost nothing, without it.
pub(super) const X25519: &str = "cheap, x25519";
/// OpenSSH.
pub(super) const SSHD: &str = "sshd";
/// OpenSSH, every host with a home of its own.
pub(super) const HOMES: &str = "sshd, homes";

impl Site {
    /// The cheap server with so many addresses.
    ///
    /// # Errors
    /// When it does not come up.
    pub(super) fn cheap(
        program: &Path,
        work: &Path,
        name: &'static str,
        nodes: usize,
    ) -> Result<Self> {
        let directory = work.join(name.replace(", ", "-"));
        std::fs::create_dir_all(&directory)?;
        let mut command = Command::new(program);
        command.arg(&directory).arg(nodes.to_string());
        if name == X25519 {
            command.arg("x25519");
        }
        let mut site = Self::start(name, command, directory, work)?;
        let said = site.line()?;
        ensure!(said == "listening", "the cheap server said {said}");
        Ok(site)
    }

    /// Real servers, with files in memory.
    ///
    /// # Errors
    /// When they do not come up.
    pub(super) fn sshd(program: &Path, work: &Path, name: &'static str) -> Result<Self> {
        let mut command = Command::new(program);
        command.args(["16", "16"]);
        if name == HOMES {
            command.arg("homes");
        }
        let memory = Path::new("/dev/shm");
        if memory.is_dir() {
            command.env("TMPDIR", memory);
        }
        let mut site = Self::start(name, command, PathBuf::new(), work)?;
        site.directory = PathBuf::from(site.line()?);
        Ok(site)
    }

    fn start(
        name: &'static str,
        mut command: Command,
        directory: PathBuf,
        work: &Path,
    ) -> Result<Self> {
        command.stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut process = command.spawn().with_context(|| format!("start {name}"))?;
        let stdin = process.stdin.take();
        let stdout = BufReader::new(process.stdout.take().context("a pipe")?);
        let lists = work.join("lists");
        std::fs::create_dir_all(&lists)?;
        Ok(Self { name, directory, lists, process, stdin, stdout })
    }

    fn line(&mut self) -> Result<String> {
        let mut line = String::new();
        let count = self.stdout.read_line(&mut line)?;
        ensure!(count > 0, "{} ended", self.name);
        Ok(line.trim_end().to_owned())
    }

    /// A file of it.
    pub(super) fn file(&self, name: &str) -> PathBuf {
        self.directory.join(name)
    }

    /// Port of all of it.
    pub(super) fn port(&self) -> Result<String> {
        std::fs::read_to_string(self.file("port")).context("read the port")
    }

    /// A list of its first addresses.
    ///
    /// # Errors
    /// When there are fewer.
    pub(super) fn hosts(&self, nodes: usize) -> Result<PathBuf> {
        let all = std::fs::read_to_string(self.file("addresses")).context("read the addresses")?;
        let first: Vec<&str> = all.lines().take(nodes).collect();
        ensure!(first.len() == nodes, "{} has {} hosts", self.name, first.len());
        let path = self.lists.join(format!("{}-{nodes}", self.name.replace(", ", "-")));
        std::fs::write(&path, first.join("\n") + "\n")?;
        Ok(path)
    }

    /// Which key exchange and cipher clients chose since the last time, with
    /// the number of connections.
    ///
    /// # Errors
    /// When the server does not answer.
    pub(super) fn choices(&mut self) -> Result<Vec<String>> {
        if [SSHD, HOMES].contains(&self.name) {
            return Ok(Vec::new());
        }
        self.stdin.as_mut().context("the server's input")?.write_all(b"\n")?;
        let report: Value = serde_json::from_str(&self.line()?)?;
        let counts = report["choices"].as_object().cloned().unwrap_or_default();
        Ok(counts.keys().cloned().collect())
    }

    /// Removes what was copied to homes.
    ///
    /// # Errors
    /// When something cannot be removed.
    pub(super) fn clear_homes(&self) -> Result<()> {
        for home in std::fs::read_dir(self.file("nodes")).context("homes")?.flatten() {
            for entry in std::fs::read_dir(home.path())?.flatten() {
                if entry.path().is_dir() {
                    std::fs::remove_dir_all(entry.path())?;
                } else {
                    std::fs::remove_file(entry.path())?;
                }
            }
        }
        Ok(())
    }
}

impl Drop for Site {
    fn drop(&mut self) {
        // The end of its input is its end.
        drop(self.stdin.take());
        let _ = self.process.wait();
    }
}
