//! What a run tells. Plain data.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;

use crate::session::{ConnectErrorKind, ExecEnd, TimeoutKind};

/// Place of a node among the assignments of a run.
pub type NodeIndex = usize;

/// Something happened on one node. The events of a node come in order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RunEvent {
    /// The node's place among the assignments.
    pub index: NodeIndex,
    /// The node's name.
    pub node: Arc<str>,
    /// What.
    pub kind: RunEventKind,
}

/// What happened. Every node gets exactly one `Finished`, its last event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RunEventKind {
    /// We began to connect.
    Connecting,
    /// The command was sent.
    Started,
    /// It printed one or more lines, or a piece of a very long one.
    Output {
        /// Where to.
        stream: StreamName,
        /// Exactly what it printed, with newlines between lines and none after
        /// the last. Carriage returns stay.
        bytes: Bytes,
        /// What came after the last of the lines.
        end: LineEnd,
    },
    /// The command has ended, and something that it left behind still holds
    /// its output. It was heard until it fell silent, and no longer.
    LeftOpen,
    /// It is over on this node.
    Finished {
        /// How.
        outcome: Outcome,
        /// Time since `Connecting`.
        duration: Duration,
    },
}

/// Where a command prints to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum StreamName {
    /// Standard output.
    Out,
    /// Standard error.
    Err,
}

/// What came after the bytes of an output event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LineEnd {
    /// A newline.
    Newline,
    /// More of the same line: the next line event of this node and stream
    /// goes on where this one stops.
    Cut,
    /// The end of the output.
    Output,
}

/// How a run ended on one node.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// The command ended with this code.
    Exited(u32),
    /// The command was ended by this signal, without `SIG`.
    Signalled(String),
    /// We did not get in.
    Unreachable {
        /// Why, by kind.
        kind: ConnectErrorKind,
        /// Why, in words.
        text: String,
        /// What the user can do.
        mend: String,
    },
    /// The command ran or was silent for too long; it may go on.
    TimedOut {
        /// Which time ran out.
        kind: TimeoutKind,
        /// How long it was.
        after: Duration,
    },
    /// We were told to stop.
    Cancelled {
        /// Whether the command had begun, and so may go on.
        started: bool,
    },
    /// The connection broke; the command may go on.
    Lost(String),
    /// The node let us in and would not run the command, which never began.
    Refused {
        /// Why, in words.
        text: String,
        /// What the user can do.
        mend: &'static str,
    },
}

impl Outcome {
    /// Whether the command ended by itself with code 0.
    #[must_use]
    pub const fn is_success(&self) -> bool {
        matches!(self, Self::Exited(0))
    }
}

impl From<ExecEnd> for Outcome {
    fn from(end: ExecEnd) -> Self {
        match end {
            ExecEnd::Exited(code) => Self::Exited(code),
            ExecEnd::Signalled(name) => Self::Signalled(name),
            ExecEnd::TimedOut { kind, after } => Self::TimedOut { kind, after },
            ExecEnd::Cancelled => Self::Cancelled { started: true },
            ExecEnd::Lost(text) => Self::Lost(text),
            ExecEnd::Refused { text, mend } => Self::Refused { text, mend },
        }
    }
}

/// How it ended on one node.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NodeOutcome {
    /// The node's name.
    pub node: Arc<str>,
    /// How.
    pub outcome: Outcome,
    /// Time since it began to connect; zero if it never did.
    pub duration: Duration,
}

/// How a run ended.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct RunSummary {
    /// Every node, in the order of the targets.
    pub nodes: Vec<NodeOutcome>,
    /// From the call to the last event.
    pub duration: Duration,
}

impl RunSummary {
    /// Whether the command ended with code 0 on every node.
    #[must_use]
    pub fn all_succeeded(&self) -> bool {
        self.nodes.iter().all(|node| node.outcome.is_success())
    }

    /// The nodes where it did not.
    pub fn failed(&self) -> impl Iterator<Item = &NodeOutcome> {
        self.nodes.iter().filter(|node| !node.outcome.is_success())
    }
}
