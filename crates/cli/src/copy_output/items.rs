//! What a copy did, or would do, in lines: nodes with the same together.

use model::target::fold;
use transport::Bytes;
use transport::copy::{CopyReport, CopySummary, ItemEnd};

use super::output::Direction;
use super::size::size;
use crate::paint::printable;

/// Files whose nodes are remembered for a dry run; the others are counted.
const ITEMS_MAX: usize = 10_000;

/// What would be done to one path, and on which nodes.
#[derive(Debug, PartialEq, Eq)]
struct Would {
    path: Bytes,
    bytes: u64,
    replaces: bool,
    nodes: Vec<String>,
}

/// What a dry run found.
#[derive(Debug, Default)]
pub(super) struct Items {
    known: std::collections::BTreeMap<(Bytes, bool), Would>,
    more: u64,
}

impl Items {
    pub(super) fn add(&mut self, node: &str, path: &Bytes, end: &ItemEnd) {
        let ItemEnd::WouldCopy { bytes, replaces } = end else { return };
        let key = (path.clone(), *replaces);
        if self.known.len() >= ITEMS_MAX && !self.known.contains_key(&key) {
            self.more += 1;
            return;
        }
        let would = self.known.entry(key).or_insert_with(|| Would {
            path: path.clone(),
            bytes: *bytes,
            replaces: *replaces,
            nodes: Vec::new(),
        });
        would.nodes.push(node.to_owned());
    }

    /// A line for each path.
    pub(super) fn lines(&self) -> Vec<String> {
        let mut lines: Vec<String> = self
            .known
            .values()
            .map(|would| {
                let verb = if would.replaces { "replace" } else { "make" };
                let path = String::from_utf8_lossy(&would.path).into_owned();
                let nodes = fold(would.nodes.iter().map(String::as_str));
                format!("{nodes}: would {verb} {} ({})", printable(&path), size(would.bytes))
            })
            .collect();
        if self.more > 0 {
            lines.push(format!("and {} more", self.more));
        }
        lines
    }
}

/// What was done, nodes alike together.
pub(super) fn done(summary: &CopySummary, direction: &Direction, dry_run: bool) -> Vec<String> {
    let mut groups: Vec<(String, Vec<&str>)> = Vec::new();
    for node in summary.nodes.iter().filter(|node| node.is_success()) {
        let text = text(&node.outcome.report, dry_run);
        match groups.iter_mut().find(|(known, _)| *known == text) {
            Some((_, nodes)) => nodes.push(&node.node),
            None => groups.push((text, vec![&node.node])),
        }
    }
    let into = match direction {
        Direction::Put => String::new(),
        Direction::Get { directory } => {
            let path = directory.join("NODE").display().to_string();
            format!(", in {}/", printable(&path))
        }
    };
    groups.into_iter().map(|(text, nodes)| format!("{}: {text}{into}", fold(nodes))).collect()
}

fn text(report: &CopyReport, dry_run: bool) -> String {
    let files = |count: u64| if count == 1 { "file" } else { "files" };
    let (copied, unchanged) = (report.copied, report.unchanged);
    let mut parts = Vec::new();
    if copied > 0 || unchanged == 0 {
        let moved = match dry_run {
            true => String::new(),
            false => format!(" ({})", size(report.bytes)),
        };
        let verb = if dry_run { "would be copied" } else { "copied" };
        parts.push(format!("{copied} {} {verb}{moved}", files(copied)));
    }
    if report.resumed_bytes > 0 {
        parts.push(format!("{} were there from an earlier try", size(report.resumed_bytes)));
    }
    if unchanged > 0 {
        parts.push(format!("{unchanged} {} unchanged", files(unchanged)));
    }
    parts.join(", ")
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::time::Duration;

    use transport::Bytes;
    use transport::copy::{CopyEnd, CopyOutcome, CopyReport, CopySummary, ItemEnd, NodeCopied};

    use super::{Items, done};
    use crate::copy_output::Direction;

    #[test]
    fn what_was_done_is_said_once_for_nodes_alike() {
        let node = |name: &str, copied, unchanged, resumed_bytes| NodeCopied {
            node: Arc::from(name),
            outcome: CopyOutcome {
                end: CopyEnd::Done,
                report: CopyReport {
                    copied,
                    unchanged,
                    bytes: copied * 1024,
                    resumed_bytes,
                    ..CopyReport::default()
                },
            },
            duration: Duration::ZERO,
        };
        let summary = CopySummary {
            nodes: vec![
                node("n1", 3, 0, 0),
                node("n2", 3, 0, 0),
                node("n3", 1, 2, 2048),
                node("n4", 0, 3, 0),
            ],
            duration: Duration::ZERO,
        };
        insta::assert_snapshot!(done(&summary, &Direction::Put, false).join("\n"), @r"
        n[1-2]: 3 files copied (3.0 KiB)
        n3: 1 file copied (1.0 KiB), 2.0 KiB were there from an earlier try, 2 files unchanged
        n4: 3 files unchanged
        ");
        let get = Direction::Get { directory: "logs".into() };
        assert_eq!(done(&summary, &get, true)[0], "n[1-2]: 3 files would be copied, in logs/NODE/");
    }

    #[test]
    fn a_dry_run_names_the_files() {
        let mut items = Items::default();
        let path = Bytes::from_static(b"/opt/a");
        for (node, replaces) in [("n1", false), ("n2", false), ("n3", true)] {
            items.add(node, &path, &ItemEnd::WouldCopy { bytes: 2048, replaces });
        }
        items.add("n4", &path, &ItemEnd::Unchanged);
        insta::assert_snapshot!(items.lines().join("\n"), @r"
        n[1-2]: would make /opt/a (2.0 KiB)
        n3: would replace /opt/a (2.0 KiB)
        ");
    }
}
