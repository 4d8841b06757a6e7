//! What this machine can do for local nodes, found by trying, as one report
//! that can be shown and serialised. Changes nothing.

use std::path::PathBuf;

use model::resolved::LOCAL_NODE_COUNT_MAX;
use serde::{Deserialize, Serialize};

use super::cgroup;
use super::client::{ClientError, SupervisorClient};
use super::observe::chain;
use super::probe::{find_sshd, machine_limits};
use super::provider::{Local, SshChoice};
use super::rung::{CgroupKind, MachineLimits, Rung, RungProbe};
use super::store::Room;

/// Version of [`DoctorReport`] as JSON. Fields may be added within a version.
pub const REPORT_VERSION: u32 = 1;
/// Memory of a node with its ssh server, in bytes: measured 2.1 MiB in the
/// prototype, with room for a session.
const NODE_MEMORY_BYTES: u64 = 4 * 1024 * 1024;
/// Processes of a node: its PID 1, ssh server, and a session with a command.
const NODE_PROCESSES: u64 = 6;
/// Files that a supervisor holds open per node, and beside them.
const NODE_OPEN_FILES: u64 = 2;
const OTHER_OPEN_FILES: u64 = 64;
/// Disk space that a node takes, in bytes.
const NODE_DISK_BYTES: u64 = 1024 * 1024;

/// What this machine can do for local nodes.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct DoctorReport {
    /// [`REPORT_VERSION`].
    pub version: u32,
    /// Release of the kernel.
    pub kernel: String,
    /// Number of the user that asks; 0 is root.
    pub user_id: u32,
    /// Every way to make nodes, tried.
    pub rungs: Vec<RungProbe>,
    /// The way that new clusters are made; `None` when none works.
    pub rung: Option<Rung>,
    /// Whether the way was chosen by the user instead of by trying.
    pub rung_overridden: bool,
    /// The host's sshd.
    pub sshd: Option<PathBuf>,
    /// The ssh server that new nodes get: `real` or `embedded`.
    pub ssh_server: String,
    /// How limits can be kept.
    pub cgroups: CgroupKind,
    /// What of `memory`, `cores` and `processes` can be limited.
    pub limits_kept: Vec<String>,
    /// Limits of the machine.
    pub limits: MachineLimits,
    /// What bounds the number of nodes, the tightest first.
    pub bounds: Vec<Bound>,
    /// The node store.
    pub store: StoreReport,
    /// Every cluster here.
    pub clusters: Vec<ClusterHealth>,
    /// What else a user should know.
    pub notes: Vec<String>,
}

impl DoctorReport {
    /// Whether nodes can be made here.
    #[must_use]
    pub const fn is_able(&self) -> bool {
        self.rung.is_some()
    }
}

/// Something that bounds the number of nodes. An estimate.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Bound {
    /// What bounds it, as "memory is enough".
    pub what: String,
    /// For about how many nodes.
    pub nodes_max: u64,
    /// How to get more.
    pub mend: String,
}

/// The node store as it is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StoreReport {
    /// Where it is.
    pub path: PathBuf,
    /// Bytes free on its disk; `None` when it cannot be looked at.
    pub bytes_free: Option<u64>,
    /// Files that can be made there, where that is limited.
    pub files_free: Option<u64>,
    /// Why it cannot be used.
    pub problem: Option<String>,
}

/// One cluster and its supervisor.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ClusterHealth {
    /// Its name.
    pub name: String,
    /// How many nodes it has.
    pub nodes: usize,
    /// How its supervisor is.
    pub supervisor: SupervisorHealth,
}

/// How a supervisor is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "kind")]
pub enum SupervisorHealth {
    /// It answers.
    Answers {
        /// Its process.
        pid: u32,
        /// Its build.
        build: String,
    },
    /// None runs: all nodes are stopped.
    NotRunning,
    /// It runs and does not answer well.
    Failing {
        /// In what way.
        why: String,
    },
    /// The cluster itself cannot be read.
    Unreadable {
        /// Why.
        why: String,
    },
}

/// Looks at everything.
pub(super) fn examine(local: &Local) -> DoctorReport {
    let room = local.store.room();
    let rungs = local.probes().to_vec();
    let rung = local.chosen_rung();
    let sshd = find_sshd();
    let real =
        rung == Some(Rung::Root) && sshd.is_some() && local.config.ssh != Some(SshChoice::Embedded);
    let cgroups = cgroup::detect();
    let limits_kept = match cgroups {
        CgroupKind::None { .. } => Vec::new(),
        CgroupKind::V1 | CgroupKind::V2 => {
            ["memory", "cores", "processes"].map(str::to_owned).to_vec()
        }
    };
    let mut bounds = bounds(room.as_ref().ok().copied());
    bounds.sort_by_key(|bound| bound.nodes_max);
    DoctorReport {
        version: REPORT_VERSION,
        kernel: rustix::system::uname().release().to_string_lossy().into_owned(),
        user_id: rustix::process::geteuid().as_raw(),
        rungs,
        rung,
        rung_overridden: local.config.rung.is_some(),
        ssh_server: if real { "real" } else { "embedded" }.to_owned(),
        notes: notes(rung, sshd.is_some(), local.config.ssh),
        sshd,
        cgroups,
        limits_kept,
        limits: machine_limits(),
        bounds,
        store: StoreReport {
            path: local.store.root().to_owned(),
            bytes_free: room.as_ref().ok().map(|room| room.bytes),
            files_free: room.as_ref().ok().and_then(|room| room.files),
            problem: room.err().map(|error| error.cause()),
        },
        clusters: clusters(local),
    }
}

fn notes(rung: Option<Rung>, has_sshd: bool, choice: Option<SshChoice>) -> Vec<String> {
    let mut notes = Vec::new();
    if rung == Some(Rung::Root) {
        notes.push(
            "nodes made by root hold real-root processes: they are no security boundary".to_owned(),
        );
        if !has_sshd {
            notes.push(
                "no sshd is installed here: nodes use the embedded ssh server; install \
                 openssh-server for real ones"
                    .to_owned(),
            );
        }
    }
    if rung == Some(Rung::UserNamespace) {
        notes.push(
            "nodes made by an ordinary user know only root: no other accounts, no host sshd"
                .to_owned(),
        );
        if choice == Some(SshChoice::Real) {
            notes.push("the host's sshd was asked for and cannot be used".to_owned());
        }
    }
    notes
}

/// What bounds the number of nodes here.
pub(super) fn bounds(room: Option<Room>) -> Vec<Bound> {
    let limits = machine_limits();
    let bound = |what: &str, nodes_max: u64, mend: &str| Bound {
        what: what.to_owned(),
        nodes_max,
        mend: mend.to_owned(),
    };
    let files = limits.open_files_max.saturating_sub(OTHER_OPEN_FILES) / NODE_OPEN_FILES;
    let ports = limits.bridge_ports_max.min(u64::from(LOCAL_NODE_COUNT_MAX));
    let mut all = vec![
        bound("a bridge has ports", ports, "make several clusters"),
        bound("open files are enough", files, "raise the hard limit: ulimit -Hn"),
        bound(
            "process numbers are enough",
            limits.pid_max / NODE_PROCESSES,
            "raise it: sudo sysctl -w kernel.pid_max=4194304",
        ),
    ];
    all.extend(limits.memory_available_bytes.map(|bytes| {
        bound("memory is enough", bytes / NODE_MEMORY_BYTES, "stop something that uses memory")
    }));
    all.extend(room.map(|room| {
        bound("the disk is enough", room.bytes / NODE_DISK_BYTES, "make room on the disk")
    }));
    all
}

fn clusters(local: &Local) -> Vec<ClusterHealth> {
    let slugs = local.store.slugs().unwrap_or_default();
    slugs.iter().filter_map(|slug| health(local, slug)).collect()
}

fn health(local: &Local, slug: &str) -> Option<ClusterHealth> {
    let dir = local.store.cluster(slug);
    let nodes = dir.nodes().map_or(0, |nodes| nodes.len());
    let (name, supervisor) = match dir.read() {
        Ok(None) => return None,
        Ok(Some(file)) => (file.record.name.to_string(), supervisor(dir.path())),
        Err(error) => (slug.to_owned(), SupervisorHealth::Unreadable { why: error.cause() }),
    };
    Some(ClusterHealth { name, nodes, supervisor })
}

fn supervisor(cluster_dir: &std::path::Path) -> SupervisorHealth {
    let answer = SupervisorClient::connect(cluster_dir).and_then(|mut client| {
        client.list()?;
        let welcome = client.welcome();
        Ok(SupervisorHealth::Answers { pid: welcome.pid, build: welcome.build.clone() })
    });
    match answer {
        Ok(health) => health,
        Err(ClientError::NotRunning(_)) => SupervisorHealth::NotRunning,
        Err(error) => SupervisorHealth::Failing { why: chain(&error) },
    }
}
