//! A lab with a home to drive it from.

use std::io::{BufRead, BufReader, Read};
use std::process::{Child, ChildStdout, Stdio};

use rustix::process::{Pid, Signal, kill_process};

use crate::account::Who;
use crate::home::Home;
use crate::lab::{Lab, Plan};
use crate::process::Finished;

/// Machines that squall did not make, and the place where it runs.
#[derive(Debug)]
pub struct Site {
    /// Where squall runs, as whoever runs the tests.
    pub home: Home,
    /// The machines.
    pub lab: Lab,
}

impl Site {
    /// One with this lab; none, with the reason recorded as a skip, where this
    /// machine cannot have it.
    #[must_use]
    pub fn new(test: &str, plan: Plan) -> Option<Self> {
        let root = rustix::process::geteuid().is_root();
        let lab = Lab::new(test, plan)?;
        let home = Home::new(test, if root { Who::Root } else { Who::User })?;
        Some(Self { home, lab })
    }

    /// A command line for the machines of the list: `verb`, where they are,
    /// `rest`. The lab's `known_hosts` is that of the user.
    ///
    /// # Panics
    /// When the user's `known_hosts` cannot be written.
    #[must_use]
    pub fn words(&self, verb: &str, rest: &[&str]) -> Vec<String> {
        let ssh = self.home.squall_home().join(".ssh");
        let known = self.lab.file("known_hosts");
        let copied = std::fs::create_dir_all(&ssh)
            .and_then(|()| std::fs::copy(known, ssh.join("known_hosts")));
        assert!(copied.is_ok(), "{copied:?}");
        let (hosts, key) = (self.lab.file("hosts"), self.lab.file("user"));
        let start = [verb, "--hosts", &hosts, "--identity", &key];
        start.iter().chain(rest).map(|word| (*word).to_owned()).collect()
    }

    /// The same for the machines of the ssh configuration, and with what that
    /// says of them.
    #[must_use]
    pub fn configured(&self, verb: &str, rest: &[&str]) -> Vec<String> {
        let config = format!("--ssh-config={}", self.lab.file("ssh_config"));
        [verb, &config].iter().chain(rest).map(|word| (*word).to_owned()).collect()
    }

    /// Runs squall on the machines to its end.
    #[track_caller]
    #[must_use]
    pub fn squall(&self, verb: &str, rest: &[&str]) -> Finished {
        let words = self.words(verb, rest);
        self.home.squall(&words.iter().map(String::as_str).collect::<Vec<_>>())
    }

    /// Starts squall on the machines and lets the test read what it prints as
    /// it comes; its complaints go nowhere.
    ///
    /// # Panics
    /// When it cannot be started.
    #[track_caller]
    #[must_use]
    pub fn watch(&self, verb: &str, rest: &[&str]) -> Watched {
        let words = self.words(verb, rest);
        let mut command = self.home.command(&words.iter().map(String::as_str).collect::<Vec<_>>());
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null());
        match command.spawn() {
            Ok(mut child) => match child.stdout.take() {
                Some(stdout) => {
                    Watched { child, stdout: BufReader::with_capacity(1 << 20, stdout) }
                }
                None => unreachable!("a pipe was asked for"),
            },
            Err(error) => unreachable!("cannot start {words:?}: {error}"),
        }
    }
}

/// A command whose output is read while it runs.
#[derive(Debug)]
pub struct Watched {
    child: Child,
    stdout: BufReader<ChildStdout>,
}

impl Watched {
    /// The next line, without its newline; none at the end.
    #[must_use]
    pub fn line(&mut self) -> Option<Vec<u8>> {
        let mut line = Vec::new();
        match self.stdout.read_until(b'\n', &mut line) {
            Ok(1..) => {
                line.pop_if(|last| *last == b'\n');
                Some(line)
            }
            Ok(0) | Err(_) => None,
        }
    }

    /// Its greatest memory so far, in KiB; none when it has ended.
    #[must_use]
    pub fn peak_kib(&self) -> Option<u64> {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id())).ok()?;
        let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
        line.split_whitespace().next()?.parse().ok()
    }

    /// Sends it a signal.
    pub fn signal(&self, signal: Signal) {
        if let Some(pid) = i32::try_from(self.child.id()).ok().and_then(Pid::from_raw) {
            let _ = kill_process(pid, signal);
        }
    }

    /// Reads what is left and waits for the end; the exit code.
    #[must_use]
    pub fn finish(mut self) -> Option<i32> {
        let mut rest = vec![0; 1 << 20];
        while matches!(self.stdout.read(&mut rest), Ok(1..)) {}
        self.child.wait().ok().and_then(|status| status.code())
    }
}

impl Drop for Watched {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
