//! What a command tells, and how it ends. Plain data.

use std::time::Duration;

use bytes::Bytes;

/// What a command does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ExecEvent {
    /// It printed.
    Stdout(Bytes),
    /// It printed on standard error.
    Stderr(Bytes),
    /// It is over. Nothing follows.
    Ended(ExecEnd),
}

/// Which time ran out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TimeoutKind {
    /// It printed nothing for too long.
    Idle,
    /// It ran for too long.
    Total,
}

/// How a command ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ExecEnd {
    /// By itself, with this code.
    Exited(u32),
    /// By this signal, without `SIG`.
    Signalled(String),
    /// We gave up on it. It was sent SIGTERM, which OpenSSH's server heeds
    /// for ordinary users only, and its pipes are closed; it may go on.
    TimedOut {
        /// Which time ran out.
        kind: TimeoutKind,
        /// How long it was.
        after: Duration,
    },
    /// We were told to stop. As with a timeout, it may go on.
    Cancelled,
    /// The connection broke. It may go on.
    Lost(String),
    /// The node let us in and would not run it. It never began.
    Refused {
        /// Why, in words.
        text: String,
        /// What the user can do.
        mend: &'static str,
    },
}

impl ExecEnd {
    /// Whether it ended by itself with code 0.
    #[must_use]
    pub const fn is_success(&self) -> bool {
        matches!(self, Self::Exited(0))
    }

    /// Whether the command may still be running on the node.
    #[must_use]
    pub const fn may_go_on(&self) -> bool {
        matches!(self, Self::TimedOut { .. } | Self::Cancelled | Self::Lost(_))
    }
}

/// All that a command printed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Output {
    /// Standard output.
    pub stdout: Bytes,
    /// Standard error.
    pub stderr: Bytes,
    /// Whether one of them was cut off.
    pub truncated: bool,
    /// How it ended.
    pub end: ExecEnd,
}
