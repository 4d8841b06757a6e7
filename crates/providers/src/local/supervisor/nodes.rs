//! The life of the nodes as their supervisor leads it: booting, hearing of
//! them, ending them, and what their ends mean.

use std::fs::OpenOptions;
use std::io;
use std::os::fd::OwnedFd;
use std::os::unix::fs::OpenOptionsExt;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use jiff::Timestamp;
use rustix::process::{Pid, Signal, WaitOptions, WaitStatus, kill_process, wait};

use super::endings::{End, meaning_of};
use super::event_loop::Supervisor;
use super::hosts_file;
use super::requests::{Origin, refusal};
use crate::local::boot::{BootPlan, NAMESPACES};
use crate::local::cgroup::Cgroups;
use crate::local::launch::NodeLaunch;
use crate::local::net::{Cable, NetError, cable_name, gateway_of};
use crate::local::node_init::{self, NodeStart};
use crate::local::protocol::{Outcome, RefusalKind};
use crate::local::record;
use crate::local::report::{self, Report};
use crate::local::status::{
    CONSOLE_FILE, LocalEventKind, NodeStatus, RunState, STATUS_FILE, ScriptState,
};
use crate::local::sys::child_of;

/// File in a node's directory whose lock tells who its PID 1 is.
pub(in crate::local) const NODE_LOCK_FILE: &str = "pid1.lock";
/// A node that lived shorter than this reboots with a pause.
const SHORT_LIFE: Duration = Duration::from_secs(5);
/// The first pause, and the longest.
const REBOOT_PAUSE_MIN: Duration = Duration::from_millis(200);
const REBOOT_PAUSE_MAX: Duration = Duration::from_secs(30);
/// How long a node may take to be set up before it is given up.
const SET_UP_TIMEOUT: Duration = Duration::from_secs(60);

/// A node that the supervisor knows.
#[derive(Debug)]
pub(super) struct Node {
    pub(super) launch: NodeLaunch,
    pub(super) status: NodeStatus,
    pub(super) process: Option<Process>,
    pub(super) intent: Intent,
    /// Clients that wait for something of it.
    pub(super) waiters: Vec<Waiter>,
    /// When to boot it again.
    pub(super) boot_at: Option<Instant>,
    reboot_pause: Duration,
}

/// A node's PID 1 as its parent sees it.
#[derive(Debug)]
pub(super) struct Process {
    pub(super) pid: Pid,
    pub(super) report: OwnedFd,
    /// When to end it by force.
    pub(super) kill_at: Option<Instant>,
    began: Instant,
    pub(super) is_up: bool,
    /// What it said of its failure to be set up.
    pub(super) failure: Option<(String, Option<i32>)>,
    pub(super) was_forced: bool,
    /// Whether it was told of other peers after its files were made and before
    /// it was up, so that it has to be told again.
    pub(super) are_hosts_late: bool,
}

/// What was asked of a running node.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Intent {
    /// To run.
    Run,
    /// To end in good order.
    Stop,
    /// To end at once.
    Kill,
    /// To boot again.
    Reboot,
}

/// A client that waits for a node.
#[derive(Debug, Clone, Copy)]
pub(super) struct Waiter {
    pub(super) origin: Origin,
    pub(super) until: Until,
}

/// What a client waits for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Until {
    /// The node is set up.
    Up,
    /// The node does not run.
    Stopped,
    /// The node does not run, and is forgotten then.
    Forgotten,
}

impl Node {
    pub(super) fn new(launch: NodeLaunch, status: NodeStatus) -> Self {
        Self {
            launch,
            status,
            process: None,
            intent: Intent::Run,
            waiters: Vec::new(),
            boot_at: None,
            reboot_pause: REBOOT_PAUSE_MIN,
        }
    }

    fn enter(&mut self, state: RunState) {
        self.status.state = state;
        self.status.since = Timestamp::now();
        self.status.ssh_listening = None;
        self.status.pid = self
            .process
            .as_ref()
            .and_then(|process| u32::try_from(process.pid.as_raw_nonzero().get()).ok());
    }

    /// Writes the status down. Where the disk is full the next one will say
    /// it; the node itself is not harmed.
    pub(super) fn write_down(&self) {
        let _ = record::write_json(&self.launch.node_dir.join(STATUS_FILE), &self.status);
    }

    pub(super) fn signal(&mut self, signal: Signal, intent: Intent, grace: Duration) {
        self.intent = intent;
        self.boot_at = None;
        if let Some(process) = &mut self.process {
            let _ = kill_process(process.pid, signal);
            let kill_at = Instant::now() + grace;
            process.kill_at = Some(process.kill_at.map_or(kill_at, |known| known.min(kill_at)));
        }
    }
}

/// What kind of refusal an error of the system is.
pub(super) fn kind_of(errno: Option<i32>) -> RefusalKind {
    use rustix::io::Errno;
    let full = [Errno::NOSPC, Errno::DQUOT, Errno::MFILE, Errno::NFILE, Errno::NOMEM, Errno::AGAIN];
    if errno.is_some_and(|errno| full.iter().any(|one| one.raw_os_error() == errno)) {
        RefusalKind::Capacity
    } else {
        RefusalKind::Kernel
    }
}

/// Why a node could not be booted.
struct BootFailure {
    text: String,
    errno: Option<i32>,
}

impl From<NetError> for BootFailure {
    fn from(error: NetError) -> Self {
        Self {
            text: format!("failed to {}: {}", error.doing, error.source),
            errno: error.source.raw_os_error(),
        }
    }
}

impl From<io::Error> for BootFailure {
    fn from(error: io::Error) -> Self {
        Self { text: format!("failed to start the node: {error}"), errno: error.raw_os_error() }
    }
}

impl Supervisor {
    /// Boots a node that does not run. What fails at once is answered at once;
    /// the rest is heard of from the node itself.
    pub(super) fn boot(&mut self, name: &str) {
        let Some(mut node) = self.nodes.remove(name) else { return };
        node.boot_at = None;
        node.intent = Intent::Run;
        node.status.boots += 1;
        node.status.notes.clear();
        record::scripts_at_rest(&mut node.status.scripts, &node.launch.node_dir);
        match self.start_process(&mut node) {
            Ok(process) => {
                node.process = Some(process);
                node.enter(RunState::Pending);
                node.write_down();
            }
            Err(failure) => self.give_up(&mut node, &failure.text, failure.errno),
        }
        self.nodes.insert(name.to_owned(), node);
    }

    fn start_process(&mut self, node: &mut Node) -> Result<Process, BootFailure> {
        let launch = &node.launch;
        let bridge = self.bridge_of(launch)?;
        let console = append_to(launch.node_dir.join(CONSOLE_FILE))?;
        let lock = append_to(launch.node_dir.join(NODE_LOCK_FILE))?;
        let cgroups = Cgroups::find();
        let notes = &mut node.status.notes;
        let files = cgroups.make(&self.groups, &launch.name, &launch.limits, notes);
        let (ours, theirs) = report::pair()?;
        let start = NodeStart {
            plan: BootPlan { launch, view: &self.view, cgroup_files: &files },
            host: &self.host_facts,
            report: &theirs,
            console: &console,
            lock: &lock,
            open_files: self.open_files,
        };
        let proof = self.proof;
        let pid = child_of(proof, NAMESPACES, || node_init::live(&start, proof))?;
        let process = Process {
            pid,
            report: ours,
            kill_at: Some(Instant::now() + SET_UP_TIMEOUT),
            began: Instant::now(),
            is_up: false,
            failure: None,
            was_forced: false,
            are_hosts_late: false,
        };
        let cable = cable_name(launch.address, node.status.boots);
        if let Err(error) = self.lay_cable(launch, bridge, &cable, pid) {
            // The child is on its own pipe's word and nobody else's.
            let _ = kill_process(pid, Signal::KILL);
            let _ = rustix::process::waitpid(Some(pid), WaitOptions::empty());
            return Err(error.into());
        }
        report::say_go(&process.report)?;
        Ok(process)
    }

    fn lay_cable(
        &mut self,
        launch: &NodeLaunch,
        bridge: u32,
        name: &str,
        pid: Pid,
    ) -> Result<(), NetError> {
        self.netlink.delete(name)?;
        let pid = pid.as_raw_nonzero().get().unsigned_abs();
        self.netlink.add_cable(&Cable { name, bridge, pid, mac: launch.mac })?;
        self.netlink.pin_neighbour(bridge, launch.address, launch.mac)
    }

    /// The cluster's bridge, made for the first node.
    fn bridge_of(&mut self, launch: &NodeLaunch) -> Result<u32, NetError> {
        if let Some(bridge) = self.bridge {
            return Ok(bridge);
        }
        let gateway = gateway_of(launch.address, launch.prefix_length);
        let bridge = self.netlink.make_bridge(gateway, launch.prefix_length)?;
        self.bridge = Some(bridge);
        Ok(bridge)
    }

    fn give_up(&mut self, node: &mut Node, text: &str, errno: Option<i32>) {
        node.process = None;
        node.status.last_exit = Some(format!("could not be started: {text}"));
        node.enter(RunState::Stopped);
        node.write_down();
        self.event(Some(&node.launch.name), LocalEventKind::Failed, text);
        let refused = refusal(kind_of(errno), format!("{}: {text}", node.launch.name));
        self.answer_waiters(node, &refused);
    }

    /// Answers everybody who waits for a node that will not come up, and those
    /// who wait for it to be down.
    pub(super) fn answer_waiters(&mut self, node: &mut Node, for_up: &Outcome) {
        for waiter in std::mem::take(&mut node.waiters) {
            match waiter.until {
                Until::Up => self.answer(waiter.origin, for_up.clone()),
                Until::Stopped => {
                    let status = Outcome::Node(Box::new(node.status.clone()));
                    self.answer(waiter.origin, status);
                }
                Until::Forgotten => node.waiters.push(waiter),
            }
        }
    }

    /// Hears everything that a node has told.
    pub(super) fn hear(&mut self, name: &str) {
        while let Some(report) = self
            .nodes
            .get(name)
            .and_then(|node| node.process.as_ref())
            .and_then(|process| report::heard(&process.report))
        {
            self.heard(name, report);
        }
    }

    fn heard(&mut self, name: &str, report: Report) {
        let Some(mut node) = self.nodes.remove(name) else { return };
        match report {
            Report::Up { notes } => self.came_up(&mut node, notes),
            Report::Failed { text, errno } => {
                if let Some(process) = &mut node.process {
                    process.failure = Some((text, errno));
                }
            }
            Report::ScriptStarted { index } => {
                self.script(&mut node, index, ScriptState::Running);
            }
            Report::ScriptEnded { index, code } => {
                self.script(&mut node, index, ScriptState::Ended { code });
            }
            Report::Note { text } => self.event(Some(name), LocalEventKind::Note, &text),
        }
        self.nodes.insert(name.to_owned(), node);
    }

    fn came_up(&mut self, node: &mut Node, notes: Vec<String>) {
        node.status.notes.extend(notes);
        if let Some(process) = &mut node.process {
            process.is_up = true;
            if node.intent == Intent::Run {
                process.kill_at = None;
            }
        }
        if node.intent == Intent::Run {
            node.enter(RunState::Running);
        }
        self.tell_late_hosts(node);
        node.write_down();
        let text = format!("started (boot {})", node.status.boots);
        self.event(Some(&node.launch.name), LocalEventKind::Started, &text);
        let status = Outcome::Node(Box::new(node.status.clone()));
        let (up, others) =
            node.waiters.iter().copied().partition(|waiter| waiter.until == Until::Up);
        node.waiters = others;
        let up: Vec<Waiter> = up;
        for waiter in up {
            self.answer(waiter.origin, status.clone());
        }
    }

    /// Tells a node that is up now of the peers it missed while it came up.
    fn tell_late_hosts(&mut self, node: &mut Node) {
        let Some(process) = node.process.as_mut().filter(|process| process.are_hosts_late) else {
            return;
        };
        process.are_hosts_late = false;
        if let Err(error) = hosts_file::rewrite_in(process.pid, &node.launch.hosts) {
            let text = format!("failed to write /etc/hosts: {error}");
            self.event(Some(&node.launch.name), LocalEventKind::Note, &text);
        }
    }

    fn script(&mut self, node: &mut Node, index: usize, state: ScriptState) {
        let Some(script) = node.status.scripts.get_mut(index) else { return };
        let text = match &state {
            ScriptState::Ended { code } => format!("script {} ended with code {code}", script.name),
            _ => format!("script {} started", script.name),
        };
        script.state = state;
        node.write_down();
        self.event(Some(&node.launch.name), LocalEventKind::Script, &text);
    }

    /// Takes note of every child that has ended.
    pub(super) fn reap(&mut self) {
        while let Ok(Some((pid, status))) = wait(WaitOptions::NOHANG) {
            let name = self.nodes.iter().find_map(|(name, node)| {
                node.process
                    .as_ref()
                    .is_some_and(|process| process.pid == pid)
                    .then(|| name.clone())
            });
            if let Some(name) = name {
                self.hear(&name);
                self.ended(&name, status);
            }
        }
    }

    fn ended(&mut self, name: &str, status: WaitStatus) {
        let Some(mut node) = self.nodes.remove(name) else { return };
        let Some(process) = node.process.take() else {
            self.nodes.insert(name.to_owned(), node);
            return;
        };
        let cable = cable_name(node.launch.address, node.status.boots);
        if let Err(error) = self.netlink.delete(&cable) {
            self.event(Some(name), LocalEventKind::Note, &format!("failed to {error}"));
        }
        record::scripts_at_rest(&mut node.status.scripts, &node.launch.node_dir);
        let end = meaning_of(status, node.intent, &process);
        match end {
            End::Failed { text, errno } => self.give_up(&mut node, &text, errno),
            End::Reboot { why } => {
                node.status.last_exit = Some(why.clone());
                node.enter(RunState::Pending);
                node.write_down();
                self.event(Some(name), LocalEventKind::Rebooted, &why);
                node.boot_at = Some(node.next_boot(process.began));
            }
            End::Stopped { why } => {
                node.status.last_exit = Some(why.clone());
                node.enter(RunState::Stopped);
                node.write_down();
                self.event(Some(name), LocalEventKind::Stopped, &why);
                let refused = refusal(RefusalKind::Conflict, format!("{name} stopped: {why}"));
                self.answer_waiters(&mut node, &refused);
            }
        }
        self.nodes.insert(name.to_owned(), node);
        self.settle(name);
    }

    /// Forgets a node that does not run, if somebody waits for that.
    pub(super) fn settle(&mut self, name: &str) {
        let Some(node) = self.nodes.get_mut(name) else { return };
        if node.process.is_some() || node.boot_at.is_some() {
            return;
        }
        let waiters = std::mem::take(&mut node.waiters);
        if waiters.iter().any(|waiter| waiter.until == Until::Forgotten) {
            if let Err(error) = self.groups.remove_node(name) {
                let text = format!("its limits could not be removed: {error}");
                self.event(Some(name), LocalEventKind::Note, &text);
            }
            self.nodes.remove(name);
        }
        for waiter in waiters {
            self.answer(waiter.origin, Outcome::Done);
        }
    }

    /// Does what is due to nodes: ends those whose grace is over, boots those
    /// whose pause is.
    pub(super) fn nodes_due(&mut self, now: Instant) {
        let mut to_boot = Vec::new();
        for (name, node) in &mut self.nodes {
            if node.boot_at.is_some_and(|at| at <= now) {
                to_boot.push(name.clone());
            }
            if let Some(process) = &mut node.process
                && process.kill_at.is_some_and(|at| at <= now)
            {
                process.kill_at = None;
                process.was_forced = true;
                let _ = kill_process(process.pid, Signal::KILL);
            }
        }
        for name in to_boot {
            self.boot(&name);
            self.settle(&name);
        }
    }
}

impl Node {
    /// When to boot again a node that ended: at once, unless it keeps ending
    /// soon after its start.
    fn next_boot(&mut self, began: Instant) -> Instant {
        if began.elapsed() >= SHORT_LIFE {
            self.reboot_pause = REBOOT_PAUSE_MIN;
            return Instant::now();
        }
        let pause = self.reboot_pause;
        self.reboot_pause = (pause * 2).min(REBOOT_PAUSE_MAX);
        if pause == REBOOT_PAUSE_MIN { Instant::now() } else { Instant::now() + pause }
    }
}

fn append_to(path: PathBuf) -> io::Result<OwnedFd> {
    // A node's user cannot reach these, but another hand may have: no links.
    OpenOptions::new()
        .append(true)
        .create(true)
        .mode(0o600)
        .custom_flags(libc::O_NOFOLLOW)
        .open(path)
        .map(OwnedFd::from)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_full_disk_is_told_from_a_refusal_of_the_kernel() {
        assert_eq!(kind_of(Some(28)), RefusalKind::Capacity);
        assert_eq!(kind_of(Some(1)), RefusalKind::Kernel);
        assert_eq!(kind_of(None), RefusalKind::Kernel);
    }
}
