use std::sync::Arc;
use std::time::Duration;

use transport::fanout::{NodeOutcome, Outcome, RunSummary};
use transport::session::{ConnectErrorKind, TimeoutKind};

use super::{failures, line};
use crate::paint::Paint;
use crate::reach::Unreached;

fn node(name: &str, outcome: Outcome) -> NodeOutcome {
    NodeOutcome { node: Arc::from(name), outcome, duration: Duration::from_millis(5) }
}

#[test]
fn lines_keep_their_bytes() {
    assert_eq!(line("n1:", b"\xff\x00\r"), b"n1: \xff\x00\r\n");
}

#[test]
fn failures_are_listed_with_reason_and_mend() {
    let summary = RunSummary {
        nodes: vec![
            node("n1", Outcome::Exited(0)),
            node("n2", Outcome::Exited(3)),
            node("n3", Outcome::Exited(3)),
            node("n4", Outcome::Signalled("KILL".to_owned())),
            node(
                "n5",
                Outcome::Unreachable {
                    kind: ConnectErrorKind::Refused,
                    text: "the connection was refused".to_owned(),
                    mend: "is its ssh server up?".to_owned(),
                },
            ),
            node(
                "n6",
                Outcome::TimedOut { kind: TimeoutKind::Total, after: Duration::from_millis(1500) },
            ),
            node("n7", Outcome::Cancelled { started: true }),
            node("n8", Outcome::Lost("reset".to_owned())),
        ],
        duration: Duration::from_secs(1),
    };
    let stopped = Unreached {
        name: "n9".to_owned(),
        why: "it is stopped".to_owned(),
        mend: Some("squall start n9".to_owned()),
    };
    let lines = failures(&summary, &[stopped], 9, Paint::off());
    insta::assert_snapshot!(lines.join("\n"), @r"
    8 of 9 nodes failed:
      n[2-3]: exit code 3
      n4: ended by signal KILL
      n5: not reached: the connection was refused; is its ssh server up?
      n6: not done after 1.5 s; it may still be running
      n7: stopped while the command was running
      n8: the connection was lost: reset; the command may still be running; see `squall status`
      n9: it is stopped; squall start n9
    ");
}

#[test]
fn nothing_is_said_when_nothing_failed() {
    let summary =
        RunSummary { nodes: vec![node("n1", Outcome::Exited(0))], duration: Duration::ZERO };
    assert!(failures(&summary, &[], 1, Paint::off()).is_empty());
}
