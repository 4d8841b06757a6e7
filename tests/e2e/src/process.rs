//! Runs the binary with a deadline, and keeps what it printed.

use std::io::{Read, Write};
use std::os::unix::process::ExitStatusExt;
use std::process::{Child, Command, Stdio};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use rustix::process::{Pid, PidfdFlags, Signal, kill_process, pidfd_open};

/// Longest time any command of a test may take; a loaded machine is slow, a
/// hanging command is a defect.
pub(crate) const DEADLINE: Duration = Duration::from_secs(240);

/// A command that ended.
#[derive(Debug, Clone)]
pub struct Finished {
    /// The command line, for messages.
    pub line: String,
    /// Exit code; 128 plus the signal when a signal ended it.
    pub code: i32,
    /// What it printed.
    pub stdout: Vec<u8>,
    /// What it complained.
    pub stderr: Vec<u8>,
}

impl Finished {
    /// Standard output as text.
    #[must_use]
    pub fn out(&self) -> String {
        String::from_utf8_lossy(&self.stdout).into_owned()
    }

    /// Standard error as text.
    #[must_use]
    pub fn err(&self) -> String {
        String::from_utf8_lossy(&self.stderr).into_owned()
    }

    /// Asserts the exit code.
    ///
    /// # Panics
    /// With everything the command printed, when it is another.
    #[must_use]
    #[track_caller]
    pub fn code(self, expected: i32) -> Self {
        assert_eq!(
            self.code,
            expected,
            "`{}` ended with {}\n--- stdout\n{}\n--- stderr\n{}",
            self.line,
            self.code,
            self.out(),
            self.err()
        );
        self
    }

    /// Asserts success.
    #[must_use]
    #[track_caller]
    pub fn ok(self) -> Self {
        self.code(0)
    }

    /// Standard output as JSON.
    ///
    /// # Panics
    /// When it is none.
    #[must_use]
    #[track_caller]
    pub fn json(&self) -> serde_json::Value {
        match serde_json::from_slice(&self.stdout) {
            Ok(value) => value,
            Err(error) => unreachable!("`{}` printed no JSON: {error}\n{}", self.line, self.out()),
        }
    }

    /// Asserts that standard output or error holds a text.
    ///
    /// # Panics
    /// With what was printed, when it does not.
    #[must_use]
    #[track_caller]
    pub fn says(self, text: &str) -> Self {
        let (out, err) = (self.out(), self.err());
        assert!(
            out.contains(text) || err.contains(text),
            "`{}` does not say {text:?}\n--- stdout\n{out}\n--- stderr\n{err}",
            self.line
        );
        self
    }
}

/// A command that runs.
#[derive(Debug)]
pub struct Running {
    line: String,
    child: Child,
    stdout: Option<JoinHandle<Vec<u8>>>,
    stderr: Option<JoinHandle<Vec<u8>>>,
}

impl Running {
    /// Starts a command; `input` goes to its standard input.
    ///
    /// # Panics
    /// When it cannot be started.
    #[track_caller]
    pub fn start(mut command: Command, input: &[u8]) -> Self {
        let line = format!("{command:?}");
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = match command.spawn() {
            Ok(child) => child,
            Err(error) => unreachable!("cannot start {line}: {error}"),
        };
        let collect = |mut from: Box<dyn Read + Send>| {
            std::thread::spawn(move || {
                let mut all = Vec::new();
                let _ = from.read_to_end(&mut all);
                all
            })
        };
        let stdout = child.stdout.take().map(|from| collect(Box::new(from)));
        let stderr = child.stderr.take().map(|from| collect(Box::new(from)));
        if let Some(mut stdin) = child.stdin.take() {
            let _ = stdin.write_all(input);
        }
        Self { line, child, stdout, stderr }
    }

    /// Its process.
    ///
    /// # Panics
    /// Never: a started process has a pid.
    #[must_use]
    pub fn pid(&self) -> Pid {
        match i32::try_from(self.child.id()).ok().and_then(Pid::from_raw) {
            Some(pid) => pid,
            None => unreachable!("a child has a pid"),
        }
    }

    /// Sends it a signal.
    pub fn signal(&self, signal: Signal) {
        let _ = kill_process(self.pid(), signal);
    }

    /// Whether it ended within a time.
    #[must_use]
    pub fn ended_within(&self, time: Duration) -> bool {
        ended_within(self.pid(), time)
    }

    /// Waits for its end and for its output.
    ///
    /// # Panics
    /// When it does not end in time.
    #[track_caller]
    #[must_use]
    pub fn finish(mut self) -> Finished {
        let in_time = self.ended_within(DEADLINE);
        if !in_time {
            let _ = self.child.kill();
        }
        let status = self.child.wait();
        let gather = |handle: Option<JoinHandle<Vec<u8>>>| {
            handle.and_then(|handle| handle.join().ok()).unwrap_or_default()
        };
        let finished = Finished {
            line: std::mem::take(&mut self.line),
            code: status.map_or(-1, |status| {
                status.code().unwrap_or_else(|| 128 + status.signal().unwrap_or(0))
            }),
            stdout: gather(self.stdout.take()),
            stderr: gather(self.stderr.take()),
        };
        assert!(
            in_time,
            "`{}` did not end in {DEADLINE:?}\n{}\n{}",
            finished.line,
            finished.out(),
            finished.err()
        );
        finished
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        if matches!(self.child.try_wait(), Ok(None)) {
            let _ = self.child.kill();
            let _ = self.child.wait();
        }
    }
}

/// Waits for a process's end by its pidfd; true when it ended in time.
pub(crate) fn ended_within(pid: Pid, time: Duration) -> bool {
    let Ok(pidfd) = pidfd_open(pid, PidfdFlags::empty()) else { return true };
    let until = Instant::now() + time;
    loop {
        let left = until.saturating_duration_since(Instant::now());
        let timeout = rustix::event::Timespec {
            tv_sec: i64::try_from(left.as_secs()).unwrap_or(i64::MAX),
            tv_nsec: i64::from(left.subsec_nanos()),
        };
        let mut fds = [rustix::event::PollFd::new(&pidfd, rustix::event::PollFlags::IN)];
        match rustix::event::poll(&mut fds, Some(&timeout)) {
            Ok(0) => return false,
            Err(rustix::io::Errno::INTR) => {}
            Ok(_) | Err(_) => return true,
        }
    }
}
