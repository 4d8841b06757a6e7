//! Carrying a plan out: under the cluster's lock, only if it is still the plan
//! that was shown, and with an end that leaves nobody in doubt.

use std::collections::BTreeSet;
use std::time::Duration;

use model::event::{Level, Progress};
use model::inventory::Inventory;
use model::name::NodeName;
use model::plan::{Action, Change, Intent, Plan, Subject};
use model::resolved::OnFailure;
use providers::ClusterLock;
use tokio::sync::mpsc;
use transport::PublicKey;

use crate::cancel::Cancel;
use crate::clock::Mark;
use crate::controller::Controller;
use crate::error::{FailureKind, OperationError};
use crate::execute::Operation;
use crate::failure::Failure;
use crate::look::within;
use crate::outcome::Outcome;
use crate::planned::{Planned, is_same};
use crate::stand::{first_boot_notes, word};

/// How a plan is carried out.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct CarryOut {
    /// What happens when it fails; none: what the spec says.
    pub on_failure: Option<OnFailure>,
    /// How long new nodes may take until they let us in, from the last step
    /// on; none: [`crate::Timing::ready_timeout`].
    pub ready_timeout: Option<Duration>,
}

impl Controller {
    /// Carries out a plan that was shown.
    ///
    /// Takes the cluster's lock, looks and plans again, and refuses when that
    /// gives another plan. Then the steps, the wait until every new node has
    /// let us in, and the mark that the change is complete. What fails is
    /// undone or kept, as asked for; what the user stops is left as it is.
    ///
    /// # Errors
    /// `Refused` when somebody else changes or changed the cluster, naming
    /// them; `Interrupted` when the user stopped it; otherwise what failed,
    /// with its causes, what was undone and what stands.
    pub async fn carry_out(
        &self,
        planned: Planned,
        how: CarryOut,
        events: mpsc::Sender<Progress>,
        cancel: Cancel,
    ) -> Result<Outcome, Box<OperationError>> {
        let mark = self.parts.clock.mark();
        if planned.plan.is_empty() {
            return Ok(self.outcome(mark, Some(planned.inventory)));
        }
        let operation = Operation {
            controller: self.clone(),
            cluster: planned.plan.cluster.clone(),
            teller: self.teller(&planned.plan.cluster, events),
            cancel,
            authorized: self.authorized(&planned.plan).await?,
            ready_timeout: how.ready_timeout.unwrap_or(self.parts.timing.ready_timeout),
        };
        let done = Box::pin(operation.change(planned, how, mark)).await;
        if !operation.cancel.abort.is_cancelled() {
            operation.teller.flush().await;
        }
        done
    }

    /// The key that new nodes let in, if the plan makes or changes any.
    async fn authorized(&self, plan: &Plan) -> Result<Option<PublicKey>, Box<OperationError>> {
        let makes = |change: &Change| !matches!(change.action, Action::Keep | Action::Delete);
        if plan.changes.iter().any(makes) {
            return self.parts.keys.ensure().await.map(Some);
        }
        Ok(None)
    }

    pub(crate) fn outcome(&self, mark: Mark, inventory: Option<Inventory>) -> Outcome {
        Outcome {
            steps_changed: 0,
            ready: Vec::new(),
            notes: Vec::new(),
            duration: self.parts.clock.since(mark),
            inventory,
        }
    }
}

impl Operation {
    /// Takes the cluster for changing it. What is wrong with the journal is
    /// said here, once per operation.
    pub(crate) async fn take(
        &self,
        what: &str,
    ) -> Result<Box<dyn ClusterLock>, Box<OperationError>> {
        let parts = self.parts();
        if let Some(trouble) = parts.journal.trouble() {
            self.teller.note(format!("nothing is remembered of this: failed to {trouble}")).await;
        }
        let purpose = format!("{what} by {}", parts.owner);
        let taking = parts.provider.lock(&self.cluster, &purpose);
        let lock = within(parts.timing.look_timeout, "take the cluster", taking).await?;
        Ok(lock)
    }

    async fn change(
        &self,
        planned: Planned,
        how: CarryOut,
        mark: Mark,
    ) -> Result<Outcome, Box<OperationError>> {
        let _lock = self.take(word(&planned.plan.intent)).await?;
        let Planned { plan, inventory: before, spec } = self.plan_again(planned).await?;
        let steps = self.parts().provider.lower(&plan, &self.parts().owner);
        self.teller.progress(Progress::Begun { steps: steps.len() }).await;
        let asked = format!("by {}", self.parts().owner);
        let what = format!("{} asked", word(&plan.intent));
        self.line(Level::Info, &what, Some(&asked));
        let prove = to_prove(&plan, &before);
        let failure = match self.carry_through(steps, &prove).await {
            Ok((carried, ready)) if carried.is_done() => {
                let inventory = self.look().await.ok();
                let (steps_changed, mut notes) = (carried.changed, carried.notes);
                for note in inventory.iter().flat_map(|seen| first_boot_notes(seen, &ready)) {
                    self.teller.note(note.clone()).await;
                    notes.push(note);
                }
                let outcome = self.controller.outcome(mark, inventory);
                return Ok(Outcome { steps_changed, ready, notes, ..outcome });
            }
            Ok((carried, _)) => Failure::of_steps(carried),
            Err((carried, not_ready)) => Failure::of_nodes(carried, not_ready),
        };
        let declared = spec.as_ref().map_or(OnFailure::Keep, |spec| spec.on_failure);
        let on_failure = how.on_failure.unwrap_or(declared);
        Err(self.failed(&plan, &before, failure, on_failure).await)
    }

    /// Looks and plans again under the lock; refuses another plan.
    async fn plan_again(&self, shown: Planned) -> Result<Planned, Box<OperationError>> {
        let inventory = self.look().await?;
        let (intent, id) = (shown.plan.intent.clone(), shown.plan.cluster_id.clone());
        let spec = shown.spec.as_ref();
        let meanwhile = format!("cluster {} changed meanwhile", self.cluster);
        let again = "nothing was done; look at the new plan and decide again";
        let fresh = self.controller.plan_on(intent, spec, inventory, id).map_err(|mut error| {
            error.kind = FailureKind::Refused;
            error.causes.insert(0, std::mem::replace(&mut error.what, meanwhile.clone()));
            error.hint(again)
        })?;
        if is_same(&shown.plan, &fresh.plan) {
            return Ok(fresh);
        }
        let error = OperationError::new(FailureKind::Refused, meanwhile).hint(again);
        Err(match (shown.plan.base, fresh.plan.base) {
            (Some(before), Some(now)) if before != now => {
                error.cause(format!("it went from generation {before} to {now}"))
            }
            (Some(_), None) => error.cause("it was removed"),
            (None, Some(_)) => error.cause("it was made by somebody else"),
            _ => error.cause("its machines are no longer those of the plan that was shown"),
        })
    }
}

/// The nodes that must let us in before the change is complete: those that it
/// makes, and those of changes that were never complete.
fn to_prove(plan: &Plan, before: &Inventory) -> BTreeSet<NodeName> {
    let proven = before.record().and_then(|record| record.completed).unwrap_or_default();
    let wanted: BTreeSet<&NodeName> = plan.wanted.iter().map(|node| &node.name).collect();
    let mut prove = BTreeSet::new();
    for change in &plan.changes {
        let Subject::Node { name, .. } = &change.subject else { continue };
        let new = match change.action {
            Action::Create | Action::Replace => true,
            Action::Keep | Action::Update => {
                before.node(name).is_some_and(|node| node.generation > proven)
            }
            Action::Delete => false,
        };
        if new && wanted.contains(name) {
            prove.insert(name.clone());
        }
    }
    prove
}

/// Whether a failed change of this kind makes anything that could be undone.
pub(crate) const fn makes(intent: &Intent) -> bool {
    matches!(intent, Intent::Create | Intent::Update)
}
