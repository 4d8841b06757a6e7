//! One connection to a supervisor: lines of JSON out and in, descriptors in,
//! every wait with a deadline. Knows nothing of what is said.

use std::collections::VecDeque;
use std::io::{IoSliceMut, Write};
use std::mem::MaybeUninit;
use std::os::fd::{AsFd, AsRawFd, OwnedFd};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use rustix::fs::{Mode, OFlags};
use rustix::net::{
    AddressFamily, RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, SocketAddrUnix,
    SocketFlags, SocketType,
};
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::protocol::{LINE_BYTES_MAX, SOCKET_FILE};

/// Descriptors that may wait to be taken; more would mean a supervisor gone
/// mad.
const DESCRIPTORS_WAITING_MAX: usize = 4;
/// Pause before another try to connect to a supervisor with a full queue.
const CONNECT_PAUSE: Duration = Duration::from_millis(5);
/// How long a supervisor's queue of connections may stay full.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);

/// Why a connection is of no use.
#[derive(Debug)]
pub(super) enum ConnectionError {
    /// There is no socket, or nobody listens on it.
    NobodyListens,
    /// The other side closed it.
    Ended,
    /// The deadline passed.
    TimedOut,
    /// The system refused.
    Io(std::io::Error),
    /// What came is no such thing.
    Nonsense(String),
}

/// The path of the socket in a directory, short whatever the directory's
/// length: socket addresses end at 108 bytes. Good while `directory` is open.
pub(super) fn socket_path(directory: &impl AsRawFd) -> PathBuf {
    PathBuf::from(format!("/proc/self/fd/{}/{SOCKET_FILE}", directory.as_raw_fd()))
}

/// An open connection.
#[derive(Debug)]
pub(super) struct Connection {
    socket: UnixStream,
    received: Vec<u8>,
    descriptors: VecDeque<OwnedFd>,
}

impl Connection {
    /// Connects to the supervisor of a cluster's directory.
    pub(super) fn open(cluster_dir: &Path) -> Result<Self, ConnectionError> {
        let directory = rustix::fs::open(
            cluster_dir,
            OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC,
            Mode::empty(),
        )
        .map_err(no_one)?;
        let socket = rustix::net::socket_with(
            AddressFamily::UNIX,
            SocketType::STREAM,
            SocketFlags::CLOEXEC | SocketFlags::NONBLOCK,
            None,
        )
        .map_err(no_one)?;
        let address = SocketAddrUnix::new(socket_path(&directory)).map_err(no_one)?;
        let deadline = Instant::now() + CONNECT_TIMEOUT;
        loop {
            match rustix::net::connect(&socket, &address) {
                Ok(()) => break,
                Err(rustix::io::Errno::AGAIN) if Instant::now() < deadline => {
                    std::thread::sleep(CONNECT_PAUSE);
                }
                Err(rustix::io::Errno::AGAIN) => return Err(ConnectionError::TimedOut),
                Err(error) => return Err(no_one(error)),
            }
        }
        Ok(Self {
            socket: UnixStream::from(socket),
            received: Vec::new(),
            descriptors: VecDeque::new(),
        })
    }

    /// Sends one line.
    pub(super) fn send(
        &mut self,
        message: &impl Serialize,
        deadline: Instant,
    ) -> Result<(), ConnectionError> {
        let mut line = serde_json::to_vec(message)
            .map_err(|error| ConnectionError::Nonsense(error.to_string()))?;
        line.push(b'\n');
        if line.len() > LINE_BYTES_MAX {
            let text = format!("a message of {} bytes; at most {LINE_BYTES_MAX}", line.len());
            return Err(ConnectionError::Nonsense(text));
        }
        let mut rest = line.as_slice();
        while !rest.is_empty() {
            match self.socket.write(rest) {
                Ok(0) => return Err(ConnectionError::Ended),
                Ok(count) => rest = rest.get(count..).unwrap_or_default(),
                Err(error) if error.kind() == std::io::ErrorKind::WouldBlock => {
                    wait(&self.socket, rustix::event::PollFlags::OUT, deadline)?;
                }
                Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
                Err(error) if error.kind() == std::io::ErrorKind::BrokenPipe => {
                    return Err(ConnectionError::Ended);
                }
                Err(error) => return Err(ConnectionError::Io(error)),
            }
        }
        Ok(())
    }

    /// Receives one line.
    pub(super) fn receive<T: DeserializeOwned>(
        &mut self,
        deadline: Instant,
    ) -> Result<T, ConnectionError> {
        let mut searched = 0;
        loop {
            let tail = self.received.get(searched..).unwrap_or_default();
            if let Some(place) = tail.iter().position(|byte| *byte == b'\n') {
                let rest = self.received.split_off(searched + place + 1);
                let line = std::mem::replace(&mut self.received, rest);
                return serde_json::from_slice(&line)
                    .map_err(|error| ConnectionError::Nonsense(error.to_string()));
            }
            searched = self.received.len();
            if searched > LINE_BYTES_MAX {
                return Err(ConnectionError::Nonsense("a line without end".to_owned()));
            }
            wait(&self.socket, rustix::event::PollFlags::IN, deadline)?;
            self.receive_some()?;
        }
    }

    /// The oldest socket that came with an answer.
    pub(super) fn take_descriptor(&mut self) -> Option<OwnedFd> {
        self.descriptors.pop_front()
    }

    fn receive_some(&mut self) -> Result<(), ConnectionError> {
        let mut buffer = [0_u8; 16 * 1024];
        let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(4))];
        let mut control = RecvAncillaryBuffer::new(&mut space);
        let received = rustix::net::recvmsg(
            &self.socket,
            &mut [IoSliceMut::new(&mut buffer)],
            &mut control,
            RecvFlags::CMSG_CLOEXEC,
        );
        let count = match received {
            Ok(message) => message.bytes,
            Err(rustix::io::Errno::AGAIN | rustix::io::Errno::INTR) => return Ok(()),
            Err(rustix::io::Errno::CONNRESET) => return Err(ConnectionError::Ended),
            Err(error) => return Err(ConnectionError::Io(error.into())),
        };
        for message in control.drain() {
            if let RecvAncillaryMessage::ScmRights(descriptors) = message {
                self.descriptors.extend(descriptors);
            }
        }
        self.descriptors.truncate(DESCRIPTORS_WAITING_MAX);
        if count == 0 {
            return Err(ConnectionError::Ended);
        }
        self.received.extend_from_slice(buffer.get(..count).unwrap_or_default());
        Ok(())
    }
}

fn no_one(error: rustix::io::Errno) -> ConnectionError {
    match error {
        rustix::io::Errno::NOENT | rustix::io::Errno::CONNREFUSED | rustix::io::Errno::NOTDIR => {
            ConnectionError::NobodyListens
        }
        other => ConnectionError::Io(other.into()),
    }
}

fn wait(
    socket: &impl AsFd,
    flags: rustix::event::PollFlags,
    deadline: Instant,
) -> Result<(), ConnectionError> {
    let left = deadline.saturating_duration_since(Instant::now());
    if left.is_zero() {
        return Err(ConnectionError::TimedOut);
    }
    let timeout = rustix::event::Timespec::try_from(left)
        .map_err(|error| ConnectionError::Nonsense(error.to_string()))?;
    let mut watched = [rustix::event::PollFd::new(socket, flags)];
    match rustix::event::poll(&mut watched, Some(&timeout)) {
        Ok(0) => Err(ConnectionError::TimedOut),
        Ok(_) | Err(rustix::io::Errno::INTR) => Ok(()),
        Err(error) => Err(ConnectionError::Io(error.into())),
    }
}
