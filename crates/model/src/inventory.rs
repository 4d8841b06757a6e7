//! The observed world of one cluster. Each part says whether it is known: what
//! could not be read is `Unknown` with the reason, never an empty list.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::endpoint::Endpoint;
use crate::name::{ClusterName, NodeName, PoolName};
use crate::node::{Generation, NodeId, NodeState};
use crate::resolved::ProviderKind;

/// A part of the world that was read, or could not be.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Known<T> {
    /// What was seen.
    Seen(T),
    /// Why it could not be seen. Nothing may be destroyed on such ground.
    Unknown(String),
}

impl<T> Known<T> {
    /// What was seen, if it was.
    pub const fn seen(&self) -> Option<&T> {
        match self {
            Self::Seen(value) => Some(value),
            Self::Unknown(_) => None,
        }
    }
}

/// Everything observed of one cluster at one moment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Inventory {
    /// Where it was looked for.
    pub provider: ProviderKind,
    /// Region of the provider; `local` on this machine.
    pub region: String,
    /// The cluster that was asked for.
    pub cluster: ClusterName,
    /// When it was looked at.
    pub observed_at: Timestamp,
    /// The cluster's record at the provider; `Seen(None)`: there is no such
    /// cluster.
    pub record: Known<Option<ClusterRecord>>,
    /// The machines that carry this cluster's tag.
    pub nodes: Known<Vec<ObservedNode>>,
}

impl Inventory {
    /// The cluster's record, if it was seen and there is one.
    #[must_use]
    pub fn record(&self) -> Option<&ClusterRecord> {
        self.record.seen().and_then(Option::as_ref)
    }

    /// The machines seen; none when they are unknown.
    #[must_use]
    pub fn nodes(&self) -> &[ObservedNode] {
        self.nodes.seen().map_or(&[], Vec::as_slice)
    }

    /// The machine of a node that exists (not one on its way out).
    #[must_use]
    pub fn node(&self, name: &NodeName) -> Option<&ObservedNode> {
        self.nodes().iter().find(|node| node.name == *name && node.state.exists())
    }
}

/// What travels with a cluster at its provider: enough for any Squall with the
/// credentials to go on with it. Holds no secret.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ClusterRecord {
    /// Name as the user wrote it.
    pub name: ClusterName,
    /// Unique for this creation of the cluster; a deleted and made again
    /// cluster has another. Tags of its machines carry it.
    pub id: String,
    /// Who made it, as `user@host`.
    pub owner: String,
    /// When it was first accepted.
    pub created_at: Timestamp,
    /// Generation of the spec that was accepted last.
    pub accepted: Generation,
    /// Generation that was last carried through to the end.
    pub completed: Option<Generation>,
    /// The accepted spec in its stored form (`Resolved::to_stored`).
    pub spec: String,
    /// Nodes that were terminated by name and stay away until `update` with a
    /// new count or `update` of the spec brings them back.
    pub removed: BTreeSet<NodeName>,
    /// Whether the cluster is on its way out: a delete was begun.
    pub deleting: bool,
}

impl ClusterRecord {
    /// How the cluster as a whole stands, by its record.
    #[must_use]
    pub fn condition(&self) -> Condition {
        if self.deleting {
            Condition::Deleting
        } else if self.completed == Some(self.accepted) {
            Condition::Complete
        } else {
            Condition::Incomplete
        }
    }
}

/// One machine as the provider shows it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ObservedNode {
    /// Its name in the cluster.
    pub name: NodeName,
    /// The pool it was made for.
    pub pool: PoolName,
    /// What it is for: `head`, `worker`, `login` or the user's own.
    pub role: String,
    /// The provider's id.
    pub id: NodeId,
    /// State in the clouds' words.
    pub state: NodeState,
    /// Why it is in that state, where there is more to say than the state:
    /// "powered off from inside", "killed by signal 9".
    pub state_reason: Option<String>,
    /// Instance type as resolved for the provider.
    pub instance_type: String,
    /// Image as resolved for the provider.
    pub image: String,
    /// Address reachable from outside, if any.
    pub external_ip: Option<String>,
    /// Address among the members.
    pub internal_ip: Option<String>,
    /// Where its ssh server is reached; none while it is not running, and none
    /// ever where a provider's nodes let nobody in.
    pub endpoint: Option<Endpoint>,
    /// Account for log-in.
    pub username: String,
    /// Public host key in OpenSSH's one-line form, when it is of our making or
    /// was verified.
    pub host_key: Option<String>,
    /// Generation under which it was made.
    pub generation: Generation,
    /// Digest of what it was made from; another digest means replacement.
    pub digest: String,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it last came up.
    pub started_at: Option<Timestamp>,
    /// Tags, Squall's own (`squall:…`) and the user's.
    pub tags: BTreeMap<String, String>,
    /// Everything else the provider knows, shown by `show -vv`.
    pub properties: BTreeMap<String, String>,
}

/// One line of `squall list`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ClusterSummary {
    /// Name as the user wrote it.
    pub name: ClusterName,
    /// Its provider.
    pub provider: ProviderKind,
    /// Its region.
    pub region: String,
    /// Who made it.
    pub owner: String,
    /// When it was first accepted.
    pub created_at: Timestamp,
    /// Number of machines by state.
    pub nodes: BTreeMap<NodeState, usize>,
    /// How it stands as a whole.
    pub condition: Condition,
    /// What a user should know beside it.
    pub note: Option<String>,
}

/// How a cluster as a whole stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Condition {
    /// The last accepted generation was carried through.
    Complete,
    /// A change was begun and not carried through.
    Incomplete,
    /// A delete was begun and not carried through.
    Deleting,
    /// The record cannot be read; the note says why.
    Unreadable,
}

impl Condition {
    /// The word in listings.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Complete => "complete",
            Self::Incomplete => "incomplete",
            Self::Deleting => "deleting",
            Self::Unreadable => "unreadable",
        }
    }
}
