//! `cluster.json`: the record of a cluster, which travels with it.

use std::net::Ipv4Addr;

use model::inventory::ClusterRecord;
use serde::{Deserialize, Serialize};

use crate::local::rung::Rung;

/// Newest version of [`ClusterFile`] that this build reads, and the one that
/// it writes. Raised only when a reader of the old one would go wrong.
pub(crate) const CLUSTER_VERSION: u32 = 1;

/// What is kept of a cluster.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct ClusterFile {
    /// [`CLUSTER_VERSION`] of the writer; first, so that it is read whatever
    /// follows.
    pub(crate) version: u32,
    /// The record that callers see.
    pub(crate) record: ClusterRecord,
    /// First address of its network.
    pub(crate) network: Ipv4Addr,
    /// Length of its prefix.
    pub(crate) prefix_length: u8,
    /// How its nodes are made: fixed for its life, since files that one rung
    /// made are no good on another.
    pub(crate) rung: Rung,
}
