//! How transcripts show what happens. Close to what the command line prints,
//! and of no concern to it.

use std::fmt::Write as _;

use model::diagnostic::Diagnostic;
use model::event::TimelineEvent;
use model::inventory::{ClusterSummary, Inventory, Known, ObservedNode};
use model::name::NodeName;
use model::plan::{Intent, Plan, Receipt, Step, Subject};
use testkit::ProviderError;
use testkit::world::Outcome;

pub(crate) fn plan(plan: &Plan) -> String {
    let mut out = String::new();
    let verb = match plan.intent {
        Intent::Create => "create",
        Intent::Update => "update",
        Intent::Terminate(_) => "terminate",
        Intent::Delete => "delete",
    };
    let base = plan.base.map_or_else(|| "new".to_owned(), |base| format!("on {base}"));
    let generation = plan.generation;
    let cluster = &plan.cluster;
    writeln!(out, "  {verb} {cluster} on {}: generation {generation} ({base})", plan.provider)
        .unwrap();
    for change in &plan.changes {
        let (name, id) = match &change.subject {
            Subject::Cluster => (format!("cluster {cluster}"), None),
            Subject::Node { name, id } => (name.to_string(), id.as_ref()),
        };
        let id = id.map(ToString::to_string).unwrap_or_default();
        writeln!(out, "  {} {name:<14} {id:<9} {}", change.action.glyph(), change.reason).unwrap();
        for key in &change.keys {
            writeln!(out, "      {}: {} -> {}", key.key, shown(&key.from), shown(&key.to)).unwrap();
        }
    }
    out + &diagnostics(&plan.notes)
}

fn shown(value: &str) -> &str {
    if value.is_empty() { "(none)" } else { value }
}

pub(crate) fn diagnostics(list: &[Diagnostic]) -> String {
    let mut out = String::new();
    for diagnostic in list {
        let severity = diagnostic.severity.as_str();
        writeln!(out, "  {severity}[{}]: {}", diagnostic.code, diagnostic.message).unwrap();
        for help in &diagnostic.help {
            writeln!(out, "    help: {help}").unwrap();
        }
    }
    out
}

pub(crate) fn outcome(outcome: &Outcome) -> String {
    let mut out = String::new();
    for (done, answer) in &outcome.steps {
        out.push_str(&step(done, answer));
    }
    for skipped in &outcome.skipped {
        writeln!(out, "  not tried  {}", label(skipped)).unwrap();
    }
    if !outcome.not_up.is_empty() {
        let names: Vec<&str> = outcome.not_up.iter().map(NodeName::as_str).collect();
        writeln!(out, "  never up   {}", names.join(", ")).unwrap();
    }
    if outcome.interrupted {
        out.push_str("  broken off\n");
    }
    out
}

pub(crate) fn step(step: &Step, answer: &Result<Receipt, ProviderError>) -> String {
    match answer {
        Ok(Receipt { changed: true, node_id, .. }) => {
            let id = node_id.as_ref().map(|id| format!(" {id}")).unwrap_or_default();
            format!("  done       {}{id}\n", label(step))
        }
        Ok(_) => format!("  was so     {}\n", label(step)),
        Err(error) => format!("  FAILED     {}: {} [{}]\n", label(step), error.cause, error.kind),
    }
}

fn label(step: &Step) -> String {
    match step.kind.node() {
        Some(name) => format!("{} {name}", step.kind.verb()),
        None => step.kind.verb().to_owned(),
    }
}

pub(crate) fn inventory(seen: Result<&Inventory, &ProviderError>) -> String {
    let inventory = match seen {
        Ok(inventory) => inventory,
        Err(error) => return format!("  failed to {error}\n"),
    };
    let mut out = String::new();
    match &inventory.record {
        Known::Unknown(why) => writeln!(out, "  record unknown: {why}").unwrap(),
        Known::Seen(None) => writeln!(out, "  no cluster {}", inventory.cluster).unwrap(),
        Known::Seen(Some(record)) => {
            let condition = record.condition().as_str();
            write!(out, "  {}: {condition}, generation {}", record.name, record.accepted).unwrap();
            let removed: Vec<&str> = record.removed.iter().map(NodeName::as_str).collect();
            let stays = if removed.is_empty() { "" } else { ", without " };
            writeln!(out, "{stays}{}", removed.join(", ")).unwrap();
        }
    }
    if let Known::Unknown(why) = &inventory.nodes {
        writeln!(out, "  machines unknown: {why}").unwrap();
    }
    inventory.nodes().iter().for_each(|node| out.push_str(&machine(node)));
    out
}

fn machine(node: &ObservedNode) -> String {
    let why = node.state_reason.as_deref().unwrap_or_default();
    let line = format!(
        "  {:<8} {:<9} {:<11} {:<10} gen {} {}",
        node.name, node.id, node.state, node.image, node.generation, why
    );
    format!("{}\n", line.trim_end())
}

pub(crate) fn clusters(seen: &[ClusterSummary]) -> String {
    let mut out = String::new();
    for cluster in seen {
        let nodes: Vec<String> =
            cluster.nodes.iter().map(|(state, count)| format!("{count} {state}")).collect();
        let nodes = if nodes.is_empty() { "no nodes".to_owned() } else { nodes.join(", ") };
        let condition = cluster.condition.as_str();
        writeln!(out, "  {} by {}: {condition}; {nodes}", cluster.name, cluster.owner).unwrap();
    }
    out
}

pub(crate) fn timeline(events: &[TimelineEvent]) -> String {
    let mut out = String::new();
    for event in events {
        let node = event.node.as_ref().map(|name| format!(" {name}")).unwrap_or_default();
        let why = event.why.as_ref().map(|why| format!(" ({why})")).unwrap_or_default();
        let at = event.at.strftime("%H:%M:%S");
        writeln!(out, "  {at}{node} {}{why}", event.what).unwrap();
    }
    out
}
