//! A plan as its reader is asked about it.

use model::plan::{Action, Change, Intent, KeyChange, Plan, Subject};
use model::span::Sources;
use model::target::fold;
use model::{Diagnostic, Severity};

use super::place;
use crate::paint::{Look, Paint, printable};

/// Widest column of subjects; a longer one pushes its reason to the right.
const SUBJECT_WIDTH_MAX: usize = 36;

/// The plan, its notes and its tally.
pub(crate) fn plan(plan: &Plan, sources: &Sources, paint: Paint) -> Vec<String> {
    let mut lines = vec![title(plan, paint)];
    let groups = groups(plan);
    let width = groups
        .iter()
        .map(|group| group.subject.chars().count())
        .max()
        .unwrap_or(0)
        .min(SUBJECT_WIDTH_MAX);
    for group in &groups {
        lines.extend(group.lines(width, paint));
    }
    lines.extend(plan.notes.iter().map(|note| self::note(note, sources, paint)));
    lines.push(tally(plan));
    lines
}

fn title(plan: &Plan, paint: Paint) -> String {
    let name = paint.text(Look::Strong, &plan.cluster);
    let place = format!("on {}", place(plan.provider, &plan.region));
    match (&plan.intent, plan.base) {
        (Intent::Create, None) => format!("Create cluster {name} {place}:"),
        (Intent::Create, Some(_)) => format!("Go on creating cluster {name} {place}:"),
        (Intent::Update, _) => format!("Update cluster {name} {place}:"),
        (Intent::Terminate(_), _) => format!("Terminate nodes of cluster {name} {place}:"),
        (Intent::Delete, _) => format!("Delete cluster {name} {place}:"),
    }
}

/// Changes that read alike: same action, same reason, same keys.
struct Group<'a> {
    action: Action,
    subject: String,
    reason: &'a str,
    keys: &'a [KeyChange],
}

fn groups(plan: &Plan) -> Vec<Group<'_>> {
    type Sort<'a> = (Action, bool, &'a str, &'a [KeyChange]);
    let mut sorted: Vec<(Sort<'_>, Vec<&str>)> = Vec::new();
    for change in &plan.changes {
        let is_node = matches!(change.subject, Subject::Node { .. });
        let sort = (change.action, is_node, change.reason.0.as_str(), change.keys.as_slice());
        let name = subject_name(plan, change);
        match sorted.iter_mut().find(|(known, _)| *known == sort) {
            Some((_, names)) => names.push(name),
            None => sorted.push((sort, vec![name])),
        }
    }
    sorted
        .into_iter()
        .map(|((action, is_node, reason, keys), names)| Group {
            action,
            subject: if is_node { fold(names) } else { format!("cluster {}", plan.cluster) },
            reason,
            keys,
        })
        .collect()
}

fn subject_name<'a>(plan: &'a Plan, change: &'a Change) -> &'a str {
    match &change.subject {
        Subject::Cluster => plan.cluster.as_str(),
        Subject::Node { name, .. } => name.as_str(),
    }
}

impl Group<'_> {
    fn lines(&self, width: usize, paint: Paint) -> Vec<String> {
        let look = match self.action {
            Action::Create => Look::Good,
            Action::Update | Action::Replace => Look::Doubtful,
            Action::Delete => Look::Bad,
            Action::Keep => Look::Faint,
        };
        let subject = format!("{:<width$}", self.subject);
        let head = paint
            .text(look, format!("{} {:<7} {subject}", self.action.glyph(), self.action.as_str()));
        let mut lines = vec![format!("  {head}  {}", printable(self.reason))];
        lines.extend(self.keys.iter().map(|key| {
            let from = shown(&key.from);
            let to = shown(&key.to);
            format!("              {}: {from} -> {to}", printable(&key.key))
        }));
        lines
    }
}

fn shown(value: &str) -> String {
    if value.is_empty() { "(none)".to_owned() } else { printable(value) }
}

fn note(note: &Diagnostic, sources: &Sources, paint: Paint) -> String {
    let word = match note.severity {
        Severity::Error => paint.text(Look::Bad, "error:"),
        Severity::Warning => paint.text(Look::Doubtful, "warning:"),
        Severity::Note => paint.text(Look::Command, "note:"),
    };
    let mut line = format!("  {word} {}", note.message);
    if let Some((name, at)) = note.place(sources) {
        line.push_str(&format_args!(" ({name}:{})", at.line).to_string());
    }
    for help in &note.help {
        line.push_str("; ");
        line.push_str(help);
    }
    line
}

/// What the plan comes to, as a sentence.
pub(crate) fn tally(plan: &Plan) -> String {
    if plan.is_empty() {
        return "Nothing to do: the cluster is as it should be.".to_owned();
    }
    let count = |action: Action| {
        plan.changes
            .iter()
            .filter(|change| change.action == action)
            .filter(|change| matches!(change.subject, Subject::Node { .. }))
            .count()
    };
    let each: Vec<String> = [
        (Action::Create, "to create"),
        (Action::Update, "to update"),
        (Action::Replace, "to replace"),
        (Action::Delete, "to delete"),
        (Action::Keep, "to keep"),
    ]
    .into_iter()
    .map(|(action, words)| (count(action), words))
    .filter(|(count, _)| *count > 0)
    .map(|(count, words)| format!("{count} {words}"))
    .collect();
    if each.is_empty() {
        return "No node is touched.".to_owned();
    }
    let lost = if count(Action::Replace) + count(Action::Delete) > 0 {
        " What is replaced or deleted loses its files."
    } else {
        ""
    };
    format!("Nodes: {}.{lost}", each.join(", "))
}
