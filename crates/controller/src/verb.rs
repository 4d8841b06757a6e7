//! Start, stop, reboot: what is done with machines that stay members.

use std::collections::BTreeSet;

use model::event::{Level, Progress};
use model::inventory::{Inventory, Known};
use model::name::{ClusterName, NodeName};
use model::node::{Generation, NodeVerb};
use model::plan::{Reason, Step, StepId, StepKind};
use tokio::sync::mpsc;

use crate::cancel::Cancel;
use crate::clock::Mark;
use crate::controller::Controller;
use crate::error::{FailureKind, OperationError};
use crate::execute::Operation;
use crate::failure::Failure;
use crate::outcome::Outcome;
use crate::ready::Goal;

impl Controller {
    /// Does `verb` with nodes of a cluster; with `wait`, until they let us in
    /// again, or are down.
    ///
    /// # Errors
    /// `NotFound` for an unknown cluster or node, before anything is done;
    /// `Refused` when somebody else is changing the cluster; otherwise what
    /// failed. Nothing is undone.
    pub async fn verb(
        &self,
        cluster: &ClusterName,
        names: &[NodeName],
        verb: NodeVerb,
        wait: bool,
        events: mpsc::Sender<Progress>,
        cancel: Cancel,
    ) -> Result<Outcome, Box<OperationError>> {
        let mark = self.parts.clock.mark();
        let operation = Operation {
            controller: self.clone(),
            cluster: cluster.clone(),
            teller: self.teller(cluster, events),
            cancel,
            authorized: None,
            ready_timeout: self.parts.timing.ready_timeout,
        };
        let names: BTreeSet<NodeName> = names.iter().cloned().collect();
        let done = Box::pin(operation.verb(names, verb, wait, mark)).await;
        if !operation.cancel.abort.is_cancelled() {
            operation.teller.flush().await;
        }
        done
    }
}

impl Operation {
    async fn verb(
        &self,
        names: BTreeSet<NodeName>,
        verb: NodeVerb,
        wait: bool,
        mark: Mark,
    ) -> Result<Outcome, Box<OperationError>> {
        self.controller.require(&self.cluster).await?;
        let _lock = self.take(verb.as_str()).await?;
        let inventory = self.look().await?;
        let generation = members(&inventory, &names)?;
        let steps = steps(&names, verb, generation);
        self.teller.progress(Progress::Begun { steps: steps.len() }).await;
        let asked = format!("by {}", self.parts().owner);
        for name in &names {
            let now = self.parts().clock.now();
            let what = format!("{verb} asked");
            self.teller.line(now, Some(name), (Level::Info, &what, Some(&asked)));
        }
        let carried = self.carry(steps).await;
        if !carried.is_done() {
            return Err(self.verb_failed(verb, Failure::of_steps(carried)).await);
        }
        let goal = if verb == NodeVerb::Stop { Goal::Stopped } else { Goal::LetsIn };
        let mut ready = Vec::new();
        if wait {
            match self.wait_for(names, goal, self.ready_timeout).await {
                Ok(names) => ready = names,
                Err(not_ready) => {
                    let failure = Failure::of_nodes(carried, not_ready);
                    return Err(self.verb_failed(verb, failure).await);
                }
            }
        }
        let outcome = self.controller.outcome(mark, self.look().await.ok());
        Ok(Outcome { steps_changed: carried.changed, ready, notes: carried.notes, ..outcome })
    }

    async fn verb_failed(&self, verb: NodeVerb, failure: Failure) -> Box<OperationError> {
        let what = format!("not every node of cluster {} did {verb}", self.cluster);
        let interrupted =
            format!("the {verb} of nodes of cluster {} was interrupted", self.cluster);
        self.told(failure, what, interrupted).await
    }
}

/// The generation to order under, if all names are members.
fn members(
    inventory: &Inventory,
    names: &BTreeSet<NodeName>,
) -> Result<Generation, Box<OperationError>> {
    let cluster = &inventory.cluster;
    let blind = |part: &str, why: &str| {
        let what = format!("{part} of cluster {cluster} cannot be seen");
        OperationError::new(FailureKind::Unavailable, what).cause(why)
    };
    if let Known::Unknown(why) = &inventory.nodes {
        return Err(blind("the machines", why));
    }
    let record = match &inventory.record {
        Known::Unknown(why) => return Err(blind("the record", why)),
        Known::Seen(None) => {
            let what = format!("there is no cluster {cluster}");
            return Err(OperationError::new(FailureKind::NotFound, what));
        }
        Known::Seen(Some(record)) => record,
    };
    let missing: Vec<&str> =
        names.iter().filter(|name| inventory.node(name).is_none()).map(NodeName::as_str).collect();
    if missing.is_empty() {
        return Ok(record.accepted);
    }
    let what = format!("cluster {cluster} has no node {}", missing.join(", "));
    Err(OperationError::new(FailureKind::NotFound, what)
        .hint(format!("`squall show cluster={cluster}` lists its nodes")))
}

fn steps(names: &BTreeSet<NodeName>, verb: NodeVerb, generation: Generation) -> Vec<Step> {
    let one = |(id, name): (u32, &NodeName)| {
        let name = name.clone();
        let kind = match verb {
            NodeVerb::Start => StepKind::StartNode { name },
            NodeVerb::Stop => StepKind::StopNode { name },
            NodeVerb::Reboot => StepKind::RebootNode { name },
        };
        Step {
            id: StepId(id),
            after: Vec::new(),
            generation,
            kind,
            reason: Reason::new("asked for"),
        }
    };
    (0..).zip(names).map(one).collect()
}
