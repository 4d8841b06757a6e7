//! The accepted spec: defaulted, resolved for one provider and legal by
//! construction. Made by [`crate::spec::resolve`] or read back from its stored
//! form; nothing else can make one, so nobody checks it again. Knows nothing of
//! YAML and of what exists.

use std::collections::BTreeMap;
use std::fmt;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::name::{ClusterName, NodeName, PoolName};
use crate::plan::{FirstBootScript, NodeLimits};

mod digest;
mod stored;
mod update;

pub use stored::{STORED_VERSION, StoredError};
pub use update::{Difference, UpdatePolicy, differences};

/// Largest number of nodes in a cluster on this machine: a Linux bridge has
/// 1024 ports, and some are ours.
pub const LOCAL_NODE_COUNT_MAX: u32 = 1000;

/// Largest number of nodes in a cluster on a cloud.
pub const CLOUD_NODE_COUNT_MAX: u32 = 10_000;

/// The role that `squall ssh CLUSTER` and recipes look for.
pub const HEAD_ROLE: &str = "head";

/// The role of pools that name none.
pub const WORKER_ROLE: &str = "worker";

/// Where nodes come from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ProviderKind {
    /// Amazon EC2.
    Ec2,
    /// An OpenStack cloud.
    Openstack,
    /// This machine.
    Local,
    /// Nothing real: scripted, for tests and dry runs.
    Fake,
}

impl ProviderKind {
    /// Every provider, as the spec lists them.
    pub const ALL: [Self; 4] = [Self::Ec2, Self::Openstack, Self::Local, Self::Fake];

    /// The word in specs and listings.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Ec2 => "ec2",
            Self::Openstack => "openstack",
            Self::Local => "local",
            Self::Fake => "fake",
        }
    }

    /// Provider and region for people; a provider with one region of its own
    /// name says it all.
    #[must_use]
    pub fn place(self, region: &str) -> String {
        if region == self.as_str() { region.to_owned() } else { format!("{self} {region}") }
    }

    /// Reads the word.
    #[must_use]
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == word)
    }
}

impl fmt::Display for ProviderKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// The accepted spec of one cluster.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Resolved {
    /// Its name.
    pub cluster: ClusterName,
    /// Where its nodes come from.
    pub provider: ProviderKind,
    /// Region, if the spec says one; `local` and `fake` on those providers.
    pub region: Option<String>,
    /// Profile of the user's credentials, if the spec says one.
    pub profile: Option<String>,
    /// Network of the cluster, where a cloud makes it.
    pub network: Network,
    /// What happens when a change fails.
    pub on_failure: OnFailure,
    /// When the cluster is to be deleted by itself.
    pub expires: Option<Expiry>,
    /// Tags of the cluster; its nodes carry them too.
    pub tags: BTreeMap<String, String>,
    /// Its pools, in the order of the spec; at least one, names unique.
    pub pools: Vec<Pool>,
}

/// Nodes that are alike.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Pool {
    /// Its name.
    pub name: PoolName,
    /// What its nodes are for: `head`, `worker`, `login` or the user's own.
    pub role: String,
    /// How many nodes.
    pub count: Count,
    /// Number of the first node, where the nodes are numbered.
    pub first: Option<u32>,
    /// Instance type for this provider; on `local` a size, `host`, needs
    /// (`2 cores, 4 GiB`), or a cloud's type that has no meaning here.
    pub instance_type: String,
    /// Image for this provider.
    pub image: String,
    /// What a node may use, where the provider enforces it itself.
    pub limits: NodeLimits,
    /// Account for log-in.
    pub username: String,
    /// Which key opens its nodes.
    pub key: KeyChoice,
    /// Whether interruptible capacity is asked for.
    pub spot: bool,
    /// The user's tags: those of the cluster and of the pool.
    pub tags: BTreeMap<String, String>,
    /// Scripts of the first boot, in order.
    pub first_boot: Vec<FirstBootScript>,
}

/// How many nodes a pool has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Count {
    /// Nodes that are always there.
    pub min: u32,
    /// Nodes there may be when there is work for them; `min` where the pool
    /// does not grow by itself.
    pub max: u32,
}

impl fmt::Display for Count {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.min == self.max {
            write!(f, "{}", self.min)
        } else {
            write!(f, "{}..{}", self.min, self.max)
        }
    }
}

/// Which key opens a pool's nodes.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum KeyChoice {
    /// The user's default key.
    Default,
    /// A key pair made for this cluster.
    New,
    /// A key pair that the provider knows by this name.
    Named(String),
}

impl fmt::Display for KeyChoice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Default => "default",
            Self::New => "new",
            Self::Named(name) => name,
        })
    }
}

/// Network of a cluster, where a cloud makes it. Empty on `local`.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Network {
    /// Whether nodes are placed close to each other.
    pub use_placement_group: bool,
    /// Whether a network is made for the cluster.
    pub create_vpc: bool,
    /// Existing network.
    pub vpc_id: Option<String>,
    /// Existing subnet in it.
    pub subnet_id: Option<String>,
    /// From where ssh and ICMP are let in, as CIDR.
    pub ssh_from: Vec<String>,
}

/// What happens when a change fails.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum OnFailure {
    /// What this change made is removed.
    Rollback,
    /// Everything stays for a look.
    Keep,
    /// The node that failed is made again.
    ReplaceNode,
}

impl OnFailure {
    /// Every way, as the spec lists them.
    pub const ALL: [Self; 3] = [Self::Rollback, Self::Keep, Self::ReplaceNode];

    /// The word in specs.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Rollback => "rollback",
            Self::Keep => "keep",
            Self::ReplaceNode => "replace-node",
        }
    }
}

/// When a cluster is to be deleted by itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Expiry {
    /// So long after it was made, in seconds.
    AfterSeconds(u64),
    /// At that time.
    At(Timestamp),
}

impl fmt::Display for Expiry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::AfterSeconds(seconds) => write!(f, "{seconds}s after it was made"),
            Self::At(time) => write!(f, "{time}"),
        }
    }
}

/// One node of the spec.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NodePlace<'a> {
    /// Its name.
    pub name: NodeName,
    /// Its pool.
    pub pool: &'a Pool,
    /// Its place in the pool, from 0.
    pub rank: u32,
}

impl Resolved {
    /// The nodes that are always there: the minimum of every pool, in the
    /// order of the spec.
    pub fn nodes(&self) -> impl Iterator<Item = NodePlace<'_>> {
        self.pools.iter().flat_map(Pool::nodes)
    }

    /// Number of nodes that are always there.
    #[must_use]
    pub fn node_count(&self) -> u32 {
        self.pools.iter().map(|pool| pool.count.min).fold(0, u32::saturating_add)
    }

    /// The head: the first node of the first pool with that role that has one.
    #[must_use]
    pub fn head(&self) -> Option<NodeName> {
        let heads = self.pools.iter().filter(|pool| pool.role == HEAD_ROLE);
        heads.flat_map(Pool::nodes).next().map(|node| node.name)
    }

    /// The pool with a name.
    #[must_use]
    pub fn pool(&self, name: &PoolName) -> Option<&Pool> {
        self.pools.iter().find(|pool| pool.name == *name)
    }
}

impl Pool {
    /// Whether its nodes are numbered: a pool with one node keeps its bare
    /// name, unless it says from where to number or may grow.
    #[must_use]
    pub const fn is_numbered(&self) -> bool {
        self.first.is_some() || self.count.max > 1
    }

    /// The name of the node at a place, from 0. `None` past what a name can
    /// hold, which the spec's counts never reach.
    #[must_use]
    pub fn node_name(&self, rank: u32) -> Option<NodeName> {
        if !self.is_numbered() {
            return (rank == 0).then(|| self.name.bare_node());
        }
        let number = self.first.unwrap_or(1).checked_add(rank)?;
        self.name.numbered_node(number).ok()
    }

    /// The nodes that are always there.
    pub fn nodes(&self) -> impl Iterator<Item = NodePlace<'_>> {
        (0..self.count.min).filter_map(move |rank| {
            self.node_name(rank).map(|name| NodePlace { name, pool: self, rank })
        })
    }
}
