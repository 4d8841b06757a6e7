//! A home for one test: the binary, a directory for everything squall keeps,
//! and a guard that takes all of it away again.

use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result};

use crate::account::{Account, Who};
use crate::leftovers::leftovers;
use crate::process::{Finished, Running};

/// A spec of two small nodes, `n1` and `n2`.
pub const PAIR: &str = "\
cloud: {provider: local}
cluster: {name: pair}
nodes:
- {nodename: n, count: 2, instance_type: local.nano}
";

/// A place where squall runs.
#[derive(Debug)]
pub struct Home {
    account: Account,
    /// Who runs it.
    pub who: Who,
    binary: PathBuf,
    directory: tempfile::TempDir,
}

impl Home {
    /// A home for `who`; none, with the reason recorded as a skip, where this
    /// machine cannot have one.
    ///
    /// # Panics
    /// When the home cannot be made although it could be.
    #[must_use]
    pub fn new(test: &str, who: Who) -> Option<Self> {
        let account = match Account::new(who) {
            Ok(account) => account,
            Err(reason) => {
                testkit::skip(test, &reason.to_string());
                return None;
            }
        };
        match Self::with(account, who) {
            Ok(home) => Some(home),
            Err(error) => unreachable!("no home for {test}: {error:#}"),
        }
    }

    fn with(account: Account, who: Who) -> Result<Self> {
        let directory = tempfile::Builder::new().prefix("squall-e2e-").tempdir()?;
        let mut binary = built_binary()?;
        if account.name.is_some() {
            // A checkout below /root is closed to other users.
            let copy = directory.path().join("squall");
            std::fs::copy(&binary, &copy).context("copy the binary")?;
            binary = copy;
        }
        let home = Self { account, who, binary, directory };
        std::fs::set_permissions(home.path(), std::fs::Permissions::from_mode(0o755))?;
        for name in ["home", "work"] {
            let folder = home.path().join(name);
            std::fs::create_dir(&folder)?;
            home.give(&folder)?;
        }
        Ok(home)
    }

    /// Makes a path the account's own.
    fn give(&self, path: &Path) -> Result<()> {
        if let Some(name) = &self.account.name {
            let status = Command::new("chown").arg(format!("{name}:")).arg(path).status()?;
            anyhow::ensure!(status.success(), "chown {}", path.display());
        }
        Ok(())
    }

    fn path(&self) -> &Path {
        self.directory.path()
    }

    /// Where everything of squall's lies (`SQUALL_HOME`).
    #[must_use]
    pub fn squall_home(&self) -> PathBuf {
        self.path().join("home")
    }

    /// The directory commands run in.
    #[must_use]
    pub fn work(&self) -> PathBuf {
        self.path().join("work")
    }

    /// Writes a file into the working directory.
    ///
    /// # Panics
    /// When it cannot be written.
    pub fn file(&self, name: &str, text: &str) -> PathBuf {
        let path = self.work().join(name);
        match std::fs::write(&path, text).map_err(Into::into).and_then(|()| self.give(&path)) {
            Ok(()) => path,
            Err(error) => unreachable!("cannot write {name}: {error:#}"),
        }
    }

    /// A command line of the binary, as the account, in a clean environment.
    #[must_use]
    pub fn command(&self, arguments: &[&str]) -> Command {
        self.program(&self.binary, arguments)
    }

    /// A command line of any program, as the account.
    #[must_use]
    pub fn program(&self, program: &Path, arguments: &[&str]) -> Command {
        let mut command = match &self.account.name {
            Some(name) => {
                // Executes in place, so that a signal reaches the program itself.
                let mut command = Command::new("setpriv");
                command.args(["--reuid", name, "--regid", name, "--clear-groups", "--"]);
                command.arg(program);
                command
            }
            None => Command::new(program),
        };
        command.args(arguments).env_clear().current_dir(self.work());
        command.env("PATH", "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin");
        command.env("HOME", self.squall_home()).env("SQUALL_HOME", self.squall_home());
        command.env("LANG", "C.UTF-8");
        command
    }

    /// Where the binary is.
    #[must_use]
    pub fn binary(&self) -> &Path {
        &self.binary
    }

    /// Runs the binary to its end.
    #[track_caller]
    #[must_use]
    pub fn squall(&self, arguments: &[&str]) -> Finished {
        self.start(arguments).finish()
    }

    /// Starts the binary.
    #[track_caller]
    #[must_use]
    pub fn start(&self, arguments: &[&str]) -> Running {
        Running::start(self.command(arguments), b"")
    }

    /// Names of the clusters there are.
    #[must_use]
    pub fn clusters(&self) -> Vec<String> {
        let listing = self.squall(&["list", "--json"]);
        let Ok(document) = serde_json::from_slice::<serde_json::Value>(&listing.stdout) else {
            return Vec::new();
        };
        let clusters = document["clusters"].as_array().cloned().unwrap_or_default();
        clusters.iter().filter_map(|c| c["name"].as_str().map(String::from)).collect()
    }

    /// Asserts that no cluster left anything on the machine.
    ///
    /// # Panics
    /// With what is left.
    #[track_caller]
    pub fn assert_clean(&self) {
        let found = leftovers(&self.squall_home());
        assert!(found.is_empty(), "left behind:\n{}", found.join("\n"));
    }
}

impl Drop for Home {
    fn drop(&mut self) {
        for cluster in self.clusters() {
            let _ = self.squall(&["delete", &cluster, "--yes"]);
        }
        kill_leftovers(&self.squall_home());
    }
}

/// Last resort when the binary could not clean up itself: ends what still runs
/// out of the directory, each by its pid.
fn kill_leftovers(directory: &Path) {
    for line in leftovers(directory) {
        let pid = line.strip_prefix("process ").and_then(|rest| rest.split(':').next());
        let pid = pid.and_then(|pid| pid.parse().ok()).and_then(rustix::process::Pid::from_raw);
        if let Some(pid) = pid {
            let _ = rustix::process::kill_process(pid, rustix::process::Signal::KILL);
            let _ = crate::process::ended_within(pid, std::time::Duration::from_secs(5));
        }
    }
}

/// The binary under test: `SQUALL_BIN`, else the one beside the test's own
/// program, built when it is missing.
fn built_binary() -> Result<PathBuf> {
    if let Some(path) = std::env::var_os("SQUALL_BIN") {
        return Ok(path.into());
    }
    let own = std::env::current_exe()?;
    let profile = own.ancestors().nth(2).context("the test program lies in target/PROFILE/deps")?;
    let binary = profile.join("squall");
    if !binary.exists() {
        let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
        let status = Command::new(cargo).args(["build", "--package", "cli"]).status()?;
        anyhow::ensure!(status.success(), "cargo build failed");
    }
    Ok(binary)
}

/// Runs a test in a home of its own, or records why it cannot run here.
pub fn with_home(test: &str, who: Who, body: impl FnOnce(&Home)) {
    if let Some(home) = Home::new(test, who) {
        body(&home);
    }
}
