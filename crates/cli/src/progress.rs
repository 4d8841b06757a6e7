//! An operation's progress: one line that is drawn over on a terminal, plain
//! lines elsewhere, nothing where only results are wanted.

use std::collections::BTreeSet;
use std::time::Duration;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use model::event::Progress;
use model::plan::{Step, StepKind};
use model::target::fold;

use crate::output::Printer;
use crate::paint::{Look, printable};

/// How often the drawn line moves while nothing happens.
const TICK: Duration = Duration::from_millis(120);

/// Shows the progress of one operation.
#[derive(Debug)]
pub(crate) struct ProgressView {
    printer: Printer,
    /// The drawn line; none where nothing is drawn.
    bar: Option<ProgressBar>,
    state: State,
}

/// What is known of the operation.
#[derive(Debug, Default)]
struct State {
    steps: usize,
    done: usize,
    ready: usize,
    /// Nodes that are being made or waited for.
    waiting: BTreeSet<String>,
}

impl ProgressView {
    /// Nothing has begun.
    pub(crate) fn new(printer: Printer) -> Self {
        let bar = printer.can_draw.then(|| {
            let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr());
            if let Ok(style) = ProgressStyle::with_template("{spinner} {wide_msg} {elapsed}") {
                bar.set_style(style);
            }
            bar.enable_steady_tick(TICK);
            bar
        });
        Self { printer, bar, state: State::default() }
    }

    /// Shows one more event.
    pub(crate) fn event(&mut self, event: &Progress) {
        tracing::debug!(?event, "progress");
        let line = self.state.take(event, self.printer);
        match &self.bar {
            Some(bar) => {
                // What went wrong stays on the screen; the rest is drawn over.
                if let (Some(line), true) = (line, is_lasting(event)) {
                    bar.println(line);
                }
                bar.set_message(self.state.message());
            }
            None => {
                if let Some(line) = line {
                    self.printer.say(line);
                }
            }
        }
    }

    /// Takes the drawn line away.
    pub(crate) fn end(&self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }
}

impl Drop for ProgressView {
    fn drop(&mut self) {
        self.end();
    }
}

const fn is_lasting(event: &Progress) -> bool {
    matches!(
        event,
        Progress::StepFailed { .. } | Progress::RollingBack { .. } | Progress::Note { .. }
    )
}

impl State {
    /// Takes an event in, and answers with its line, if it has one.
    fn take(&mut self, event: &Progress, printer: Printer) -> Option<String> {
        match event {
            Progress::Begun { steps } => {
                self.steps = *steps;
                None
            }
            Progress::StepBegun { step } => {
                if let Some(name) = comes_up(step) {
                    self.waiting.insert(name);
                }
                None
            }
            Progress::StepDone { step, changed } => {
                self.done += 1;
                changed.then(|| done(step))
            }
            Progress::StepFailed { step, reason } => {
                if let Some(name) = comes_up(step) {
                    self.waiting.remove(&name);
                }
                let word = printer.err.text(Look::Bad, "failed");
                Some(format!("{word} to {}: {}", what(step), printable(&reason.0)))
            }
            Progress::NodeReady { name } => {
                self.ready += 1;
                self.waiting.remove(name.as_str());
                Some(format!("{name} is ready"))
            }
            Progress::Waiting { names } => {
                self.waiting = names.iter().map(ToString::to_string).collect();
                None
            }
            Progress::RollingBack { reason } => {
                let word = printer.err.text(Look::Doubtful, "undoing");
                Some(format!("{word} what was made: {}", printable(&reason.0)))
            }
            Progress::Note { text } => {
                let word = printer.err.text(Look::Command, "note:");
                Some(format!("{word} {}", printable(text)))
            }
        }
    }

    /// The line that is drawn over.
    fn message(&self) -> String {
        let mut parts = vec![format!("{} of {} steps", self.done, self.steps)];
        if self.ready > 0 {
            parts.push(format!("{} ready", self.ready));
        }
        if !self.waiting.is_empty() {
            let names = fold(self.waiting.iter().map(String::as_str));
            parts.push(format!("waiting for {names}"));
        }
        parts.join(", ")
    }
}

/// The node that a step brings up.
fn comes_up(step: &Step) -> Option<String> {
    match &step.kind {
        StepKind::EnsureNode { node } => Some(node.name.to_string()),
        StepKind::StartNode { name } | StepKind::RebootNode { name } => Some(name.to_string()),
        StepKind::EnsureCluster { .. }
        | StepKind::DeleteNode { .. }
        | StepKind::SyncMembers
        | StepKind::StopNode { .. }
        | StepKind::Complete
        | StepKind::BeginDelete
        | StepKind::DeleteCluster => None,
    }
}

fn what(step: &Step) -> String {
    match step.kind.node() {
        Some(node) => format!("{} {node}", step.kind.verb()),
        None => step.kind.verb().to_owned(),
    }
}

fn done(step: &Step) -> String {
    let what = match &step.kind {
        StepKind::EnsureCluster { .. } => "the cluster is recorded",
        StepKind::EnsureNode { .. } => "made",
        StepKind::DeleteNode { .. } => "removed",
        StepKind::SyncMembers => "the members know each other",
        StepKind::StartNode { .. } => "started",
        StepKind::StopNode { .. } => "stopped",
        StepKind::RebootNode { .. } => "rebooted",
        StepKind::Complete => "the change is complete",
        StepKind::BeginDelete => "the cluster is marked as going",
        StepKind::DeleteCluster => "the cluster is removed",
    };
    match step.kind.node() {
        Some(node) => format!("{node} is {what}"),
        None => what.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use model::event::Progress;
    use model::name::NodeName;
    use model::node::Generation;
    use model::plan::{Reason, Step, StepId, StepKind};

    use super::State;
    use crate::output::{Mode, Printer};
    use crate::paint::Colour;

    fn step(kind: StepKind) -> Box<Step> {
        Box::new(Step {
            id: StepId(1),
            after: Vec::new(),
            generation: Generation(1),
            kind,
            reason: Reason::new("because"),
        })
    }

    fn name(text: &str) -> NodeName {
        NodeName::parse(text).unwrap()
    }

    #[test]
    fn progress_reads_as_a_story() {
        let printer = Printer::new(Mode::Human, Colour::Never);
        let mut state = State::default();
        let start = StepKind::StartNode { name: name("n1") };
        let events = [
            Progress::Begun { steps: 4 },
            Progress::StepBegun { step: step(start.clone()) },
            Progress::StepDone { step: step(start), changed: true },
            Progress::StepDone { step: step(StepKind::SyncMembers), changed: false },
            Progress::Waiting { names: vec![name("n1"), name("n2"), name("n3")] },
            Progress::NodeReady { name: name("n2") },
            Progress::StepFailed {
                step: step(StepKind::StopNode { name: name("n4") }),
                reason: Reason::new("it\u{1b} would not"),
            },
            Progress::RollingBack { reason: Reason::new("n4 failed") },
            Progress::Note { text: "no limits here".to_owned() },
        ];
        let lines: Vec<String> =
            events.iter().filter_map(|event| state.take(event, printer)).collect();
        insta::assert_snapshot!(lines.join("\n"), @r"
        n1 is started
        n2 is ready
        failed to stop node n4: it� would not
        undoing what was made: n4 failed
        note: no limits here
        ");
        assert_eq!(state.message(), "2 of 4 steps, 1 ready, waiting for n[1,3]");
    }
}
