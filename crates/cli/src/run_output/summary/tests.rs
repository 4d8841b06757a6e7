use std::sync::Arc;
use std::time::Duration;

use transport::fanout::{NodeOutcome, Outcome, RunSummary};
use transport::session::{ConnectErrorKind, TimeoutKind};

use super::failures;
use crate::paint::Paint;
use crate::reach::Unreached;

fn summary(outcomes: Vec<(&str, Outcome)>) -> RunSummary {
    let nodes = outcomes.into_iter().map(|(name, outcome)| NodeOutcome {
        node: Arc::from(name),
        outcome,
        duration: Duration::from_millis(5),
    });
    RunSummary { nodes: nodes.collect(), duration: Duration::from_secs(1) }
}

fn unreachable(text: &str) -> Outcome {
    Outcome::Unreachable {
        kind: ConnectErrorKind::Refused,
        text: text.to_owned(),
        mend: "is its ssh server up?".to_owned(),
    }
}

fn untried(name: &str, why: &str) -> Unreached {
    Unreached {
        name: name.to_owned(),
        why: why.to_owned(),
        mend: Some("`squall start` starts it".to_owned()),
    }
}

fn shown(outcomes: Vec<(&str, Outcome)>, unreached: &[Unreached]) -> String {
    failures(&summary(outcomes), unreached, Paint::off()).join("\n")
}

#[test]
fn failures_are_listed_by_ending_with_reason_and_mend() {
    let late = Duration::from_millis(1500);
    let outcomes = vec![
        ("n1", Outcome::Exited(0)),
        ("n2", Outcome::Exited(3)),
        ("n3", Outcome::Exited(3)),
        ("n10", Outcome::Exited(1)),
        ("n4", Outcome::Signalled("KILL".to_owned())),
        ("n5", unreachable("the connection was refused")),
        ("n6", Outcome::TimedOut { kind: TimeoutKind::Total, after: late }),
        ("n11", Outcome::TimedOut { kind: TimeoutKind::Idle, after: late }),
        ("n7", Outcome::Cancelled { started: true }),
        ("n8", Outcome::Lost("reset".to_owned())),
        ("n12", Outcome::Cancelled { started: false }),
        ("n13", Outcome::Refused { text: "no sudo here".to_owned(), mend: "leave out --sudo" }),
    ];
    insta::assert_snapshot!(shown(outcomes, &[untried("n9", "it is stopped")]), @r"
    12 of 13 nodes failed:
      exit code 1: n10
      exit code 3: n[2-3] (2 nodes)
      ended by signal KILL: n4
      timed out (not done after 1.5 s): n6: it may still be running
      timed out (silent for 1.5 s): n11: it may still be running
      connection lost: n8: reset; the command may still be running; see `squall status`
      refused: n13: no sudo here; leave out --sudo
      not reached (refused): n5: the connection was refused; is its ssh server up?
      not reached: n9: it is stopped; `squall start` starts it
      stopped while the command was running: n7
      not begun: n12
    ");
}

#[test]
fn nodes_that_failed_alike_share_a_line() {
    let outcomes = vec![
        ("n1", unreachable("10.0.0.1 refused")),
        ("n2", unreachable("10.0.0.2 refused")),
        ("n3", Outcome::Exited(0)),
    ];
    let untried = [
        untried("n4", "it is stopped"),
        untried("n5", "it is gone"),
        untried("n6", "it is stopped"),
    ];
    insta::assert_snapshot!(shown(outcomes, &untried), @r"
    5 of 6 nodes failed:
      not reached (refused): n[1-2] (2 nodes): for example, 10.0.0.1 refused; is its ssh server up?
      not reached: n[4,6] (2 nodes): it is stopped; `squall start` starts it
      not reached: n5: it is gone; `squall start` starts it
    ");
}

#[test]
fn what_nodes_say_cannot_steer_the_terminal() {
    let text = shown(vec![("n1", Outcome::Lost("\x1b[2J".to_owned()))], &[]);
    assert!(!text.contains('\x1b'), "{text}");
    assert!(text.starts_with("1 of 1 node failed:"), "{text}");
}

#[test]
fn nothing_is_said_when_nothing_failed() {
    assert_eq!(shown(vec![("n1", Outcome::Exited(0))], &[]), "");
}
