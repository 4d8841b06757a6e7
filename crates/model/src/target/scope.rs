//! What targets are taken from: the nodes there are, their clusters, and what
//! else an expression may refer to. Knows nothing of where they come from.

use std::collections::{BTreeMap, BTreeSet};

/// A node as targets see it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Member {
    /// Its cluster.
    pub cluster: String,
    /// Its name.
    pub name: String,
    /// Properties by key; a key may have several values (`ip`).
    pub fields: BTreeMap<String, Vec<String>>,
    /// Tags by key.
    pub tags: BTreeMap<String, String>,
}

/// What targets are taken from.
#[derive(Debug, Clone, Default)]
pub struct Scope {
    pub(super) members: Vec<Member>,
    pub(super) clusters: BTreeSet<String>,
    pub(super) within: Option<String>,
}

impl Scope {
    /// Every node there is, and every cluster, with or without nodes.
    #[must_use]
    pub fn new(members: Vec<Member>, clusters: BTreeSet<String>) -> Self {
        Self { members, clusters, ..Self::default() }
    }

    /// With the one cluster that names are taken from, unless the target says
    /// another (`-C`, or the only cluster there is).
    #[must_use]
    pub fn within(mut self, cluster: Option<String>) -> Self {
        self.within = cluster;
        self
    }

    /// The nodes.
    #[must_use]
    pub fn members(&self) -> &[Member] {
        &self.members
    }

    /// The clusters.
    #[must_use]
    pub const fn clusters(&self) -> &BTreeSet<String> {
        &self.clusters
    }
}

/// Cluster names differ by more than case, as node names do.
pub(super) fn same(left: &str, right: &str) -> bool {
    left.eq_ignore_ascii_case(right)
}
