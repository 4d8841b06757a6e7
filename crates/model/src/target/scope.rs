//! What targets are taken from: the nodes there are, their clusters, and what
//! else an expression may refer to. Knows nothing of where they come from.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::OnceLock;

use super::index::Index;
use super::sets::Sets;

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

/// What targets are taken from. Made once for many targets: what helps to find
/// nodes by name or property is made when it is first of use, and kept.
#[derive(Debug, Clone, Default)]
pub struct Scope {
    members: Vec<Member>,
    clusters: BTreeSet<String>,
    within: Option<String>,
    sets: Sets,
    listing: Option<Vec<usize>>,
    index: OnceLock<Index>,
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

    /// With the sets that targets may name.
    #[must_use]
    pub fn with_sets(mut self, sets: Sets) -> Self {
        self.sets = sets;
        self
    }

    /// With what was listed last, as places among the members: what a bare
    /// number counts in, from 1.
    #[must_use]
    pub fn with_listing(mut self, places: Vec<usize>) -> Self {
        self.listing = Some(places);
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

    /// The cluster that names are taken from.
    #[must_use]
    pub fn cluster(&self) -> Option<&str> {
        self.within.as_deref()
    }

    /// The sets.
    #[must_use]
    pub const fn sets(&self) -> &Sets {
        &self.sets
    }

    pub(super) fn listing(&self) -> Option<&[usize]> {
        self.listing.as_deref()
    }

    pub(super) fn index(&self) -> &Index {
        self.index.get_or_init(|| Index::of(&self.members))
    }
}

/// Cluster names differ by more than case, as node names do.
pub(super) fn same(left: &str, right: &str) -> bool {
    left.eq_ignore_ascii_case(right)
}
