//! The whole pretended cloud as data: clusters, machines, timelines, faults.
//! Every call first lets the machines do what is due by then.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use model::event::{EventSource, Level, TimelineEvent, word};
use model::inventory::{ClusterRecord, ClusterSummary, Inventory, Known};
use model::name::{ClusterName, NodeName};
use model::node::{NodeId, NodeState};
use model::resolved::ProviderKind;
use model::tag;
use serde::{Deserialize, Serialize};

use super::fault::{FaultEffect, Script};
use super::machine::{Latencies, Machine};

/// The only region there is.
pub(super) const REGION: &str = "fake";

/// The cloud.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct State {
    /// Virtual time of the last call.
    pub(super) now: Option<Timestamp>,
    /// Number of machines ever made; their ids come from it.
    pub(super) machines_made: u64,
    /// Records by the cluster's slug.
    pub(super) clusters: BTreeMap<String, Cluster>,
    /// Machines of all clusters.
    pub(super) machines: Vec<Machine>,
    /// Faults still to come.
    pub(super) script: Script,
    /// How long things take.
    pub(super) latencies: Latencies,
}

/// A cluster's record and timeline.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Cluster {
    pub(super) record: ClusterRecord,
    pub(super) events: Vec<TimelineEvent>,
    /// The members' list as it was told last, one `name address` per line.
    pub(super) members: String,
}

impl State {
    /// The cluster of that very name.
    pub(super) fn cluster(&self, name: &ClusterName) -> Option<&Cluster> {
        self.clusters.get(&name.slug()).filter(|cluster| cluster.record.name == *name)
    }

    /// The cluster of that very name, to change it.
    pub(super) fn cluster_mut(&mut self, name: &ClusterName) -> Option<&mut Cluster> {
        self.clusters.get_mut(&name.slug()).filter(|cluster| cluster.record.name == *name)
    }

    /// The machines that carry the cluster's name, whoever made them.
    pub(super) fn machines_of<'a>(
        &'a self,
        name: &'a ClusterName,
    ) -> impl Iterator<Item = &'a Machine> {
        self.machines.iter().filter(move |machine| tagged(machine, tag::CLUSTER, name.as_str()))
    }

    /// Where the cluster's own machine of that name is, unless it is on its
    /// way out.
    pub(super) fn find(&self, record: &ClusterRecord, node: &NodeName) -> Option<usize> {
        self.machines.iter().position(|machine| {
            machine.seen.name == *node && machine.seen.state.exists() && owned(machine, record)
        })
    }

    /// Adds a line to a cluster's timeline; a cluster that is gone has none.
    pub(super) fn note(
        &mut self,
        cluster: &ClusterName,
        node: Option<&NodeName>,
        at: Timestamp,
        (level, what, why): (Level, &str, Option<&str>),
    ) {
        if let Some(found) = self.cluster_mut(cluster) {
            found.events.push(TimelineEvent {
                at,
                cluster: cluster.clone(),
                node: node.cloned(),
                source: EventSource::Provider,
                level,
                what: what.to_owned(),
                why: why.map(str::to_owned),
            });
        }
    }

    /// Lets every machine do what is due by `now`.
    pub(super) fn settle(&mut self, now: Timestamp) {
        self.now = Some(now);
        let mut happened = Vec::new();
        for machine in &mut self.machines {
            if let Some(due) = machine.settle(now) {
                happened.push((cluster_of(machine), machine.seen.name.clone(), due));
            }
        }
        self.machines.retain(|machine| machine.seen.state != NodeState::Terminated);
        for (cluster, node, due) in happened {
            let what = if due.state == NodeState::Running { word::STARTED } else { word::REMOVED };
            if let Some(cluster) = cluster {
                self.note(&cluster, Some(&node), due.at, (Level::Info, what, None));
            }
        }
    }

    /// An id that no machine ever had.
    pub(super) fn new_machine_id(&mut self) -> NodeId {
        self.machines_made += 1;
        NodeId(format!("f-{:06}", self.machines_made))
    }

    /// The lowest address that no machine of the cluster has.
    pub(super) fn free_address(&self, cluster: &ClusterName) -> String {
        let taken: BTreeSet<&str> = self
            .machines_of(cluster)
            .filter_map(|machine| machine.seen.internal_ip.as_deref())
            .collect();
        (10_u32..)
            .map(|host| format!("10.77.{}.{}", host / 250, host % 250 + 1))
            .find(|address| !taken.contains(address.as_str()))
            .unwrap_or_default()
    }

    /// What `observe` shows, with the parts hidden that `effect` hides.
    pub(super) fn inventory(
        &self,
        cluster: &ClusterName,
        now: Timestamp,
        effect: Option<&FaultEffect>,
    ) -> Inventory {
        let record = match effect {
            Some(FaultEffect::HideRecord) => {
                Known::Unknown("the record cannot be read (scripted)".to_owned())
            }
            _ => Known::Seen(self.cluster(cluster).map(|found| found.record.clone())),
        };
        let nodes = match effect {
            Some(FaultEffect::HideNodes) => {
                Known::Unknown("the machines cannot be listed (scripted)".to_owned())
            }
            _ => {
                Known::Seen(self.machines_of(cluster).map(|machine| machine.seen.clone()).collect())
            }
        };
        Inventory {
            provider: ProviderKind::Fake,
            region: REGION.to_owned(),
            cluster: cluster.clone(),
            observed_at: now,
            record,
            nodes,
        }
    }

    /// One line per cluster.
    pub(super) fn summaries(&self) -> Vec<ClusterSummary> {
        self.clusters.values().map(|cluster| self.summary(&cluster.record)).collect()
    }

    fn summary(&self, record: &ClusterRecord) -> ClusterSummary {
        let mut nodes = BTreeMap::new();
        for machine in self.machines_of(&record.name) {
            *nodes.entry(machine.seen.state).or_insert(0) += 1;
        }
        ClusterSummary {
            name: record.name.clone(),
            provider: ProviderKind::Fake,
            region: REGION.to_owned(),
            owner: record.owner.clone(),
            created_at: record.created_at,
            nodes,
            condition: record.condition(),
            note: None,
        }
    }
}

/// Whether a machine was made for this very creation of the cluster.
pub(super) fn owned(machine: &Machine, record: &ClusterRecord) -> bool {
    tagged(machine, tag::CLUSTER_ID, &record.id)
}

fn tagged(machine: &Machine, key: &str, value: &str) -> bool {
    machine.seen.tags.get(key).is_some_and(|tag| tag == value)
}

fn cluster_of(machine: &Machine) -> Option<ClusterName> {
    machine.seen.tags.get(tag::CLUSTER).and_then(|name| ClusterName::parse(name).ok())
}
