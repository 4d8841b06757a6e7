//! The supervisor's side of its connections: lines in, lines and sockets out,
//! nothing that blocks, everything bounded.

use std::collections::VecDeque;
use std::io::IoSlice;
use std::mem::MaybeUninit;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use rustix::io::Errno;
use rustix::net::{RecvFlags, SendAncillaryBuffer, SendAncillaryMessage, SendFlags};
use serde::Serialize;

use crate::local::protocol::LINE_BYTES_MAX;

/// Answers that a client may leave unread before it is cut off, in bytes.
const OUTGOING_BYTES_MAX: usize = 8 * 1024 * 1024;
/// Lines taken from one client before the others get their turn.
const LINES_AT_ONCE_MAX: usize = 4;

/// The client is gone, or as good as gone.
#[derive(Debug)]
pub(super) struct Gone;

/// One connected client.
#[derive(Debug)]
pub(super) struct Client {
    socket: OwnedFd,
    received: Vec<u8>,
    outgoing: VecDeque<Outgoing>,
    outgoing_bytes: usize,
    /// Whether its hello was accepted.
    pub(super) greeted: bool,
    /// Whether it is to be closed once all is sent.
    pub(super) closing: bool,
    /// Whether an answer to it could not be sent.
    pub(super) broken: bool,
}

#[derive(Debug)]
struct Outgoing {
    bytes: Vec<u8>,
    sent: usize,
    descriptor: Option<OwnedFd>,
}

impl Client {
    /// A client on an accepted, non-blocking socket.
    pub(super) fn new(socket: OwnedFd) -> Self {
        Self {
            socket,
            received: Vec::new(),
            outgoing: VecDeque::new(),
            outgoing_bytes: 0,
            greeted: false,
            closing: false,
            broken: false,
        }
    }

    /// Whether something waits to be sent.
    pub(super) fn wants_to_write(&self) -> bool {
        !self.outgoing.is_empty()
    }

    /// Whether more may come: not while so much waits to be done.
    pub(super) fn wants_to_read(&self) -> bool {
        self.received.len() <= LINE_BYTES_MAX
    }

    /// Whether whole lines wait although the socket may be silent.
    pub(super) fn has_lines(&self) -> bool {
        self.received.contains(&b'\n')
    }

    /// Takes what has come.
    pub(super) fn read(&mut self) -> Result<(), Gone> {
        let mut buffer = [0_u8; 64 * 1024];
        match rustix::net::recv(&self.socket, &mut buffer, RecvFlags::DONTWAIT) {
            Ok((0, _)) => Err(Gone),
            Ok((count, _)) => {
                self.received.extend_from_slice(buffer.get(..count).unwrap_or_default());
                let is_too_long = self.received.len() > LINE_BYTES_MAX && !self.has_lines();
                if is_too_long { Err(Gone) } else { Ok(()) }
            }
            Err(Errno::AGAIN | Errno::INTR) => Ok(()),
            Err(_) => Err(Gone),
        }
    }

    /// The whole lines that have come, some of them.
    pub(super) fn lines(&mut self) -> Vec<Vec<u8>> {
        let mut lines = Vec::new();
        let mut begin = 0;
        while lines.len() < LINES_AT_ONCE_MAX {
            let rest = self.received.get(begin..).unwrap_or_default();
            let Some(length) = rest.iter().position(|byte| *byte == b'\n') else { break };
            lines.push(rest.get(..length).unwrap_or_default().to_vec());
            begin += length + 1;
        }
        self.received.drain(..begin);
        lines
    }

    /// Queues one line, with a socket that it brings along, and sends what can
    /// be sent.
    pub(super) fn send(
        &mut self,
        message: &impl Serialize,
        descriptor: Option<OwnedFd>,
    ) -> Result<(), Gone> {
        let mut bytes = serde_json::to_vec(message).map_err(|_| Gone)?;
        bytes.push(b'\n');
        self.outgoing_bytes += bytes.len();
        if self.outgoing_bytes > OUTGOING_BYTES_MAX {
            return Err(Gone);
        }
        self.outgoing.push_back(Outgoing { bytes, sent: 0, descriptor });
        self.flush()
    }

    /// Sends as much as the socket takes.
    pub(super) fn flush(&mut self) -> Result<(), Gone> {
        while let Some(first) = self.outgoing.front_mut() {
            let rest = first.bytes.get(first.sent..).unwrap_or_default();
            let sent = match send_with(&self.socket, rest, first.descriptor.as_ref()) {
                Ok(sent) => sent,
                Err(Errno::AGAIN) => return Ok(()),
                Err(Errno::INTR) => continue,
                Err(_) => return Err(Gone),
            };
            // The socket went along with the first byte.
            first.descriptor = None;
            first.sent += sent;
            self.outgoing_bytes = self.outgoing_bytes.saturating_sub(sent);
            if first.sent >= first.bytes.len() {
                self.outgoing.pop_front();
            }
        }
        if self.closing { Err(Gone) } else { Ok(()) }
    }
}

impl AsFd for Client {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.socket.as_fd()
    }
}

fn send_with(
    socket: &OwnedFd,
    bytes: &[u8],
    descriptor: Option<&OwnedFd>,
) -> rustix::io::Result<usize> {
    let flags = SendFlags::NOSIGNAL | SendFlags::DONTWAIT;
    let Some(descriptor) = descriptor else {
        return rustix::net::send(socket, bytes, flags);
    };
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(1))];
    let mut control = SendAncillaryBuffer::new(&mut space);
    let descriptors = [descriptor.as_fd()];
    control.push(SendAncillaryMessage::ScmRights(&descriptors));
    rustix::net::sendmsg(socket, &[IoSlice::new(bytes)], &mut control, flags)
}
