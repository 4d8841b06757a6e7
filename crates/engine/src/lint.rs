//! States that a plan can never be in, whatever it was made from. Tests hold
//! every plan they make to it, and an executor may in debug builds; a flaw is a
//! mistake of ours, never of the user's.

#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};

use model::inventory::{ClusterRecord, Inventory, ObservedNode};
use model::name::{NodeName, PoolName};
use model::node::{NodeId, NodeState};
use model::plan::{Action, Change, Intent, Plan, Subject};
use model::resolved::Resolved;
use model::tag;

/// What is impossible about a plan.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Flaw {
    /// It deletes a machine that does not carry this cluster's tag.
    #[error("deletes {0}, which does not carry the cluster's tag")]
    DeletesForeign(NodeId),
    /// It deletes a machine that nobody saw.
    #[error("deletes {0}, which was not seen")]
    DeletesUnseen(NodeId),
    /// It deletes a machine of a generation that is still to come.
    #[error("deletes {0}, which is of a later generation than the record")]
    DeletesAhead(NodeId),
    /// One machine is both kept and deleted, or changed twice.
    #[error("changes {0} twice")]
    ChangesTwice(NodeId),
    /// A node is wanted twice.
    #[error("wants {0} twice")]
    WantsTwice(NodeName),
    /// A node is made or kept that is not wanted, in a plan that settles all.
    #[error("makes {0}, which is not wanted")]
    MakesUnwanted(NodeName),
    /// A wanted node is deleted and not made again.
    #[error("deletes {0}, which is wanted")]
    DeletesWanted(NodeName),
    /// A node is made beside a machine that has its name.
    #[error("makes {0} beside its machine")]
    MakesBeside(NodeName),
    /// A node is wanted that stays away.
    #[error("wants {0}, which stays away")]
    WantsRemoved(NodeName),
    /// A pool gets more nodes than its count.
    #[error("wants {wanted} nodes of {pool}, which may have {count}")]
    AboveCount {
        /// The pool.
        pool: PoolName,
        /// Nodes wanted.
        wanted: usize,
        /// Nodes it may have.
        count: u32,
    },
    /// The generation does not rise with a change, or does with none.
    #[error("the generation does not rise with the change")]
    GenerationStands,
    /// It stands on another generation than the record's.
    #[error("the plan does not stand on the record that was seen")]
    OtherBase,
    /// The cluster's id is not its record's.
    #[error("the cluster's id is not its record's")]
    OtherId,
    /// A replacement or change without the machine it is about.
    #[error("changes {0} without naming its machine")]
    NoMachine(NodeName),
    /// A delete that leaves a machine behind.
    #[error("leaves {0} behind")]
    Leaves(NodeId),
    /// An action that the intent does not allow.
    #[error("does `{action}` to {name}, which was not asked for", action = action.as_str())]
    OutsideIntent {
        /// The node.
        name: NodeName,
        /// What it would do.
        action: Action,
    },
    /// The record changes and the cluster is shown as kept, or the reverse.
    #[error("the cluster is not shown as its record changes")]
    FrameDiffers,
    /// There is nothing to store.
    #[error("stores no spec")]
    NoSpec,
    /// A change has no reason.
    #[error("gives no reason for a change")]
    NoReason,
}

/// Everything that is impossible about a plan made on that inventory.
#[must_use]
pub fn lint(plan: &Plan, inventory: &Inventory) -> Vec<Flaw> {
    let mut flaws = Vec::new();
    check_frame(plan, inventory, &mut flaws);
    check_wanted(plan, &mut flaws);
    check_deletes(plan, inventory, &mut flaws);
    check_nodes(plan, inventory, &mut flaws);
    check_intent(plan, inventory, &mut flaws);
    flaws
}

fn check_frame(plan: &Plan, inventory: &Inventory, flaws: &mut Vec<Flaw>) {
    let record = inventory.record();
    if plan.base != record.map(|record| record.accepted) {
        flaws.push(Flaw::OtherBase);
    }
    if record.is_some_and(|record| record.id != plan.cluster_id) {
        flaws.push(Flaw::OtherId);
    }
    let rises = plan.base.is_none_or(|base| plan.generation > base);
    if rises == plan.is_empty() {
        flaws.push(Flaw::GenerationStands);
    }
    let kept = plan
        .changes
        .iter()
        .any(|change| change.subject == Subject::Cluster && change.action == Action::Keep);
    if kept == plan.record_changes {
        flaws.push(Flaw::FrameDiffers);
    }
    if plan.intent != Intent::Delete && plan.spec.is_empty() {
        flaws.push(Flaw::NoSpec);
    }
    if plan.changes.iter().any(|change| change.reason.0.is_empty()) {
        flaws.push(Flaw::NoReason);
    }
}

fn check_wanted(plan: &Plan, flaws: &mut Vec<Flaw>) {
    let mut seen = BTreeSet::new();
    let mut by_pool: BTreeMap<&PoolName, usize> = BTreeMap::new();
    for node in &plan.wanted {
        if !seen.insert(node.name.slug()) {
            flaws.push(Flaw::WantsTwice(node.name.clone()));
        }
        if plan.removed.contains(&node.name) {
            flaws.push(Flaw::WantsRemoved(node.name.clone()));
        }
        *by_pool.entry(&node.pool).or_insert(0) += 1;
    }
    let spec = Resolved::from_stored(&plan.spec).ok();
    for (pool, wanted) in by_pool {
        let count = spec.as_ref().and_then(|spec| spec.pool(pool)).map_or(0, |pool| pool.count.max);
        if wanted > usize::try_from(count).unwrap_or(usize::MAX) {
            flaws.push(Flaw::AboveCount { pool: pool.clone(), wanted, count });
        }
    }
}

fn check_deletes(plan: &Plan, inventory: &Inventory, flaws: &mut Vec<Flaw>) {
    let machines: BTreeMap<&NodeId, &ObservedNode> =
        inventory.nodes().iter().map(|node| (&node.id, node)).collect();
    let mut touched = BTreeSet::new();
    for (_, id, change) in node_changes(plan) {
        let Some(id) = id else { continue };
        if !touched.insert(id) {
            flaws.push(Flaw::ChangesTwice(id.clone()));
        }
        if !matches!(change.action, Action::Delete | Action::Replace) {
            continue;
        }
        match (machines.get(id), inventory.record()) {
            (Some(seen), Some(record)) if !is_own(seen, record) => {
                flaws.push(Flaw::DeletesForeign(id.clone()));
            }
            (Some(seen), Some(record)) if seen.generation > record.accepted => {
                flaws.push(Flaw::DeletesAhead(id.clone()));
            }
            (Some(_), Some(_)) => {}
            _ => flaws.push(Flaw::DeletesUnseen(id.clone())),
        }
    }
}

fn check_nodes(plan: &Plan, inventory: &Inventory, flaws: &mut Vec<Flaw>) {
    let wanted: BTreeSet<&NodeName> = plan.wanted.iter().map(|node| &node.name).collect();
    let own: BTreeSet<&NodeName> = inventory
        .nodes()
        .iter()
        .filter(|node| node.state.exists())
        .filter(|node| inventory.record().is_some_and(|record| is_own(node, record)))
        .map(|node| &node.name)
        .collect();
    let mut stays: BTreeSet<&NodeName> = BTreeSet::new();
    for (name, id, change) in node_changes(plan) {
        match change.action {
            Action::Create if own.contains(name) => flaws.push(Flaw::MakesBeside(name.clone())),
            Action::Create | Action::Replace | Action::Update if !wanted.contains(name) => {
                flaws.push(Flaw::MakesUnwanted(name.clone()));
            }
            Action::Replace | Action::Update | Action::Keep if id.is_none() => {
                flaws.push(Flaw::NoMachine(name.clone()));
            }
            _ => {}
        }
        if change.action != Action::Delete {
            stays.insert(name);
        }
    }
    for (name, _, change) in node_changes(plan) {
        if change.action == Action::Delete && wanted.contains(name) && !stays.contains(name) {
            flaws.push(Flaw::DeletesWanted(name.clone()));
        }
    }
}

fn check_intent(plan: &Plan, inventory: &Inventory, flaws: &mut Vec<Flaw>) {
    for (name, _, change) in node_changes(plan) {
        let allowed = match &plan.intent {
            Intent::Create | Intent::Update => true,
            Intent::Terminate(names) => {
                change.action == Action::Keep
                    || (change.action == Action::Delete && names.contains(name))
            }
            Intent::Delete => change.action == Action::Delete,
        };
        if !allowed {
            flaws.push(Flaw::OutsideIntent { name: name.clone(), action: change.action });
        }
    }
    if plan.intent != Intent::Delete {
        return;
    }
    let deleted: BTreeSet<&NodeId> = node_changes(plan).filter_map(|(_, id, _)| id).collect();
    for node in inventory.nodes() {
        let own = inventory.record().is_some_and(|record| is_own(node, record));
        if own && node.state != NodeState::Terminated && !deleted.contains(&node.id) {
            flaws.push(Flaw::Leaves(node.id.clone()));
        }
    }
}

/// Ownership, decided here again and not by the planner's own function: a lint
/// that shares the planner's mistakes finds none.
fn is_own(node: &ObservedNode, record: &ClusterRecord) -> bool {
    node.tags.get(tag::CLUSTER_ID) == Some(&record.id)
}

fn node_changes(plan: &Plan) -> impl Iterator<Item = (&NodeName, Option<&NodeId>, &Change)> {
    plan.changes.iter().filter_map(|change| match &change.subject {
        Subject::Node { name, id } => Some((name, id.as_ref(), change)),
        Subject::Cluster => None,
    })
}
