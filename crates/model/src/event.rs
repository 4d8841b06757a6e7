//! Everything worth telling a user or a journal, as data. Who shows it, and
//! how, is `cli`'s business.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::name::{ClusterName, NodeName};
use crate::plan::{Reason, Step};

/// One line of a cluster's timeline (`squall status`).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TimelineEvent {
    /// When it happened.
    pub at: Timestamp,
    /// The cluster.
    pub cluster: ClusterName,
    /// The node, where it is about one.
    pub node: Option<NodeName>,
    /// Who says so: `squall` (a command of ours) or `provider`.
    pub source: EventSource,
    /// How grave it is.
    pub level: Level,
    /// What happened, as "stopped" or "update accepted".
    pub what: String,
    /// Why, where it is known.
    pub why: Option<String>,
}

/// Who reports an event.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum EventSource {
    /// A command of ours that changed something.
    Squall,
    /// The provider: the machine itself, or the cloud.
    Provider,
}

/// How grave an event is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Level {
    /// As it should be.
    Info,
    /// Worth a look.
    Warning,
    /// Something failed.
    Error,
}

/// What providers say of a node in [`TimelineEvent::what`]. More may follow in
/// `why`; the words themselves are the same everywhere, so that a timeline
/// reads alike on every provider.
pub mod word {
    /// The machine was made.
    pub const MADE: &str = "made";
    /// It came up, at first or again.
    pub const STARTED: &str = "started";
    /// It went down and can be started again.
    pub const STOPPED: &str = "stopped";
    /// It went down and came up again.
    pub const REBOOTED: &str = "rebooted";
    /// It was removed as we asked.
    pub const REMOVED: &str = "removed";
    /// It is gone, and nobody of ours asked for that.
    pub const LOST: &str = "lost";
}

/// What an operation tells while it runs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Progress {
    /// The operation begins; `steps` effects are ahead.
    Begun {
        /// Number of steps.
        steps: usize,
    },
    /// A step begins.
    StepBegun {
        /// The step.
        step: Box<Step>,
    },
    /// A step succeeded.
    StepDone {
        /// The step.
        step: Box<Step>,
        /// False: it was so already.
        changed: bool,
    },
    /// A step failed; the operation goes on with what does not depend on it.
    StepFailed {
        /// The step.
        step: Box<Step>,
        /// Why.
        reason: Reason,
    },
    /// A node let us in.
    NodeReady {
        /// The node.
        name: NodeName,
    },
    /// Still waiting for these nodes to answer.
    Waiting {
        /// The nodes.
        names: Vec<NodeName>,
    },
    /// Undoing what was made.
    RollingBack {
        /// Why.
        reason: Reason,
    },
    /// Something the reader should know.
    Note {
        /// The text.
        text: String,
    },
}
