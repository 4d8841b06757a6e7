//! `node.json`: what a node is, without secrets; and `order.json` beside it:
//! what it is booted from, host key included.

use std::net::Ipv4Addr;

use jiff::Timestamp;
use model::node::{Generation, NodeId};
use model::plan::WantedNode;
use serde::{Deserialize, Serialize};

use crate::local::launch::SshServer;
use crate::local::mac::MacAddress;
use crate::local::rung::Rung;

/// Newest version of [`NodeFile`] that this build reads, and the one that it
/// writes. Raised only when a reader of the old one would go wrong.
pub(crate) const NODE_VERSION: u32 = 1;

/// What is kept of a node.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct NodeFile {
    /// [`NODE_VERSION`] of the writer.
    pub(crate) version: u32,
    /// What was ordered, without the scripts, which `order.json` has.
    pub(crate) wanted: WantedNode,
    /// Its id, never used again.
    pub(crate) id: NodeId,
    /// Id of the cluster that it was made for.
    pub(crate) cluster_id: String,
    /// Generation under which it was made.
    pub(crate) generation: Generation,
    /// Who ordered it.
    pub(crate) owner: String,
    /// Public host key, one line.
    pub(crate) host_key_public: String,
    /// When it was ordered.
    pub(crate) created_at: Timestamp,
    /// Its address, for life.
    pub(crate) address: Ipv4Addr,
    /// Its hardware address, for life.
    pub(crate) mac: MacAddress,
    /// The account that opens it; another than the one ordered where the rung
    /// knows only root.
    pub(crate) username: String,
    /// How it is made.
    pub(crate) rung: Rung,
    /// Which ssh server it runs.
    pub(crate) ssh_server: SshServer,
    /// How far it is in its life.
    pub(crate) stage: Stage,
}

/// How far a node is in its life, as far as the store is concerned.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Stage {
    /// Recorded, and not known to have come up. When nobody is at work on it
    /// and it does not run, its making was interrupted.
    Making,
    /// It came up once: a machine.
    Made,
    /// Its removal was begun.
    Removing,
}
