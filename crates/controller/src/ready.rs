//! Waiting until machines are what they should be: nodes that let us in over
//! ssh with the host key on record, nodes that are down, machines that are
//! gone. A node that dies meanwhile ends the waiting with the real cause.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use model::event::{Level, Progress};
use model::inventory::{Inventory, ObservedNode};
use model::name::NodeName;
use model::node::NodeState;
use providers::{ErrorKind, LogIn, ProviderError};
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use transport::wait::{WaitError, WaitEvent, WaitOptions, wait_for_all};
use transport::{ConnectError, ConnectErrorKind, PrivateKey, Target, limits};

use crate::clock::Mark;
use crate::error::OperationError;
use crate::execute::Operation;
use crate::targets::target;

/// What nodes are waited for to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Goal {
    /// Up, and letting us in where the provider's nodes do that at all.
    LetsIn,
    /// Down.
    Stopped,
}

/// Why waiting came to nothing.
#[derive(Debug)]
pub(crate) enum NotReady {
    /// These nodes will not, or did not in time.
    Nodes(Vec<NodeTrouble>),
    /// Nothing could be seen, or the key could not be read.
    Blind(Box<OperationError>),
    /// The user asked to stop.
    Interrupted,
}

/// What is wrong with one node.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct NodeTrouble {
    pub(crate) name: NodeName,
    /// As "stopped: killed by signal 9".
    pub(crate) why: String,
    pub(crate) hint: Option<String>,
}

/// Nodes on their way.
struct Waiting {
    /// Those that are not there yet.
    open: BTreeSet<NodeName>,
    /// Those that ssh is tried on.
    tried: BTreeSet<NodeName>,
    /// What the last try on a node met.
    met: BTreeMap<NodeName, String>,
    /// Those that refuse our key: since when, in which words, and the mend.
    refused: BTreeMap<NodeName, (Mark, String, String)>,
    /// Those that are, in the order they became so.
    ready: Vec<NodeName>,
    troubles: Vec<NodeTrouble>,
    log_in: LogIn,
    goal: Goal,
}

/// What comes back from ssh tries.
struct Tries {
    sender: mpsc::Sender<WaitEvent>,
    events: mpsc::Receiver<WaitEvent>,
    tasks: JoinSet<()>,
}

impl Operation {
    /// Waits until every one of `names` has reached `goal`; answers with them
    /// in the order they did.
    pub(crate) async fn wait_for(
        &self,
        names: BTreeSet<NodeName>,
        goal: Goal,
        timeout: Duration,
    ) -> Result<Vec<NodeName>, NotReady> {
        let log_in = self.parts().provider.capabilities().log_in;
        let mut waiting = Waiting::new(names, goal, log_in);
        let key = if waiting.needs_ssh() {
            Some(self.parts().keys.load().await.map_err(NotReady::Blind)?)
        } else {
            None
        };
        let (sender, events) = mpsc::channel(limits::RUN_EVENTS_MAX);
        let mut tries = Tries { sender, events, tasks: JoinSet::new() };
        let (clock, timing) = (&self.parts().clock, &self.parts().timing);
        let (mark, mut pause) = (clock.mark(), timing.look_first);
        let mut told = BTreeSet::new();
        while !waiting.open.is_empty() {
            let left = timeout.saturating_sub(clock.since(mark));
            let seen = self.look().await;
            self.take_look(&mut waiting, &mut tries, seen, (key.as_ref(), left)).await?;
            waiting.give_up_refused(|mark| clock.since(mark) >= timing.refused_grace);
            if waiting.open.is_empty() {
                break;
            }
            if !waiting.troubles.is_empty() {
                return Err(NotReady::Nodes(waiting.troubles));
            }
            if left.is_zero() {
                return Err(NotReady::Nodes(waiting.late(timeout)));
            }
            if told != waiting.open {
                told.clone_from(&waiting.open);
                let names = told.iter().cloned().collect();
                self.teller.progress(Progress::Waiting { names }).await;
            }
            self.take_tries(&mut waiting, &mut tries, pause.min(left)).await?;
            pause = (pause * 3 / 2).min(timing.look_max);
        }
        Ok(waiting.ready)
    }

    /// Takes in a look at the cluster, and begins to try ssh on nodes that
    /// have come up.
    async fn take_look(
        &self,
        waiting: &mut Waiting,
        tries: &mut Tries,
        seen: Result<Inventory, ProviderError>,
        (key, left): (Option<&PrivateKey>, Duration),
    ) -> Result<(), NotReady> {
        let inventory = match seen {
            Ok(inventory) if inventory.nodes.seen().is_some() => inventory,
            // What cannot be seen now may be later; the deadline bounds it.
            Ok(_) => return Ok(()),
            Err(error) if error.kind.is_transient() => return Ok(()),
            Err(error) => return Err(NotReady::Blind(OperationError::provider(&error))),
        };
        let mut targets = Vec::new();
        for name in waiting.open.clone() {
            let node = inventory.node(&name);
            match waiting.sort(&name, node) {
                Sorted::NotYet => {}
                Sorted::There => self.reached(waiting, &name).await,
                Sorted::Up => match node.zip(key).map(|(node, key)| target(node, key)) {
                    Some(Ok(target)) => targets.push(target),
                    Some(Err(why)) => waiting.give_up(&name, why, None),
                    None => {}
                },
                Sorted::Lost(why) => waiting.give_up(&name, why, None),
            }
        }
        self.try_targets(waiting, tries, targets, left);
        Ok(())
    }

    fn try_targets(
        &self,
        waiting: &mut Waiting,
        tries: &mut Tries,
        targets: Vec<Target>,
        left: Duration,
    ) {
        if targets.is_empty() {
            return;
        }
        let names = targets.iter().filter_map(|target| NodeName::parse(&target.name).ok());
        waiting.tried.extend(names);
        let options = WaitOptions {
            deadline: left,
            seed: self.parts().random.number(),
            ..WaitOptions::default()
        };
        let dial = std::sync::Arc::clone(&self.parts().dial);
        let (mut events, _waiting) = wait_for_all(dial, targets, options, limits::FANOUT_MAX);
        let sender = tries.sender.clone();
        // Ends with the operation's end of the channel, which ends the tries.
        tries.tasks.spawn(async move {
            while let Some(event) = events.recv().await {
                if sender.send(event).await.is_err() {
                    break;
                }
            }
        });
    }

    /// Takes in what the tries tell, until `pause` is over or nothing is left
    /// to wait for.
    async fn take_tries(
        &self,
        waiting: &mut Waiting,
        tries: &mut Tries,
        pause: Duration,
    ) -> Result<(), NotReady> {
        let pausing = self.parts().clock.pause(pause);
        tokio::pin!(pausing);
        loop {
            tokio::select! {
                biased;
                () = self.cancel.asked() => return Err(NotReady::Interrupted),
                Some(event) = tries.events.recv() => {
                    self.take_event(waiting, event).await;
                    if waiting.open.is_empty() || !waiting.troubles.is_empty() {
                        // One more look tells why a node gave up.
                        return Ok(());
                    }
                }
                () = &mut pausing => return Ok(()),
            }
        }
    }

    async fn take_event(&self, waiting: &mut Waiting, event: WaitEvent) {
        match event {
            WaitEvent::Ready { node, session, .. } => {
                drop(session);
                if let Ok(name) = NodeName::parse(&node) {
                    self.reached(waiting, &name).await;
                }
            }
            WaitEvent::StillWaiting { node, error } => {
                let Ok(name) = NodeName::parse(&node) else { return };
                if error.kind() == ConnectErrorKind::AuthRefused {
                    let refusal = (self.parts().clock.mark(), told(&error), error.mend());
                    waiting.refused.entry(name.clone()).or_insert(refusal);
                } else {
                    waiting.refused.remove(&name);
                }
                waiting.met.insert(name, error.text());
            }
            WaitEvent::GaveUp { node, error } => {
                let Ok(name) = NodeName::parse(&node) else { return };
                let (why, hint) = match &error {
                    WaitError::Deadline { last, tries, .. } => (
                        format!("did not let us in ({tries} tries): failed to {}", last.text()),
                        last.mend(),
                    ),
                    WaitError::Final { last, .. } => (told(last), last.mend()),
                    WaitError::Cancelled { .. } => ("was not waited for".to_owned(), String::new()),
                };
                waiting.give_up(&name, why, Some(hint).filter(|hint| !hint.is_empty()));
            }
        }
    }

    async fn reached(&self, waiting: &mut Waiting, name: &NodeName) {
        if !waiting.open.remove(name) {
            return;
        }
        waiting.ready.push(name.clone());
        if waiting.goal == Goal::LetsIn {
            let now = self.parts().clock.now();
            self.teller.line(now, Some(name), (Level::Info, "ready", None));
            self.teller.progress(Progress::NodeReady { name: name.clone() }).await;
        }
    }

    /// Waits until no machine of the cluster is left; some clouds take their
    /// time. Answers with those that are.
    pub(crate) async fn wait_until_gone(&self, timeout: Duration) -> Result<(), NotReady> {
        let (clock, timing) = (&self.parts().clock, &self.parts().timing);
        let (mark, mut pause) = (clock.mark(), timing.look_first);
        let mut left = Vec::new();
        loop {
            left = match self.look().await {
                Ok(inventory) => leaving(&inventory),
                Err(error) if error.kind == ErrorKind::NotFound => return Ok(()),
                Err(error) if error.kind.is_transient() => left,
                Err(error) => return Err(NotReady::Blind(OperationError::provider(&error))),
            };
            if left.is_empty() {
                return Ok(());
            }
            if clock.since(mark) >= timeout {
                let why = format!("is still not gone after {} s", timeout.as_secs());
                let late = |name| NodeTrouble { name, why: why.clone(), hint: None };
                return Err(NotReady::Nodes(left.into_iter().map(late).collect()));
            }
            tokio::select! {
                () = clock.pause(pause) => {}
                () = self.cancel.asked() => return Err(NotReady::Interrupted),
            }
            pause = (pause * 3 / 2).min(timing.look_max);
        }
    }
}

/// The cluster's own machines that are on their way out.
fn leaving(inventory: &Inventory) -> Vec<NodeName> {
    inventory
        .nodes()
        .iter()
        .filter(|node| node.state == NodeState::Terminating)
        .map(|node| node.name.clone())
        .collect()
}

fn told(error: &ConnectError) -> String {
    format!("does not let us in: failed to {}", error.text())
}

/// What a look says of one node.
enum Sorted {
    NotYet,
    /// It has reached the goal.
    There,
    /// It runs; ssh has to be tried.
    Up,
    /// It never will, with the reason.
    Lost(String),
}

impl Waiting {
    fn new(open: BTreeSet<NodeName>, goal: Goal, log_in: LogIn) -> Self {
        Self {
            open,
            tried: BTreeSet::new(),
            met: BTreeMap::new(),
            refused: BTreeMap::new(),
            ready: Vec::new(),
            troubles: Vec::new(),
            log_in,
            goal,
        }
    }

    /// Gives up on nodes that have refused our key for too long.
    fn give_up_refused(&mut self, is_over: impl Fn(Mark) -> bool) {
        for (name, (since, why, hint)) in std::mem::take(&mut self.refused) {
            if !self.open.contains(&name) {
                continue;
            }
            if is_over(since) {
                self.give_up(&name, why, Some(hint));
            } else {
                self.refused.insert(name, (since, why, hint));
            }
        }
    }

    fn needs_ssh(&self) -> bool {
        self.goal == Goal::LetsIn && self.log_in == LogIn::Ssh && !self.open.is_empty()
    }

    fn sort(&self, name: &NodeName, node: Option<&ObservedNode>) -> Sorted {
        let Some(node) = node else {
            return Sorted::Lost("is gone".to_owned());
        };
        match (self.goal, node.state) {
            (Goal::Stopped, NodeState::Stopped) => Sorted::There,
            (Goal::LetsIn, NodeState::Running) if self.log_in == LogIn::Nothing => Sorted::There,
            // Some clouds give addresses a little later.
            (Goal::LetsIn, NodeState::Running)
                if node.endpoint.is_some() && !self.tried.contains(name) =>
            {
                Sorted::Up
            }
            (Goal::LetsIn, NodeState::Stopped | NodeState::Stopping) => {
                Sorted::Lost(match &node.state_reason {
                    Some(reason) => format!("{}: {reason}", node.state),
                    None => format!("{} before it let us in", node.state),
                })
            }
            (_, NodeState::Terminating | NodeState::Terminated) => {
                Sorted::Lost("is gone".to_owned())
            }
            _ => Sorted::NotYet,
        }
    }

    /// A node will not make it. What was said of it last counts most: a look
    /// after a failed try knows the real cause.
    fn give_up(&mut self, name: &NodeName, why: String, hint: Option<String>) {
        self.troubles.retain(|trouble| trouble.name != *name);
        self.troubles.push(NodeTrouble { name: name.clone(), why, hint });
    }

    /// The troubles of those that are late.
    fn late(self, timeout: Duration) -> Vec<NodeTrouble> {
        let after = timeout.as_secs();
        let one = |name: NodeName| {
            let why = match self.met.get(&name) {
                Some(met) => format!("did not let us in within {after} s: failed to {met}"),
                None => format!("did not come up within {after} s"),
            };
            NodeTrouble { name, why, hint: None }
        };
        self.open.iter().cloned().map(one).collect()
    }
}
