//! `squall run --json`: a stream, one document per line. Lines of kind
//! `run-event` as things happen, one `run-summary` last.

use std::collections::BTreeMap;

use model::target::fold;
use serde::Serialize;
use transport::fanout::{LineEnd, Outcome, RunEvent, RunEventKind, RunSummary, StreamName};
use transport::session::TimeoutKind;

use super::VERSION;
use crate::reach::Unreached;

/// Something that happened on one node.
#[derive(Debug, Serialize)]
pub(crate) struct RunEventDocument {
    squall: u32,
    kind: &'static str,
    node: String,
    /// `connecting`, `started`, `line`, `left-open`, `finished`.
    event: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    stream: Option<&'static str>,
    /// The line; what is no UTF-8 is replaced.
    #[serde(skip_serializing_if = "Option::is_none")]
    text: Option<String>,
    /// The line's bytes in hexadecimal digits, where `text` is not all of it.
    #[serde(skip_serializing_if = "Option::is_none")]
    hex: Option<String>,
    /// Whether the line goes on in the next event of this node and stream.
    #[serde(skip_serializing_if = "Option::is_none")]
    cut: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    ending: Option<Ending>,
    #[serde(skip_serializing_if = "Option::is_none")]
    duration_s: Option<f64>,
}

impl RunEventDocument {
    /// One event.
    pub(crate) fn new(event: &RunEvent) -> Self {
        let mut document = Self {
            squall: VERSION,
            kind: "run-event",
            node: event.node.to_string(),
            event: "connecting",
            stream: None,
            text: None,
            hex: None,
            cut: None,
            ending: None,
            duration_s: None,
        };
        match &event.kind {
            RunEventKind::Connecting => {}
            RunEventKind::Started => document.event = "started",
            RunEventKind::LeftOpen => document.event = "left-open",
            RunEventKind::Output { .. } => document.event = "line",
            RunEventKind::Finished { outcome, duration } => {
                document.event = "finished";
                document.ending = Some(Ending::of(outcome));
                document.duration_s = Some(duration.as_secs_f64());
            }
        }
        document
    }

    /// One line, or a piece of one, that a node printed.
    pub(crate) fn line(node: &str, stream: StreamName, bytes: &[u8], end: LineEnd) -> Self {
        Self {
            squall: VERSION,
            kind: "run-event",
            node: node.to_owned(),
            event: "line",
            stream: Some(match stream {
                StreamName::Out => "stdout",
                StreamName::Err => "stderr",
            }),
            text: Some(String::from_utf8_lossy(bytes).into_owned()),
            hex: std::str::from_utf8(bytes).is_err().then(|| hex(bytes)),
            cut: (end == LineEnd::Cut).then_some(true),
            ending: None,
            duration_s: None,
        }
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// How the command ended on one node.
#[derive(Debug, Serialize)]
struct Ending {
    /// `exited`, `signalled`, `unreachable`, `timed-out`, `cancelled`, `lost`,
    /// `refused`.
    how: &'static str,
    success: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    code: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    signal: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    mend: Option<String>,
}

impl Ending {
    fn of(outcome: &Outcome) -> Self {
        let mut ending = Self {
            how: "exited",
            success: outcome.is_success(),
            code: None,
            signal: None,
            reason: None,
            mend: None,
        };
        match outcome {
            Outcome::Exited(code) => ending.code = Some(*code),
            Outcome::Signalled(signal) => {
                ending.how = "signalled";
                ending.signal = Some(signal.clone());
            }
            Outcome::Unreachable { text, mend, .. } => {
                ending.how = "unreachable";
                ending.reason = Some(text.clone());
                ending.mend = Some(mend.clone());
            }
            Outcome::TimedOut { kind, .. } => {
                ending.how = "timed-out";
                ending.reason = Some(match kind {
                    TimeoutKind::Idle => "idle".to_owned(),
                    TimeoutKind::Total => "total".to_owned(),
                });
            }
            Outcome::Cancelled { started } => {
                ending.how = "cancelled";
                let word = if *started { "running" } else { "not begun" };
                ending.reason = Some(word.to_owned());
            }
            Outcome::Lost(text) => {
                ending.how = "lost";
                ending.reason = Some(text.clone());
            }
            Outcome::Refused { text, mend } => {
                ending.how = "refused";
                ending.reason = Some(text.clone());
                ending.mend = Some((*mend).to_owned());
            }
        }
        ending
    }

    fn unreached(node: &Unreached) -> Self {
        Self {
            how: "unreachable",
            success: false,
            code: None,
            signal: None,
            reason: Some(node.why.clone()),
            mend: node.mend.clone(),
        }
    }
}

/// How the run ended.
#[derive(Debug, Serialize)]
pub(crate) struct RunSummaryDocument {
    squall: u32,
    kind: &'static str,
    success: bool,
    node_count: usize,
    failed_count: usize,
    /// The nodes that failed, as a target.
    failed: String,
    nodes: Vec<NodeEnding>,
    /// Nodes that ended alike, together.
    endings: Vec<AlikeEnding>,
    duration_s: f64,
}

#[derive(Debug, Serialize)]
struct AlikeEnding {
    /// As in [`Ending`].
    how: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    code: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    signal: Option<String>,
    /// As a target.
    nodes: String,
    node_count: usize,
}

#[derive(Debug, Serialize)]
struct NodeEnding {
    node: String,
    ending: Ending,
    duration_s: f64,
}

impl RunSummaryDocument {
    /// How a run ended, and the nodes that could not even be tried.
    pub(crate) fn new(summary: &RunSummary, unreached: &[Unreached]) -> Self {
        let tried = summary.nodes.iter().map(|node| NodeEnding {
            node: node.node.to_string(),
            ending: Ending::of(&node.outcome),
            duration_s: node.duration.as_secs_f64(),
        });
        let untried = unreached.iter().map(|node| NodeEnding {
            node: node.name.clone(),
            ending: Ending::unreached(node),
            duration_s: 0.0,
        });
        let nodes: Vec<NodeEnding> = tried.chain(untried).collect();
        let failed = nodes.iter().filter(|node| !node.ending.success);
        let failed: Vec<&str> = failed.map(|node| node.node.as_str()).collect();
        Self {
            squall: VERSION,
            kind: "run-summary",
            success: failed.is_empty(),
            node_count: nodes.len(),
            failed_count: failed.len(),
            failed: fold(failed),
            endings: alike(&nodes),
            duration_s: summary.duration.as_secs_f64(),
            nodes,
        }
    }
}

/// In the order of the words, codes by their number.
fn alike(nodes: &[NodeEnding]) -> Vec<AlikeEnding> {
    type Key<'a> = (&'static str, Option<u32>, Option<&'a str>);
    let mut groups: BTreeMap<Key<'_>, Vec<&str>> = BTreeMap::new();
    for node in nodes {
        let ending = &node.ending;
        let key = (ending.how, ending.code, ending.signal.as_deref());
        groups.entry(key).or_default().push(&node.node);
    }
    let groups = groups.into_iter().map(|((how, code, signal), names)| AlikeEnding {
        how,
        code,
        signal: signal.map(str::to_owned),
        node_count: names.len(),
        nodes: fold(names),
    });
    groups.collect()
}
