//! One node of a run, from its place in the fan-out to its one `Finished`
//! event.

use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use tokio::sync::OwnedSemaphorePermit;

use super::event::{LineEnd, NodeIndex, NodeOutcome, Outcome, RunEvent, RunEventKind, StreamName};
use super::lines::LineCutter;
use super::queue::{EventSender, Unheard};
use super::run::{Assignment, RunOptions, Stop};
use super::stop::stop_rest;
use super::sudo::Attended;
use crate::executor::{Executor, Lease, Slots};
use crate::session::{ConnectError, ExecEnd, ExecEvent, ExecOptions, Session, SessionError};

/// What all nodes of a run share.
pub(super) struct Job {
    pub(super) executor: Executor,
    pub(super) slots: Slots,
    pub(super) options: RunOptions,
    pub(super) stop: Stop,
    pub(super) events: EventSender,
}

/// What one node does.
pub(super) struct Work {
    pub(super) index: NodeIndex,
    pub(super) assignment: Assignment,
}

/// What is known of a node when its work is cut short.
#[derive(Default)]
struct Progress {
    begun: Option<Instant>,
    session: Option<Session>,
}

/// From a place in the fan-out to the end.
pub(super) async fn run(
    job: &Job,
    work: &Work,
    place: Option<OwnedSemaphorePermit>,
) -> NodeOutcome {
    let (index, name) = (work.index, Arc::clone(&work.assignment.target.name));
    let mut progress = Progress::default();
    let ended = tokio::select! {
        biased;
        () = job.stop.abort.cancelled() => None,
        outcome = Box::pin(attend(job, work, &mut progress, place)) => Some(outcome),
    };
    let outcome = ended.unwrap_or_else(|| {
        if let Some(session) = &progress.session {
            session.abort();
        }
        Outcome::Cancelled { started: progress.begun.is_some() }
    });
    let duration = progress.begun.map_or_else(Default::default, |begun| begun.elapsed());
    let kind = RunEventKind::Finished { outcome: outcome.clone(), duration };
    // Without a listener there is nobody to tell; the summary has it.
    let _ = job.events.send(RunEvent { index, node: Arc::clone(&name), kind }).await;
    NodeOutcome { node: name, outcome, duration }
}

/// The node's last event where there is no time for it any more.
pub(super) async fn tell_never_begun(job: &Job, index: NodeIndex, assignment: &Assignment) {
    let outcome = Outcome::Cancelled { started: false };
    let kind = RunEventKind::Finished { outcome, duration: Duration::ZERO };
    let node = Arc::clone(&assignment.target.name);
    // Without a listener there is nobody to tell; the summary has it.
    let _ = job.events.send(RunEvent { index, node, kind }).await;
}

async fn attend(
    job: &Job,
    work: &Work,
    progress: &mut Progress,
    place: Option<OwnedSemaphorePermit>,
) -> Outcome {
    let Some(place) = place else { return Outcome::Cancelled { started: false } };
    progress.begun = Some(Instant::now());
    match command(job, work, progress, place).await {
        Ok(outcome) => outcome,
        Err(Unheard) => Outcome::Cancelled { started: true },
    }
}

async fn command(
    job: &Job,
    work: &Work,
    progress: &mut Progress,
    place: OwnedSemaphorePermit,
) -> Result<Outcome, Unheard> {
    tell(job, work, RunEventKind::Connecting).await?;
    let session = job.executor.session_within(&work.assignment.target, job.options.timeouts);
    let connecting = job.slots.keep(place, session);
    let connected = tokio::select! {
        biased;
        () = job.stop.cancel.cancelled() => return Ok(Outcome::Cancelled { started: false }),
        connected = connecting => connected,
    };
    let (lease, _place) = match connected {
        Ok(connected) => connected,
        Err(error) => return Ok(unreachable_outcome(&error)),
    };
    match begin(job, work, lease, progress).await {
        Ok((lease, exec)) => {
            tell(job, work, RunEventKind::Started).await?;
            relay(job, work, &lease, exec).await
        }
        Err(outcome) => Ok(outcome),
    }
}

/// Begins the command; on another session if the one at hand died while nobody
/// had it.
async fn begin(
    job: &Job,
    work: &Work,
    mut lease: Lease,
    progress: &mut Progress,
) -> Result<(Lease, Attended), Outcome> {
    let cancel = &job.stop.cancel;
    let open = loop {
        progress.session = Some(Session::clone(&lease));
        match lease.open(cancel).await {
            Err(SessionError::Lost(_) | SessionError::Timeout { .. }) if lease.is_used() => {
                lease.retire();
                drop(lease);
                let target = &work.assignment.target;
                let times = job.options.timeouts;
                let connecting = Box::pin(job.executor.session_within(target, times));
                lease = tokio::select! {
                    biased;
                    () = cancel.cancelled() => return Err(Outcome::Cancelled { started: false }),
                    lease = connecting => lease.map_err(|error| unreachable_outcome(&error))?,
                };
            }
            opened => break opened,
        }
    };
    let exec = match open {
        Ok(open) => {
            let Assignment { target, command, sudo, .. } = &work.assignment;
            let options = exec_options(job, work);
            Attended::start(&lease, open, &target.name, command, sudo.as_ref(), options).await
        }
        Err(error) => Err(error),
    };
    match exec {
        Ok(exec) => Ok((lease, exec)),
        Err(SessionError::Cancelled) => Err(Outcome::Cancelled { started: false }),
        Err(error) => {
            lease.retire();
            Err(Outcome::Lost(error.to_string()))
        }
    }
}

fn exec_options(job: &Job, work: &Work) -> ExecOptions {
    ExecOptions {
        stdin: work.assignment.stdin.clone(),
        env: work.assignment.env.clone(),
        cancel: job.stop.cancel.clone(),
        idle: job.options.timeouts.idle,
        total: job.options.timeouts.total,
        ..ExecOptions::default()
    }
}

fn unreachable_outcome(error: &ConnectError) -> Outcome {
    Outcome::Unreachable { kind: error.kind(), text: error.text(), mend: error.mend() }
}

/// Turns what the command prints into lines until it ends.
async fn relay(
    job: &Job,
    work: &Work,
    lease: &Lease,
    mut exec: Attended,
) -> Result<Outcome, Unheard> {
    let mut out = LineCutter::new(job.options.line_bytes_max);
    let mut err = LineCutter::new(job.options.line_bytes_max);
    let mut end = ExecEnd::Lost("the command told no end".into());
    while let Some(event) = exec.next().await {
        let (stream, cutter, mut bytes) = match event {
            ExecEvent::Stdout(bytes) => (StreamName::Out, &mut out, bytes),
            ExecEvent::Stderr(bytes) => (StreamName::Err, &mut err, bytes),
            ExecEvent::Ended(how) => {
                end = how;
                continue;
            }
        };
        while let Some(lines) = cutter.next(&mut bytes) {
            tell_lines(job, work, stream, lines).await?;
        }
    }
    for (stream, cutter) in [(StreamName::Out, &mut out), (StreamName::Err, &mut err)] {
        if let Some(lines) = cutter.finish() {
            tell_lines(job, work, stream, lines).await?;
        }
    }
    if exec.left_open() {
        tell(job, work, RunEventKind::LeftOpen).await?;
    }
    if end.may_go_on() {
        // What goes on keeps its place among the node's channels.
        lease.retire();
        stop_rest(lease, &work.assignment).await;
    }
    Ok(end.into())
}

async fn tell_lines(
    job: &Job,
    work: &Work,
    stream: StreamName,
    (bytes, end): (Bytes, LineEnd),
) -> Result<(), Unheard> {
    tell(job, work, RunEventKind::Output { stream, bytes, end }).await
}

async fn tell(job: &Job, work: &Work, kind: RunEventKind) -> Result<(), Unheard> {
    let node = Arc::clone(&work.assignment.target.name);
    job.events.send(RunEvent { index: work.index, node, kind }).await
}
