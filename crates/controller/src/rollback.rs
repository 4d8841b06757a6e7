//! Undoing what a failed change made: only that, and only what was seen to be
//! its making. A failed first create leaves nothing. A failed update loses the
//! machines it made and gets the spec back that was accepted before; machines
//! that it had removed already, as those it was replacing, stay gone.

use std::collections::BTreeSet;

use model::event::{Level, Progress};
use model::inventory::{ClusterRecord, Condition, Inventory};
use model::name::NodeName;
use model::node::{Generation, NodeId};
use model::plan::{Action, Change, Intent, Plan, Reason, Subject};
use model::resolved::Resolved;

use crate::error::OperationError;
use crate::execute::{Carried, Operation, described};
use crate::ready::NotReady;

/// What became of undoing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Undone {
    /// Nothing had been made.
    Nothing,
    /// What was undone, as a sentence without a full stop.
    Done(String),
    /// Why not all of it could be undone, one line each.
    Failed(Vec<String>),
    /// The user asked to stop.
    Interrupted,
}

impl Operation {
    /// Undoes what `plan` made of the cluster that was `before`.
    pub(crate) async fn roll_back(&self, plan: &Plan, before: &Inventory, why: &str) -> Undone {
        self.teller.progress(Progress::RollingBack { reason: Reason::new(why) }).await;
        self.line(Level::Warning, "rolling back", Some(why));
        let undone = match self.look().await {
            Ok(now) => self.undo(plan, before, now).await,
            Err(error) => Undone::Failed(vec![format!("failed to {error}")]),
        };
        match &undone {
            Undone::Nothing | Undone::Interrupted => {}
            Undone::Done(what) => self.line(Level::Info, "rolled back", Some(what)),
            Undone::Failed(causes) => {
                self.line(Level::Error, "rollback failed", causes.first().map(String::as_str));
            }
        }
        undone
    }

    async fn undo(&self, plan: &Plan, before: &Inventory, now: Inventory) -> Undone {
        let record = match now.record.seen() {
            Some(Some(record)) => record,
            Some(None) => return Undone::Nothing,
            None => return Undone::Failed(vec!["the cluster's record cannot be read".to_owned()]),
        };
        // Under the lock nobody else brings a generation: this one is ours, or
        // the change was refused before it began.
        if record.id != plan.cluster_id || record.accepted != plan.generation || record.deleting {
            return Undone::Nothing;
        }
        match before.record() {
            // Going on with a create is the same create.
            Some(earlier) if plan.intent != Intent::Create || earlier.completed.is_some() => {
                self.undo_update(plan, earlier, now).await
            }
            Some(_) | None => self.undo_create(now).await,
        }
    }

    /// The cluster never was complete: nothing of it is worth keeping.
    async fn undo_create(&self, now: Inventory) -> Undone {
        let cluster = now.cluster.clone();
        let planned = match self.controller.plan_on(Intent::Delete, None, now, String::new()) {
            Ok(planned) => planned,
            Err(error) => return Undone::Failed(causes(&error)),
        };
        self.carry_back(
            &planned.plan,
            format!("everything that was made of {cluster} is removed again"),
        )
        .await
    }

    async fn undo_update(&self, plan: &Plan, earlier: &ClusterRecord, now: Inventory) -> Undone {
        let made = made_under(&now, plan.generation);
        let spec = match Resolved::from_stored(&earlier.spec) {
            Ok(spec) => spec,
            Err(error) => {
                let cause = format!("the spec accepted before cannot be read: {error}");
                return Undone::Failed(vec![cause]);
            }
        };
        let id = plan.cluster_id.clone();
        match self.controller.plan_on(Intent::Update, Some(&spec), now, id) {
            Ok(planned) => {
                let back = back_plan(planned.plan, earlier, &made);
                self.carry_back(&back.plan, back.text()).await
            }
            Err(error) => Undone::Failed(causes(&error)),
        }
    }

    async fn carry_back(&self, plan: &Plan, what: String) -> Undone {
        let steps = self.parts().provider.lower(plan, &self.parts().owner);
        match self.carry_through(steps, &BTreeSet::new()).await {
            Ok((carried, _)) if carried.is_done() => Undone::Done(what),
            Ok((carried, _)) => self.not_undone(&carried),
            Err((_, not_ready)) => troubles(not_ready),
        }
    }

    fn not_undone(&self, carried: &Carried) -> Undone {
        if self.cancel.is_asked() {
            return Undone::Interrupted;
        }
        let one = |(step, error): &(model::plan::Step, providers::ProviderError)| {
            format!("failed to {}: {}", described(step), error.cause)
        };
        Undone::Failed(carried.failed.iter().map(one).collect())
    }
}

/// The machines that were made under a generation.
fn made_under(inventory: &Inventory, generation: Generation) -> BTreeSet<NodeId> {
    let made = inventory.nodes().iter().filter(|node| node.generation == generation);
    made.map(|node| node.id.clone()).collect()
}

/// The way back from a failed update.
struct Back {
    plan: Plan,
    /// Nodes that the failed update made.
    removed: BTreeSet<NodeName>,
    /// Nodes of the spec accepted before that are not there.
    missing: BTreeSet<NodeName>,
}

impl Back {
    fn text(&self) -> String {
        let mut text = "the spec accepted before counts again".to_owned();
        if !self.removed.is_empty() {
            text = format!("{text}, {} removed", names(&self.removed));
        }
        if !self.missing.is_empty() {
            let missing = names(&self.missing);
            text =
                format!("{text}; not there any more: {missing}, which `squall update` makes anew");
        }
        text
    }

    /// Puts a change of the way to the earlier spec into one of the way back;
    /// none for what is not made again.
    fn turn(
        &mut self,
        mut change: Change,
        earlier: &ClusterRecord,
        made: &BTreeSet<NodeId>,
    ) -> Option<Change> {
        let Subject::Node { name, id } = change.subject.clone() else {
            return Some(change);
        };
        let goes = id.is_some_and(|id| made.contains(&id));
        // What should be there by the earlier spec and will not be.
        if (goes || change.action == Action::Create) && change.action != Action::Delete {
            self.missing.insert(name.clone());
        }
        self.missing.retain(|name| !earlier.removed.contains(name));
        if change.action == Action::Create {
            return None;
        }
        if goes {
            self.removed.insert(name);
            settle(&mut change, Action::Delete, "the change that made it failed");
        } else if matches!(change.action, Action::Replace | Action::Delete) {
            settle(&mut change, Action::Keep, "the change that failed did not make it");
        }
        Some(change)
    }
}

/// Makes of the plan that would restore the earlier spec one that only takes
/// away: what the failed update made goes, what is missing is not made again,
/// and no other machine is touched.
fn back_plan(mut plan: Plan, earlier: &ClusterRecord, made: &BTreeSet<NodeId>) -> Back {
    let changes = std::mem::take(&mut plan.changes);
    let mut back = Back { plan, removed: BTreeSet::new(), missing: BTreeSet::new() };
    let turned: Vec<Change> =
        changes.into_iter().filter_map(|change| back.turn(change, earlier, made)).collect();
    back.plan.changes = turned;
    let gone = |name: &NodeName| back.missing.contains(name) || earlier.removed.contains(name);
    back.plan.wanted.retain(|node| !gone(&node.name));
    back.plan.removed.clone_from(&earlier.removed);
    back.plan.completes = earlier.condition() == Condition::Complete && back.missing.is_empty();
    back
}

fn settle(change: &mut Change, action: Action, reason: &str) {
    change.keys.clear();
    change.action = action;
    change.reason = Reason::new(reason);
}

fn names<'a>(names: impl IntoIterator<Item = &'a NodeName>) -> String {
    names.into_iter().map(NodeName::as_str).collect::<Vec<_>>().join(", ")
}

fn causes(error: &OperationError) -> Vec<String> {
    let diagnostics = error.diagnostics.iter().map(|one| one.message.clone());
    let mut all: Vec<String> = error.causes.iter().cloned().chain(diagnostics).collect();
    if all.is_empty() {
        all.push(error.what.clone());
    }
    all
}

fn troubles(not_ready: NotReady) -> Undone {
    match not_ready {
        NotReady::Interrupted => Undone::Interrupted,
        NotReady::Blind(error) => Undone::Failed(causes(&error)),
        NotReady::Nodes(nodes) => {
            Undone::Failed(nodes.iter().map(|node| format!("{} {}", node.name, node.why)).collect())
        }
    }
}
