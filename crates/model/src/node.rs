//! One machine: its identity, its state in the clouds' words, and its phase in
//! ours. Knows nothing of how a machine is made.

use std::fmt;

use serde::{Deserialize, Serialize};

/// A provider's own id of a machine, such as `i-0abc…` or `l-3f2a…`. Never
/// reused: a replaced node has the name of the old one and another id.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct NodeId(pub String);

impl fmt::Display for NodeId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Number that rises with every accepted spec of a cluster. Effects ordered
/// under an older generation are refused.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default, Serialize, Deserialize,
)]
#[serde(transparent)]
pub struct Generation(pub u64);

impl Generation {
    /// The generation after this one.
    #[must_use]
    pub const fn next(self) -> Self {
        Self(self.0.saturating_add(1))
    }
}

impl fmt::Display for Generation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)
    }
}

/// The machine's state, in the clouds' words.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum NodeState {
    /// Ordered, not yet running.
    Pending,
    /// Running; says nothing about whether ssh answers.
    Running,
    /// Being stopped.
    Stopping,
    /// Stopped; its files are kept and it can be started again.
    Stopped,
    /// Being removed.
    Terminating,
    /// Gone for good; some clouds list such machines for a while.
    Terminated,
}

impl NodeState {
    /// Every state, in the order of a machine's life.
    pub const ALL: [Self; 6] = [
        Self::Pending,
        Self::Running,
        Self::Stopping,
        Self::Stopped,
        Self::Terminating,
        Self::Terminated,
    ];

    /// The word users filter on.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Running => "running",
            Self::Stopping => "stopping",
            Self::Stopped => "stopped",
            Self::Terminating => "terminating",
            Self::Terminated => "terminated",
        }
    }

    /// Whether the machine is there, in whatever condition: all but the two
    /// last states.
    #[must_use]
    pub const fn exists(self) -> bool {
        !matches!(self, Self::Terminating | Self::Terminated)
    }

    /// Whether a machine may go from this state to `next` in one observation
    /// step. A machine may always be lost, so `Terminated` follows any state.
    #[must_use]
    pub const fn may_become(self, next: Self) -> bool {
        matches!(
            (self, next),
            (_, Self::Terminated | Self::Terminating)
                | (Self::Pending | Self::Stopped | Self::Stopping, Self::Running)
                | (Self::Running | Self::Pending, Self::Stopping | Self::Stopped)
                | (Self::Stopping, Self::Stopped)
                | (Self::Stopped | Self::Running, Self::Pending)
        ) && !matches!((self, next), (Self::Terminated, _) | (Self::Terminating, Self::Terminating))
    }
}

impl fmt::Display for NodeState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// What a user may ask of a machine that stays a member of its cluster.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum NodeVerb {
    /// Start a stopped machine.
    Start,
    /// Stop a running machine; files stay.
    Stop,
    /// Stop and start again.
    Reboot,
}

impl NodeVerb {
    /// The word of the command line.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Start => "start",
            Self::Stop => "stop",
            Self::Reboot => "reboot",
        }
    }
}

impl fmt::Display for NodeVerb {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::NodeState;

    #[test]
    fn nothing_comes_back_from_terminated() {
        for next in NodeState::ALL {
            assert!(!NodeState::Terminated.may_become(next), "{next}");
        }
    }

    #[test]
    fn every_other_state_may_be_lost() {
        for state in NodeState::ALL {
            assert_eq!(
                state.may_become(NodeState::Terminated),
                state != NodeState::Terminated,
                "{state}"
            );
        }
    }
}
