//! `{"kind": "change"}`: what `create`, `update`, `terminate` and `delete` did;
//! `{"kind": "verb"}`: what `start`, `stop` and `reboot` did.

use controller::Outcome;
use model::inventory::Inventory;
use model::name::{ClusterName, NodeName};
use model::node::NodeVerb;
use model::plan::Plan;
use model::span::Sources;
use serde::Serialize;

use super::{NodeDocument, PlanBody, VERSION};

/// The document of a change.
#[derive(Debug, Serialize)]
pub(crate) struct ChangeDocument {
    squall: u32,
    kind: &'static str,
    /// Whether anything had to be done.
    changed: bool,
    plan: PlanBody,
    outcome: Option<OutcomeBody>,
}

/// The document of a start, stop or reboot.
#[derive(Debug, Serialize)]
pub(crate) struct VerbDocument {
    squall: u32,
    kind: &'static str,
    verb: NodeVerb,
    clusters: Vec<VerbEntry>,
}

#[derive(Debug, Serialize)]
struct VerbEntry {
    cluster: String,
    nodes: Vec<String>,
    outcome: OutcomeBody,
}

#[derive(Debug, Serialize)]
struct OutcomeBody {
    steps_changed: usize,
    /// Nodes that let us in during the operation.
    ready: Vec<String>,
    notes: Vec<String>,
    duration_s: f64,
    /// The nodes afterwards; `null` where they could not be seen.
    nodes: Option<Vec<NodeDocument>>,
}

impl ChangeDocument {
    /// Nothing had to be done.
    pub(crate) fn nothing(plan: &Plan, sources: &Sources) -> Self {
        Self {
            squall: VERSION,
            kind: "change",
            changed: false,
            plan: PlanBody::of(plan, sources),
            outcome: None,
        }
    }

    /// The plan was carried out.
    pub(crate) fn done(plan: &Plan, sources: &Sources, outcome: &Outcome) -> Self {
        Self {
            changed: true,
            outcome: Some(OutcomeBody::of(outcome)),
            ..Self::nothing(plan, sources)
        }
    }
}

impl VerbDocument {
    /// What was done, by cluster.
    pub(crate) fn new(verb: NodeVerb, done: &[(ClusterName, Vec<NodeName>, Outcome)]) -> Self {
        Self {
            squall: VERSION,
            kind: "verb",
            verb,
            clusters: done
                .iter()
                .map(|(cluster, nodes, outcome)| VerbEntry {
                    cluster: cluster.to_string(),
                    nodes: nodes.iter().map(ToString::to_string).collect(),
                    outcome: OutcomeBody::of(outcome),
                })
                .collect(),
        }
    }
}

impl OutcomeBody {
    fn of(outcome: &Outcome) -> Self {
        let nodes = |inventory: &Inventory| {
            let seen = inventory.nodes.seen();
            seen.map(|nodes| nodes.iter().map(NodeDocument::of).collect())
        };
        Self {
            steps_changed: outcome.steps_changed,
            ready: outcome.ready.iter().map(ToString::to_string).collect(),
            notes: outcome.notes.clone(),
            duration_s: outcome.duration.as_secs_f64(),
            nodes: outcome.inventory.as_ref().and_then(nodes),
        }
    }
}
