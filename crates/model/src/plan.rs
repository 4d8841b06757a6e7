//! What will be done and why: the plan that a user is shown, and the steps it
//! is lowered to. Built by `engine::plan`, lowered by a provider, executed by
//! `controller`; this module only holds the words.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::net::Ipv4Addr;

use serde::{Deserialize, Serialize};

use crate::diagnostic::Diagnostic;
use crate::name::{ClusterName, NodeName, PoolName};
use crate::node::{Generation, NodeId};
use crate::resolved::ProviderKind;

/// What the user asked for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Intent {
    /// Make the cluster, or go on making it.
    Create,
    /// Make the cluster be what the spec says.
    Update,
    /// Remove some nodes and remember that they are gone.
    Terminate(BTreeSet<NodeName>),
    /// Remove the whole cluster.
    Delete,
}

/// Why something is done or left; always readable by a person.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Reason(pub String);

impl Reason {
    /// A reason from its text.
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The complete answer to "what will be done".
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Plan {
    /// What was asked.
    pub intent: Intent,
    /// The cluster.
    pub cluster: ClusterName,
    /// Its provider.
    pub provider: ProviderKind,
    /// Its region.
    pub region: String,
    /// Unique id of this creation of the cluster (kept from its record, or new).
    pub cluster_id: String,
    /// The accepted generation the plan was made against; none for a new one.
    /// `execute` refuses when the record has moved on.
    pub base: Option<Generation>,
    /// The generation the plan brings.
    pub generation: Generation,
    /// One entry per subject, in the order it will be shown. `Keep` entries are
    /// there too, so that the reader sees what stays.
    pub changes: Vec<Change>,
    /// What the reader should know: meaningless keys, counts above the minimum.
    pub notes: Vec<Diagnostic>,
    /// The nodes that should exist afterwards.
    pub wanted: Vec<WantedNode>,
    /// Names that stay removed afterwards.
    pub removed: BTreeSet<NodeName>,
    /// The spec to store, in its stored form; empty when the cluster goes.
    pub spec: String,
    /// Whether the record itself must change (other spec, other removed set, or
    /// the last change was not carried through).
    pub record_changes: bool,
    /// Whether the cluster is complete once this is done. False when an earlier
    /// change was not carried through and this one does not go on with it (a
    /// `terminate`), and for a delete.
    pub completes: bool,
}

impl Plan {
    /// Whether nothing would be done.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        !self.record_changes && self.changes.iter().all(|change| change.action == Action::Keep)
    }

    /// Number of changes by action, `Keep` included.
    #[must_use]
    pub fn counts(&self) -> BTreeMap<Action, usize> {
        let mut counts = BTreeMap::new();
        for change in &self.changes {
            *counts.entry(change.action).or_insert(0) += 1;
        }
        counts
    }
}

/// One difference between what is and what should be.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Change {
    /// What it is about.
    pub subject: Subject,
    /// What will be done with it.
    pub action: Action,
    /// Why.
    pub reason: Reason,
    /// The keys that differ, for updates and replacements.
    pub keys: Vec<KeyChange>,
}

/// What a change is about.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Subject {
    /// The cluster's frame: network, record.
    Cluster,
    /// One node; `id` is the machine there is now, if any.
    Node {
        /// Its name.
        name: NodeName,
        /// The machine that exists under that name.
        id: Option<NodeId>,
    },
}

/// What is done with a subject. The order is that of display.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Action {
    /// Made new.
    Create,
    /// Changed where it stands; nothing is lost.
    Update,
    /// Removed and made again; its files are lost.
    Replace,
    /// Removed; its files are lost.
    Delete,
    /// Left as it is.
    Keep,
}

impl Action {
    /// One character for listings, as diff and Terraform users know them.
    #[must_use]
    pub const fn glyph(self) -> &'static str {
        match self {
            Self::Create => "+",
            Self::Update => "~",
            Self::Replace => "±",
            Self::Delete => "-",
            Self::Keep => "=",
        }
    }

    /// The word for it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Create => "create",
            Self::Update => "update",
            Self::Replace => "replace",
            Self::Delete => "delete",
            Self::Keep => "keep",
        }
    }
}

/// A key whose value differs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeyChange {
    /// The key as the user wrote it, such as `instance_type`.
    pub key: String,
    /// What it was.
    pub from: String,
    /// What it becomes.
    pub to: String,
}

/// A node that should exist, with everything needed to make it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct WantedNode {
    /// Its name.
    pub name: NodeName,
    /// Its pool.
    pub pool: PoolName,
    /// What it is for.
    pub role: String,
    /// Instance type as resolved for the provider.
    pub instance_type: String,
    /// Image as resolved for the provider.
    pub image: String,
    /// Limits of the machine, where the provider enforces them itself (local).
    pub limits: NodeLimits,
    /// Account for log-in.
    pub username: String,
    /// The user's tags.
    pub tags: BTreeMap<String, String>,
    /// Scripts to run once at first boot, in order; text begins with `#!`.
    pub first_boot: Vec<FirstBootScript>,
    /// Digest of what would force a replacement (`Pool::digest`).
    pub digest: String,
}

/// What a machine may use; `None` means whatever the host has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct NodeLimits {
    /// Memory in bytes.
    pub memory_bytes: Option<u64>,
    /// Thousandths of a core.
    pub cores_milli: Option<u32>,
    /// Number of processes and threads.
    pub processes: Option<u32>,
}

/// A script that runs once, when a node first comes up.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FirstBootScript {
    /// `user_data` or `setup`.
    pub kind: String,
    /// Where it came from, for messages.
    pub source: String,
    /// The script itself.
    pub text: String,
}

/// Number of a step within its plan.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct StepId(pub u32);

/// One effect at a provider: idempotent by cluster, generation and id.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Step {
    /// Its number.
    pub id: StepId,
    /// Steps that must have succeeded before.
    pub after: Vec<StepId>,
    /// Generation under which it was ordered.
    pub generation: Generation,
    /// What to do.
    pub kind: StepKind,
    /// Why.
    pub reason: Reason,
}

/// What a step does.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum StepKind {
    /// Make the cluster's frame (network, record) or accept a new generation
    /// of it; refused when the record is not at `base`.
    EnsureCluster {
        /// What will be recorded.
        order: ClusterOrder,
    },
    /// Make a node, or leave it when it is already the one ordered.
    EnsureNode {
        /// What to make.
        node: WantedNode,
    },
    /// Remove the machine `id` of a node; success when it is gone already.
    DeleteNode {
        /// The node.
        name: NodeName,
        /// The machine; another machine under that name is left alone.
        id: NodeId,
    },
    /// Bring every node's list of members (hosts file) up to date.
    SyncMembers,
    /// Start a stopped node.
    StartNode {
        /// The node.
        name: NodeName,
    },
    /// Stop a node.
    StopNode {
        /// The node.
        name: NodeName,
    },
    /// Reboot a node.
    RebootNode {
        /// The node.
        name: NodeName,
    },
    /// Record that the generation was carried through. The executor lets this
    /// step through only after the new nodes have let it in.
    Complete,
    /// Mark the cluster as on its way out, so that an interrupted delete shows.
    BeginDelete,
    /// Remove the frame and the record; success when they are gone already.
    DeleteCluster,
}

impl StepKind {
    /// The node a step is about, if it is about one.
    #[must_use]
    pub const fn node(&self) -> Option<&NodeName> {
        match self {
            Self::EnsureNode { node } => Some(&node.name),
            Self::DeleteNode { name, .. }
            | Self::StartNode { name }
            | Self::StopNode { name }
            | Self::RebootNode { name } => Some(name),
            Self::EnsureCluster { .. }
            | Self::SyncMembers
            | Self::Complete
            | Self::BeginDelete
            | Self::DeleteCluster => None,
        }
    }

    /// What the step does, as "make node", for progress and timelines.
    #[must_use]
    pub const fn verb(&self) -> &'static str {
        match self {
            Self::EnsureCluster { .. } => "record cluster",
            Self::EnsureNode { .. } => "make node",
            Self::DeleteNode { .. } => "remove node",
            Self::SyncMembers => "tell members",
            Self::StartNode { .. } => "start node",
            Self::StopNode { .. } => "stop node",
            Self::RebootNode { .. } => "reboot node",
            Self::Complete => "complete change",
            Self::BeginDelete => "begin delete",
            Self::DeleteCluster => "remove cluster",
        }
    }
}

/// What the provider records of a cluster when a generation is accepted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ClusterOrder {
    /// Unique id of this creation of the cluster.
    pub cluster_id: String,
    /// Generation the plan was made against.
    pub base: Option<Generation>,
    /// The spec in its stored form.
    pub spec: String,
    /// Names that stay removed.
    pub removed: BTreeSet<NodeName>,
    /// Who orders it, as `user@host`.
    pub owner: String,
    /// The members' network, where the provider makes it itself.
    pub subnet: Option<(Ipv4Addr, u8)>,
}

/// What a provider answers to a step.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Receipt {
    /// Whether anything had to be done; false: it was so already.
    pub changed: bool,
    /// The machine a node step made or found.
    pub node_id: Option<NodeId>,
    /// What the reader should know, such as a limit that could not be set.
    pub notes: Vec<String>,
}
