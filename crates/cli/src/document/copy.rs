//! `squall put --json` and `squall get --json`: a stream, one document per
//! line. Lines of kind `copy-event` as things happen, one `copy-summary` last.

use model::target::fold;
use serde::Serialize;
use transport::copy::{
    CopyEnd, CopyEvent, CopyEventKind, CopyFailure, CopyReport, CopySummary, ItemEnd,
};

use super::VERSION;
use crate::reach::Unreached;

/// Something that happened on one node.
#[derive(Debug, Serialize)]
pub(crate) struct CopyEventDocument {
    squall: u32,
    kind: &'static str,
    node: String,
    /// `connecting`, `started`, `file`, `finished`.
    event: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    path: Option<String>,
    /// The path's bytes in hexadecimal digits, where `path` is not all of it.
    #[serde(skip_serializing_if = "Option::is_none")]
    path_hex: Option<String>,
    /// `copied`, `unchanged`, `would-copy`, `failed`.
    #[serde(skip_serializing_if = "Option::is_none")]
    result: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    bytes: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    resumed_bytes: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    replaces: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    failure: Option<FailureBody>,
    #[serde(skip_serializing_if = "Option::is_none")]
    ending: Option<EndingBody>,
    #[serde(skip_serializing_if = "Option::is_none")]
    duration_s: Option<f64>,
}

impl CopyEventDocument {
    /// One event.
    pub(crate) fn new(event: &CopyEvent) -> Self {
        let mut document = Self {
            squall: VERSION,
            kind: "copy-event",
            node: event.node.to_string(),
            event: "connecting",
            path: None,
            path_hex: None,
            result: None,
            bytes: None,
            resumed_bytes: None,
            replaces: None,
            failure: None,
            ending: None,
            duration_s: None,
        };
        match &event.kind {
            CopyEventKind::Connecting => {}
            CopyEventKind::Started => document.event = "started",
            CopyEventKind::Item { path, end } => {
                document.event = "file";
                document.path = Some(text(path));
                document.path_hex = hex(path);
                document.item(end);
            }
            CopyEventKind::Finished { outcome, duration } => {
                document.event = "finished";
                document.ending = Some(EndingBody::of(&outcome.end));
                document.duration_s = Some(duration.as_secs_f64());
            }
        }
        document
    }

    fn item(&mut self, end: &ItemEnd) {
        match end {
            ItemEnd::Copied { bytes, resumed } => {
                self.result = Some("copied");
                self.bytes = Some(*bytes);
                self.resumed_bytes = Some(*resumed);
            }
            ItemEnd::Unchanged => self.result = Some("unchanged"),
            ItemEnd::WouldCopy { bytes, replaces } => {
                self.result = Some("would-copy");
                self.bytes = Some(*bytes);
                self.replaces = Some(*replaces);
            }
            ItemEnd::Failed(failure) => {
                self.result = Some("failed");
                self.failure = Some(FailureBody::new(failure));
            }
        }
    }
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

fn hex(bytes: &[u8]) -> Option<String> {
    std::str::from_utf8(bytes)
        .is_err()
        .then(|| bytes.iter().map(|byte| format!("{byte:02x}")).collect())
}

/// Why a file was not copied.
#[derive(Debug, Serialize)]
struct FailureBody {
    kind: &'static str,
    path: String,
    reason: String,
}

impl FailureBody {
    fn new(failure: &CopyFailure) -> Self {
        let (path, reason) = (text(&failure.path), failure.text.clone());
        Self { kind: failure.kind.as_str(), path, reason }
    }
}

/// How copying ended on one node.
#[derive(Debug, Serialize)]
struct EndingBody {
    /// `done`, `failed`, `unreachable`, `timed-out`, `cancelled`, `lost`.
    how: &'static str,
    success: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    mend: Option<String>,
}

impl EndingBody {
    fn of(end: &CopyEnd) -> Self {
        let (how, reason, mend) = match end {
            CopyEnd::Done => ("done", None, None),
            CopyEnd::Failed => ("failed", None, None),
            CopyEnd::Unreachable { text, mend, .. } => {
                ("unreachable", Some(text.clone()), Some(mend.clone()))
            }
            CopyEnd::TimedOut(_) => ("timed-out", None, None),
            CopyEnd::Cancelled { started } => {
                let word = if *started { "running" } else { "not begun" };
                ("cancelled", Some(word.to_owned()), None)
            }
            CopyEnd::Lost(text) => ("lost", Some(text.clone()), None),
        };
        Self { how, success: *end == CopyEnd::Done, reason, mend }
    }

    fn unreached(node: &Unreached) -> Self {
        let (reason, mend) = (Some(node.why.clone()), node.mend.clone());
        Self { how: "unreachable", success: false, reason, mend }
    }
}

/// How copying ended.
#[derive(Debug, Serialize)]
pub(crate) struct CopySummaryDocument {
    squall: u32,
    kind: &'static str,
    success: bool,
    node_count: usize,
    failed_count: usize,
    /// The nodes that failed, as a target.
    failed: String,
    nodes: Vec<NodeBody>,
    duration_s: f64,
}

#[derive(Debug, Serialize)]
struct NodeBody {
    node: String,
    ending: EndingBody,
    copied: u64,
    unchanged: u64,
    bytes: u64,
    resumed_bytes: u64,
    failed: u64,
    failures: Vec<FailureBody>,
    parts_left: Vec<String>,
    notes: Vec<String>,
    duration_s: f64,
}

impl NodeBody {
    fn new(node: String, ending: EndingBody, report: &CopyReport, duration_s: f64) -> Self {
        Self {
            node,
            ending,
            copied: report.copied,
            unchanged: report.unchanged,
            bytes: report.bytes,
            resumed_bytes: report.resumed_bytes,
            failed: report.failed,
            failures: report.failures.iter().map(FailureBody::new).collect(),
            parts_left: report.parts_left.iter().map(|part| text(part)).collect(),
            notes: report.notes.clone(),
            duration_s,
        }
    }
}

impl CopySummaryDocument {
    /// How copying ended, and the nodes that could not even be tried.
    pub(crate) fn new(summary: &CopySummary, unreached: &[Unreached]) -> Self {
        let tried = summary.nodes.iter().map(|node| {
            let ending = EndingBody::of(&node.outcome.end);
            let (report, duration) = (&node.outcome.report, node.duration.as_secs_f64());
            NodeBody::new(node.node.to_string(), ending, report, duration)
        });
        let untried = unreached.iter().map(|node| {
            let ending = EndingBody::unreached(node);
            NodeBody::new(node.name.clone(), ending, &CopyReport::default(), 0.0)
        });
        let nodes: Vec<NodeBody> = tried.chain(untried).collect();
        let failed = nodes.iter().filter(|node| !node.ending.success);
        let failed: Vec<&str> = failed.map(|node| node.node.as_str()).collect();
        Self {
            squall: VERSION,
            kind: "copy-summary",
            success: failed.is_empty(),
            node_count: nodes.len(),
            failed_count: failed.len(),
            failed: fold(failed),
            duration_s: summary.duration.as_secs_f64(),
            nodes,
        }
    }
}
