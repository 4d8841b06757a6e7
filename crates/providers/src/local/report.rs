//! What a node's PID 1 tells its supervisor: one small packet each over a
//! socket pair that only these two have.

use std::io;
use std::os::fd::{AsFd, OwnedFd};

use rustix::net::{AddressFamily, RecvFlags, SendFlags, SocketFlags, SocketType};
use serde::{Deserialize, Serialize};

/// The largest packet; longer text is cut.
const PACKET_BYTES_MAX: usize = 4096;
/// What the supervisor sends when the node's cable is laid.
const GO: &[u8] = b"go";

/// One thing told.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum Report {
    /// Set up: root, network and rights are in place.
    Up {
        /// What had to be left out.
        notes: Vec<String>,
    },
    /// Could not be set up.
    Failed {
        /// The step and the kernel's words.
        text: String,
        /// The number of the kernel's error.
        errno: Option<i32>,
    },
    /// A first-boot script was started.
    ScriptStarted {
        /// Its place in the order.
        index: usize,
    },
    /// A first-boot script ended.
    ScriptEnded {
        /// Its place in the order.
        index: usize,
        /// Exit code, or 128 and the signal.
        code: i32,
    },
    /// Something worth a line in the timeline.
    Note {
        /// What.
        text: String,
    },
}

/// Makes the two ends: the supervisor's, which never blocks, and PID 1's.
pub(super) fn pair() -> io::Result<(OwnedFd, OwnedFd)> {
    let (ours, theirs) = rustix::net::socketpair(
        AddressFamily::UNIX,
        SocketType::SEQPACKET,
        SocketFlags::CLOEXEC,
        None,
    )?;
    rustix::io::ioctl_fionbio(&ours, true)?;
    Ok((ours, theirs))
}

/// Tells; a supervisor that is gone is about to take this process along.
pub(super) fn tell(end: impl AsFd, report: &Report) {
    if let Ok(mut bytes) = serde_json::to_vec(report) {
        if bytes.len() > PACKET_BYTES_MAX {
            let text = "a report that was too long to be told".to_owned();
            bytes = serde_json::to_vec(&Report::Note { text }).unwrap_or_default();
        }
        let _ = rustix::net::send(end, &bytes, SendFlags::NOSIGNAL);
    }
}

/// The next report that waits at the supervisor's end.
pub(super) fn heard(end: impl AsFd) -> Option<Report> {
    let mut buffer = [0_u8; PACKET_BYTES_MAX];
    let (count, _) = rustix::net::recv(end, &mut buffer, RecvFlags::empty()).ok()?;
    serde_json::from_slice(buffer.get(..count)?).ok()
}

/// Lets the child go on once its cable is laid.
pub(super) fn say_go(end: impl AsFd) -> io::Result<()> {
    rustix::net::send(end, GO, SendFlags::NOSIGNAL)?;
    Ok(())
}

/// Waits for the word to go on; an error when the supervisor is gone or gave
/// the node up.
pub(super) fn wait_for_go(end: impl AsFd) -> io::Result<()> {
    let mut buffer = [0_u8; 8];
    let (count, _) = rustix::net::recv(end, &mut buffer, RecvFlags::empty())?;
    if buffer.get(..count) == Some(GO) {
        Ok(())
    } else {
        Err(io::Error::other("the supervisor gave the node up"))
    }
}
