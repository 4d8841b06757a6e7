use std::sync::Arc;
use std::time::Duration;

use transport::Bytes;
use transport::copy::{
    CopyEnd, CopyFailure, CopyFailureKind, CopyOutcome, CopyReport, CopySummary, NodeCopied,
};
use transport::session::ConnectErrorKind;

use super::{failures, remarks};
use crate::paint::Paint;
use crate::reach::Unreached;

fn node(name: &str, end: CopyEnd, report: CopyReport) -> NodeCopied {
    let outcome = CopyOutcome { end, report };
    NodeCopied { node: Arc::from(name), outcome, duration: Duration::ZERO }
}

fn failed(paths: &[&str]) -> CopyReport {
    let failure = |path: &&str| CopyFailure {
        kind: CopyFailureKind::NoSpace,
        path: Bytes::copy_from_slice(path.as_bytes()),
        text: "no space left on device".to_owned(),
    };
    CopyReport {
        failures: paths.iter().map(failure).collect(),
        failed: paths.len() as u64,
        ..CopyReport::default()
    }
}

#[test]
fn nodes_with_one_reason_are_said_together() {
    let away = |text: &str| CopyEnd::Unreachable {
        kind: ConnectErrorKind::Refused,
        text: text.to_owned(),
        mend: "is it up?".to_owned(),
    };
    let cut = CopyReport {
        parts_left: vec![Bytes::from_static(b"/opt/.a.squall-12.part")],
        ..CopyReport::default()
    };
    let note = CopyReport { notes: vec!["it grew".to_owned()], ..CopyReport::default() };
    let many = ["a", "b", "c", "d", "e", "f", "g"];
    let summary = CopySummary {
        nodes: vec![
            node("n1", CopyEnd::Done, note),
            node("n2", CopyEnd::Failed, failed(&["/opt/a"])),
            node("n3", CopyEnd::Failed, failed(&["/opt/a"])),
            node("n4", away("reach 10.0.0.4:22"), CopyReport::default()),
            node("n5", away("reach 10.0.0.5:22"), CopyReport::default()),
            node("n6", CopyEnd::Cancelled { started: true }, cut.clone()),
            node("n7", CopyEnd::Cancelled { started: true }, cut),
            node("n8", CopyEnd::Failed, failed(&many)),
        ],
        duration: Duration::ZERO,
    };
    let unreached = [Unreached {
        name: "n9".to_owned(),
        why: "it is stopped".to_owned(),
        mend: Some("`squall start n9`".to_owned()),
    }];
    let mut lines = failures(&summary, &unreached, Paint::off());
    lines.extend(remarks(&summary, Paint::off()));
    insta::assert_snapshot!(lines.join("\n"), @r"
    8 of 9 nodes failed:
      n[2-3]: /opt/a: no space left on device
      n[4-5]: not reached (refused): for example, reach 10.0.0.4:22; is it up?
      n[6-7]: stopped
      n8: a: no space left on device
      n8: b: no space left on device
      n8: c: no space left on device
      n8: d: no space left on device
      n8: e: no space left on device
      n8: and 2 more files
      n9: not reached: it is stopped; `squall start n9`
    notes:
      n1: it grew
    unfinished files; the same command goes on with them:
      n[6-7]: /opt/.a.squall-12.part
    ");
}

#[test]
fn nothing_is_said_of_what_went_well() {
    let summary = CopySummary {
        nodes: vec![node("n1", CopyEnd::Done, CopyReport::default())],
        duration: Duration::ZERO,
    };
    assert!(failures(&summary, &[], Paint::off()).is_empty());
    assert!(remarks(&summary, Paint::off()).is_empty());
}
