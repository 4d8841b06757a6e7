//! The dispatcher: starts the nodes' tasks, collects how they ended.

use std::sync::Arc;
use std::time::Instant;

use model::Endpoint;
use tokio::task::{JoinHandle, JoinSet};
use tokio_util::sync::CancellationToken;

use super::event::{NodeOutcome, Outcome, RunSummary};
use super::node::{self, Job, Work};
use super::queue::{RunEvents, queue};
use super::sudo::{Sudo, sent_bytes};
use crate::executor::{Executor, Slots};
use crate::limits;
use crate::session::{HostKeys, Login, Stdin, Timeouts};

/// A node to run something on.
#[derive(Debug, Clone)]
pub struct Target {
    /// Its name, for the events.
    pub name: Arc<str>,
    /// Where its ssh server is.
    pub endpoint: Endpoint,
    /// Who we are to it.
    pub login: Login,
    /// Who it is to us.
    pub host_keys: HostKeys,
}

/// What one node is to do.
#[derive(Debug, Clone)]
pub struct Assignment {
    /// The node.
    pub target: Target,
    /// What its shell is given.
    pub command: Arc<str>,
    /// Variables to set. A node's sshd accepts only what its `AcceptEnv` says.
    pub env: Vec<(String, String)>,
    /// What the command reads.
    pub stdin: Stdin,
    /// Whom it runs as, if not as the user who logs in.
    pub sudo: Option<Arc<Sudo>>,
}

impl Assignment {
    /// A command without variables and input, as the user who logs in.
    pub fn new(target: Target, command: impl Into<Arc<str>>) -> Self {
        Self { target, command: command.into(), env: Vec::new(), stdin: Stdin::Empty, sudo: None }
    }

    /// Bytes of what is sent to have the command run, with what sudo needs. A
    /// node takes [`limits::COMMAND_BYTES_MAX`].
    #[must_use]
    pub fn command_bytes(&self) -> usize {
        sent_bytes(&self.command, self.sudo.as_deref())
    }

    /// The same command for all of them.
    #[must_use]
    pub fn each(targets: Vec<Target>, command: &str) -> Vec<Self> {
        let command: Arc<str> = command.into();
        targets.into_iter().map(|target| Self::new(target, Arc::clone(&command))).collect()
    }
}

/// How to run commands on many nodes.
#[derive(Debug, Clone)]
pub struct RunOptions {
    /// Nodes at once.
    pub fanout_max: usize,
    /// Times of each node.
    pub timeouts: Timeouts,
    /// Longer lines come in pieces.
    pub line_bytes_max: usize,
}

impl Default for RunOptions {
    fn default() -> Self {
        Self {
            fanout_max: limits::FANOUT_MAX,
            timeouts: Timeouts::default(),
            line_bytes_max: limits::LINE_BYTES_MAX,
        }
    }
}

/// The two stages of stopping a run.
#[derive(Debug, Clone, Default)]
pub struct Stop {
    /// First: start no more nodes, send the running commands SIGTERM and
    /// report them as cancelled.
    pub cancel: CancellationToken,
    /// Second: drop every connection at once.
    pub abort: CancellationToken,
}

impl Stop {
    /// Waits for either.
    async fn told(&self) {
        tokio::select! {
            () = self.cancel.cancelled() => {}
            () = self.abort.cancelled() => {}
        }
    }
}

/// A run on its way. Dropping it aborts it.
#[derive(Debug)]
pub struct Run {
    /// What happens. Must be read: a full queue stops the nodes.
    pub events: RunEvents,
    task: JoinHandle<RunSummary>,
    abort: CancellationToken,
}

impl Run {
    /// Throws the remaining events away and waits for the end.
    pub async fn summary(mut self) -> RunSummary {
        while self.events.recv().await.is_some() {}
        (&mut self.task).await.unwrap_or_default()
    }
}

impl Drop for Run {
    fn drop(&mut self) {
        self.abort.cancel();
    }
}

/// Runs every assignment, on sessions of an [`Executor`] or, with a mere
/// [`Dial`](crate::Dial), of one that lives as long as the run.
pub fn run(
    executor: impl Into<Executor>,
    assignments: Vec<Assignment>,
    options: RunOptions,
    stop: Stop,
) -> Run {
    let (sender, events) = queue();
    let abort = stop.abort.clone();
    let executor = executor.into();
    executor.make_room_for(assignments.len(), options.fanout_max);
    let job = Arc::new(Job {
        executor,
        slots: Slots::new(options.fanout_max),
        options,
        stop,
        events: sender,
    });
    Run { events, task: tokio::spawn(dispatch(job, assignments)), abort }
}

async fn dispatch(job: Arc<Job>, assignments: Vec<Assignment>) -> RunSummary {
    let begun = Instant::now();
    // Until its task has reported, a node counts as never begun.
    let mut nodes: Vec<NodeOutcome> = assignments.iter().map(not_begun).collect();
    let mut tasks = JoinSet::new();
    let mut waiting = assignments.into_iter().enumerate();
    let mut next = waiting.next();
    let placing = job.slots.place();
    tokio::pin!(placing);
    while next.is_some() || !tasks.is_empty() {
        tokio::select! {
            biased;
            () = job.stop.told(), if next.is_some() => {
                for (index, assignment) in next.take().into_iter().chain(waiting.by_ref()) {
                    node::tell_never_begun(&job, index, &assignment).await;
                }
            }
            Some(ended) = tasks.join_next() => {
                // A task that panicked keeps "cancelled": its node told no end.
                let Ok((index, outcome)) = ended else { continue };
                if let Some(place) = nodes.get_mut(index) {
                    *place = outcome;
                }
            }
            // Not before there is a place: what waits is to cost nothing.
            place = &mut placing, if next.is_some() => {
                placing.set(job.slots.place());
                let Some((index, assignment)) = next.take() else { continue };
                next = waiting.next();
                let (job, work) = (Arc::clone(&job), Work { index, assignment });
                tasks.spawn(async move { (index, Box::pin(node::run(&job, &work, place)).await) });
            }
        }
    }
    RunSummary { nodes, duration: begun.elapsed() }
}

fn not_begun(assignment: &Assignment) -> NodeOutcome {
    NodeOutcome {
        node: Arc::clone(&assignment.target.name),
        outcome: Outcome::Cancelled { started: false },
        duration: std::time::Duration::ZERO,
    }
}
