//! What is there: the store says what was made, the supervisor what runs. What
//! cannot be read is unknown, with the reason.

use std::collections::BTreeMap;
use std::net::SocketAddr;

use jiff::Timestamp;
use model::Endpoint;
use model::inventory::{ClusterRecord, ClusterSummary, Condition, Inventory, Known, ObservedNode};
use model::name::{ClusterName, NodeName, PoolName};
use model::node::{NodeId, NodeState};
use model::resolved::ProviderKind;
use model::tag;

use super::client::{ClientError, SupervisorClient};
use super::launch::{SSH_PORT, SshServer};
use super::protocol::SOCKET_FILE;
use super::provider::{Local, REGION};
use super::record;
use super::status::{NodeStatus, RunState, ScriptState, ScriptStatus};
use super::store::{ClusterDir, ClusterFile, NodeEntry, NodeFile, Stage};
use crate::error::ProviderError;

/// Start of the id of a directory that holds no readable node.
const BROKEN_PREFIX: &str = "l-broken-";

/// The supervisor's word on every node, by slug.
pub(super) type Statuses = BTreeMap<String, NodeStatus>;

/// What is there of one cluster.
pub(super) fn cluster(local: &Local, name: &ClusterName) -> Inventory {
    let dir = local.store.cluster(&name.slug());
    let mut inventory = Inventory {
        provider: ProviderKind::Local,
        region: REGION.to_owned(),
        cluster: name.clone(),
        observed_at: (local.config.now)(),
        record: Known::Seen(None),
        nodes: Known::Seen(Vec::new()),
    };
    match dir.read() {
        Ok(Some(file)) if file.record.name == *name => {
            inventory.nodes = match nodes(&dir, &file) {
                Ok(nodes) => Known::Seen(nodes),
                // It was deleted while we looked.
                Err(_) if !dir.exists() => return inventory,
                Err(why) => Known::Unknown(why),
            };
            inventory.record = Known::Seen(Some(file.record));
        }
        Ok(Some(_)) => {}
        Ok(None) => local.store.sweep_scraps(),
        Err(_) if !dir.exists() => {}
        Err(error) => {
            let why = with_mend(&error.cause(), error.mend());
            inventory.record = Known::Unknown(why.clone());
            inventory.nodes = Known::Unknown(why);
        }
    }
    inventory
}

/// One line for every cluster.
pub(super) fn clusters(local: &Local) -> Result<Vec<ClusterSummary>, ProviderError> {
    let slugs = local.store.slugs().map_err(|error| error.at("list clusters"))?;
    local.store.sweep_scraps();
    Ok(slugs
        .iter()
        .filter_map(|slug| {
            let dir = local.store.cluster(slug);
            match dir.read() {
                Ok(file) => file.map(|file| summary(&dir, &file)),
                Err(_) if !dir.exists() => None,
                Err(error) => unreadable(slug, &dir, with_mend(&error.cause(), error.mend())),
            }
        })
        .collect())
}

fn summary(dir: &ClusterDir, file: &ClusterFile) -> ClusterSummary {
    let mut counts = BTreeMap::new();
    let note = match nodes(dir, file) {
        Ok(nodes) => {
            for node in &nodes {
                *counts.entry(node.state).or_insert(0) += 1;
            }
            None
        }
        Err(why) => Some(why),
    };
    ClusterSummary {
        name: file.record.name.clone(),
        provider: ProviderKind::Local,
        region: REGION.to_owned(),
        owner: file.record.owner.clone(),
        created_at: file.record.created_at,
        nodes: counts,
        condition: file.record.condition(),
        note,
    }
}

fn unreadable(slug: &str, dir: &ClusterDir, why: String) -> Option<ClusterSummary> {
    let changed = std::fs::metadata(dir.path()).and_then(|meta| meta.modified()).ok();
    Some(ClusterSummary {
        name: ClusterName::parse(slug).ok()?,
        provider: ProviderKind::Local,
        region: REGION.to_owned(),
        owner: String::new(),
        created_at: changed
            .and_then(|time| Timestamp::try_from(time).ok())
            .unwrap_or(Timestamp::UNIX_EPOCH),
        nodes: BTreeMap::new(),
        condition: Condition::Unreadable,
        note: Some(why),
    })
}

fn with_mend(cause: &str, mend: Option<String>) -> String {
    match mend {
        Some(mend) => format!("{cause}; {mend}"),
        None => cause.to_owned(),
    }
}

/// The machines of a cluster, or why they cannot be told.
fn nodes(dir: &ClusterDir, file: &ClusterFile) -> Result<Vec<ObservedNode>, String> {
    let entries = dir.nodes().map_err(|error| with_mend(&error.cause(), error.mend()))?;
    let statuses = statuses(dir).map_err(|error| chain(&error))?;
    let mut nodes: Vec<ObservedNode> = entries
        .iter()
        .filter_map(|(slug, entry)| {
            let status = statuses.get(slug);
            match entry {
                NodeEntry::Recorded(node) => Some(recorded(dir, &file.record, node, status)),
                NodeEntry::Broken(why) => broken(slug, &file.record, why, status),
            }
        })
        .collect();
    let order = |node: &ObservedNode| {
        let name = node.name.as_str();
        (node.pool.clone(), name.len(), name.to_owned())
    };
    nodes.sort_by_key(order);
    Ok(nodes)
}

/// What the supervisor says of its nodes, or what it left when it is gone.
pub(super) fn statuses(dir: &ClusterDir) -> Result<Statuses, ClientError> {
    let list = match SupervisorClient::connect(dir.path()) {
        Ok(mut client) => client.list()?,
        Err(ClientError::NotRunning(_)) => record::read_statuses(dir.path()),
        Err(error) => return Err(error),
    };
    Ok(list.into_iter().map(|status| (status.name.clone(), status)).collect())
}

/// An error with what caused it, in one line.
pub(super) fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        text = format!("{text}: {cause}");
        source = cause.source();
    }
    text
}

/// The id that a directory without a readable record is shown under.
pub(super) fn broken_id(slug: &str) -> NodeId {
    NodeId(format!("{BROKEN_PREFIX}{slug}"))
}

/// A node as callers see it.
fn recorded(
    dir: &ClusterDir,
    record: &ClusterRecord,
    file: &NodeFile,
    status: Option<&NodeStatus>,
) -> ObservedNode {
    let at_work = || dir.node(&file.wanted.name.slug()).is_at_work_on();
    let (state, state_reason) = state(file.stage, status, at_work);
    let running = state == NodeState::Running;
    let ownership = tag::Ownership {
        cluster: &record.name,
        cluster_id: &file.cluster_id,
        pool: &file.wanted.pool,
        node: &file.wanted.name,
        generation: file.generation,
        owner: &file.owner,
    };
    ObservedNode {
        name: file.wanted.name.clone(),
        pool: file.wanted.pool.clone(),
        role: file.wanted.role.clone(),
        id: file.id.clone(),
        state,
        state_reason,
        instance_type: file.wanted.instance_type.clone(),
        image: file.wanted.image.clone(),
        external_ip: None,
        internal_ip: Some(file.address.to_string()),
        endpoint: running.then(|| Endpoint::Namespace {
            relay: dir.path().join(SOCKET_FILE).to_string_lossy().into_owned(),
            address: SocketAddr::from((file.address, SSH_PORT)),
        }),
        username: file.username.clone(),
        host_key: Some(file.host_key_public.clone()),
        generation: file.generation,
        digest: file.wanted.digest.clone(),
        created_at: file.created_at,
        started_at: status.filter(|_| running).map(|status| status.since),
        tags: ownership.tags(&file.wanted.tags),
        properties: properties(dir, file, status),
    }
}

/// A node's state, and the reason where there is more to say.
fn state(
    stage: Stage,
    status: Option<&NodeStatus>,
    at_work: impl FnOnce() -> bool,
) -> (NodeState, Option<String>) {
    if stage == Stage::Removing {
        let why = "its removal was begun; the next create or delete ends it".to_owned();
        return (NodeState::Terminating, Some(why));
    }
    match status {
        Some(status) if stage == Stage::Made || status.state != RunState::Stopped => {
            let state = match status.state {
                RunState::Pending => NodeState::Pending,
                RunState::Running => NodeState::Running,
                RunState::Stopping => NodeState::Stopping,
                RunState::Stopped => NodeState::Stopped,
            };
            let why = status.last_exit.clone().filter(|_| state == NodeState::Stopped);
            (state, why)
        }
        None if stage == Stage::Made => (NodeState::Stopped, None),
        _ if at_work() => (NodeState::Pending, None),
        _ => {
            let why = "its making was interrupted; the next create or delete clears it away";
            (NodeState::Terminating, Some(why.to_owned()))
        }
    }
}

/// A directory that holds no readable node. It is shown as a machine that
/// nothing was made like, so that plans replace or remove it before everybody's
/// eyes.
fn broken(
    slug: &str,
    record: &ClusterRecord,
    why: &str,
    status: Option<&NodeStatus>,
) -> Option<ObservedNode> {
    let name = NodeName::parse(slug).ok()?;
    let pool = PoolName::parse(slug).ok()?;
    let state = match status.map(|status| status.state) {
        Some(RunState::Running) => NodeState::Running,
        _ => NodeState::Stopped,
    };
    let ownership = tag::Ownership {
        cluster: &record.name,
        cluster_id: &record.id,
        pool: &pool,
        node: &name,
        generation: record.accepted,
        owner: &record.owner,
    };
    Some(ObservedNode {
        id: broken_id(slug),
        state,
        state_reason: Some(format!("not a whole node: {why}")),
        tags: ownership.tags(&BTreeMap::new()),
        name,
        pool,
        role: String::new(),
        instance_type: String::new(),
        image: String::new(),
        external_ip: None,
        internal_ip: status.map(|status| status.address.to_string()),
        endpoint: None,
        username: String::new(),
        host_key: None,
        generation: record.accepted,
        digest: String::new(),
        created_at: record.created_at,
        started_at: None,
        properties: BTreeMap::new(),
    })
}

/// Everything else that is known of a node.
fn properties(
    dir: &ClusterDir,
    file: &NodeFile,
    status: Option<&NodeStatus>,
) -> BTreeMap<String, String> {
    let node_dir = dir.node(&file.wanted.name.slug());
    let mut all = BTreeMap::from([
        ("kernel", rustix::system::uname().release().to_string_lossy().into_owned()),
        ("mac", file.mac.to_string()),
        ("node_dir", node_dir.path().display().to_string()),
        ("rung", file.rung.to_string()),
        ("ssh_server", ssh_server(&file.ssh_server)),
    ]);
    let limits = file.wanted.limits;
    let mut limit = |key, value: Option<String>| all.extend(value.map(|value| (key, value)));
    limit("limit_memory_bytes", limits.memory_bytes.map(|value| value.to_string()));
    limit("limit_cores", limits.cores_milli.map(|milli| format!("{}", f64::from(milli) / 1000.0)));
    limit("limit_processes", limits.processes.map(|value| value.to_string()));
    if let Some(status) = status {
        limit("pid", status.pid.map(|pid| pid.to_string()));
        limit("boots", Some(status.boots.to_string()));
        limit("last_exit", status.last_exit.clone());
        limit("ssh_listening", status.ssh_listening.map(|seen| seen.to_string()));
        let scripts: Vec<String> = status.scripts.iter().map(script).collect();
        limit("first_boot", (!scripts.is_empty()).then(|| scripts.join(", ")));
        limit("notes", (!status.notes.is_empty()).then(|| status.notes.join("; ")));
    }
    all.into_iter().map(|(key, value)| (key.to_owned(), value)).collect()
}

fn ssh_server(server: &SshServer) -> String {
    match server {
        SshServer::Real { program } => program.display().to_string(),
        SshServer::Embedded => "embedded".to_owned(),
    }
}

fn script(status: &ScriptStatus) -> String {
    let state = match status.state {
        ScriptState::Waiting => "waiting".to_owned(),
        ScriptState::Running => "running".to_owned(),
        ScriptState::Ended { code } => format!("exit code {code}"),
        ScriptState::Interrupted => "interrupted".to_owned(),
    };
    format!("{}: {state}", status.name)
}
