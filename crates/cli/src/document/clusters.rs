//! `{"kind": "clusters"}`: what `squall list` shows.

use std::collections::BTreeMap;

use jiff::Timestamp;
use model::inventory::{ClusterSummary, Condition};
use model::node::NodeState;
use model::resolved::ProviderKind;
use serde::Serialize;

use super::VERSION;

/// The document.
#[derive(Debug, Serialize)]
pub(crate) struct ClustersDocument {
    squall: u32,
    kind: &'static str,
    clusters: Vec<ClusterEntry>,
    unavailable: Vec<UnavailableEntry>,
}

#[derive(Debug, Serialize)]
struct ClusterEntry {
    name: String,
    provider: ProviderKind,
    region: String,
    owner: String,
    created_at: Timestamp,
    condition: Condition,
    node_count: usize,
    nodes: BTreeMap<NodeState, usize>,
    note: Option<String>,
}

/// A provider that could not be asked.
#[derive(Debug, Serialize)]
struct UnavailableEntry {
    provider: ProviderKind,
    reason: String,
}

impl ClustersDocument {
    /// The listing.
    pub(crate) fn new(
        clusters: &[ClusterSummary],
        unavailable: impl IntoIterator<Item = (ProviderKind, String)>,
    ) -> Self {
        Self {
            squall: VERSION,
            kind: "clusters",
            clusters: clusters.iter().map(ClusterEntry::of).collect(),
            unavailable: unavailable
                .into_iter()
                .map(|(provider, reason)| UnavailableEntry { provider, reason })
                .collect(),
        }
    }
}

impl ClusterEntry {
    fn of(cluster: &ClusterSummary) -> Self {
        Self {
            name: cluster.name.to_string(),
            provider: cluster.provider,
            region: cluster.region.clone(),
            owner: cluster.owner.clone(),
            created_at: cluster.created_at,
            condition: cluster.condition,
            node_count: cluster.nodes.values().sum(),
            nodes: cluster.nodes.clone(),
            note: cluster.note.clone(),
        }
    }
}
