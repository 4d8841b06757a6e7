//! What a run prints: lines with the node before them, whole; and at the end
//! where it failed, why, and what to do.

use std::collections::BTreeMap;
use std::io::{self, Write as _};

use model::target::fold;
use transport::fanout::{
    LineEnd, NodeOutcome, Outcome, RunEvent, RunEventKind, RunSummary, StreamName,
};
use transport::session::TimeoutKind;

use crate::document::{RunEventDocument, RunSummaryDocument};
use crate::output::Printer;
use crate::paint::{Look, Paint, printable};
use crate::reach::{Reached, Unreached};

/// Looks of the names before lines, in turn.
const NAME_LOOKS: [Look; 4] = [Look::Command, Look::Good, Look::Doubtful, Look::Strong];

/// The printing of one run.
#[derive(Debug)]
pub(crate) struct RunOutput {
    printer: Printer,
    /// Nodes that could not even be tried.
    unreached: Vec<Unreached>,
    /// Place of each node among the targets, for its look.
    places: BTreeMap<String, usize>,
    /// Nodes and streams in the middle of a line that came in pieces.
    cut: BTreeMap<(String, bool), ()>,
    failed: bool,
}

impl RunOutput {
    /// Nothing is printed yet, except for nodes that cannot be tried.
    pub(crate) fn new(printer: Printer, reached: &Reached) -> Self {
        Self {
            printer,
            unreached: reached.unreached.clone(),
            places: reached
                .nodes
                .iter()
                .enumerate()
                .map(|(at, node)| (node.target.name.to_string(), at))
                .collect(),
            cut: BTreeMap::new(),
            failed: !reached.unreached.is_empty(),
        }
    }

    /// Whether every node ended with 0; known after [`Self::end`].
    pub(crate) const fn all_succeeded(&self) -> bool {
        !self.failed
    }

    /// Prints one event.
    pub(crate) fn event(&mut self, event: &RunEvent) -> io::Result<()> {
        if self.printer.is_json() {
            return match &event.kind {
                RunEventKind::Output { stream, bytes, end } => {
                    lines(bytes, *end).try_for_each(|(line, end)| {
                        let document = RunEventDocument::line(&event.node, *stream, line, end);
                        self.printer.document_line(&document)
                    })
                }
                _ => self.printer.document_line(&RunEventDocument::new(event)),
            };
        }
        let RunEventKind::Output { stream, bytes, end } = &event.kind else {
            return Ok(());
        };
        lines(bytes, *end).try_for_each(|(bytes, end)| self.line(event, *stream, bytes, end))
    }

    fn line(
        &mut self,
        event: &RunEvent,
        stream: StreamName,
        bytes: &[u8],
        end: LineEnd,
    ) -> io::Result<()> {
        let is_error = stream == StreamName::Err;
        let key = (event.node.to_string(), is_error);
        let goes_on = self.cut.contains_key(&key);
        let paint = if is_error { self.printer.err } else { self.printer.out };
        let line = line(&self.prefix(&key.0, goes_on, paint), bytes);
        if end == LineEnd::Cut {
            self.cut.insert(key, ());
        } else {
            self.cut.remove(&key);
        }
        if is_error {
            // Nobody reading standard error must not end the run.
            let _ = io::stderr().lock().write_all(&line);
            return Ok(());
        }
        io::stdout().lock().write_all(&line)
    }

    fn prefix(&self, node: &str, goes_on: bool, paint: Paint) -> String {
        let look = self
            .places
            .get(node)
            .and_then(|at| NAME_LOOKS.get(at % NAME_LOOKS.len()))
            .copied()
            .unwrap_or(Look::Strong);
        let mark = if goes_on { "+" } else { ":" };
        paint.text(look, format!("{node}{mark}"))
    }

    /// Prints where it failed.
    pub(crate) fn end(&mut self, summary: &RunSummary) -> io::Result<()> {
        self.failed |= !summary.all_succeeded();
        if self.printer.is_json() {
            let document = RunSummaryDocument::new(summary, &self.unreached);
            return self.printer.document_line(&document);
        }
        let total = summary.nodes.len() + self.unreached.len();
        for line in failures(summary, &self.unreached, total, self.printer.err) {
            self.printer.say_always(line);
        }
        Ok(())
    }
}

/// The lines of an output event; only the last may end otherwise than with a
/// newline.
fn lines(bytes: &[u8], end: LineEnd) -> impl Iterator<Item = (&[u8], LineEnd)> {
    let mut rest = bytes.split(|byte| *byte == b'\n').peekable();
    std::iter::from_fn(move || {
        let line = rest.next()?;
        Some((line, if rest.peek().is_some() { LineEnd::Newline } else { end }))
    })
}

/// The line in one piece, so that it is written in one piece.
fn line(prefix: &str, bytes: &[u8]) -> Vec<u8> {
    let mut line = Vec::with_capacity(prefix.len() + bytes.len() + 2);
    line.extend_from_slice(prefix.as_bytes());
    line.push(b' ');
    line.extend_from_slice(bytes);
    line.push(b'\n');
    line
}

/// Where the command did not end with 0, nodes with the same ending together.
fn failures(
    summary: &RunSummary,
    unreached: &[Unreached],
    total: usize,
    paint: Paint,
) -> Vec<String> {
    let mut groups: Vec<(Ending, Vec<&str>)> = Vec::new();
    let mut add = |ending: Ending, node| match groups.iter_mut().find(|(known, _)| *known == ending)
    {
        Some((_, nodes)) => nodes.push(node),
        None => groups.push((ending, vec![node])),
    };
    let failed: Vec<&NodeOutcome> = summary.failed().collect();
    for node in &failed {
        add(ending(&node.outcome), &node.node);
    }
    for node in unreached {
        add((node.why.clone(), node.mend.clone()), &node.name);
    }
    if groups.is_empty() {
        return Vec::new();
    }
    let count = failed.len() + unreached.len();
    let head = format!("{count} of {total} {} failed:", nodes(total));
    let mut lines = vec![paint.text(Look::Bad, head)];
    for ((why, mend), names) in groups {
        let mend = mend.map(|mend| format!("; {mend}")).unwrap_or_default();
        lines.push(format!("  {}: {}{}", fold(names), printable(&why), printable(&mend)));
    }
    lines
}

const fn nodes(count: usize) -> &'static str {
    if count == 1 { "node" } else { "nodes" }
}

/// How it ended, and what the user can do.
type Ending = (String, Option<String>);

fn ending(outcome: &Outcome) -> Ending {
    match outcome {
        Outcome::Exited(code) => (format!("exit code {code}"), None),
        Outcome::Signalled(signal) => (format!("ended by signal {signal}"), None),
        Outcome::Unreachable { text, mend, .. } => {
            (format!("not reached: {text}"), Some(mend.clone()))
        }
        Outcome::TimedOut { kind, after } => {
            let what = match kind {
                TimeoutKind::Idle => "silent for",
                TimeoutKind::Total => "not done after",
            };
            let seconds = after.as_secs_f64();
            (format!("{what} {seconds} s; it may still be running"), None)
        }
        Outcome::Cancelled { started: true } => {
            ("stopped while the command was running".to_owned(), None)
        }
        Outcome::Cancelled { started: false } => ("not begun".to_owned(), None),
        Outcome::Lost(text) => {
            let mend = "the command may still be running; see `squall status`";
            (format!("the connection was lost: {text}"), Some(mend.to_owned()))
        }
        Outcome::Refused { text, mend } => (text.clone(), Some((*mend).to_owned())),
    }
}

#[cfg(test)]
mod tests;
