//! From what went wrong to what the user is told: the cause, what was undone,
//! what stands, and how to go on.

use model::event::Level;
use model::inventory::Inventory;
use model::plan::{Intent, Plan, Step, StepKind};
use model::resolved::OnFailure;
use providers::{ErrorKind, ProviderError};

use crate::change::makes;
use crate::error::{ConsoleTail, FailureKind, OperationError};
use crate::execute::{Carried, Operation, described};
use crate::look::within;
use crate::ready::{NodeTrouble, NotReady};
use crate::rollback::Undone;
use crate::stand::{not_done, standing, ways_on, word};

/// Causes told one by one before the rest is only counted.
const CAUSES_TOLD_MAX: usize = 5;

/// Nodes whose last words are shown.
const CONSOLES_SHOWN_MAX: usize = 3;

/// Lines shown of each.
const CONSOLE_LINES_MAX: usize = 20;

/// Longest line shown, in characters.
const CONSOLE_LINE_CHARACTERS_MAX: usize = 500;

/// What went wrong with steps or with nodes.
#[derive(Debug)]
pub(crate) struct Failure {
    kind: FailureKind,
    causes: Vec<String>,
    hints: Vec<String>,
    /// Nodes whose consoles may tell more.
    nodes: Vec<NodeTrouble>,
    /// Whether undoing makes sense: not when all is there and only the mark of
    /// it is missing.
    undo: bool,
}

impl Failure {
    /// Steps that failed, or did not begin.
    pub(crate) fn of_steps(carried: Carried) -> Self {
        let first = carried.failed.first().map_or(ErrorKind::Other, |(_, error)| error.kind);
        // A change that has begun has failed, whatever stopped it.
        let kind = if carried.changed == 0 { first.into() } else { FailureKind::Failed };
        let undo = carried.failed.iter().any(|(step, _)| step.kind != StepKind::Complete);
        let mut hints: Vec<String> = Vec::new();
        for mend in carried.failed.iter().filter_map(|(_, error)| error.mend.clone()) {
            if !hints.contains(&mend) {
                hints.push(mend);
            }
        }
        let one = |(step, error): (Step, ProviderError)| {
            format!("failed to {}: {}", described(&step), error.cause)
        };
        let causes = bounded(carried.failed.into_iter().map(one).collect());
        Self { kind, causes, hints, nodes: Vec::new(), undo }
    }

    /// Nodes that did not become ready.
    pub(crate) fn of_nodes(carried: Carried, not_ready: NotReady) -> Self {
        let mut failure = Self::of_steps(carried);
        (failure.kind, failure.undo) = (FailureKind::Failed, true);
        match not_ready {
            NotReady::Interrupted => {}
            NotReady::Blind(error) => {
                failure.kind = error.kind;
                failure.causes.push(error.what);
                failure.causes.extend(error.causes);
                failure.hints.extend(error.hints);
            }
            NotReady::Nodes(nodes) => {
                let one = |node: &NodeTrouble| format!("{} {}", node.name, node.why);
                failure.causes.extend(bounded(nodes.iter().map(one).collect()));
                failure.hints.extend(nodes.iter().find_map(|node| node.hint.clone()));
                failure.nodes = nodes;
            }
        }
        failure
    }
}

impl Operation {
    /// Ends a change that failed or was stopped.
    pub(crate) async fn failed(
        &self,
        plan: &Plan,
        before: &Inventory,
        failure: Failure,
        on_failure: OnFailure,
    ) -> Box<OperationError> {
        if self.cancel.is_asked() {
            return self.stopped(plan, failure).await;
        }
        let what = format!("cluster {} was not {}", self.cluster, not_done(&plan.intent));
        let mut error = OperationError::new(failure.kind, what);
        let why = failure.causes.first().cloned().unwrap_or_default();
        self.line(Level::Error, &format!("{} failed", word(&plan.intent)), Some(&why));
        error.causes = failure.causes;
        error.hints = failure.hints;
        // Their consoles go when they do.
        error.consoles = self.last_words(&failure.nodes).await;
        if makes(&plan.intent) && on_failure == OnFailure::Rollback && failure.undo {
            let undone = self.roll_back(plan, before, &why).await;
            return self.after_undoing(plan, error, undone).await;
        }
        if makes(&plan.intent) && failure.undo {
            let way = on_failure.as_str();
            error.hints.push(format!("on_failure is {way}, so nothing was removed"));
        }
        self.add_standing(&mut error, &plan.intent).await;
        error
    }

    async fn after_undoing(
        &self,
        plan: &Plan,
        mut error: Box<OperationError>,
        undone: Undone,
    ) -> Box<OperationError> {
        match undone {
            Undone::Nothing => {}
            Undone::Done(what) => error.stands = Some(format!("rolled back: {what}")),
            Undone::Failed(causes) => {
                error.causes.extend(
                    causes.into_iter().map(|cause| format!("the rollback failed too: {cause}")),
                );
                self.add_standing(&mut error, &plan.intent).await;
            }
            Undone::Interrupted => {
                error.kind = FailureKind::Interrupted;
                error.causes.push("the rollback was interrupted".to_owned());
                self.add_standing(&mut error, &plan.intent).await;
            }
        }
        error
    }

    /// Ends a change that the user stopped: everything is left as it is.
    async fn stopped(&self, plan: &Plan, failure: Failure) -> Box<OperationError> {
        let word = word(&plan.intent);
        self.line(Level::Warning, &format!("{word} interrupted"), Some("by the user"));
        let what = format!("the {word} of cluster {} was interrupted", self.cluster);
        let mut error = OperationError::new(FailureKind::Interrupted, what);
        error.causes = failure.causes;
        self.add_standing(&mut error, &plan.intent).await;
        error
    }

    /// Adds what stands and how to go on, by what is there now.
    async fn add_standing(&self, error: &mut OperationError, intent: &Intent) {
        let (text, deleting) = self.stands().await;
        error.stands = Some(text);
        let intent = if deleting { &Intent::Delete } else { intent };
        error.hints.extend(ways_on(intent, &self.cluster));
    }

    /// The error of an operation that undoes nothing.
    pub(crate) async fn told(
        &self,
        failure: Failure,
        what: String,
        interrupted: String,
    ) -> Box<OperationError> {
        let mut error = if self.cancel.is_asked() {
            OperationError::new(FailureKind::Interrupted, interrupted)
        } else {
            OperationError::new(failure.kind, what)
        };
        error.causes = failure.causes;
        error.hints = failure.hints;
        error.consoles = self.last_words(&failure.nodes).await;
        error.stands = Some(self.stands().await.0);
        error
    }

    /// What stands, unless the user cannot wait for it, and whether it is on
    /// its way out.
    async fn stands(&self) -> (String, bool) {
        if self.cancel.abort.is_cancelled() {
            return (format!("`squall show cluster={}` tells what stands", self.cluster), false);
        }
        match self.look().await {
            Ok(inventory) => {
                let deleting = inventory.record().is_some_and(|record| record.deleting);
                (standing(&inventory), deleting)
            }
            Err(error) => (format!("what stands is not known: failed to {error}"), false),
        }
    }

    /// The ends of the consoles of nodes that failed.
    async fn last_words(&self, nodes: &[NodeTrouble]) -> Vec<ConsoleTail> {
        let mut tails = Vec::new();
        for node in nodes.iter().take(CONSOLES_SHOWN_MAX) {
            let reading = self.parts().provider.console(&self.cluster, &node.name);
            let limit = self.parts().timing.look_timeout;
            if let Ok(bytes) = within(limit, "read the console", reading).await {
                let lines = tail(&bytes);
                if !lines.is_empty() {
                    tails.push(ConsoleTail { node: node.name.clone(), lines });
                }
            }
        }
        tails
    }
}

/// The last lines of a console, as harmless text.
fn tail(bytes: &[u8]) -> Vec<String> {
    let text = String::from_utf8_lossy(bytes);
    let mut lines: Vec<String> = text
        .lines()
        .rev()
        .map(|line| {
            line.chars()
                .filter(|one| !one.is_control() || *one == '\t')
                .take(CONSOLE_LINE_CHARACTERS_MAX)
                .collect::<String>()
        })
        .filter(|line| !line.trim().is_empty())
        .take(CONSOLE_LINES_MAX)
        .collect();
    lines.reverse();
    lines
}

fn bounded(mut causes: Vec<String>) -> Vec<String> {
    let more = causes.len().saturating_sub(CAUSES_TOLD_MAX);
    if more > 0 {
        causes.truncate(CAUSES_TOLD_MAX);
        causes.push(format!("and {more} more like these"));
    }
    causes
}

#[cfg(test)]
mod tests {
    use super::{bounded, tail};

    #[test]
    fn the_tail_of_a_console_is_short_and_harmless() {
        let console: String =
            (0..100).flat_map(|number| [format!("line {number}"), "\r\n\n".to_owned()]).collect();
        let lines = tail(console.as_bytes());
        assert_eq!(
            (lines.len(), lines[0].as_str(), lines[19].as_str()),
            (20, "line 80", "line 99")
        );
        assert_eq!(tail(b"\x1b[31mred\xff\x07\ttab"), ["[31mred\u{fffd}\ttab"]);
        assert_eq!(tail(b"\n \n"), [""; 0]);
        assert_eq!(tail("x".repeat(9999).as_bytes())[0].len(), 500);
    }

    #[test]
    fn many_causes_are_counted() {
        let causes = |count: usize| bounded((0..count).map(|one| one.to_string()).collect());
        assert_eq!(causes(5).len(), 5);
        assert_eq!(causes(9).last().unwrap(), "and 4 more like these");
    }
}
