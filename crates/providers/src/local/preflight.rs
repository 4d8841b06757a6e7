//! What would make creation fail, found before anything is made.

use std::path::Path;

use model::diagnostic::Diagnostic;
use model::plan::NodeLimits;
use model::resolved::Resolved;

use super::cgroup;
use super::doctor::{self, Bound};
use super::probe::find_sshd;
use super::provider::{Local, SshChoice};
use super::rung::{CgroupKind, Rung, RungProbe};
use super::store::StoreError;
use crate::error::ProviderError;

/// Every code of a diagnostic of the local provider, and what it means.
pub const CODES: &[(&str, &str)] = &[
    ("local-disk-full", "the disk of the node store has no room for the cluster"),
    ("local-many-nodes", "more nodes than this machine is likely to hold"),
    ("local-no-limits", "limits of nodes cannot be kept on this machine"),
    ("local-no-rung", "this machine does not let squall make nodes"),
    ("local-no-sshd", "the host's sshd was asked for and cannot be used"),
    ("local-root-only", "a pool's account cannot be made, its nodes know only root"),
];

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
        found.push(full_disk(local.store.root(), nodes, wanted, room.bytes));
        return Ok(found);
    }
    let Some(rung) = local.chosen_rung() else {
        found.push(no_rung(local.probes()));
        return Ok(found);
    };
    found.extend(too_many(nodes, &doctor::bounds(Some(room))));
    let has_sshd = find_sshd().is_some();
    found.extend(wrong_ssh(local.config.ssh, rung, has_sshd));
    found.extend(unkept_limits(spec, cgroup::detect()));
    let real = rung == Rung::Root && local.config.ssh != Some(SshChoice::Embedded) && has_sshd;
    if !real {
        found.extend(root_only(spec));
    }
    Ok(found)
}

fn full_disk(store: &Path, nodes: u32, wanted: u64, free: u64) -> Diagnostic {
    let text = format!(
        "no space left on the disk of the node store ({}): {nodes} nodes need {} MiB, {} MiB are free",
        store.display(),
        wanted.div_ceil(1 << 20),
        free >> 20
    );
    Diagnostic::error("local-disk-full", text)
        .help("make room there, or put everything elsewhere with SQUALL_HOME")
}

fn no_rung(probes: &[RungProbe]) -> Diagnostic {
    let text = "this machine does not let squall make nodes";
    let mut diagnostic = Diagnostic::error("local-no-rung", text);
    for probe in probes {
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

fn wrong_ssh(choice: Option<SshChoice>, rung: Rung, has_sshd: bool) -> Option<Diagnostic> {
    if choice != Some(SshChoice::Real) {
        return None;
    }
    let text = match rung {
        Rung::UserNamespace => "the host's sshd cannot run where only root exists",
        Rung::Root if has_sshd => return None,
        Rung::Root => "this machine has no sshd",
    };
    Some(Diagnostic::error("local-no-sshd", text).help("use the embedded ssh server"))
}

fn unkept_limits(spec: &Resolved, cgroups: CgroupKind) -> Option<Diagnostic> {
    let limited = spec.pools.iter().any(|pool| pool.limits != NodeLimits::default());
    match cgroups {
        CgroupKind::None { why } if limited => {
            let text = format!("nodes will not be limited in memory, cores and processes: {why}");
            Some(Diagnostic::warning("local-no-limits", text))
        }
        _ => None,
    }
}

/// A pool whose `username` cannot be made: only the host's sshd, as root, knows
/// other accounts.
fn root_only(spec: &Resolved) -> Option<Diagnostic> {
    let pool = spec.pools.iter().find(|pool| pool.username != "root")?;
    let text = format!(
        "nodes are logged in to as root: the account {} of {} cannot be made",
        pool.username, pool.name
    );
    Some(
        Diagnostic::note("local-root-only", text)
            .help("other accounts need squall run by root and an sshd on this machine"),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    /// One accepted spec in its stored form: what builders need a test crate
    /// for that needs this one.
    const SPEC: &str = r#"{"version":1,"spec":{"cluster":"demo","provider":"local","region":null,
        "profile":null,"network":{"use_placement_group":false,"create_vpc":false,"vpc_id":null,
        "subnet_id":null,"ssh_from":[]},"on_failure":"rollback","expires":null,"tags":{},
        "pools":[{"name":"n","role":"head","count":{"min":1,"max":1},"first":null,
        "instance_type":"host","image":"host","limits":{"memory_bytes":1,"cores_milli":null,
        "processes":null},"username":"ann","key":"default","spot":false,"tags":{},
        "first_boot":[]}]}}"#;

    #[test]
    fn every_problem_has_its_code_and_a_clear_text() {
        let spec = Resolved::from_stored(SPEC).unwrap();
        let probe = RungProbe {
            rung: Rung::Root,
            works: false,
            steps: Vec::new(),
            why: Some("failed to be root: this is an ordinary user".to_owned()),
            mend: Some("run squall as root".to_owned()),
        };
        let bound = Bound { what: "memory is enough".into(), nodes_max: 9, mend: "stop".into() };
        let none = CgroupKind::None { why: "no control groups are mounted".to_owned() };
        let found: Vec<Diagnostic> = [
            Some(full_disk(Path::new("/data"), 3, 12 << 20, 1 << 20)),
            too_many(10, &[bound]),
            unkept_limits(&spec, none),
            Some(no_rung(&[probe])),
            wrong_ssh(Some(SshChoice::Real), Rung::Root, false),
            root_only(&spec),
        ]
        .into_iter()
        .flatten()
        .collect();
        let codes: Vec<&str> = found.iter().map(|problem| problem.code).collect();
        let documented: Vec<&str> = CODES.iter().map(|(code, _)| *code).collect();
        assert_eq!(codes, documented);
        let sources = model::span::Sources::default();
        let text: Vec<String> = found.iter().map(|problem| problem.to_plain(&sources)).collect();
        insta::assert_snapshot!(text.join("\n"), @r"
        error[local-disk-full]: no space left on the disk of the node store (/data): 3 nodes need 12 MiB, 1 MiB are free
          help: make room there, or put everything elsewhere with SQUALL_HOME
        warning[local-many-nodes]: 10 nodes are more than this machine is likely to hold: memory is enough for about 9
          help: stop
        warning[local-no-limits]: nodes will not be limited in memory, cores and processes: no control groups are mounted
        error[local-no-rung]: this machine does not let squall make nodes
          help: as root: failed to be root: this is an ordinary user
          help: run squall as root
          help: `squall doctor` tells more
        error[local-no-sshd]: this machine has no sshd
          help: use the embedded ssh server
        note[local-root-only]: nodes are logged in to as root: the account ann of n cannot be made
          help: other accounts need squall run by root and an sshd on this machine
        ");
    }

    #[test]
    fn what_is_well_is_not_complained_of() {
        assert!(
            too_many(9, &[Bound { what: String::new(), nodes_max: 9, mend: String::new() }])
                .is_none()
        );
        assert!(wrong_ssh(Some(SshChoice::Real), Rung::Root, true).is_none());
        assert!(wrong_ssh(None, Rung::UserNamespace, false).is_none());
        assert!(wrong_ssh(Some(SshChoice::Real), Rung::UserNamespace, true).is_some());
        let spec = Resolved::from_stored(SPEC).unwrap();
        assert!(unkept_limits(&spec, CgroupKind::V1).is_none());
    }
}
