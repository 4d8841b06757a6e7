//! `{"kind": "doctor"}`: what this machine can do for local nodes.

use providers::local::doctor::{DoctorReport, SupervisorHealth};
use providers::local::rung::{CgroupKind, Rung, RungProbe};
use serde::Serialize;

use super::VERSION;

/// The document.
#[derive(Debug, Serialize)]
pub(crate) struct DoctorDocument {
    squall: u32,
    kind: &'static str,
    /// Whether nodes can be made here.
    able: bool,
    /// How new nodes are made: `root`, `user-namespace`; `null` when not.
    rung: Option<&'static str>,
    /// `real` or `embedded`.
    ssh_server: String,
    kernel: String,
    user_id: u32,
    rungs: Vec<RungEntry>,
    sshd: Option<String>,
    /// `v1`, `v2` or `none`.
    cgroups: &'static str,
    limits_kept: Vec<String>,
    bounds: Vec<BoundEntry>,
    store: StoreEntry,
    clusters: Vec<ClusterEntry>,
    notes: Vec<String>,
}

#[derive(Debug, Serialize)]
struct RungEntry {
    rung: &'static str,
    works: bool,
    why: Option<String>,
    mend: Option<String>,
    /// What was tried; `error` is `null` where it worked.
    steps: Vec<StepEntry>,
}

#[derive(Debug, Serialize)]
struct StepEntry {
    name: String,
    required: bool,
    error: Option<String>,
}

#[derive(Debug, Serialize)]
struct BoundEntry {
    what: String,
    nodes_max: u64,
    mend: String,
}

#[derive(Debug, Serialize)]
struct StoreEntry {
    path: String,
    bytes_free: Option<u64>,
    problem: Option<String>,
}

#[derive(Debug, Serialize)]
struct ClusterEntry {
    name: String,
    node_count: usize,
    /// `answers`, `not-running`, `failing` or `unreadable`.
    supervisor: &'static str,
    why: Option<String>,
}

impl DoctorDocument {
    /// The report.
    pub(crate) fn new(report: &DoctorReport) -> Self {
        let store = &report.store;
        Self {
            squall: VERSION,
            kind: "doctor",
            able: report.is_able(),
            rung: report.rung.map(Rung::as_str),
            ssh_server: report.ssh_server.clone(),
            kernel: report.kernel.clone(),
            user_id: report.user_id,
            rungs: report.rungs.iter().map(RungEntry::of).collect(),
            sshd: report.sshd.as_ref().map(|path| path.display().to_string()),
            cgroups: match report.cgroups {
                CgroupKind::V1 => "v1",
                CgroupKind::V2 => "v2",
                CgroupKind::None { .. } => "none",
            },
            limits_kept: report.limits_kept.clone(),
            bounds: report
                .bounds
                .iter()
                .map(|bound| BoundEntry {
                    what: bound.what.clone(),
                    nodes_max: bound.nodes_max,
                    mend: bound.mend.clone(),
                })
                .collect(),
            store: StoreEntry {
                path: store.path.display().to_string(),
                bytes_free: store.bytes_free,
                problem: store.problem.clone(),
            },
            clusters: clusters(report),
            notes: report.notes.clone(),
        }
    }
}

impl RungEntry {
    fn of(probe: &RungProbe) -> Self {
        let steps = probe.steps.iter();
        Self {
            rung: probe.rung.as_str(),
            works: probe.works,
            why: probe.why.clone(),
            mend: probe.mend.clone(),
            steps: steps
                .map(|step| StepEntry {
                    name: step.name.clone(),
                    required: step.required,
                    error: step.error.clone(),
                })
                .collect(),
        }
    }
}

fn clusters(report: &DoctorReport) -> Vec<ClusterEntry> {
    let entries = report.clusters.iter().map(|cluster| {
        let (supervisor, why) = match &cluster.supervisor {
            SupervisorHealth::Answers { .. } => ("answers", None),
            SupervisorHealth::NotRunning => ("not-running", None),
            SupervisorHealth::Failing { why } => ("failing", Some(why.clone())),
            SupervisorHealth::Unreadable { why } => ("unreadable", Some(why.clone())),
        };
        ClusterEntry { name: cluster.name.clone(), node_count: cluster.nodes, supervisor, why }
    });
    entries.collect()
}
