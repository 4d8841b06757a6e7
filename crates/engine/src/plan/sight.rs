//! What is there, sorted: whose each machine is. A plan is made only on what
//! was really seen.

use std::collections::BTreeMap;

use model::diagnostic::Diagnostic;
use model::inventory::{ClusterRecord, Condition, Inventory, Known, ObservedNode};
use model::name::NodeName;
use model::node::NodeState;
use model::tag;

/// The inventory as the planner needs it.
pub(super) struct Sight<'a> {
    pub(super) inventory: &'a Inventory,
    pub(super) record: Option<&'a ClusterRecord>,
    /// The cluster's own machines that exist, by name; the one to keep first.
    pub(super) own: BTreeMap<&'a NodeName, Vec<&'a ObservedNode>>,
    /// Its own machines that are on their way out.
    pub(super) leaving: Vec<&'a ObservedNode>,
    /// Machines that carry the cluster's name and are not of this creation of
    /// it. Never touched.
    pub(super) foreign: Vec<&'a ObservedNode>,
}

impl<'a> Sight<'a> {
    /// The machine that stands for a node.
    pub(super) fn machine(&self, name: &NodeName) -> Option<&'a ObservedNode> {
        self.own.get(name).and_then(|machines| machines.first().copied())
    }

    /// Whether the last accepted change was carried through.
    pub(super) fn is_complete(&self) -> bool {
        self.record.is_some_and(|record| record.condition() == Condition::Complete)
    }
}

/// Sorts what was seen.
pub(super) fn see(inventory: &Inventory) -> Result<Sight<'_>, Vec<Diagnostic>> {
    let record = match &inventory.record {
        Known::Seen(record) => record.as_ref(),
        Known::Unknown(why) => return Err(vec![blind("the record", inventory, why)]),
    };
    if let (Some(_), Known::Unknown(why)) = (record, &inventory.nodes) {
        return Err(vec![blind("the machines", inventory, why)]);
    }
    let mut sight =
        Sight { inventory, record, own: BTreeMap::new(), leaving: Vec::new(), foreign: Vec::new() };
    let mut torn = Vec::new();
    for node in inventory.nodes() {
        match record {
            Some(record) if is_own(node, record) => {
                if node.generation > record.accepted {
                    torn.push(ahead(node, record));
                }
                sort_own(&mut sight, node);
            }
            _ if node.state.exists() => sight.foreign.push(node),
            _ => {}
        }
    }
    for machines in sight.own.values_mut() {
        machines.sort_by(|a, b| (b.generation, &b.id).cmp(&(a.generation, &a.id)));
    }
    if torn.is_empty() { Ok(sight) } else { Err(torn) }
}

fn sort_own<'a>(sight: &mut Sight<'a>, node: &'a ObservedNode) {
    match node.state {
        NodeState::Terminated => {}
        NodeState::Terminating => sight.leaving.push(node),
        NodeState::Pending | NodeState::Running | NodeState::Stopping | NodeState::Stopped => {
            sight.own.entry(&node.name).or_default().push(node);
        }
    }
}

/// Whether a machine was made for this very creation of the cluster: the only
/// ground on which anything is deleted.
fn is_own(node: &ObservedNode, record: &ClusterRecord) -> bool {
    node.tags.get(tag::CLUSTER_ID).is_some_and(|id| *id == record.id)
}

fn blind(part: &str, inventory: &Inventory, why: &str) -> Diagnostic {
    Diagnostic::error(
        "inventory-blind",
        format!("{part} of cluster {} cannot be read: {why}", inventory.cluster),
    )
    .help("nothing is planned on what cannot be seen; try again when it can")
}

fn ahead(node: &ObservedNode, record: &ClusterRecord) -> Diagnostic {
    Diagnostic::error(
        "inventory-torn",
        format!(
            "machine {} of {} is of generation {} while the record is at {}",
            node.id, node.name, node.generation, record.accepted
        ),
    )
    .help("the record was read before a change by somebody else; look again")
}
