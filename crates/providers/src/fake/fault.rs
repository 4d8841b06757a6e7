//! What goes wrong, on order: which call, about which node, how, how often.
//! Plain data, so that a state file or a scenario script can hold it.

use std::fmt;

use model::name::NodeName;
use model::plan::StepKind;
use serde::{Deserialize, Serialize};

use crate::error::ErrorKind;

/// A call of the provider that a fault can hit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Call {
    /// `preflight`.
    Preflight,
    /// `clusters`.
    Clusters,
    /// `observe`.
    Observe,
    /// `events`.
    Events,
    /// `console`.
    Console,
    /// `lock`.
    Lock,
    /// `execute` of an `EnsureCluster` step.
    EnsureCluster,
    /// `execute` of an `EnsureNode` step.
    EnsureNode,
    /// `execute` of a `DeleteNode` step.
    DeleteNode,
    /// `execute` of a `SyncMembers` step.
    SyncMembers,
    /// `execute` of a `StartNode` step.
    StartNode,
    /// `execute` of a `StopNode` step.
    StopNode,
    /// `execute` of a `RebootNode` step.
    RebootNode,
    /// `execute` of a `Complete` step.
    Complete,
    /// `execute` of a `BeginDelete` step.
    BeginDelete,
    /// `execute` of a `DeleteCluster` step.
    DeleteCluster,
}

impl Call {
    /// Every call that executes a step, in the order of a cluster's life.
    pub const STEPS: [Self; 10] = [
        Self::EnsureCluster,
        Self::EnsureNode,
        Self::DeleteNode,
        Self::SyncMembers,
        Self::StartNode,
        Self::StopNode,
        Self::RebootNode,
        Self::Complete,
        Self::BeginDelete,
        Self::DeleteCluster,
    ];

    /// The word in scripts and messages.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Preflight => "preflight",
            Self::Clusters => "clusters",
            Self::Observe => "observe",
            Self::Events => "events",
            Self::Console => "console",
            Self::Lock => "lock",
            Self::EnsureCluster => "ensure-cluster",
            Self::EnsureNode => "ensure-node",
            Self::DeleteNode => "delete-node",
            Self::SyncMembers => "sync-members",
            Self::StartNode => "start-node",
            Self::StopNode => "stop-node",
            Self::RebootNode => "reboot-node",
            Self::Complete => "complete",
            Self::BeginDelete => "begin-delete",
            Self::DeleteCluster => "delete-cluster",
        }
    }

    /// The call that executes a step.
    #[must_use]
    pub const fn of(step: &StepKind) -> Self {
        match step {
            StepKind::EnsureCluster { .. } => Self::EnsureCluster,
            StepKind::EnsureNode { .. } => Self::EnsureNode,
            StepKind::DeleteNode { .. } => Self::DeleteNode,
            StepKind::SyncMembers => Self::SyncMembers,
            StepKind::StartNode { .. } => Self::StartNode,
            StepKind::StopNode { .. } => Self::StopNode,
            StepKind::RebootNode { .. } => Self::RebootNode,
            StepKind::Complete => Self::Complete,
            StepKind::BeginDelete => Self::BeginDelete,
            StepKind::DeleteCluster => Self::DeleteCluster,
        }
    }
}

impl fmt::Display for Call {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// One scripted fault.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fault {
    /// The call it hits.
    pub call: Call,
    /// Only calls about this node; `None`: about any, or none.
    pub node: Option<NodeName>,
    /// What happens.
    pub effect: FaultEffect,
    /// How many calls it hits before it is spent.
    pub times: u32,
}

/// What a fault does to the call it hits.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum FaultEffect {
    /// The call fails and has done nothing.
    Refuse(ErrorKind),
    /// The call does its work, and the caller hears of a failure all the same:
    /// what a crash or a lost connection between effect and answer looks like.
    LoseAnswer(ErrorKind),
    /// A machine that is made or started takes this long to come up.
    SlowBoot {
        /// Seconds until it runs.
        boot_s: u32,
    },
    /// A machine that is made or started stays `pending`.
    NeverBoots,
    /// A machine that is removed is shown as `terminating` for this long.
    Zombie {
        /// Seconds until it is gone.
        gone_s: u32,
    },
    /// `observe` cannot read the cluster's record.
    HideRecord,
    /// `observe` cannot read the machines.
    HideNodes,
}

/// The faults still to come.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub(super) struct Script(Vec<Fault>);

impl Script {
    pub(super) fn add(&mut self, fault: Fault) {
        self.0.push(fault);
    }

    pub(super) fn clear(&mut self) {
        self.0.clear();
    }

    /// The effect that hits this call, if one does; it is used up once.
    pub(super) fn take(&mut self, call: Call, node: Option<&NodeName>) -> Option<FaultEffect> {
        let hit = self.0.iter_mut().find(|fault| {
            fault.call == call
                && fault.times > 0
                && (fault.node.is_none() || fault.node.as_ref() == node)
        })?;
        hit.times -= 1;
        let effect = hit.effect.clone();
        self.0.retain(|fault| fault.times > 0);
        Some(effect)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fault_is_spent_after_its_times() {
        let mut script = Script::default();
        script.add(Fault {
            call: Call::Observe,
            node: None,
            effect: FaultEffect::HideNodes,
            times: 2,
        });
        assert_eq!(script.take(Call::Complete, None), None);
        assert_eq!(script.take(Call::Observe, None), Some(FaultEffect::HideNodes));
        assert_eq!(script.take(Call::Observe, None), Some(FaultEffect::HideNodes));
        assert_eq!(script.take(Call::Observe, None), None);
    }
}
