//! What the supervisor does when it is asked.

use std::path::Path;
use std::time::Duration;

use jiff::Timestamp;
use rustix::process::Signal;

use super::dials::Dial;
use super::event_loop::{Ending, Supervisor};
use super::hosts_file;
use super::nodes::{Intent, Node, Until, Waiter};
use crate::local::hosts::HostEntry;
use crate::local::launch::{LAUNCH_VERSION, NodeLaunch, SshServer};
use crate::local::net::gateway_of;
use crate::local::protocol::{Outcome, RefusalKind, Request};
use crate::local::record;
use crate::local::rung::Rung;
use crate::local::status::{
    LAUNCH_FILE, NODES_DIRECTORY, NodeStatus, RunState, STATUS_FILE, ScriptState, ScriptStatus,
};

/// Connections in the making, of all clients.
const DIALS_MAX: usize = 4096;
/// The longest wait that a client may ask for.
const WAIT_MAX: Duration = Duration::from_secs(3600);

/// One call of one client.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Origin {
    /// The client.
    pub(super) client: u64,
    /// The call's id.
    pub(super) call: u64,
}

/// A refusal.
pub(super) fn refusal(kind: RefusalKind, text: impl Into<String>) -> Outcome {
    Outcome::Refused { kind, text: text.into() }
}

fn duration(milliseconds: u64) -> Duration {
    Duration::from_millis(milliseconds).min(WAIT_MAX)
}

impl Supervisor {
    /// Does what is asked, now or later; every call is answered once.
    pub(super) fn request(&mut self, origin: Origin, request: Request) {
        match request {
            Request::Launch(launch) => self.launch(origin, *launch),
            Request::Stop { name, grace_ms } => {
                self.end_node(origin, &name, Intent::Stop, duration(grace_ms));
            }
            Request::Kill { name } => self.end_node(origin, &name, Intent::Kill, Duration::ZERO),
            Request::Reboot { name, grace_ms } => self.reboot(origin, &name, duration(grace_ms)),
            Request::List => {
                let all = self.nodes.values().map(|node| node.status.clone()).collect();
                self.answer(origin, Outcome::Nodes(all));
            }
            Request::Forget { name } => self.forget(origin, &name),
            Request::SetHosts { name, entries } => {
                self.set_hosts(origin, name.as_deref(), &entries);
            }
            Request::Dial { address, port, timeout_ms, wait } => {
                if self.dials.len() >= DIALS_MAX {
                    let text = format!("{DIALS_MAX} connections are being made already");
                    self.answer(origin, refusal(RefusalKind::Capacity, text));
                    return;
                }
                self.add_dial(Dial::new(origin, address, port, duration(timeout_ms), wait));
            }
            Request::Shutdown { grace_ms } => self.shut_down(Some(origin), duration(grace_ms)),
        }
    }

    fn launch(&mut self, origin: Origin, launch: NodeLaunch) {
        if let Err(text) = self.check(&launch) {
            self.answer(origin, refusal(RefusalKind::Invalid, text));
            return;
        }
        if self.ending.is_some() {
            self.answer(origin, refusal(RefusalKind::Conflict, "the cluster is being shut down"));
            return;
        }
        let name = launch.name.clone();
        let waiter = Waiter { origin, until: Until::Up };
        if let Some(node) = self.nodes.get_mut(&name) {
            match node.status.state {
                RunState::Running => {
                    let status = Outcome::Node(Box::new(node.status.clone()));
                    self.answer(origin, status);
                    return;
                }
                RunState::Pending => {
                    node.waiters.push(waiter);
                    return;
                }
                RunState::Stopping => {
                    let text = format!("{name} is being stopped");
                    self.answer(origin, refusal(RefusalKind::Conflict, text));
                    return;
                }
                RunState::Stopped => {}
            }
        }
        match self.admit(launch) {
            Ok(mut node) => {
                node.waiters.push(waiter);
                self.nodes.insert(name.clone(), node);
                self.boot(&name);
            }
            Err(error) => {
                let kind = super::nodes::kind_of(error.raw_os_error());
                let text = format!("{name}: failed to write its launch down: {error}");
                self.answer(origin, refusal(kind, text));
            }
        }
    }

    /// A node about to be booted, with what earlier boots left of it.
    fn admit(&self, launch: NodeLaunch) -> std::io::Result<Node> {
        std::fs::create_dir_all(&launch.node_dir)?;
        record::write_json(&launch.node_dir.join(LAUNCH_FILE), &launch)?;
        let known = self.nodes.get(&launch.name).map(|node| node.status.clone());
        let known = known.or_else(|| {
            let text = std::fs::read(launch.node_dir.join(STATUS_FILE)).ok()?;
            serde_json::from_slice::<NodeStatus>(&text).ok()
        });
        let scripts = launch
            .scripts
            .iter()
            .map(|script| ScriptStatus { name: script.name.clone(), state: ScriptState::Waiting })
            .collect();
        let status = NodeStatus {
            name: launch.name.clone(),
            address: launch.address,
            state: RunState::Pending,
            since: Timestamp::now(),
            pid: None,
            boots: known.as_ref().map_or(0, |known| known.boots),
            last_exit: known.and_then(|known| known.last_exit),
            ssh_listening: None,
            scripts,
            notes: Vec::new(),
            host_boot_id: record::host_boot_id(),
        };
        Ok(Node::new(launch, status))
    }

    fn check(&self, launch: &NodeLaunch) -> Result<(), String> {
        let name = &launch.name;
        if launch.version > LAUNCH_VERSION {
            return Err(format!(
                "{name}: its launch has version {}, this supervisor knows {LAUNCH_VERSION}; stop \
                 the cluster and start it again",
                launch.version
            ));
        }
        if !is_plain(name) || launch.hostname.is_empty() || launch.hostname.len() > 64 {
            return Err(format!("{name:?}: no name for a node"));
        }
        if launch.node_dir != self.cluster_dir.join(NODES_DIRECTORY).join(name) {
            return Err(format!(
                "{name}: its directory is {}, which is not one of this cluster",
                launch.node_dir.display()
            ));
        }
        if launch.rung != self.rung {
            return Err(format!(
                "{name}: wants the rung {}, this supervisor makes nodes on {}",
                launch.rung, self.rung
            ));
        }
        if launch.rung == Rung::UserNamespace && launch.ssh_server != SshServer::Embedded {
            return Err(format!(
                "{name}: the host's sshd cannot run with one user; use the embedded"
            ));
        }
        if !(1..=30).contains(&launch.prefix_length)
            || launch.address == gateway_of(launch.address, launch.prefix_length)
        {
            return Err(format!(
                "{name}: {}/{} is no address for a node",
                launch.address, launch.prefix_length
            ));
        }
        if let Some(file) = launch.kept_in.as_deref().filter(|file| !is_plain(file)) {
            return Err(format!("{name}: {file:?} is no name for a file"));
        }
        if let Some(seed) = launch.seeds.iter().find(|seed| !is_absolute_and_clean(&seed.path)) {
            return Err(format!("{name}: {} is no path for a file", seed.path.display()));
        }
        if let Some(script) = launch.scripts.iter().find(|script| !is_plain(&script.name)) {
            return Err(format!("{name}: {:?} is no name for a script", script.name));
        }
        Ok(())
    }

    fn end_node(&mut self, origin: Origin, name: &str, intent: Intent, grace: Duration) {
        let Some(node) = self.nodes.get_mut(name) else {
            self.answer(origin, refusal(RefusalKind::NotFound, format!("no node {name} here")));
            return;
        };
        node.waiters.push(Waiter { origin, until: Until::Stopped });
        self.begin_end(name, intent, grace);
        self.answer_if_stopped(name);
    }

    /// Starts to end a node; one that waits for its next boot has ended.
    pub(super) fn begin_end(&mut self, name: &str, intent: Intent, grace: Duration) {
        let Some(node) = self.nodes.get_mut(name) else { return };
        let signal = if intent == Intent::Kill { Signal::KILL } else { Signal::TERM };
        node.signal(signal, intent, grace);
        let state = if node.process.is_some() { RunState::Stopping } else { RunState::Stopped };
        if node.status.state != state {
            node.status.state = state;
            node.status.since = Timestamp::now();
            node.write_down();
        }
    }

    fn answer_if_stopped(&mut self, name: &str) {
        if let Some(mut node) = self.nodes.remove(name) {
            if node.process.is_none() {
                let refused = refusal(RefusalKind::Conflict, format!("{name} is stopped"));
                self.answer_waiters(&mut node, &refused);
            }
            self.nodes.insert(name.to_owned(), node);
        }
    }

    fn reboot(&mut self, origin: Origin, name: &str, grace: Duration) {
        let Some(node) = self.nodes.get_mut(name) else {
            self.answer(origin, refusal(RefusalKind::NotFound, format!("no node {name} here")));
            return;
        };
        if node.status.state != RunState::Running {
            let text = format!("{name} is not running");
            self.answer(origin, refusal(RefusalKind::Conflict, text));
            return;
        }
        node.waiters.push(Waiter { origin, until: Until::Up });
        node.signal(Signal::HUP, Intent::Reboot, grace);
        node.status.state = RunState::Pending;
        node.status.since = Timestamp::now();
        node.write_down();
    }

    fn forget(&mut self, origin: Origin, name: &str) {
        let Some(node) = self.nodes.get_mut(name) else {
            self.answer(origin, Outcome::Done);
            return;
        };
        node.waiters.push(Waiter { origin, until: Until::Forgotten });
        self.begin_end(name, Intent::Kill, Duration::ZERO);
        self.settle(name);
    }

    fn set_hosts(&mut self, origin: Origin, name: Option<&str>, entries: &[HostEntry]) {
        let mut problems = Vec::new();
        for (own, node) in &mut self.nodes {
            if name.is_some_and(|wanted| wanted != own) {
                continue;
            }
            node.launch.hosts = entries.to_vec();
            let _ = record::write_json(&node.launch.node_dir.join(LAUNCH_FILE), &node.launch);
            let Some(process) = &mut node.process else { continue };
            if node.status.state != RunState::Running {
                process.are_hosts_late = true;
            } else if let Err(error) = hosts_file::rewrite_in(process.pid, entries) {
                problems.push(format!("{own}: failed to write /etc/hosts: {error}"));
            }
        }
        let outcome = if problems.is_empty() {
            Outcome::Done
        } else {
            refusal(RefusalKind::Kernel, problems.join("; "))
        };
        self.answer(origin, outcome);
    }

    /// Stops every node; the supervisor ends when none is left.
    pub(super) fn shut_down(&mut self, origin: Option<Origin>, grace: Duration) {
        let ending = self.ending.get_or_insert_with(Ending::default);
        ending.origins.extend(origin);
        let names: Vec<String> = self.nodes.keys().cloned().collect();
        for name in names {
            self.begin_end(&name, Intent::Stop, grace);
            self.answer_if_stopped(&name);
        }
    }
}

/// Letters, digits, dots, lines: nothing that a path could stumble over.
fn is_plain(name: &str) -> bool {
    let is_fine = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
    (1..=100).contains(&name.len()) && !name.starts_with('.') && name.chars().all(is_fine)
}

fn is_absolute_and_clean(path: &Path) -> bool {
    path.is_absolute()
        && path.file_name().is_some()
        && !path.components().any(|part| matches!(part, std::path::Component::ParentDir))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_plain_names_become_parts_of_paths() {
        for (name, plain) in [
            ("worker1", true),
            ("a.b_c-D", true),
            ("", false),
            ("..", false),
            ("a/b", false),
            (".hidden", false),
            ("a b", false),
            ("\u{e4}", false),
        ] {
            assert_eq!(is_plain(name), plain, "{name}");
        }
        for (path, clean) in
            [("/etc/x", true), ("etc/x", false), ("/etc/../x", false), ("/", false)]
        {
            assert_eq!(is_absolute_and_clean(Path::new(path)), clean, "{path}");
        }
    }
}
