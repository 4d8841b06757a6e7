//! How a run ended as a whole, and what its exit code is. Pure.

use transport::fanout::{Outcome, RunSummary};

use crate::exit::Exit;

/// Of a node that was not reached or lost; ssh's own.
const CODE_UNREACHED: u8 = 255;

/// Of a node that was out of time; timeout(1)'s own.
const CODE_TIMED_OUT: u8 = 124;

/// Added to the number of the signal that ended a command, as shells do.
const CODE_SIGNAL: u8 = 128;

/// Numbers of signals by name, as on Linux and for the most part everywhere.
const SIGNALS: [(&str, u8); 20] = [
    ("HUP", 1),
    ("INT", 2),
    ("QUIT", 3),
    ("ILL", 4),
    ("TRAP", 5),
    ("ABRT", 6),
    ("BUS", 7),
    ("FPE", 8),
    ("KILL", 9),
    ("USR1", 10),
    ("SEGV", 11),
    ("USR2", 12),
    ("PIPE", 13),
    ("ALRM", 14),
    ("TERM", 15),
    ("XCPU", 24),
    ("XFSZ", 25),
    ("VTALRM", 26),
    ("POLL", 29),
    ("SYS", 31),
];

/// How a run ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Ending {
    /// Whether the command ended with 0 on every node, and its output was put
    /// where it was to be put.
    pub(crate) all_succeeded: bool,
    /// The largest exit code of any node, if that is asked for.
    largest: Option<u8>,
}

impl Ending {
    pub(super) fn new(summary: &RunSummary, untried: usize, wants_largest: bool) -> Self {
        let codes = summary.nodes.iter().map(|node| code(&node.outcome));
        let largest = codes.chain((untried > 0).then_some(CODE_UNREACHED)).max().unwrap_or(0);
        Self {
            all_succeeded: summary.all_succeeded() && untried == 0,
            largest: wants_largest.then_some(largest),
        }
    }

    /// Output could not be put where it was to be put.
    pub(super) const fn spoil(&mut self) {
        self.all_succeeded = false;
    }

    /// How the command ends.
    pub(crate) const fn exit(self) -> Exit {
        match (self.all_succeeded, self.largest) {
            (true, _) => Exit::Done,
            (false, Some(code)) if code > 0 => Exit::Remote(code),
            (false, _) => Exit::Failed,
        }
    }
}

/// What counts as a node's exit code.
fn code(outcome: &Outcome) -> u8 {
    match outcome {
        Outcome::Exited(code) => u8::try_from(*code).unwrap_or(u8::MAX),
        Outcome::Signalled(signal) => SIGNALS
            .iter()
            .find(|(name, _)| name == signal)
            .map_or(CODE_UNREACHED, |(_, number)| CODE_SIGNAL + number),
        Outcome::TimedOut { .. } => CODE_TIMED_OUT,
        Outcome::Unreachable { .. } | Outcome::Lost(_) | Outcome::Refused { .. } => CODE_UNREACHED,
        Outcome::Cancelled { .. } => Exit::Interrupted.code(),
    }
}

#[cfg(test)]
mod tests {
    use super::Ending;
    use crate::exit::Exit;
    use std::sync::Arc;
    use std::time::Duration;
    use transport::fanout::{NodeOutcome, Outcome, RunSummary};
    use transport::session::TimeoutKind;

    fn exit(outcomes: &[Outcome], untried: usize, wants_largest: bool) -> Exit {
        let nodes = outcomes.iter().map(|outcome| NodeOutcome {
            node: Arc::from("n"),
            outcome: outcome.clone(),
            duration: Duration::ZERO,
        });
        let summary = RunSummary { nodes: nodes.collect(), duration: Duration::ZERO };
        Ending::new(&summary, untried, wants_largest).exit()
    }

    #[test]
    fn the_exit_code_is_the_largest_one_where_asked_for() {
        let signal = |name: &str| Outcome::Signalled(name.to_owned());
        let late = || Outcome::TimedOut { kind: TimeoutKind::Total, after: Duration::ZERO };
        for (outcomes, untried, plain, largest) in [
            (vec![Outcome::Exited(0), Outcome::Exited(0)], 0, Exit::Done, Exit::Done),
            (vec![Outcome::Exited(3), Outcome::Exited(2)], 0, Exit::Failed, Exit::Remote(3)),
            (vec![Outcome::Exited(0), late()], 0, Exit::Failed, Exit::Remote(124)),
            (vec![late(), signal("KILL")], 0, Exit::Failed, Exit::Remote(137)),
            (vec![signal("RTMIN")], 0, Exit::Failed, Exit::Remote(255)),
            (vec![Outcome::Exited(1000)], 0, Exit::Failed, Exit::Remote(255)),
            (vec![Outcome::Exited(0)], 1, Exit::Failed, Exit::Remote(255)),
            (vec![Outcome::Lost("x".to_owned())], 0, Exit::Failed, Exit::Remote(255)),
            (vec![Outcome::Cancelled { started: true }], 0, Exit::Failed, Exit::Remote(130)),
            (vec![], 0, Exit::Done, Exit::Done),
        ] {
            assert_eq!(exit(&outcomes, untried, false), plain, "{outcomes:?}");
            assert_eq!(exit(&outcomes, untried, true), largest, "{outcomes:?}");
        }
    }
}
