//! The tags that every resource of ours carries. They are how a Squall that
//! has never seen a cluster finds it, and the only ground on which anything is
//! ever deleted. The user's own tags must not begin with [`PREFIX`].

use std::collections::BTreeMap;

use crate::name::{ClusterName, NodeName, PoolName};
use crate::node::Generation;

/// What our tags begin with.
pub const PREFIX: &str = "squall:";
/// Name of the cluster as the user wrote it.
pub const CLUSTER: &str = "squall:cluster";
/// Id of this creation of the cluster (`ClusterRecord::id`); ownership.
pub const CLUSTER_ID: &str = "squall:cluster-id";
/// Name of the pool.
pub const POOL: &str = "squall:pool";
/// Name of the node.
pub const NODE: &str = "squall:node";
/// Generation under which the machine was made.
pub const GENERATION: &str = "squall:generation";
/// Who ordered it, as `user@host`.
pub const OWNER: &str = "squall:owner";

/// What a machine's own tags are made from.
#[derive(Debug, Clone, Copy)]
pub struct Ownership<'a> {
    /// The cluster.
    pub cluster: &'a ClusterName,
    /// Id of this creation of the cluster.
    pub cluster_id: &'a str,
    /// The pool.
    pub pool: &'a PoolName,
    /// The node.
    pub node: &'a NodeName,
    /// Generation under which it is made.
    pub generation: Generation,
    /// Who orders it.
    pub owner: &'a str,
}

impl Ownership<'_> {
    /// The tags of one machine: the user's, and ours over them.
    #[must_use]
    pub fn tags(&self, user: &BTreeMap<String, String>) -> BTreeMap<String, String> {
        let mut tags = user.clone();
        for (key, value) in [
            (CLUSTER, self.cluster.to_string()),
            (CLUSTER_ID, self.cluster_id.to_owned()),
            (POOL, self.pool.to_string()),
            (NODE, self.node.to_string()),
            (GENERATION, self.generation.to_string()),
            (OWNER, self.owner.to_owned()),
        ] {
            tags.insert(key.to_owned(), value);
        }
        tags
    }
}

/// The user's own tags among a machine's.
#[must_use]
pub fn of_user(tags: &BTreeMap<String, String>) -> BTreeMap<String, String> {
    tags.iter()
        .filter(|(key, _)| !key.starts_with(PREFIX))
        .map(|(key, value)| (key.clone(), value.clone()))
        .collect()
}
