//! What a supervisor leaves on disk about its nodes: one status file each and
//! one timeline. Read by the next supervisor, and by whoever asks while there
//! is none.

use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use jiff::Timestamp;
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::launch::NodeLaunch;
use super::node_init::script_state_at_rest;
use super::status::{
    LAUNCH_FILE, LocalEvent, LocalEventKind, NODES_DIRECTORY, NodeStatus, RunState, STATUS_FILE,
    ScriptState, ScriptStatus,
};

/// The timeline of a cluster.
const EVENTS_FILE: &str = "events.jsonl";
/// Its older part.
const EVENTS_OLD_FILE: &str = "events.jsonl.1";
/// When the timeline is cut: about five thousand lines, twice.
const EVENTS_BYTES_MAX: u64 = 1024 * 1024;

/// The host's boot that we are in; empty where the kernel does not tell.
pub(super) fn host_boot_id() -> String {
    let text = std::fs::read_to_string("/proc/sys/kernel/random/boot_id").unwrap_or_default();
    text.trim().to_owned()
}

/// Writes a file so that readers see the old text or the new, never a part.
pub(super) fn write_json(path: &Path, value: &impl Serialize) -> io::Result<()> {
    let beside = path.with_extension("new");
    let mut text = serde_json::to_vec_pretty(value)?;
    text.push(b'\n');
    let mut file = std::fs::OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(true)
        .mode(0o600)
        .open(&beside)?;
    file.write_all(&text)?;
    std::fs::rename(&beside, path)
}

fn read_json<T: DeserializeOwned>(path: &Path) -> Option<T> {
    serde_json::from_slice(&std::fs::read(path).ok()?).ok()
}

/// The launch of a node, if it was ever launched and can be read.
#[must_use]
pub fn read_launch(node_dir: &Path) -> Option<NodeLaunch> {
    read_json(&node_dir.join(LAUNCH_FILE))
}

/// Every node that was ever launched in a cluster's directory, as it is when
/// no supervisor runs: what was running is stopped, because nodes die with
/// their supervisor. Not for use beside a live supervisor; ask that instead.
#[must_use]
pub fn read_statuses(cluster_dir: &Path) -> Vec<NodeStatus> {
    let boot = host_boot_id();
    let mut all: Vec<NodeStatus> = node_dirs(cluster_dir)
        .iter()
        .filter_map(|node_dir| {
            let status: NodeStatus = read_json(&node_dir.join(STATUS_FILE))?;
            Some(at_rest(status, &boot, node_dir))
        })
        .collect();
    all.sort_by(|a, b| a.name.cmp(&b.name));
    all
}

/// Whether the last supervisor died over a node.
pub(super) fn was_left_running(node_dir: &Path) -> bool {
    read_json::<NodeStatus>(&node_dir.join(STATUS_FILE))
        .is_some_and(|status| status.state != RunState::Stopped)
}

/// The directories of a cluster's nodes.
pub(super) fn node_dirs(cluster_dir: &Path) -> Vec<PathBuf> {
    let Ok(entries) = std::fs::read_dir(cluster_dir.join(NODES_DIRECTORY)) else {
        return Vec::new();
    };
    entries
        .flatten()
        .filter(|entry| entry.file_type().is_ok_and(|kind| kind.is_dir()))
        .map(|entry| entry.path())
        .collect()
}

/// A status as it is once its supervisor is gone.
fn at_rest(mut status: NodeStatus, host_boot: &str, node_dir: &Path) -> NodeStatus {
    if status.state != RunState::Stopped {
        let why = if status.host_boot_id == host_boot {
            "its supervisor was lost"
        } else {
            "the host restarted"
        };
        status.last_exit = Some(why.to_owned());
        status.state = RunState::Stopped;
    }
    status.pid = None;
    status.ssh_listening = None;
    scripts_at_rest(&mut status.scripts, node_dir);
    status
}

/// Scripts that nobody can be running any more.
pub(super) fn scripts_at_rest(scripts: &mut [ScriptStatus], node_dir: &Path) {
    for (index, script) in scripts.iter_mut().enumerate() {
        if !matches!(script.state, ScriptState::Ended { .. }) {
            script.state = script_state_at_rest(node_dir, index, &script.name);
        }
    }
}

/// Adds a line to the timeline. Where that fails the line is lost, nothing
/// else.
pub(super) fn append_event(
    cluster_dir: &Path,
    node: Option<&str>,
    kind: LocalEventKind,
    text: &str,
) {
    let event = LocalEvent {
        at: Timestamp::now(),
        node: node.map(str::to_owned),
        kind,
        text: text.to_owned(),
    };
    let path = cluster_dir.join(EVENTS_FILE);
    let _ = append_line(&path, &event);
    if path.metadata().is_ok_and(|found| found.len() > EVENTS_BYTES_MAX) {
        let _ = std::fs::rename(&path, cluster_dir.join(EVENTS_OLD_FILE));
    }
}

fn append_line(path: &Path, event: &LocalEvent) -> io::Result<()> {
    let mut line = serde_json::to_vec(event)?;
    line.push(b'\n');
    std::fs::OpenOptions::new().append(true).create(true).mode(0o600).open(path)?.write_all(&line)
}

/// The timeline of a cluster, oldest first. Lines that cannot be read (the
/// last one after a crash) are left out.
///
/// # Errors
/// When a file is there and cannot be read.
pub fn read_events(cluster_dir: &Path) -> io::Result<Vec<LocalEvent>> {
    let mut events = Vec::new();
    for file in [EVENTS_OLD_FILE, EVENTS_FILE] {
        match std::fs::read(cluster_dir.join(file)) {
            Ok(bytes) => events.extend(
                bytes
                    .split(|byte| *byte == b'\n')
                    .filter_map(|line| serde_json::from_slice(line).ok()),
            ),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => return Err(error),
        }
    }
    Ok(events)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn status(name: &str, state: RunState, boot: &str) -> NodeStatus {
        NodeStatus {
            name: name.to_owned(),
            address: [10, 77, 0, 11].into(),
            state,
            since: Timestamp::UNIX_EPOCH,
            pid: Some(7),
            boots: 1,
            last_exit: None,
            ssh_listening: Some(true),
            scripts: Vec::new(),
            notes: Vec::new(),
            host_boot_id: boot.to_owned(),
        }
    }

    #[test]
    fn without_a_supervisor_nothing_runs_and_the_reason_is_told() {
        let directory = tempfile::tempdir().unwrap();
        for one in [
            status("a", RunState::Running, &host_boot_id()),
            status("b", RunState::Pending, "another boot"),
            status("c", RunState::Stopped, "another boot"),
        ] {
            let place = directory.path().join(NODES_DIRECTORY).join(&one.name);
            std::fs::create_dir_all(&place).unwrap();
            write_json(&place.join(STATUS_FILE), &one).unwrap();
        }
        let broken = directory.path().join(NODES_DIRECTORY).join("d");
        std::fs::create_dir_all(&broken).unwrap();
        std::fs::write(broken.join(STATUS_FILE), "{").unwrap();
        let read: Vec<_> = read_statuses(directory.path())
            .into_iter()
            .map(|one| (one.name, one.state, one.pid, one.last_exit))
            .collect();
        let why = |text: &str| Some(text.to_owned());
        assert_eq!(
            read,
            [
                ("a".to_owned(), RunState::Stopped, None, why("its supervisor was lost")),
                ("b".to_owned(), RunState::Stopped, None, why("the host restarted")),
                ("c".to_owned(), RunState::Stopped, None, None),
            ]
        );
    }

    #[test]
    fn the_timeline_is_bounded_and_survives_a_torn_line() {
        let directory = tempfile::tempdir().unwrap();
        let long = "x".repeat(100_000);
        for _ in 0..30 {
            append_event(directory.path(), Some("a"), LocalEventKind::Note, &long);
        }
        append_event(directory.path(), None, LocalEventKind::Supervisor, "last");
        let events_path = directory.path().join(EVENTS_FILE);
        std::fs::OpenOptions::new()
            .append(true)
            .open(events_path)
            .unwrap()
            .write_all(b"{\"at\":\"20")
            .unwrap();
        let events = read_events(directory.path()).unwrap();
        assert!(events.len() >= 10 && events.len() < 30, "{}", events.len());
        assert_eq!(events.last().unwrap().text, "last");
    }
}
