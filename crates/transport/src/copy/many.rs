//! The same copying on many nodes: a bounded number at once, one stream of
//! events, and nobody waits for a dead node.

use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::sync::mpsc;
use tokio::task::{JoinHandle, JoinSet};
use tokio_util::sync::CancellationToken;

use super::event::{
    CopyEnd, CopyEvent, CopyEventKind, CopyOutcome, CopySummary, Meter, NodeCopied,
};
use super::get::{GetPlan, get as get_from};
use super::node::{Node, Tally, Trouble};
use super::put::put as put_onto;
use super::walk::PutPlan;
use crate::executor::{Executor, Lease, Slots};
use crate::fanout::{Stop, Target};
use crate::limits;
use crate::session::{ConnectError, SessionError, Timeouts};
use crate::sftp::{Sftp, SftpError, SftpOptions};

/// How to copy.
#[derive(Debug, Clone)]
pub struct CopyOptions {
    /// Nodes at once.
    pub fanout_max: usize,
    /// Times of each node. A node that answers nothing is given up after
    /// [`limits::SFTP_REPLY_TIMEOUT`], or `idle` if that is set.
    pub timeouts: Timeouts,
    /// Compare files that seem the same by hash, not by size and time.
    pub checksum: bool,
    /// Look only, and say what would be copied.
    pub dry_run: bool,
}

impl Default for CopyOptions {
    fn default() -> Self {
        Self {
            fanout_max: limits::FANOUT_MAX,
            timeouts: Timeouts::default(),
            checksum: false,
            dry_run: false,
        }
    }
}

/// Copying on its way. Dropping it aborts it.
#[derive(Debug)]
pub struct Copying {
    /// What happens. Must be read: a full queue stops the nodes.
    pub events: mpsc::Receiver<CopyEvent>,
    /// How far everything is.
    pub meter: Arc<Meter>,
    task: JoinHandle<CopySummary>,
    abort: CancellationToken,
}

impl Copying {
    /// Throws the remaining events away and waits for the end.
    pub async fn summary(mut self) -> CopySummary {
        while self.events.recv().await.is_some() {}
        (&mut self.task).await.unwrap_or_default()
    }
}

impl Drop for Copying {
    fn drop(&mut self) {
        self.abort.cancel();
    }
}

/// Puts files onto every target, on sessions of an [`Executor`] or, with a mere
/// [`Dial`](crate::Dial), of one that lives as long as the copying. Each file
/// is read and hashed once for all of them.
pub fn put(
    executor: impl Into<Executor>,
    targets: Vec<Target>,
    plan: PutPlan,
    options: CopyOptions,
    stop: Stop,
) -> Copying {
    start(executor.into(), targets, Work::Put(plan), options, stop)
}

/// Gets files from every target, each into a directory with the node's name.
pub fn get(
    executor: impl Into<Executor>,
    targets: Vec<Target>,
    plan: GetPlan,
    options: CopyOptions,
    stop: Stop,
) -> Copying {
    start(executor.into(), targets, Work::Get(plan), options, stop)
}

enum Work {
    Put(PutPlan),
    Get(GetPlan),
}

/// What all nodes share.
struct Job {
    executor: Executor,
    work: Work,
    slots: Slots,
    options: CopyOptions,
    stop: Stop,
    events: mpsc::Sender<CopyEvent>,
    meter: Arc<Meter>,
}

fn start(
    executor: Executor,
    targets: Vec<Target>,
    work: Work,
    options: CopyOptions,
    stop: Stop,
) -> Copying {
    let (sender, events) = mpsc::channel(limits::RUN_EVENTS_MAX);
    let meter = Arc::new(Meter::default());
    if let Work::Put(plan) = &work {
        meter.add_expected(plan.bytes().saturating_mul(targets.len() as u64));
    }
    let abort = stop.abort.clone();
    executor.make_room_for(targets.len(), options.fanout_max);
    let job = Arc::new(Job {
        executor,
        work,
        slots: Slots::new(options.fanout_max),
        options,
        stop,
        events: sender,
        meter: Arc::clone(&meter),
    });
    Copying { events, meter, task: tokio::spawn(dispatch(job, targets)), abort }
}

async fn dispatch(job: Arc<Job>, targets: Vec<Target>) -> CopySummary {
    let begun = Instant::now();
    // Until its task has reported, a node counts as never begun.
    let mut nodes: Vec<NodeCopied> = targets.iter().map(not_begun).collect();
    let mut tasks = JoinSet::new();
    for (index, target) in targets.into_iter().enumerate() {
        let job = Arc::clone(&job);
        tasks.spawn(async move { (index, Box::pin(run(&job, target)).await) });
    }
    while let Some(ended) = tasks.join_next().await {
        // A task that panicked keeps "cancelled": its node told no end.
        let Ok((index, copied)) = ended else { continue };
        if let Some(place) = nodes.get_mut(index) {
            *place = copied;
        }
    }
    CopySummary { nodes, duration: begun.elapsed() }
}

fn not_begun(target: &Target) -> NodeCopied {
    NodeCopied {
        node: Arc::clone(&target.name),
        outcome: CopyOutcome {
            end: CopyEnd::Cancelled { started: false },
            report: super::event::CopyReport::default(),
        },
        duration: Duration::ZERO,
    }
}

/// One node, from its place in the fan-out to its one `Finished` event.
async fn run(job: &Job, target: Target) -> NodeCopied {
    let tally = Tally::default();
    let mut begun = None;
    let stopped = job.stop.cancel.clone();
    let end = tokio::select! {
        biased;
        () = job.stop.abort.cancelled() => CopyEnd::Cancelled { started: begun.is_some() },
        () = stopped.cancelled() => CopyEnd::Cancelled { started: begun.is_some() },
        end = Box::pin(attend(job, &target, &tally, &mut begun)) => end,
    };
    let outcome = CopyOutcome { end, report: tally.report() };
    let duration = begun.map_or_else(Default::default, |begun: Instant| begun.elapsed());
    let kind = CopyEventKind::Finished { outcome: outcome.clone(), duration };
    tell(job, &target, kind).await;
    NodeCopied { node: target.name, outcome, duration }
}

async fn tell(job: &Job, target: &Target, kind: CopyEventKind) {
    // Without a listener there is nobody to tell; the summary has it.
    let _ = job.events.send(CopyEvent { node: Arc::clone(&target.name), kind }).await;
}

async fn attend(job: &Job, target: &Target, tally: &Tally, begun: &mut Option<Instant>) -> CopyEnd {
    let Some(place) = job.slots.place().await else {
        return CopyEnd::Cancelled { started: false };
    };
    *begun = Some(Instant::now());
    tell(job, target, CopyEventKind::Connecting).await;
    let session = job.executor.session_within(target, job.options.timeouts);
    let (lease, _place) = match job.slots.keep(place, session).await {
        Ok(connected) => connected,
        Err(error) => return unreachable(&error),
    };
    tell(job, target, CopyEventKind::Started).await;
    let copying = open_and_copy(job, target, lease, tally);
    match job.options.timeouts.total {
        None => copying.await,
        Some(total) => {
            tokio::time::timeout(total, copying).await.unwrap_or(CopyEnd::TimedOut(total))
        }
    }
}

fn unreachable(error: &ConnectError) -> CopyEnd {
    CopyEnd::Unreachable { kind: error.kind(), text: error.text(), mend: error.mend() }
}

/// Copies over the session, or over another one if that died while nobody had
/// it.
async fn open_and_copy(job: &Job, target: &Target, lease: Lease, tally: &Tally) -> CopyEnd {
    let mut lease = Unfinished { lease, is_finished: false };
    let mut sftp = open(job, &lease.lease).await;
    let is_dead =
        matches!(sftp, Err(SftpError::Open(SessionError::Lost(_) | SessionError::Timeout { .. })));
    if is_dead && lease.lease.is_used() {
        drop(lease);
        lease = match job.executor.session_within(target, job.options.timeouts).await {
            Ok(lease) => Unfinished { lease, is_finished: false },
            Err(error) => return unreachable(&error),
        };
        sftp = open(job, &lease.lease).await;
    }
    let end = match sftp {
        Ok(sftp) => copy(job, target, &lease.lease, sftp, tally).await,
        Err(error) => CopyEnd::Lost(no_sftp(&error)),
    };
    lease.is_finished = matches!(end, CopyEnd::Done | CopyEnd::Failed);
    end
}

/// A session whose last bytes may still be on their way when the copying is
/// cut short. It is not lent again then.
struct Unfinished {
    lease: Lease,
    is_finished: bool,
}

impl Drop for Unfinished {
    fn drop(&mut self) {
        if !self.is_finished {
            self.lease.retire();
        }
    }
}

async fn open(job: &Job, lease: &Lease) -> Result<Sftp, SftpError> {
    let options = SftpOptions {
        silence_max: job.options.timeouts.idle.unwrap_or(limits::SFTP_REPLY_TIMEOUT),
        cancel: job.stop.cancel.clone(),
    };
    Sftp::open(lease, options).await
}

async fn copy(job: &Job, target: &Target, lease: &Lease, sftp: Sftp, tally: &Tally) -> CopyEnd {
    let cancel = &job.stop.cancel;
    let (options, events, meter) = (&job.options, &job.events, job.meter.as_ref());
    let node = Node::new(&target.name, lease, sftp, options, cancel, events, meter, tally);
    let copied = match &job.work {
        Work::Put(plan) => put_onto(&node, plan).await,
        Work::Get(plan) => get_from(&node, plan).await,
    };
    match copied {
        Ok(()) if tally.has_failures() => CopyEnd::Failed,
        Ok(()) => CopyEnd::Done,
        Err(Trouble::Lost(text)) => CopyEnd::Lost(text),
        // What concerns a file was settled with it.
        Err(Trouble::File(failure)) => CopyEnd::Lost(failure.text),
    }
}

fn no_sftp(error: &SftpError) -> String {
    match std::error::Error::source(error) {
        Some(source) => format!("{error}: {source}"),
        None => error.to_string(),
    }
}
