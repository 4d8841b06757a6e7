//! `{"kind": "plan"}`: what would be done, and why.

use std::collections::BTreeMap;

use model::Diagnostics;
use model::plan::{Action, Change, Intent, KeyChange, Plan, Subject};
use model::resolved::ProviderKind;
use model::span::Sources;
use serde::Serialize;

use super::{DiagnosticDocument, VERSION};

/// The document.
#[derive(Debug, Serialize)]
pub(crate) struct PlanDocument {
    squall: u32,
    kind: &'static str,
    plan: PlanBody,
    /// What is to be said of the spec.
    spec_notes: Vec<DiagnosticDocument>,
    /// What the spec asks for that this build cannot do: `create` refuses it.
    not_yet: Vec<DiagnosticDocument>,
}

impl PlanDocument {
    /// A plan; its notes point into `sources`.
    pub(crate) fn new(plan: &Plan, sources: &Sources) -> Self {
        Self {
            squall: VERSION,
            kind: "plan",
            plan: PlanBody::of(plan, sources),
            spec_notes: Vec::new(),
            not_yet: Vec::new(),
        }
    }

    /// Adds what is to be said of the spec.
    pub(crate) fn with_spec_notes(mut self, notes: &Diagnostics, not_yet: &Diagnostics) -> Self {
        self.spec_notes = DiagnosticDocument::all(&notes.list, &notes.sources);
        self.not_yet = DiagnosticDocument::all(&not_yet.list, &not_yet.sources);
        self
    }
}

/// A plan.
#[derive(Debug, Serialize)]
pub(crate) struct PlanBody {
    intent: &'static str,
    cluster: String,
    provider: ProviderKind,
    region: String,
    /// Generation it starts from; `null` for a new cluster.
    base: Option<u64>,
    generation: u64,
    /// Whether nothing would be done.
    empty: bool,
    counts: BTreeMap<Action, usize>,
    changes: Vec<ChangeEntry>,
    notes: Vec<DiagnosticDocument>,
}

#[derive(Debug, Serialize)]
struct ChangeEntry {
    action: Action,
    /// `null`: the cluster's frame.
    node: Option<String>,
    id: Option<String>,
    reason: String,
    keys: Vec<KeyChange>,
}

impl PlanBody {
    /// A plan; its notes point into `sources`.
    pub(crate) fn of(plan: &Plan, sources: &Sources) -> Self {
        Self {
            intent: intent(&plan.intent),
            cluster: plan.cluster.to_string(),
            provider: plan.provider,
            region: plan.region.clone(),
            base: plan.base.map(|generation| generation.0),
            generation: plan.generation.0,
            empty: plan.is_empty(),
            counts: plan.counts(),
            changes: plan.changes.iter().map(ChangeEntry::of).collect(),
            notes: DiagnosticDocument::all(&plan.notes, sources),
        }
    }
}

const fn intent(intent: &Intent) -> &'static str {
    match intent {
        Intent::Create => "create",
        Intent::Update => "update",
        Intent::Terminate(_) => "terminate",
        Intent::Delete => "delete",
    }
}

impl ChangeEntry {
    fn of(change: &Change) -> Self {
        let (node, id) = match &change.subject {
            Subject::Cluster => (None, None),
            Subject::Node { name, id } => (Some(name.to_string()), id.as_ref()),
        };
        Self {
            action: change.action,
            node,
            id: id.map(ToString::to_string),
            reason: change.reason.to_string(),
            keys: change.keys.clone(),
        }
    }
}
