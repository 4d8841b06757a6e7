//! The loop: waits for whatever comes first, a client, a node, a connection, a
//! signal or a time, and hands it on. State has one owner, the [`Supervisor`].

use std::collections::BTreeMap;
use std::os::fd::{AsFd, OwnedFd};
use std::path::PathBuf;
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::net::SocketFlags;
use rustix::process::{Rlimit, Signal};

use super::clients::{Client, Gone};
use super::consoles;
use super::dials::{Dial, Progress};
use super::nodes::Node;
use super::requests::{Origin, refusal};
use crate::local::cgroup::ClusterGroups;
use crate::local::client::BUILD;
use crate::local::launch::SSH_PORT;
use crate::local::net::Netlink;
use crate::local::protocol::{
    Answer, Call, Hello, Outcome, PROTOCOL_VERSION, RefusalKind, SOCKET_FILE, Welcome,
};
use crate::local::record;
use crate::local::root_tree::{HostView, host_facts, survey};
use crate::local::rung::Rung;
use crate::local::seeds::HostFacts;
use crate::local::status::{LocalEventKind, NODES_DIRECTORY, RunState};
use crate::local::sys::{SignalDescriptor, SingleThreaded};

/// Clients at one time; more wait to be accepted.
const CLIENTS_MAX: usize = 2048;
/// How often consoles are looked at.
const CONSOLES_EVERY: Duration = Duration::from_secs(2);
/// What nodes get when the supervisor itself is told to end.
const TERM_GRACE: Duration = Duration::from_secs(10);

/// What a supervisor begins with.
#[derive(Debug)]
pub(super) struct Parts {
    pub(super) cluster_dir: PathBuf,
    pub(super) rung: Rung,
    pub(super) lock: OwnedFd,
    pub(super) listener: OwnedFd,
    pub(super) signals: SignalDescriptor,
    pub(super) netlink: Netlink,
    pub(super) proof: SingleThreaded,
    pub(super) open_files: Rlimit,
}

/// A supervisor at work.
#[derive(Debug)]
pub(super) struct Supervisor {
    pub(super) cluster_dir: PathBuf,
    pub(super) rung: Rung,
    pub(super) netlink: Netlink,
    pub(super) bridge: Option<u32>,
    pub(super) groups: ClusterGroups,
    pub(super) view: HostView,
    pub(super) host_facts: HostFacts,
    pub(super) proof: SingleThreaded,
    pub(super) open_files: Rlimit,
    pub(super) nodes: BTreeMap<String, Node>,
    pub(super) dials: BTreeMap<u64, Dial>,
    next_dial: u64,
    /// Set when the supervisor is to end with its last node.
    pub(super) ending: Option<Ending>,
    clients: BTreeMap<u64, Client>,
    next_client: u64,
    consoles_at: Instant,
    listener: OwnedFd,
    signals: SignalDescriptor,
    /// Held as long as this process lives.
    _lock: OwnedFd,
}

/// Who waits for the supervisor's end.
#[derive(Debug, Default)]
pub(super) struct Ending {
    pub(super) origins: Vec<Origin>,
}

/// What a descriptor that is ready belongs to.
#[derive(Debug, Clone)]
enum Source {
    Signals,
    Listener,
    Client(u64),
    Node(String),
    Dial(u64),
}

impl Supervisor {
    pub(super) fn new(parts: Parts) -> Self {
        let mut supervisor = Self {
            groups: ClusterGroups::of(&parts.cluster_dir),
            cluster_dir: parts.cluster_dir,
            rung: parts.rung,
            netlink: parts.netlink,
            bridge: None,
            view: survey(),
            host_facts: host_facts(),
            proof: parts.proof,
            open_files: parts.open_files,
            nodes: BTreeMap::new(),
            dials: BTreeMap::new(),
            next_dial: 0,
            ending: None,
            clients: BTreeMap::new(),
            next_client: 0,
            consoles_at: Instant::now(),
            listener: parts.listener,
            signals: parts.signals,
            _lock: parts.lock,
        };
        supervisor.take_over();
        let text = format!("supervisor started on the rung {}", supervisor.rung);
        supervisor.event(None, LocalEventKind::Supervisor, &text);
        supervisor
    }

    /// Knows the nodes of supervisors before this one. What was running under
    /// them is not any more.
    fn take_over(&mut self) {
        for status in record::read_statuses(&self.cluster_dir) {
            let node_dir = self.cluster_dir.join(NODES_DIRECTORY).join(&status.name);
            if let Some(launch) = record::read_launch(&node_dir) {
                if record::was_left_running(&node_dir) {
                    let why = status.last_exit.as_deref().unwrap_or_default();
                    self.event(Some(&status.name), LocalEventKind::Stopped, why);
                }
                let node = Node::new(launch, status);
                node.write_down();
                self.nodes.insert(node.launch.name.clone(), node);
            }
        }
    }

    /// Adds a line to the cluster's timeline.
    pub(super) fn event(&self, node: Option<&str>, kind: LocalEventKind, text: &str) {
        record::append_event(&self.cluster_dir, node, kind, text);
    }

    /// Works until the last node of a shutdown has ended.
    pub(super) fn run(&mut self) {
        loop {
            for (source, flags) in self.wait() {
                self.serve(source, flags);
            }
            let now = Instant::now();
            self.drop_broken_clients();
            self.step_dials(now);
            self.nodes_due(now);
            self.bound_consoles(now);
            if self.ending.is_some() && self.nodes.values().all(|node| node.process.is_none()) {
                self.finish();
                return;
            }
        }
    }

    /// Waits for something to do; the descriptors that are ready.
    fn wait(&self) -> Vec<(Source, PollFlags)> {
        let mut sources = vec![Source::Signals];
        let mut watched = vec![PollFd::new(&self.signals, PollFlags::IN)];
        if self.clients.len() < CLIENTS_MAX {
            sources.push(Source::Listener);
            watched.push(PollFd::new(&self.listener, PollFlags::IN));
        }
        let mut has_lines = false;
        for (id, client) in &self.clients {
            has_lines |= client.has_lines();
            let mut flags = PollFlags::empty();
            flags.set(PollFlags::IN, client.wants_to_read());
            flags.set(PollFlags::OUT, client.wants_to_write());
            sources.push(Source::Client(*id));
            watched.push(PollFd::from_borrowed_fd(client.as_fd(), flags));
        }
        for (name, node) in &self.nodes {
            if let Some(process) = &node.process {
                sources.push(Source::Node(name.clone()));
                watched.push(PollFd::new(&process.report, PollFlags::IN));
            }
        }
        for (id, dial) in &self.dials {
            if let Some(socket) = dial.socket() {
                sources.push(Source::Dial(*id));
                watched.push(PollFd::new(socket, PollFlags::OUT));
            }
        }
        let timeout = if has_lines { Some(Duration::ZERO) } else { self.time_to_next() };
        let timeout = timeout.map(|left| Timespec::try_from(left).unwrap_or_default());
        if poll(&mut watched, timeout.as_ref()).is_err() {
            return Vec::new();
        }
        sources
            .into_iter()
            .zip(watched.iter().map(PollFd::revents))
            .filter(|(source, flags)| {
                !flags.is_empty() || matches!(source, Source::Client(_) if has_lines)
            })
            .collect()
    }

    fn time_to_next(&self) -> Option<Duration> {
        let nodes = self.nodes.values().flat_map(|node| {
            [node.boot_at, node.process.as_ref().and_then(|process| process.kill_at)]
        });
        let dials = self.dials.values().map(|dial| Some(dial.due()));
        let has_nodes = self.nodes.values().any(|node| node.process.is_some());
        let consoles = has_nodes.then_some(self.consoles_at);
        let next = nodes.chain(dials).chain([consoles]).flatten().min()?;
        // Rounded up, so that the loop does not spin through the last
        // fraction of a millisecond.
        Some(next.saturating_duration_since(Instant::now()) + Duration::from_micros(100))
    }

    fn serve(&mut self, source: Source, flags: PollFlags) {
        match source {
            Source::Signals => self.signals(),
            Source::Listener => self.accept(),
            Source::Client(id) => self.serve_client(id, flags),
            Source::Node(name) => self.hear(&name),
            Source::Dial(id) => self.step_dial(id, true),
        }
    }

    fn signals(&mut self) {
        while let Some(number) = self.signals.next() {
            if number == Signal::CHILD.as_raw() {
                self.reap();
            } else if number == Signal::TERM.as_raw() || number == Signal::INT.as_raw() {
                self.shut_down(None, TERM_GRACE);
            }
        }
    }

    fn accept(&mut self) {
        while self.clients.len() < CLIENTS_MAX {
            let flags = SocketFlags::CLOEXEC | SocketFlags::NONBLOCK;
            let Ok(socket) = rustix::net::accept_with(&self.listener, flags) else { return };
            self.next_client += 1;
            self.clients.insert(self.next_client, Client::new(socket));
        }
    }

    fn serve_client(&mut self, id: u64, flags: PollFlags) {
        let Some(client) = self.clients.get_mut(&id) else { return };
        let mut alive = Ok(());
        if flags.contains(PollFlags::OUT) {
            alive = client.flush();
        }
        if alive.is_ok() && !(flags & !PollFlags::OUT).is_empty() {
            alive = client.read();
        }
        // What came before the end is still heard, as a shutdown and close.
        for line in client.lines() {
            if self.line(id, &line).is_err() {
                alive = Err(Gone);
                break;
            }
        }
        if alive.is_err() {
            self.drop_client(id);
        }
    }

    fn line(&mut self, id: u64, line: &[u8]) -> Result<(), Gone> {
        let client = self.clients.get_mut(&id).ok_or(Gone)?;
        if client.closing {
            return Ok(());
        }
        if !client.greeted {
            let hello: Hello = serde_json::from_slice(line).map_err(|_| Gone)?;
            return self.greet(id, &hello);
        }
        match serde_json::from_slice::<Call>(line) {
            Ok(call) => {
                self.request(Origin { client: id, call: call.id }, call.request);
                Ok(())
            }
            Err(error) => {
                #[derive(serde::Deserialize)]
                struct OnlyId {
                    id: u64,
                }
                let known: OnlyId = serde_json::from_slice(line).map_err(|_| Gone)?;
                let text = format!("this supervisor ({BUILD}) does not know that: {error}");
                let origin = Origin { client: id, call: known.id };
                self.answer(origin, refusal(RefusalKind::Invalid, text));
                Ok(())
            }
        }
    }

    fn greet(&mut self, id: u64, hello: &Hello) -> Result<(), Gone> {
        let fits = hello.protocol == PROTOCOL_VERSION;
        let welcome = Welcome {
            protocol: PROTOCOL_VERSION,
            build: BUILD.to_owned(),
            pid: std::process::id(),
            rung: Some(self.rung),
            refused: (!fits).then(|| {
                format!(
                    "the supervisor is {BUILD} with protocol {PROTOCOL_VERSION}, the client is {} \
                     with protocol {}",
                    hello.build, hello.protocol
                )
            }),
        };
        let client = self.clients.get_mut(&id).ok_or(Gone)?;
        client.greeted = fits;
        client.closing = !fits;
        client.send(&welcome, None)
    }

    fn drop_broken_clients(&mut self) {
        let broken: Vec<u64> =
            self.clients.iter().filter(|(_, one)| one.broken).map(|(id, _)| *id).collect();
        for id in broken {
            self.drop_client(id);
        }
    }

    fn drop_client(&mut self, id: u64) {
        self.clients.remove(&id);
        self.dials.retain(|_, dial| dial.origin.client != id);
    }

    /// Answers one call. A client that is gone is not missed.
    pub(super) fn answer(&mut self, origin: Origin, outcome: Outcome) {
        self.answer_with(origin, outcome, None);
    }

    fn answer_with(&mut self, origin: Origin, outcome: Outcome, descriptor: Option<OwnedFd>) {
        let Some(client) = self.clients.get_mut(&origin.client) else { return };
        let answer = Answer { id: origin.call, outcome };
        if client.send(&answer, descriptor).is_err() {
            client.broken = true;
        }
    }

    /// Begins a dial; its first step is due at once.
    pub(super) fn add_dial(&mut self, dial: Dial) {
        self.next_dial += 1;
        self.dials.insert(self.next_dial, dial);
    }

    fn step_dials(&mut self, now: Instant) {
        let due: Vec<u64> =
            self.dials.iter().filter(|(_, dial)| dial.due() <= now).map(|(id, _)| *id).collect();
        for id in due {
            self.step_dial(id, false);
        }
    }

    fn step_dial(&mut self, id: u64, is_ready: bool) {
        let Some(dial) = self.dials.get_mut(&id) else { return };
        let (origin, to) = (dial.origin, dial.to);
        let mut progress = dial.step(is_ready);
        if let Progress::Open = progress
            && let Some(text) = self.why_never(*to.ip())
        {
            progress = Progress::Failed(RefusalKind::Unreachable, text);
        }
        match progress {
            Progress::Open => {}
            Progress::Connected(socket) => {
                self.dials.remove(&id);
                if to.port() == SSH_PORT
                    && let Some(node) =
                        self.nodes.values_mut().find(|node| node.launch.address == *to.ip())
                {
                    node.status.ssh_listening = Some(true);
                }
                self.answer_with(origin, Outcome::Connected, Some(socket));
            }
            Progress::Failed(kind, text) => {
                self.dials.remove(&id);
                self.answer(origin, refusal(kind, text));
            }
        }
    }

    /// Why a connection to an address cannot come about, however long one
    /// waits.
    fn why_never(&self, address: std::net::Ipv4Addr) -> Option<String> {
        let node = self.nodes.values().find(|node| node.launch.address == address)?;
        let status = &node.status;
        (status.state == RunState::Stopped).then(|| {
            let why = status.last_exit.as_deref().unwrap_or("it never ran");
            format!("{} is stopped: {why}", status.name)
        })
    }

    fn bound_consoles(&mut self, now: Instant) {
        if now < self.consoles_at {
            return;
        }
        self.consoles_at = now + CONSOLES_EVERY;
        for (name, node) in &self.nodes {
            if node.process.is_some()
                && let Err(error) = consoles::bound(&node.launch.node_dir)
            {
                let text = format!("its console could not be cut: {error}");
                self.event(Some(name), LocalEventKind::Note, &text);
            }
        }
    }

    /// The last things, when no node runs any more.
    fn finish(&mut self) {
        let removed = self.groups.remove();
        let outcome = match &removed {
            Ok(()) => Outcome::Done,
            Err(error) => {
                refusal(RefusalKind::Kernel, format!("limits could not be removed: {error}"))
            }
        };
        self.event(None, LocalEventKind::Supervisor, "supervisor ended on request");
        // Whoever comes from now on finds no socket, and starts a new one once
        // our lock is free.
        let _ = std::fs::remove_file(self.cluster_dir.join(SOCKET_FILE));
        for origin in self.ending.take().map(|ending| ending.origins).unwrap_or_default() {
            self.answer(origin, outcome.clone());
        }
    }
}
