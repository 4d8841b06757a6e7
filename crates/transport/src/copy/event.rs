//! What copying tells. Plain data.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use bytes::Bytes;

use crate::session::ConnectErrorKind;

/// Something happened on one node. The events of a node come in order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CopyEvent {
    /// The node's name.
    pub node: Arc<str>,
    /// What.
    pub kind: CopyEventKind,
}

/// What happened. Every node gets exactly one `Finished`, its last event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CopyEventKind {
    /// We began to connect.
    Connecting,
    /// We are in.
    Started,
    /// A file, or another thing with a name, is settled.
    Item {
        /// Where it came to lie, or would have: on the node when it is put, on
        /// this machine when it is got.
        path: Bytes,
        /// What became of it.
        end: ItemEnd,
    },
    /// It is over on this node.
    Finished {
        /// How, and what was done.
        outcome: CopyOutcome,
        /// Time since `Connecting`.
        duration: Duration,
    },
}

/// What became of one file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ItemEnd {
    /// It was copied and verified.
    Copied {
        /// Its size.
        bytes: u64,
        /// How much of it was there from an earlier try.
        resumed: u64,
    },
    /// It was there already, and the same.
    Unchanged,
    /// It would be copied; nothing was done because only a look was asked for.
    WouldCopy {
        /// Its size.
        bytes: u64,
        /// Whether something is there that would be replaced.
        replaces: bool,
    },
    /// It was not copied.
    Failed(CopyFailure),
}

/// Why a file was not copied.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum CopyFailureKind {
    /// There is nothing of that name.
    Missing,
    /// It may not be read or written.
    Denied,
    /// The disk is full.
    NoSpace,
    /// The file system cannot be written.
    ReadOnly,
    /// Something of another kind is there: a directory for a file, or so.
    WrongKind,
    /// What arrived is not what was sent, or it changed meanwhile.
    Mismatch,
    /// The name cannot be used.
    Name,
    /// Anything else.
    Other,
}

impl CopyFailureKind {
    /// In a word, for JSON.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Missing => "missing",
            Self::Denied => "denied",
            Self::NoSpace => "no-space",
            Self::ReadOnly => "read-only",
            Self::WrongKind => "wrong-kind",
            Self::Mismatch => "mismatch",
            Self::Name => "name",
            Self::Other => "other",
        }
    }
}

/// Why a file was not copied. Alike on nodes where the same happened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CopyFailure {
    /// In a word.
    pub kind: CopyFailureKind,
    /// The file, as far as the reason is about one.
    pub path: Bytes,
    /// In words, without the path.
    pub text: String,
}

impl CopyFailure {
    pub(super) fn new(kind: CopyFailureKind, path: &[u8], text: impl Into<String>) -> Self {
        Self { kind, path: Bytes::copy_from_slice(path), text: text.into() }
    }
}

/// How copying ended on one node.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CopyOutcome {
    /// How.
    pub end: CopyEnd,
    /// What was done until then.
    pub report: CopyReport,
}

/// How copying ended on one node.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CopyEnd {
    /// Everything is there.
    Done,
    /// Some of it is not; the report says what.
    Failed,
    /// We did not get in.
    Unreachable {
        /// Why, by kind.
        kind: ConnectErrorKind,
        /// Why, in words.
        text: String,
        /// What the user can do.
        mend: String,
    },
    /// It took too long.
    TimedOut(Duration),
    /// We were told to stop.
    Cancelled {
        /// Whether it had begun.
        started: bool,
    },
    /// The connection or the node's sftp failed.
    Lost(String),
}

/// What was done on one node.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct CopyReport {
    /// Files copied and verified, or that would be.
    pub copied: u64,
    /// Files that were there and the same.
    pub unchanged: u64,
    /// Bytes that went over the network.
    pub bytes: u64,
    /// Bytes that were there from an earlier try.
    pub resumed_bytes: u64,
    /// The first failures; see [`crate::limits::COPY_FAILURES_MAX`].
    pub failures: Vec<CopyFailure>,
    /// How many there were.
    pub failed: u64,
    /// Unfinished files that the next try goes on with.
    pub parts_left: Vec<Bytes>,
    /// What the user should know of.
    pub notes: Vec<String>,
}

/// How it ended on one node.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NodeCopied {
    /// The node's name.
    pub node: Arc<str>,
    /// How, and what was done.
    pub outcome: CopyOutcome,
    /// Time since it began to connect; zero if it never did.
    pub duration: Duration,
}

impl NodeCopied {
    /// Whether everything is there.
    #[must_use]
    pub fn is_success(&self) -> bool {
        self.outcome.end == CopyEnd::Done
    }
}

/// How copying ended.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct CopySummary {
    /// Every node, in the order of the targets.
    pub nodes: Vec<NodeCopied>,
    /// From the call to the last event.
    pub duration: Duration,
}

impl CopySummary {
    /// Whether everything is there on every node.
    #[must_use]
    pub fn all_succeeded(&self) -> bool {
        self.nodes.iter().all(NodeCopied::is_success)
    }
}

/// How far everything is, for those who look now and then.
#[derive(Debug, Default)]
pub struct Meter {
    moved: AtomicU64,
    expected: AtomicU64,
}

impl Meter {
    /// Bytes that went over the network, or need not go.
    #[must_use]
    pub fn moved(&self) -> u64 {
        self.moved.load(Ordering::Relaxed)
    }

    /// Bytes to be moved, as far as they are known.
    #[must_use]
    pub fn expected(&self) -> u64 {
        self.expected.load(Ordering::Relaxed)
    }

    pub(super) fn add_moved(&self, bytes: u64) {
        self.moved.fetch_add(bytes, Ordering::Relaxed);
    }

    pub(super) fn add_expected(&self, bytes: u64) {
        self.expected.fetch_add(bytes, Ordering::Relaxed);
    }
}
