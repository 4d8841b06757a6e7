//! `{"kind": "nodes"}`: what `squall show` shows, always with every property.

use std::collections::BTreeMap;

use jiff::Timestamp;
use model::inventory::{Condition, ObservedNode};
use model::resolved::ProviderKind;
use serde::Serialize;

use super::VERSION;
use crate::view::{ClusterView, Declared, Shown};

/// The document.
#[derive(Debug, Serialize)]
pub(crate) struct NodesDocument {
    squall: u32,
    kind: &'static str,
    clusters: Vec<ClusterNodes>,
}

#[derive(Debug, Serialize)]
struct ClusterNodes {
    name: String,
    provider: ProviderKind,
    region: String,
    condition: Option<Condition>,
    generation: Option<u64>,
    observed_at: Timestamp,
    /// Why the nodes could not be read; `null` when they were.
    unknown: Option<String>,
    nodes: Vec<NodeDocument>,
}

impl NodesDocument {
    /// Clusters and the nodes selected of them.
    pub(crate) fn new(clusters: &[(&ClusterView, Vec<Shown<'_>>)]) -> Self {
        Self {
            squall: VERSION,
            kind: "nodes",
            clusters: clusters
                .iter()
                .map(|(cluster, shown)| ClusterNodes::of(cluster, shown))
                .collect(),
        }
    }
}

impl ClusterNodes {
    fn of(cluster: &ClusterView, shown: &[Shown<'_>]) -> Self {
        let inventory = &cluster.inventory;
        Self {
            name: inventory.cluster.to_string(),
            provider: inventory.provider,
            region: inventory.region.clone(),
            condition: cluster.condition(),
            generation: inventory.record().map(|record| record.accepted.0),
            observed_at: inventory.observed_at,
            unknown: cluster.unknown().map(String::from),
            nodes: shown
                .iter()
                .map(|shown| match shown {
                    Shown::There(node) => NodeDocument::of(node),
                    Shown::Absent(declared) => NodeDocument::absent(declared),
                })
                .collect(),
        }
    }
}

/// One node. One that is declared and not there has the state `absent`.
#[derive(Debug, Serialize)]
pub(crate) struct NodeDocument {
    name: String,
    pool: String,
    role: String,
    state: &'static str,
    state_reason: Option<String>,
    id: Option<String>,
    instance_type: String,
    image: String,
    external_ip: Option<String>,
    internal_ip: Option<String>,
    ssh_address: Option<String>,
    username: Option<String>,
    host_key: Option<String>,
    generation: Option<u64>,
    created_at: Option<Timestamp>,
    started_at: Option<Timestamp>,
    tags: BTreeMap<String, String>,
    properties: BTreeMap<String, String>,
}

impl NodeDocument {
    /// A node that is there.
    pub(crate) fn of(node: &ObservedNode) -> Self {
        Self {
            name: node.name.to_string(),
            pool: node.pool.to_string(),
            role: node.role.clone(),
            state: node.state.as_str(),
            state_reason: node.state_reason.clone(),
            id: Some(node.id.to_string()),
            instance_type: node.instance_type.clone(),
            image: node.image.clone(),
            external_ip: node.external_ip.clone(),
            internal_ip: node.internal_ip.clone(),
            ssh_address: node.endpoint.as_ref().map(ToString::to_string),
            username: Some(node.username.clone()),
            host_key: node.host_key.clone(),
            generation: Some(node.generation.0),
            created_at: Some(node.created_at),
            started_at: node.started_at,
            tags: node.tags.clone(),
            properties: node.properties.clone(),
        }
    }

    fn absent(declared: &Declared) -> Self {
        Self {
            name: declared.name.to_string(),
            pool: declared.pool.to_string(),
            role: declared.role.clone(),
            state: "absent",
            state_reason: None,
            id: None,
            instance_type: declared.instance_type.clone(),
            image: declared.image.clone(),
            external_ip: None,
            internal_ip: None,
            ssh_address: None,
            username: None,
            host_key: None,
            generation: None,
            created_at: None,
            started_at: None,
            tags: BTreeMap::new(),
            properties: BTreeMap::new(),
        }
    }
}
