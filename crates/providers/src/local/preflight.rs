//! What would make creation fail, found before anything is made.

use model::diagnostic::Diagnostic;
use model::resolved::Resolved;

use super::cgroup;
use super::doctor::{self, Bound};
use super::provider::{Local, SshChoice};
use super::rung::{CgroupKind, Rung};
use super::store::StoreError;
use crate::error::ProviderError;

/// Disk space that a node takes before anything is done in it, in bytes:
/// its files (some 200 KiB) and directories, with room for its console.
const NODE_BYTES: u64 = 1024 * 1024;
/// Disk space that a cluster takes beside its nodes and the copy of the
/// binary, with room for timelines.
const CLUSTER_BYTES: u64 = 8 * 1024 * 1024;
/// Files and directories that a node takes.
const NODE_FILES: u64 = 200;

/// Disk space that a cluster of so many nodes needs to be made.
pub(super) fn bytes_wanted(local: &Local, nodes: u32) -> Result<u64, StoreError> {
    let program = local.store.program_bytes(&local.config.program)?;
    Ok(program + CLUSTER_BYTES + u64::from(nodes) * NODE_BYTES)
}

/// All problems; errors, warnings and notes.
pub(super) fn check(local: &Local, spec: &Resolved) -> Result<Vec<Diagnostic>, ProviderError> {
    let nodes = spec.node_count();
    let mut found = Vec::new();
    let no_store = |error: StoreError| error.at("look at the node store");
    let wanted = bytes_wanted(local, nodes).map_err(no_store)?;
    let room = local.store.room().map_err(no_store)?;
    if room.bytes < wanted || room.files.is_some_and(|files| files < u64::from(nodes) * NODE_FILES)
    {
        found.push(full_disk(local, nodes, wanted, room.bytes));
        return Ok(found);
    }
    let Some(rung) = local.chosen_rung() else {
        found.push(no_rung(local));
        return Ok(found);
    };
    found.extend(too_many(nodes, &doctor::bounds(Some(room))));
    found.extend(wrong_ssh(local, rung));
    found.extend(unkept_limits(spec));
    found.extend(root_only(spec, local, rung));
    Ok(found)
}

fn full_disk(local: &Local, nodes: u32, wanted: u64, free: u64) -> Diagnostic {
    let text = format!(
        "no space left on the disk of the node store ({}): {nodes} nodes need {} MiB, {} MiB are free",
        local.store.root().display(),
        wanted.div_ceil(1 << 20),
        free >> 20
    );
    Diagnostic::error("local-disk-full", text)
        .help("make room there, or set XDG_DATA_HOME to a directory with more")
}

fn no_rung(local: &Local) -> Diagnostic {
    let text = "this machine does not let squall make nodes";
    let mut diagnostic = Diagnostic::error("local-no-rung", text);
    for probe in local.probes() {
        let why = probe.why.as_deref().unwrap_or("unknown why");
        diagnostic = diagnostic.help(format!("as {}: {why}", probe.rung));
        if let Some(mend) = &probe.mend {
            diagnostic = diagnostic.help(mend.clone());
        }
    }
    diagnostic.help("`squall doctor` tells more")
}

fn too_many(nodes: u32, bounds: &[Bound]) -> Option<Diagnostic> {
    let least = bounds.iter().min_by_key(|bound| bound.nodes_max)?;
    (u64::from(nodes) > least.nodes_max).then(|| {
        let text = format!(
            "{nodes} nodes are more than this machine is likely to hold: {} for about {}",
            least.what, least.nodes_max
        );
        Diagnostic::warning("local-many-nodes", text).help(least.mend.clone())
    })
}

fn wrong_ssh(local: &Local, rung: Rung) -> Option<Diagnostic> {
    if local.config.ssh != Some(SshChoice::Real) {
        return None;
    }
    let text = match rung {
        Rung::UserNamespace => "the host's sshd cannot run where only root exists",
        Rung::Root if super::probe::find_sshd().is_none() => "this machine has no sshd",
        Rung::Root => return None,
    };
    Some(Diagnostic::error("local-no-sshd", text).help("use the embedded ssh server"))
}

fn unkept_limits(spec: &Resolved) -> Option<Diagnostic> {
    let limited = spec.pools.iter().any(|pool| pool.limits != model::plan::NodeLimits::default());
    match cgroup::detect() {
        CgroupKind::None { why } if limited => {
            let text = format!("nodes will not be limited in memory, cores and processes: {why}");
            Some(Diagnostic::warning("local-no-limits", text))
        }
        _ => None,
    }
}

/// Pools whose `username` cannot be made: only the host's sshd, as root, knows
/// other accounts.
fn root_only(spec: &Resolved, local: &Local, rung: Rung) -> Option<Diagnostic> {
    let real = rung == Rung::Root
        && local.config.ssh != Some(SshChoice::Embedded)
        && super::probe::find_sshd().is_some();
    let pool = spec.pools.iter().find(|pool| pool.username != "root")?;
    (!real).then(|| {
        let text = format!(
            "nodes are logged in to as root: the account {} of {} cannot be made",
            pool.username, pool.name
        );
        Diagnostic::note("local-root-only", text)
            .help("other accounts need squall run by root and an sshd on this machine")
    })
}
