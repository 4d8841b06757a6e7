//! What the reader of a plan should know besides its changes.

use model::diagnostic::Diagnostic;
use model::inventory::ObservedNode;
use model::name::NodeName;
use model::node::NodeState;
use model::plan::{Action, Change, Subject};

use super::aim::{Aim, Mode};
use super::sight::Sight;

/// Names listed in one note before the rest is only counted.
const NAMES_LISTED_MAX: usize = 8;

/// All notes, the gravest first.
pub(super) fn collect(aim: &Aim<'_>, sight: &Sight<'_>, changes: &[Change]) -> Vec<Diagnostic> {
    let mut notes = Vec::new();
    notes.extend(head_goes(aim));
    notes.extend(unfinished(aim, sight));
    notes.extend(missing(aim, sight));
    notes.extend(stopped(aim, sight, changes));
    notes.extend(gone_already(aim, sight));
    notes.extend(kept_away(aim, sight));
    notes.extend(foreign(sight));
    notes.extend(unlisted(sight));
    notes.extend(idle(aim, changes, &notes));
    notes.sort_by_key(|note| note.severity);
    notes
}

fn head_goes(aim: &Aim<'_>) -> Option<Diagnostic> {
    let head = aim.spec.as_ref()?.get().head()?;
    aim.terminated.contains(&head).then(|| {
        Diagnostic::warning("head-terminated", format!("{head} is the cluster's head"))
            .help("`squall update` with a changed spec brings it back, without its files")
    })
}

fn unfinished(aim: &Aim<'_>, sight: &Sight<'_>) -> Option<Diagnostic> {
    let record = sight.record?;
    (aim.mode == Mode::Terminate && !sight.is_complete()).then(|| {
        let text = format!("generation {} was not carried through", record.accepted);
        Diagnostic::warning("change-unfinished", text)
            .help("`squall update` goes on with it; this change does not")
    })
}

/// Declared nodes without a machine that this plan does not make.
fn missing(aim: &Aim<'_>, sight: &Sight<'_>) -> Option<Diagnostic> {
    if !matches!(aim.mode, Mode::Settled | Mode::Terminate) {
        return None;
    }
    let names: Vec<&NodeName> = aim
        .wanted
        .iter()
        .map(|node| &node.name)
        .filter(|name| sight.machine(name).is_none())
        .collect();
    let text = format!("{}: declared and not there", listed(&names)?);
    Some(Diagnostic::warning("node-missing", text).help("`squall update` makes what is missing"))
}

fn stopped(aim: &Aim<'_>, sight: &Sight<'_>, changes: &[Change]) -> Option<Diagnostic> {
    if aim.mode == Mode::Delete {
        return None;
    }
    let stays = |change: &&Change| matches!(change.action, Action::Keep | Action::Update);
    let names: Vec<&NodeName> = changes
        .iter()
        .filter(stays)
        .filter_map(|change| match &change.subject {
            Subject::Node { name, .. } => sight.machine(name),
            Subject::Cluster => None,
        })
        .filter(|node| matches!(node.state, NodeState::Stopped | NodeState::Stopping))
        .map(|node| &node.name)
        .collect();
    let text = format!("{}: stopped and left so", listed(&names)?);
    Some(Diagnostic::note("node-stopped", text).help("`squall start` brings up what is stopped"))
}

/// Names given to `terminate` that stay away already.
fn gone_already(aim: &Aim<'_>, sight: &Sight<'_>) -> Option<Diagnostic> {
    let record = sight.record?;
    let names: Vec<&NodeName> = aim
        .terminated
        .iter()
        .filter(|name| record.removed.contains(*name) && sight.machine(name).is_none())
        .collect();
    let text = format!("{}: terminated already", listed(&names)?);
    Some(Diagnostic::note("node-terminated", text))
}

/// Declared nodes that stay away because they were terminated by name.
fn kept_away(aim: &Aim<'_>, sight: &Sight<'_>) -> Option<Diagnostic> {
    let record = sight.record?;
    if aim.mode == Mode::Terminate {
        return None;
    }
    let names: Vec<&NodeName> = aim.removed.intersection(&record.removed).collect();
    let text = format!("{}: terminated by name, so not made again", listed(&names)?);
    let help = "`squall update` with a changed count or spec of the pool undoes that";
    Some(Diagnostic::note("node-terminated", text).help(help))
}

fn foreign(sight: &Sight<'_>) -> Option<Diagnostic> {
    let names: Vec<String> = sight.foreign.iter().map(|node| described(node)).collect();
    let names: Vec<&String> = names.iter().collect();
    let text = format!(
        "{}: named like this cluster's and not made by it, so never touched",
        listed(&names)?
    );
    Some(Diagnostic::warning("machine-foreign", text))
}

fn described(node: &ObservedNode) -> String {
    format!("{} ({})", node.id, node.name)
}

fn unlisted(sight: &Sight<'_>) -> Option<Diagnostic> {
    let why = match &sight.inventory.nodes {
        model::inventory::Known::Seen(_) => return None,
        model::inventory::Known::Unknown(why) => why,
    };
    let text = format!("the machines there are cannot be listed: {why}");
    Some(Diagnostic::warning("inventory-blind", text))
}

fn idle(aim: &Aim<'_>, changes: &[Change], others: &[Diagnostic]) -> Option<Diagnostic> {
    let nothing = changes.iter().all(|change| change.action == Action::Keep);
    if !nothing || !matches!(aim.mode, Mode::Settled | Mode::Update | Mode::Terminate) {
        return None;
    }
    let text = if others.is_empty() {
        "nothing to do: everything is as declared"
    } else {
        "nothing to do"
    };
    Some(Diagnostic::note("nothing-to-do", text))
}

/// "a, b and 3 more", or nothing for nobody.
fn listed<T: std::fmt::Display>(names: &[&T]) -> Option<String> {
    let some: Vec<String> = names.iter().take(NAMES_LISTED_MAX).map(ToString::to_string).collect();
    let some = some.join(", ");
    match names.len().saturating_sub(NAMES_LISTED_MAX) {
        _ if names.is_empty() => None,
        0 => Some(some),
        more => Some(format!("{some} and {more} more")),
    }
}
