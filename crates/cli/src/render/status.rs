//! How a cluster stands, how it came to that, and where it differs from what
//! is declared.

use jiff::Timestamp;
use jiff::tz::TimeZone;
use model::event::{EventSource, Level, TimelineEvent};
use model::inventory::{ClusterRecord, Condition};
use model::plan::{Action, Plan, Subject};
use model::target::fold;

use super::place;
use crate::age::{age, clock};
use crate::paint::{Look, Paint, printable};
use crate::table::Table;
use crate::view::{ClusterView, Shown};

/// How the cluster stands now, a few lines.
pub(crate) fn standing(cluster: &ClusterView, now: Timestamp, paint: Paint) -> Vec<String> {
    let inventory = &cluster.inventory;
    let mut lines = Vec::new();
    let name = paint.text(Look::Strong, &inventory.cluster);
    let place = place(inventory.provider, &inventory.region);
    if let Some(record) = inventory.record() {
        lines.push(format!(
            "{name} ({place}), {}, generation {}, made {} ago by {}",
            record.condition().as_str(),
            record.accepted,
            age(record.created_at, now),
            printable(&record.owner),
        ));
    } else {
        lines.push(format!("{name} ({place})"));
    }
    if let Some(change) = inventory.record().and_then(current_change) {
        lines.push(format!("  {}", paint.text(Look::Doubtful, change)));
    }
    if let Some(reason) = cluster.unknown() {
        lines.push(format!("  cannot be read: {}", printable(reason)));
    }
    let mut by_state: Vec<(&str, Vec<&str>)> = Vec::new();
    let shown = cluster.shown();
    for node in &shown {
        let state = match node {
            Shown::There(node) => node.state.as_str(),
            Shown::Absent(_) => "absent",
        };
        let name = node.name().as_str();
        match by_state.iter_mut().find(|(known, _)| *known == state) {
            Some((_, names)) => names.push(name),
            None => by_state.push((state, vec![name])),
        }
    }
    for (state, names) in by_state {
        let count = names.len();
        lines.push(format!("  {count} {state}: {}", fold(names)));
    }
    lines
}

/// The change that is under way, or was left half done; the record cannot tell
/// these apart, the timeline can.
fn current_change(record: &ClusterRecord) -> Option<String> {
    let accepted = record.accepted;
    match (record.condition(), record.completed) {
        (Condition::Complete | Condition::Unreadable, _) => None,
        (Condition::Deleting, _) => {
            Some("a delete is under way or was interrupted: `squall delete` goes on".to_owned())
        }
        (Condition::Incomplete, None) => {
            Some("its making is under way or was interrupted: `squall create` goes on".to_owned())
        }
        (Condition::Incomplete, Some(completed)) => Some(format!(
            "the change from generation {completed} to {accepted} is under way or was \
             interrupted: `squall update` goes on"
        )),
    }
}

/// What an `update` with the accepted spec would mend.
pub(crate) fn drift(plan: &Plan) -> Vec<String> {
    let mut lines = Vec::new();
    for change in &plan.changes {
        if change.action == Action::Keep {
            continue;
        }
        let subject = match &change.subject {
            Subject::Cluster => "cluster",
            Subject::Node { name, .. } => name.as_str(),
        };
        let reason = printable(&change.reason.0);
        lines.push(format!("  {subject}: {reason} ({} would mend it)", change.action.as_str()));
    }
    lines
}

/// The timeline, oldest first, one line per event.
pub(crate) fn timeline(events: &[TimelineEvent], zone: &TimeZone, paint: Paint) -> Vec<String> {
    let mut table = Table::bare(4).indented(2);
    for event in events {
        let node = event.node.as_ref();
        let who = match event.source {
            EventSource::Squall => "squall",
            EventSource::Provider => "provider",
        };
        table.row([
            clock(event.at, zone),
            who.to_owned(),
            node.map_or_else(|| "cluster".to_owned(), ToString::to_string),
            what(event),
        ]);
    }
    table
        .lines(paint)
        .into_iter()
        .zip(events)
        .map(|(line, event)| match event.level {
            Level::Info => line,
            Level::Warning => paint.text(Look::Doubtful, line),
            Level::Error => paint.text(Look::Bad, line),
        })
        .collect()
}

fn what(event: &TimelineEvent) -> String {
    match &event.why {
        Some(why) if !why.is_empty() => format!("{}: {why}", event.what),
        _ => event.what.clone(),
    }
}
