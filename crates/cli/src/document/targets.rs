//! `{"kind": "targets"}`: what `squall nodes` prints.

use serde::Serialize;

use super::VERSION;
use crate::scope::Names;

/// The document.
#[derive(Debug, Serialize)]
pub(crate) struct TargetsDocument {
    squall: u32,
    kind: &'static str,
    target: String,
    exclude: Vec<String>,
    count: usize,
    /// The nodes as one target.
    folded: String,
    clusters: Vec<ClusterTargets>,
}

#[derive(Debug, Serialize)]
struct ClusterTargets {
    name: String,
    folded: String,
    nodes: Vec<String>,
}

impl TargetsDocument {
    /// What a target selects.
    pub(crate) fn new(target: &str, exclude: &[String], found: &[Names<'_>]) -> Self {
        let folded: Vec<String> = found.iter().map(Names::folded).collect();
        Self {
            squall: VERSION,
            kind: "targets",
            target: target.to_owned(),
            exclude: exclude.to_vec(),
            count: found.iter().map(|names| names.names.len()).sum(),
            folded: folded.join(","),
            clusters: found
                .iter()
                .zip(folded)
                .map(|(names, folded)| ClusterTargets {
                    name: names.cluster.to_owned(),
                    folded,
                    nodes: names.names.iter().map(ToString::to_string).collect(),
                })
                .collect(),
        }
    }
}
