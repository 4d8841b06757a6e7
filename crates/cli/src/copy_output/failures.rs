//! Where copying failed, and what it left: nodes with the same reason
//! together. Pure.

use model::target::fold;
use transport::copy::{CopyEnd, CopyFailure, CopySummary, NodeCopied};

use crate::paint::{Look, Paint, printable};
use crate::reach::Unreached;

/// Reasons of one node that are said; the others are counted.
const REASONS_MAX: usize = 5;

/// Nodes with something in common, in the order in which it was met.
#[derive(Debug, Default)]
struct Groups<'a>(Vec<(String, Vec<&'a str>, Option<String>)>);

impl<'a> Groups<'a> {
    /// `example` is said once for all nodes of a reason.
    fn add(&mut self, reason: String, node: &'a str, example: Option<String>) {
        match self.0.iter_mut().find(|(known, ..)| *known == reason) {
            Some((_, nodes, _)) => nodes.push(node),
            None => self.0.push((reason, vec![node], example)),
        }
    }

    fn lines(self) -> impl Iterator<Item = String> {
        self.0.into_iter().map(|(reason, nodes, example)| {
            let many = nodes.len() > 1;
            let example = match example {
                Some(example) if many => format!(": for example, {example}"),
                Some(example) => format!(": {example}"),
                None => String::new(),
            };
            format!("  {}: {}{}", fold(nodes), printable(&reason), printable(&example))
        })
    }
}

/// The lines; none when nothing failed.
pub(super) fn failures(
    summary: &CopySummary,
    unreached: &[Unreached],
    paint: Paint,
) -> Vec<String> {
    let mut groups = Groups::default();
    let failed: Vec<&NodeCopied> = summary.nodes.iter().filter(|node| !node.is_success()).collect();
    for node in &failed {
        for (reason, example) in reasons(node) {
            groups.add(reason, &node.node, example);
        }
    }
    for node in unreached {
        let mend = node.mend.as_ref().map(|mend| format!("; {mend}")).unwrap_or_default();
        groups.add(format!("not reached: {}{mend}", node.why), &node.name, None);
    }
    let (count, total) = (failed.len() + unreached.len(), summary.nodes.len() + unreached.len());
    if count == 0 {
        return Vec::new();
    }
    let word = if total == 1 { "node" } else { "nodes" };
    let head = format!("{count} of {total} {word} failed:");
    std::iter::once(paint.text(Look::Bad, head)).chain(groups.lines()).collect()
}

/// Why a node failed; what is alike on many nodes, and an example where it is
/// not.
fn reasons(node: &NodeCopied) -> Vec<(String, Option<String>)> {
    let plain = |reason: String| vec![(reason, None)];
    match &node.outcome.end {
        CopyEnd::Done => Vec::new(),
        CopyEnd::Failed => file_reasons(node),
        CopyEnd::Unreachable { kind, text, mend } => {
            let reason = format!("not reached ({})", crate::run_output::unreached_word(*kind));
            let mend = if mend.is_empty() { String::new() } else { format!("; {mend}") };
            vec![(reason, Some(format!("{text}{mend}")))]
        }
        CopyEnd::TimedOut(after) => plain(format!("not done after {} s", after.as_secs_f64())),
        CopyEnd::Cancelled { started: true } => plain("stopped".to_owned()),
        CopyEnd::Cancelled { started: false } => plain("not begun".to_owned()),
        CopyEnd::Lost(text) => plain(format!("the copying broke off: {text}")),
    }
}

fn file_reasons(node: &NodeCopied) -> Vec<(String, Option<String>)> {
    let report = &node.outcome.report;
    let mut reasons: Vec<_> =
        report.failures.iter().take(REASONS_MAX).map(|failure| (reason(failure), None)).collect();
    let more = report.failed.saturating_sub(REASONS_MAX as u64);
    if more > 0 {
        let word = if more == 1 { "file" } else { "files" };
        reasons.push((format!("and {more} more {word}"), None));
    }
    reasons
}

fn reason(failure: &CopyFailure) -> String {
    format!("{}: {}", String::from_utf8_lossy(&failure.path), failure.text)
}

/// What the user should know of, and unfinished files.
pub(super) fn remarks(summary: &CopySummary, paint: Paint) -> Vec<String> {
    let (mut notes, mut parts) = (Groups::default(), Groups::default());
    for node in &summary.nodes {
        let report = &node.outcome.report;
        for note in &report.notes {
            notes.add(note.clone(), &node.node, None);
        }
        for part in report.parts_left.iter().take(REASONS_MAX) {
            parts.add(String::from_utf8_lossy(part).into_owned(), &node.node, None);
        }
        let more = report.parts_left.len().saturating_sub(REASONS_MAX);
        if more > 0 {
            parts.add(format!("and {more} more"), &node.node, None);
        }
    }
    let mut lines = Vec::new();
    let head = |text: &str| paint.text(Look::Command, text);
    if !notes.0.is_empty() {
        lines.push(head("notes:"));
        lines.extend(notes.lines());
    }
    if !parts.0.is_empty() {
        lines.push(head("unfinished files; the same command goes on with them:"));
        lines.extend(parts.lines());
    }
    lines
}

#[cfg(test)]
#[path = "failures_tests.rs"]
mod tests;
