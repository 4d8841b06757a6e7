//! `{"kind": "status"}`: how a cluster stands and how it came to that; with
//! `--follow` further lines `{"kind": "event"}`.

use jiff::Timestamp;
use model::event::{EventSource, Level, TimelineEvent};
use model::inventory::Condition;
use model::plan::{Action, Plan, Subject};
use model::resolved::ProviderKind;
use serde::Serialize;

use super::VERSION;
use crate::view::ClusterView;

/// The document.
#[derive(Debug, Serialize)]
pub(crate) struct StatusDocument {
    squall: u32,
    kind: &'static str,
    cluster: String,
    provider: ProviderKind,
    region: String,
    condition: Option<Condition>,
    generation: Option<u64>,
    owner: Option<String>,
    created_at: Option<Timestamp>,
    observed_at: Timestamp,
    unknown: Option<String>,
    drift: Vec<DriftEntry>,
    events: Vec<EventEntry>,
}

#[derive(Debug, Serialize)]
struct DriftEntry {
    /// `null`: the cluster's frame.
    node: Option<String>,
    reason: String,
    mend: Action,
}

#[derive(Debug, Serialize)]
struct EventEntry {
    at: Timestamp,
    node: Option<String>,
    source: EventSource,
    level: Level,
    what: String,
    why: Option<String>,
}

/// One more event of a status that is followed.
#[derive(Debug, Serialize)]
pub(crate) struct EventDocument {
    squall: u32,
    kind: &'static str,
    cluster: String,
    event: EventEntry,
}

impl StatusDocument {
    /// How a cluster stands; `drift` is the plan that would mend it.
    pub(crate) fn new(
        cluster: &ClusterView,
        drift: Option<&Plan>,
        events: &[TimelineEvent],
    ) -> Self {
        let inventory = &cluster.inventory;
        let record = inventory.record();
        Self {
            squall: VERSION,
            kind: "status",
            cluster: inventory.cluster.to_string(),
            provider: inventory.provider,
            region: inventory.region.clone(),
            condition: cluster.condition(),
            generation: record.map(|record| record.accepted.0),
            owner: record.map(|record| record.owner.clone()),
            created_at: record.map(|record| record.created_at),
            observed_at: inventory.observed_at,
            unknown: cluster.unknown().map(String::from),
            drift: drift.map(entries).unwrap_or_default(),
            events: events.iter().map(EventEntry::of).collect(),
        }
    }
}

fn entries(plan: &Plan) -> Vec<DriftEntry> {
    plan.changes
        .iter()
        .filter(|change| change.action != Action::Keep)
        .map(|change| DriftEntry {
            node: match &change.subject {
                Subject::Cluster => None,
                Subject::Node { name, .. } => Some(name.to_string()),
            },
            reason: change.reason.to_string(),
            mend: change.action,
        })
        .collect()
}

impl EventEntry {
    fn of(event: &TimelineEvent) -> Self {
        Self {
            at: event.at,
            node: event.node.as_ref().map(ToString::to_string),
            source: event.source,
            level: event.level,
            what: event.what.clone(),
            why: event.why.clone(),
        }
    }
}

impl EventDocument {
    /// One event.
    pub(crate) fn new(event: &TimelineEvent) -> Self {
        Self {
            squall: VERSION,
            kind: "event",
            cluster: event.cluster.to_string(),
            event: EventEntry::of(event),
        }
    }
}
