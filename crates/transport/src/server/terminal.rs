//! The server's end of a terminal, for async reading and writing.

use std::fs::File;
use std::io;
use std::os::fd::OwnedFd;

use rustix::fs::{Mode, OFlags};
use rustix::io::Errno;
use rustix::pty::{self, OpenptFlags};
use rustix::termios::{self, Winsize};
use tokio::io::AsyncReadExt;
use tokio::net::unix::pipe;

/// A pseudo-terminal, its other side open three times: for the input, output
/// and errors of a shell.
#[derive(Debug)]
pub(super) struct Terminal {
    pub(super) screen: Screen,
    pub(super) keyboard: pipe::Sender,
    pub(super) window: Window,
    /// Path of the other side, as `SSH_TTY` tells it.
    pub(super) name: String,
    pub(super) sides: [File; 3],
}

/// Its size.
#[derive(Debug)]
pub(super) struct Window(OwnedFd);

/// What it shows.
#[derive(Debug)]
pub(super) struct Screen(pipe::Receiver);

impl Terminal {
    pub(super) fn open(size: Winsize) -> io::Result<Self> {
        let master = pty::openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY | OpenptFlags::CLOEXEC)?;
        pty::grantpt(&master)?;
        pty::unlockpt(&master)?;
        termios::tcsetwinsize(&master, size)?;
        let path = pty::ptsname(&master, Vec::new())?;
        let flags = OFlags::RDWR | OFlags::NOCTTY | OFlags::CLOEXEC;
        let side = File::from(rustix::fs::open(path.as_c_str(), flags, Mode::empty())?);
        let sides = [side.try_clone()?, side.try_clone()?, side];
        rustix::io::ioctl_fionbio(&master, true)?;
        // "Unchecked" means only that nobody looks whether it is a pipe; a
        // terminal is read, written and polled just the same.
        Ok(Self {
            screen: Screen(pipe::Receiver::from_owned_fd_unchecked(master.try_clone()?)?),
            keyboard: pipe::Sender::from_owned_fd_unchecked(master.try_clone()?)?,
            window: Window(master),
            name: path.to_string_lossy().into_owned(),
            sides,
        })
    }
}

impl Window {
    pub(super) fn resize(&self, size: Winsize) {
        let _ = termios::tcsetwinsize(&self.0, size);
    }
}

impl Screen {
    /// Reads what there is; zero bytes when nobody holds the other side.
    pub(super) async fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match self.0.read(buffer).await {
            // So Linux says that the last holder has gone.
            Err(error) if error.raw_os_error() == Some(Errno::IO.raw_os_error()) => Ok(0),
            read => read,
        }
    }
}
