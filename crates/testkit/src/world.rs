//! The loop of Squall against the fake cloud, in virtual time: observe, plan,
//! lint, lower, execute. Much simpler than the real executor on purpose: one
//! step at a time, in order, so that transcripts and seeds tell one story.

#![expect(clippy::panic, reason = "a plan that cannot be is a failed test")]

use std::collections::{BTreeMap, BTreeSet};

use engine::PlanContext;
use jiff::SignedDuration;
use model::diagnostic::Diagnostic;
use model::inventory::Inventory;
use model::name::{ClusterName, NodeName};
use model::node::NodeState;
use model::plan::{Action, Change, Intent, Plan, Receipt, Step, StepId, StepKind, Subject};
use model::resolved::Resolved;
use providers::fake::{FakeClock, FakeProvider, blank_material};
use providers::{Provider, ProviderError};

use crate::build::epoch;
use crate::now::now;

/// How often a step is tried again that failed for a passing reason.
const TRIES_MAX: usize = 3;

/// How long, in virtual seconds, the loop waits for nodes to come up.
const BOOT_TIMEOUT_S: i64 = 300;

/// Virtual seconds between two looks while it waits.
const LOOK_INTERVAL_S: i64 = 5;

/// Who orders everything in a world.
pub const OWNER: &str = "ada@desk";

/// A fake cloud and the loop around it.
#[derive(Debug)]
pub struct World {
    /// The cloud.
    pub provider: FakeProvider,
    clusters_made: u64,
}

/// What became of a plan.
#[derive(Debug, Default)]
pub struct Outcome {
    /// The steps that were tried, in order, with their answers.
    pub steps: Vec<(Step, Result<Receipt, ProviderError>)>,
    /// Steps that were not tried because of what failed before them.
    pub skipped: Vec<Step>,
    /// Nodes that did not come up in time.
    pub not_up: BTreeSet<NodeName>,
    /// Whether the loop was made to stop before the end.
    pub interrupted: bool,
}

impl Outcome {
    /// Whether everything was done.
    #[must_use]
    pub fn is_success(&self) -> bool {
        !self.interrupted
            && self.skipped.is_empty()
            && self.not_up.is_empty()
            && self.steps.iter().all(|(_, answer)| answer.is_ok())
    }
}

impl Default for World {
    fn default() -> Self {
        Self::new()
    }
}

impl World {
    /// An empty world.
    #[must_use]
    pub fn new() -> Self {
        let clock = FakeClock::starting_at(epoch());
        Self { provider: FakeProvider::in_memory(clock), clusters_made: 0 }
    }

    /// What is there of a cluster.
    ///
    /// # Errors
    /// As the provider's `observe`.
    pub fn observe(&self, cluster: &ClusterName) -> Result<Inventory, ProviderError> {
        now(self.provider.observe(cluster))
    }

    /// Plans on a fresh look.
    ///
    /// # Errors
    /// The planner's refusals; a failed look is one of code `observe`.
    ///
    /// # Panics
    /// When the plan can never be (`engine::lint`).
    pub fn plan(
        &mut self,
        intent: Intent,
        spec: Option<&Resolved>,
        cluster: &ClusterName,
    ) -> Result<Plan, Vec<Diagnostic>> {
        let inventory = self
            .observe(cluster)
            .map_err(|error| vec![Diagnostic::error("observe", format!("failed to {error}"))])?;
        self.clusters_made += 1;
        let context = PlanContext {
            now: self.provider.clock().now(),
            new_cluster_id: format!("c-{:04}", self.clusters_made),
        };
        let plan = engine::plan(intent, spec, &inventory, &context)?;
        let flaws = engine::lint(&plan, &inventory);
        if !flaws.is_empty() {
            panic!("a plan that can never be: {flaws:?}\n{plan:#?}");
        }
        Ok(plan)
    }

    /// Carries a plan out; gives up after `steps_max` steps, as if the process
    /// had been killed between two of them.
    pub fn execute(&self, plan: &Plan, steps_max: Option<usize>) -> Outcome {
        let mut outcome = Outcome::default();
        let mut failed: BTreeSet<StepId> = BTreeSet::new();
        for step in self.provider.lower(plan, OWNER) {
            if steps_max.is_some_and(|max| outcome.steps.len() >= max) {
                outcome.interrupted = true;
                return outcome;
            }
            if step.after.iter().any(|before| failed.contains(before)) {
                failed.insert(step.id);
                outcome.skipped.push(step);
                continue;
            }
            if step.kind == StepKind::Complete {
                outcome.not_up = self.wait_until_up(plan);
                if !outcome.not_up.is_empty() {
                    outcome.skipped.push(step);
                    continue;
                }
            }
            let answer = self.run(&plan.cluster, &step);
            if answer.is_err() {
                failed.insert(step.id);
            }
            outcome.steps.push((step, answer));
        }
        outcome
    }

    /// Plans and carries out.
    ///
    /// # Errors
    /// The planner's refusals.
    ///
    /// # Panics
    /// When the plan can never be.
    pub fn apply(
        &mut self,
        intent: Intent,
        spec: Option<&Resolved>,
        cluster: &ClusterName,
    ) -> Result<(Plan, Outcome), Vec<Diagnostic>> {
        let plan = self.plan(intent, spec, cluster)?;
        let outcome = self.execute(&plan, None);
        Ok((plan, outcome))
    }

    /// One step, tried again when it failed for a passing reason.
    ///
    /// # Errors
    /// As the provider's `execute`.
    pub fn run(&self, cluster: &ClusterName, step: &Step) -> Result<Receipt, ProviderError> {
        let clock = self.provider.clock();
        let mut tries = 0;
        loop {
            tries += 1;
            let material = match &step.kind {
                StepKind::EnsureNode { node } => Some(blank_material(&node.name, clock.now())),
                _ => None,
            };
            let answer = now(self.provider.execute(cluster, step, material.as_ref()));
            match &answer {
                Err(error) if error.kind.is_transient() && tries < TRIES_MAX => {
                    clock.advance(SignedDuration::from_secs(LOOK_INTERVAL_S));
                }
                _ => return answer,
            }
        }
    }

    /// Lets time pass until every node runs that the plan makes or keeps and
    /// that is not stopped; the names of those that do not.
    fn wait_until_up(&self, plan: &Plan) -> BTreeSet<NodeName> {
        let clock = self.provider.clock();
        let mut waited_s = 0;
        loop {
            let late = self.late(plan);
            if late.is_empty() || waited_s >= BOOT_TIMEOUT_S {
                return late;
            }
            clock.advance(SignedDuration::from_secs(LOOK_INTERVAL_S));
            waited_s += LOOK_INTERVAL_S;
        }
    }

    fn late(&self, plan: &Plan) -> BTreeSet<NodeName> {
        let stay: BTreeSet<NodeName> = plan.changes.iter().filter_map(stays).collect();
        let Ok(inventory) = self.observe(&plan.cluster) else {
            return stay;
        };
        if inventory.nodes.seen().is_none() {
            return stay;
        }
        let states: BTreeMap<&NodeName, NodeState> = inventory
            .nodes()
            .iter()
            .filter(|node| node.state.exists())
            .map(|node| (&node.name, node.state))
            .collect();
        let up = |name: &NodeName| {
            matches!(states.get(name), Some(NodeState::Running | NodeState::Stopped))
        };
        stay.into_iter().filter(|name| !up(name)).collect()
    }
}

/// The node that a change leaves standing.
fn stays(change: &Change) -> Option<NodeName> {
    match &change.subject {
        Subject::Node { name, .. } if change.action != Action::Delete => Some(name.clone()),
        Subject::Node { .. } | Subject::Cluster => None,
    }
}
