//! Carrying steps out: the dispatcher owns the schedule and everything that is
//! told; each step runs in a task of its own that only talks to the provider.

use std::collections::BTreeSet;
use std::time::Duration;

use model::event::{Level, Progress};
use model::inventory::Inventory;
use model::name::{ClusterName, NodeName};
use model::plan::{Reason, Receipt, Step, StepId, StepKind};
use providers::{ErrorKind, NodeMaterial, ProviderError};
use tokio::task::{Id, JoinError, JoinSet};
use transport::PublicKey;

use crate::cancel::Cancel;
use crate::controller::{Controller, Parts};
use crate::keys;
use crate::look::within;
use crate::ready::{Goal, NotReady};
use crate::retry::Retry;
use crate::schedule::Schedule;
use crate::tell::Teller;

/// One operation on one cluster, under its lock.
#[derive(Clone)]
pub(crate) struct Operation {
    pub(crate) controller: Controller,
    pub(crate) cluster: ClusterName,
    pub(crate) teller: Teller,
    pub(crate) cancel: Cancel,
    /// The key that new nodes let in.
    pub(crate) authorized: Option<PublicKey>,
    /// How long new nodes may take until they let us in.
    pub(crate) ready_timeout: Duration,
}

/// How far steps were carried.
#[derive(Debug, Default)]
pub(crate) struct Carried {
    /// Number of steps that changed something.
    pub(crate) changed: usize,
    /// What the provider said beside it.
    pub(crate) notes: Vec<String>,
    /// The steps that failed, in the order they did.
    pub(crate) failed: Vec<(Step, ProviderError)>,
    /// Number of steps that were not tried because of those.
    pub(crate) skipped: usize,
    /// Number of steps that a stop kept from beginning or from finishing.
    pub(crate) left: usize,
}

impl Carried {
    /// Whether everything was done.
    pub(crate) fn is_done(&self) -> bool {
        self.failed.is_empty() && self.left == 0 && self.skipped == 0
    }

    /// Adds what was carried after this.
    pub(crate) fn extend(&mut self, more: Self) {
        self.changed += more.changed;
        self.skipped += more.skipped;
        self.left += more.left;
        self.notes.extend(more.notes);
        self.failed.extend(more.failed);
    }
}

type Answer = (StepId, Result<Receipt, ProviderError>);

impl Operation {
    pub(crate) fn parts(&self) -> &Parts {
        &self.controller.parts
    }

    pub(crate) async fn look(&self) -> Result<Inventory, ProviderError> {
        self.controller.look(&self.cluster).await
    }

    /// A line of the timeline about the cluster.
    pub(crate) fn line(&self, level: Level, what: &str, why: Option<&str>) {
        self.teller.line(self.parts().clock.now(), None, (level, what, why));
    }

    /// Carries steps out until all are done, or nothing more can be.
    pub(crate) async fn carry(&self, steps: Vec<Step>) -> Carried {
        let at_once_max = self.parts().provider.capabilities().steps_at_once_max;
        let mut dispatch = Dispatch {
            schedule: Schedule::new(steps, at_once_max),
            tasks: JoinSet::new(),
            carried: Carried::default(),
            ids: Vec::new(),
        };
        loop {
            if self.cancel.is_asked() {
                dispatch.schedule.stop();
            }
            self.begin(&mut dispatch).await;
            if dispatch.tasks.is_empty() {
                break;
            }
            tokio::select! {
                biased;
                () = self.cancel.abort.cancelled() => {
                    dispatch.carried.left += dispatch.schedule.running().count();
                    break;
                }
                Some(ended) = dispatch.tasks.join_next_with_id() => {
                    self.end(&mut dispatch, ended).await;
                }
            }
        }
        let mut carried = dispatch.carried;
        carried.skipped = dispatch.schedule.skipped().len();
        carried.left += dispatch.schedule.not_begun().count();
        carried
    }

    /// Carries steps out, and lets the last one through only when the world is
    /// ready for it: a change is complete once `prove` have let us in, and a
    /// cluster goes once its machines are gone.
    pub(crate) async fn carry_through(
        &self,
        mut steps: Vec<Step>,
        prove: &BTreeSet<NodeName>,
    ) -> Result<(Carried, Vec<NodeName>), (Carried, NotReady)> {
        let gated = |step: &Step| matches!(step.kind, StepKind::Complete | StepKind::DeleteCluster);
        let last = steps.pop_if(|step| gated(step));
        let mut carried = self.carry(steps).await;
        let Some(last) = last else { return Ok((carried, Vec::new())) };
        if !carried.is_done() {
            carried.left += usize::from(self.cancel.is_asked());
            carried.skipped += usize::from(!self.cancel.is_asked());
            return Ok((carried, Vec::new()));
        }
        let timeout = self.ready_timeout;
        let waited = if last.kind == StepKind::Complete {
            self.wait_for(prove.clone(), Goal::LetsIn, timeout).await
        } else {
            self.wait_until_gone(timeout).await.map(|()| Vec::new())
        };
        match waited {
            Ok(ready) => {
                carried.extend(self.carry(vec![last]).await);
                Ok((carried, ready))
            }
            Err(not_ready) => Err((carried, not_ready)),
        }
    }

    async fn begin(&self, dispatch: &mut Dispatch) {
        while let Some(step) = dispatch.schedule.begin_next() {
            tracing::debug!(step = step.id.0, "{}", described(&step));
            self.teller.progress(Progress::StepBegun { step: Box::new(step.clone()) }).await;
            let (id, operation) = (step.id, self.clone());
            let task = dispatch.tasks.spawn(async move {
                let answer = Box::pin(operation.run(&step)).await;
                (step.id, answer)
            });
            dispatch.ids.push((task.id(), id));
        }
    }

    async fn end(&self, dispatch: &mut Dispatch, ended: Result<(Id, Answer), JoinError>) {
        let (task, id, answer) = match ended {
            Ok((task, (id, answer))) => (task, id, answer),
            Err(error) => {
                let Some((_, id)) = dispatch.ids.iter().find(|(task, _)| *task == error.id())
                else {
                    return;
                };
                let failed =
                    ProviderError::new(ErrorKind::Other, "carry out a step", error.to_string());
                (error.id(), *id, Err(failed))
            }
        };
        dispatch.ids.retain(|(other, _)| *other != task);
        match answer {
            Ok(receipt) => {
                let Some(step) = dispatch.schedule.succeeded(id) else { return };
                dispatch.carried.changed += usize::from(receipt.changed);
                for text in receipt.notes {
                    self.teller.note(text.clone()).await;
                    dispatch.carried.notes.push(text);
                }
                self.done(&step, receipt.changed);
                let step = Box::new(step);
                self.teller.progress(Progress::StepDone { step, changed: receipt.changed }).await;
            }
            Err(error) => {
                let Some(step) = dispatch.schedule.failed(id) else { return };
                let now = self.parts().clock.now();
                let what = format!("failed to {}", described(&step));
                self.teller.line(now, step.kind.node(), (Level::Error, &what, Some(&error.cause)));
                let reason = Reason::new(error.cause.clone());
                let told = Progress::StepFailed { step: Box::new(step.clone()), reason };
                self.teller.progress(told).await;
                dispatch.carried.failed.push((step, error));
            }
        }
    }

    /// What the timeline gets of a step that succeeded; what happened to
    /// machines is told by the provider.
    fn done(&self, step: &Step, changed: bool) {
        let what = match &step.kind {
            StepKind::EnsureCluster { .. } if changed => {
                format!("generation {} accepted", step.generation)
            }
            StepKind::Complete if changed => format!("generation {} completed", step.generation),
            StepKind::DeleteCluster if changed => "deleted".to_owned(),
            _ => return,
        };
        self.line(Level::Info, &what, None);
    }

    /// One step, tried again while it fails for a passing reason and nobody
    /// asked to stop.
    async fn run(&self, step: &Step) -> Result<Receipt, ProviderError> {
        let parts = self.parts();
        let material = self.material(step)?;
        let mut retry = Retry::new(&parts.timing);
        loop {
            let executing = parts.provider.execute(&self.cluster, step, material.as_ref());
            let error = match within(parts.timing.step_timeout, &described(step), executing).await {
                Ok(receipt) => return Ok(receipt),
                Err(error) => error,
            };
            if !error.kind.is_transient() || self.cancel.is_asked() {
                return Err(error);
            }
            let Some(pause) = retry.pause(&parts.random) else { return Err(error) };
            let seconds = pause.as_secs_f32();
            let text =
                format!("{}: {}; trying again in {seconds:.1} s", described(step), error.cause);
            self.teller.note(text).await;
            tokio::select! {
                () = parts.clock.pause(pause) => {}
                () = self.cancel.asked() => return Err(error),
            }
        }
    }

    fn material(&self, step: &Step) -> Result<Option<NodeMaterial>, ProviderError> {
        let (StepKind::EnsureNode { node }, Some(authorized)) = (&step.kind, &self.authorized)
        else {
            return Ok(None);
        };
        keys::material(&node.name, authorized, self.parts().clock.now()).map(Some).map_err(
            |error| ProviderError::new(ErrorKind::Other, described(step), error.to_string()),
        )
    }
}

/// What only the dispatcher touches. Dropping it ends the tasks.
struct Dispatch {
    schedule: Schedule,
    tasks: JoinSet<Answer>,
    carried: Carried,
    /// Which task is which step, for those that break.
    ids: Vec<(Id, StepId)>,
}

/// What a step does, as "make node worker1".
pub(crate) fn described(step: &Step) -> String {
    match step.kind.node() {
        Some(node) => format!("{} {node}", step.kind.verb()),
        None => step.kind.verb().to_owned(),
    }
}
