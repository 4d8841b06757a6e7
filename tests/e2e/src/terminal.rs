//! A terminal to run the binary on, for what only a terminal shows: prompts,
//! colours, raw mode.

use std::fs::File;
use std::io::{Read, Write};
use std::os::fd::OwnedFd;
use std::process::{Child, Command};
use std::sync::mpsc::{Receiver, RecvTimeoutError, sync_channel};
use std::time::Instant;

use crate::process::DEADLINE;

/// A program on a pseudo-terminal.
#[derive(Debug)]
pub struct Terminal {
    child: Child,
    master: File,
    pieces: Receiver<Vec<u8>>,
    seen: Vec<u8>,
}

impl Terminal {
    /// Starts a command on a new terminal of `rows` by `columns`, through
    /// `setsid --ctty`, so that it is the terminal's session leader.
    ///
    /// # Errors
    /// When there is no terminal to be had.
    pub fn start(command: &Command, rows: u16, columns: u16) -> anyhow::Result<Self> {
        use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
        let master = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY | OpenptFlags::CLOEXEC)?;
        grantpt(&master)?;
        unlockpt(&master)?;
        let name = ptsname(&master, Vec::new())?.into_string()?;
        let size =
            rustix::termios::Winsize { ws_row: rows, ws_col: columns, ws_xpixel: 0, ws_ypixel: 0 };
        rustix::termios::tcsetwinsize(&master, size)?;
        let slave = File::options().read(true).write(true).open(&name)?;
        let mut wrapped = Command::new("setsid");
        wrapped.args(["--ctty", "--wait"]).arg(command.get_program()).args(command.get_args());
        wrapped.env_clear();
        for (key, value) in command.get_envs() {
            if let Some(value) = value {
                wrapped.env(key, value);
            }
        }
        if let Some(directory) = command.get_current_dir() {
            wrapped.current_dir(directory);
        }
        wrapped.env("TERM", "xterm-256color");
        wrapped.stdin(slave.try_clone()?).stdout(slave.try_clone()?).stderr(slave);
        let child = wrapped.spawn()?;
        drop(wrapped);
        let reader = File::from(OwnedFd::from(File::from(master.try_clone()?)));
        Ok(Self { child, master: File::from(master), pieces: pump(reader), seen: Vec::new() })
    }

    /// Types something.
    ///
    /// # Errors
    /// When the program is gone.
    pub fn send(&mut self, text: &str) -> std::io::Result<()> {
        self.master.write_all(text.as_bytes())
    }

    /// Changes the terminal's size.
    ///
    /// # Errors
    /// When the terminal is gone.
    pub fn resize(&self, rows: u16, columns: u16) -> std::io::Result<()> {
        let size =
            rustix::termios::Winsize { ws_row: rows, ws_col: columns, ws_xpixel: 0, ws_ypixel: 0 };
        Ok(rustix::termios::tcsetwinsize(&self.master, size)?)
    }

    /// Waits until a text was shown since the last such wait, and returns
    /// everything up to its end.
    ///
    /// # Panics
    /// With what was shown, when it does not come.
    #[track_caller]
    pub fn expect(&mut self, text: &str) -> String {
        let until = Instant::now() + DEADLINE;
        let mut looked = 0;
        loop {
            let new = self.seen.get(looked..).unwrap_or_default();
            if let Some(at) = find(new, text.as_bytes()) {
                let rest = self.seen.split_off(looked + at + text.len());
                let shown = std::mem::replace(&mut self.seen, rest);
                return String::from_utf8_lossy(&shown).into_owned();
            }
            // It may have begun to come.
            looked = (self.seen.len() + 1).saturating_sub(text.len()).max(looked);
            let left = until.saturating_duration_since(Instant::now());
            match self.pieces.recv_timeout(left) {
                Ok(piece) => self.seen.extend(piece),
                Err(RecvTimeoutError::Timeout | RecvTimeoutError::Disconnected) => {
                    unreachable!(
                        "{text:?} was not shown, only: {}",
                        String::from_utf8_lossy(&self.seen)
                    )
                }
            }
        }
    }

    /// Waits for the end; the exit code and what was shown since the last wait.
    ///
    /// # Panics
    /// With what was shown, when it does not end in time or leaves somebody
    /// behind who holds the terminal.
    #[track_caller]
    pub fn finish(mut self) -> (i32, String) {
        let until = Instant::now() + DEADLINE;
        // The kernel ends the pieces once nobody holds the terminal any more.
        let closed = loop {
            match self.pieces.recv_timeout(until.saturating_duration_since(Instant::now())) {
                Ok(piece) => self.seen.extend(piece),
                Err(RecvTimeoutError::Disconnected) => break true,
                Err(RecvTimeoutError::Timeout) => break false,
            }
        };
        let shown = String::from_utf8_lossy(&self.seen).into_owned();
        assert!(closed, "the terminal is not let go of; shown: {shown}");
        let pid = i32::try_from(self.child.id()).ok().and_then(rustix::process::Pid::from_raw);
        let left = until.saturating_duration_since(Instant::now());
        let ended = pid.is_none_or(|pid| crate::process::ended_within(pid, left));
        assert!(ended, "did not end; shown: {shown}");
        let code = self.child.wait().ok().and_then(|status| status.code()).unwrap_or(-1);
        (code, shown)
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        if matches!(self.child.try_wait(), Ok(None)) {
            let _ = self.child.kill();
            let _ = self.child.wait();
        }
    }
}

/// Reads the terminal on a thread of its own, as far ahead as the channel
/// allows.
fn pump(mut reader: File) -> Receiver<Vec<u8>> {
    let (sender, receiver) = sync_channel(256);
    std::thread::spawn(move || {
        let mut buffer = [0_u8; 4096];
        while let Ok(count) = reader.read(&mut buffer) {
            let piece = buffer.get(..count).unwrap_or_default().to_vec();
            if count == 0 || sender.send(piece).is_err() {
                break;
            }
        }
    });
    receiver
}

fn find(hay: &[u8], needle: &[u8]) -> Option<usize> {
    hay.windows(needle.len().max(1)).position(|window| window == needle)
}
