//! Connections that the supervisor makes for its clients, inside the cluster's
//! network. None of them ever blocks the loop.

use std::net::{Ipv4Addr, SocketAddrV4};
use std::os::fd::OwnedFd;
use std::time::{Duration, Instant};

use rustix::io::Errno;
use rustix::net::{AddressFamily, SocketFlags, SocketType, sockopt};

use super::requests::Origin;
use crate::local::protocol::RefusalKind;

/// Pause before the same port is tried again: the first and the longest.
const PAUSE_MIN: Duration = Duration::from_millis(5);
const PAUSE_MAX: Duration = Duration::from_millis(80);
/// When a try that hangs is given up for another one. The first packet to a
/// booting node may be lost, and the kernel sends it again only after a second.
const TRY_TIMEOUT: Duration = Duration::from_millis(200);

/// One connection in the making.
#[derive(Debug)]
pub(super) struct Dial {
    /// Who wants it.
    pub(super) origin: Origin,
    /// Where to.
    pub(super) to: SocketAddrV4,
    deadline: Instant,
    wait: bool,
    pause: Duration,
    state: State,
}

#[derive(Debug)]
enum State {
    Connecting { socket: OwnedFd, until: Instant },
    Pausing { until: Instant },
}

/// How far a dial is after a step.
#[derive(Debug)]
pub(super) enum Progress {
    /// Not yet.
    Open,
    /// Connected.
    Connected(OwnedFd),
    /// Given up.
    Failed(RefusalKind, String),
}

impl Dial {
    /// A dial that is about to be tried for the first time.
    pub(super) fn new(
        origin: Origin,
        address: Ipv4Addr,
        port: u16,
        timeout: Duration,
        wait: bool,
    ) -> Self {
        let now = Instant::now();
        Self {
            origin,
            to: SocketAddrV4::new(address, port),
            deadline: now + timeout,
            wait,
            pause: PAUSE_MIN,
            state: State::Pausing { until: now },
        }
    }

    /// The socket to watch for writing.
    pub(super) fn socket(&self) -> Option<&OwnedFd> {
        match &self.state {
            State::Connecting { socket, .. } => Some(socket),
            State::Pausing { .. } => None,
        }
    }

    /// When to take the next step at the latest.
    pub(super) fn due(&self) -> Instant {
        match &self.state {
            State::Connecting { until, .. } | State::Pausing { until } => *until,
        }
        .min(self.deadline)
    }

    /// Takes a step: `is_ready` says that the socket was seen to be writable.
    pub(super) fn step(&mut self, is_ready: bool) -> Progress {
        let now = Instant::now();
        if is_ready && let State::Connecting { socket, .. } = &self.state {
            return match sockopt::socket_error(socket) {
                Ok(Ok(())) => self.connected(),
                Ok(Err(error)) | Err(error) => self.failed(error),
            };
        }
        if now >= self.deadline {
            return Progress::Failed(
                RefusalKind::Timeout,
                format!("{} does not answer in time", self.to),
            );
        }
        if self.due() <= now { self.begin() } else { Progress::Open }
    }

    fn connected(&mut self) -> Progress {
        let pausing = State::Pausing { until: self.deadline };
        match std::mem::replace(&mut self.state, pausing) {
            State::Connecting { socket, .. } => Progress::Connected(socket),
            State::Pausing { .. } => Progress::Open,
        }
    }

    fn begin(&mut self) -> Progress {
        let flags = SocketFlags::CLOEXEC | SocketFlags::NONBLOCK;
        let socket = rustix::net::socket_with(AddressFamily::INET, SocketType::STREAM, flags, None);
        let socket = match socket {
            Ok(socket) => socket,
            Err(error) => return Progress::Failed(RefusalKind::Capacity, error.to_string()),
        };
        let until =
            if self.wait { self.deadline.min(Instant::now() + TRY_TIMEOUT) } else { self.deadline };
        let result = rustix::net::connect(&socket, &self.to);
        self.state = State::Connecting { socket, until };
        match result {
            Ok(()) => self.connected(),
            Err(Errno::INPROGRESS) => Progress::Open,
            Err(error) => self.failed(error),
        }
    }

    fn failed(&mut self, error: Errno) -> Progress {
        if self.wait {
            self.state = State::Pausing { until: Instant::now() + self.pause };
            self.pause = (self.pause * 2).min(PAUSE_MAX);
            return Progress::Open;
        }
        let kind = match error {
            Errno::CONNREFUSED => RefusalKind::ConnectionRefused,
            Errno::TIMEDOUT => RefusalKind::Timeout,
            Errno::HOSTUNREACH | Errno::NETUNREACH => RefusalKind::Unreachable,
            _ => RefusalKind::Kernel,
        };
        Progress::Failed(kind, format!("{}: {}", self.to, std::io::Error::from(error)))
    }
}
