//! Signals as descriptors, and signals to everybody.

use std::io;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, FromRawFd, OwnedFd};

use rustix::process::Signal;

/// Signals that are delivered by reading instead of by interrupting.
#[derive(Debug)]
pub(crate) struct SignalDescriptor(OwnedFd);

impl SignalDescriptor {
    /// Blocks the signals in this thread and catches them in a non-blocking
    /// descriptor.
    pub(crate) fn catching(signals: &[Signal]) -> io::Result<Self> {
        // SAFETY: an all-zero set is valid memory for `sigemptyset`, which then
        // makes it a valid set; every call gets a pointer to it. The descriptor
        // is new and owned by nobody else.
        unsafe {
            let mut set: libc::sigset_t = std::mem::zeroed();
            libc::sigemptyset(&raw mut set);
            for signal in signals {
                libc::sigaddset(&raw mut set, signal.as_raw());
            }
            if libc::sigprocmask(libc::SIG_SETMASK, &raw const set, std::ptr::null_mut()) != 0 {
                return Err(io::Error::last_os_error());
            }
            let number = libc::signalfd(-1, &raw const set, libc::SFD_CLOEXEC | libc::SFD_NONBLOCK);
            if number == -1 {
                return Err(io::Error::last_os_error());
            }
            Ok(Self(OwnedFd::from_raw_fd(number)))
        }
    }

    /// The next caught signal's number, if one waits.
    pub(crate) fn next(&self) -> Option<i32> {
        let mut buffer = [0_u8; size_of::<libc::signalfd_siginfo>()];
        let count = rustix::io::read(&self.0, &mut buffer).ok()?;
        let number = buffer.first_chunk::<4>().filter(|_| count == buffer.len())?;
        i32::try_from(u32::from_ne_bytes(*number)).ok()
    }
}

impl AsFd for SignalDescriptor {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.as_fd()
    }
}

impl AsRawFd for SignalDescriptor {
    fn as_raw_fd(&self) -> std::os::fd::RawFd {
        self.0.as_raw_fd()
    }
}

/// Forgets which signals our starter ignored (`nohup`, a shell's background
/// job), which all our children would inherit.
pub(crate) fn heed_every_signal() {
    for number in 1..32 {
        if number != libc::SIGPIPE {
            // SAFETY: the default action refers to no code of ours. For the two
            // signals that cannot be changed this is an error without effect.
            unsafe { libc::signal(number, libc::SIG_DFL) };
        }
    }
}

/// Sends a signal to every process but this one in its pid namespace. Only
/// ever meant as PID 1 of a namespace, and does nothing in any other process:
/// there it would end the whole login.
pub(crate) fn signal_every_process(signal: Signal) {
    if std::process::id() == 1 {
        // SAFETY: a plain system call.
        unsafe { libc::kill(-1, signal.as_raw()) };
    }
}
