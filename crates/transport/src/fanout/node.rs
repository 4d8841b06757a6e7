//! The executor: one node of a run, from its place in the fan-out to its one
//! `Finished` event.

use std::sync::Arc;
use std::time::Instant;

use bytes::Bytes;
use tokio::sync::{OwnedSemaphorePermit, mpsc};

use super::event::{LineEnd, NodeIndex, NodeOutcome, Outcome, RunEvent, RunEventKind, StreamName};
use super::lines::LineCutter;
use super::run::{Assignment, RunOptions, Slots, Stop, Target};
use super::sudo::Attended;
use crate::dial::Dial;
use crate::limits;
use crate::session::{ConnectError, ExecEvent, ExecOptions, Session, SessionError};

/// What all nodes of a run share.
pub(super) struct Job {
    pub(super) dial: Arc<dyn Dial>,
    pub(super) slots: Slots,
    pub(super) options: RunOptions,
    pub(super) stop: Stop,
    pub(super) events: mpsc::Sender<RunEvent>,
}

/// Nobody listens any more.
struct Unheard;

/// One node of a run.
struct Node<'a> {
    index: NodeIndex,
    assignment: &'a Assignment,
}

pub(super) async fn run(job: &Job, index: NodeIndex, assignment: Assignment) -> NodeOutcome {
    let name = Arc::clone(&assignment.target.name);
    let node = Node { index, assignment: &assignment };
    let mut begun = None;
    let outcome = tokio::select! {
        biased;
        () = job.stop.abort.cancelled() => Outcome::Cancelled { started: begun.is_some() },
        outcome = Box::pin(attend(job, &node, &mut begun)) => outcome,
    };
    let duration = begun.map_or_else(Default::default, |begun: Instant| begun.elapsed());
    let kind = RunEventKind::Finished { outcome: outcome.clone(), duration };
    // Without a listener there is nobody to tell; the summary has it.
    let _ = job.events.send(RunEvent { index, node: Arc::clone(&name), kind }).await;
    NodeOutcome { node: name, outcome, duration }
}

async fn attend(job: &Job, node: &Node<'_>, begun: &mut Option<Instant>) -> Outcome {
    let place = tokio::select! {
        biased;
        () = job.stop.cancel.cancelled() => None,
        place = job.slots.place() => place,
    };
    let Some(place) = place else { return Outcome::Cancelled { started: false } };
    *begun = Some(Instant::now());
    match command(job, node, place).await {
        Ok(outcome) => outcome,
        Err(Unheard) => Outcome::Cancelled { started: true },
    }
}

async fn command(
    job: &Job,
    node: &Node<'_>,
    place: OwnedSemaphorePermit,
) -> Result<Outcome, Unheard> {
    tell(job, node, RunEventKind::Connecting).await?;
    let connected = tokio::select! {
        biased;
        () = job.stop.cancel.cancelled() => return Ok(Outcome::Cancelled { started: false }),
        connected = Box::pin(connect(job, &node.assignment.target, place)) => connected,
    };
    let (session, _place) = match connected {
        Ok(connected) => connected,
        Err(error) => return Ok(unreachable_outcome(&error)),
    };
    let options = ExecOptions {
        stdin: node.assignment.stdin.clone(),
        env: node.assignment.env.clone(),
        cancel: job.stop.cancel.clone(),
        ..ExecOptions::default()
    };
    let Assignment { target, command, sudo, .. } = node.assignment;
    match Attended::start(&session, &target.name, command, sudo.as_ref(), options).await {
        Ok(exec) => {
            tell(job, node, RunEventKind::Started).await?;
            relay(job, node, exec).await
        }
        Err(SessionError::Cancelled) => Ok(Outcome::Cancelled { started: false }),
        Err(error) => Ok(Outcome::Lost(error.to_string())),
    }
}

/// Connects; when that takes long, gives the place back meanwhile.
async fn connect(
    job: &Job,
    target: &Target,
    place: OwnedSemaphorePermit,
) -> Result<(Session, Option<OwnedSemaphorePermit>), ConnectError> {
    let connecting = Session::connect(
        job.dial.as_ref(),
        &target.endpoint,
        &target.login,
        &target.host_keys,
        job.options.timeouts,
    );
    tokio::pin!(connecting);
    if let Ok(connected) = tokio::time::timeout(limits::SLOT_GRACE, &mut connecting).await {
        return Ok((connected?, Some(place)));
    }
    let Some(slow) = job.slots.slow_place() else { return Ok((connecting.await?, Some(place))) };
    drop(place);
    let session = connecting.await?;
    drop(slow);
    Ok((session, job.slots.place().await))
}

fn unreachable_outcome(error: &ConnectError) -> Outcome {
    Outcome::Unreachable { kind: error.kind(), text: error.text(), mend: error.mend() }
}

/// Turns what the command prints into lines until it ends.
async fn relay(job: &Job, node: &Node<'_>, mut exec: Attended) -> Result<Outcome, Unheard> {
    let mut out = LineCutter::new(job.options.line_bytes_max);
    let mut err = LineCutter::new(job.options.line_bytes_max);
    let mut outcome = Outcome::Lost("the command told no end".into());
    while let Some(event) = exec.next().await {
        let (stream, cutter, mut bytes) = match event {
            ExecEvent::Stdout(bytes) => (StreamName::Out, &mut out, bytes),
            ExecEvent::Stderr(bytes) => (StreamName::Err, &mut err, bytes),
            ExecEvent::Ended(end) => {
                outcome = end.into();
                continue;
            }
        };
        while let Some(line) = cutter.next(&mut bytes) {
            tell_line(job, node, stream, line).await?;
        }
    }
    for (stream, cutter) in [(StreamName::Out, &mut out), (StreamName::Err, &mut err)] {
        if let Some(line) = cutter.finish() {
            tell_line(job, node, stream, line).await?;
        }
    }
    Ok(outcome)
}

async fn tell_line(
    job: &Job,
    node: &Node<'_>,
    stream: StreamName,
    (bytes, end): (Bytes, LineEnd),
) -> Result<(), Unheard> {
    tell(job, node, RunEventKind::Output { stream, bytes, end }).await
}

/// Waits while the reader has not caught up, which is what slows the node.
async fn tell(job: &Job, node: &Node<'_>, kind: RunEventKind) -> Result<(), Unheard> {
    let name = Arc::clone(&node.assignment.target.name);
    let event = RunEvent { index: node.index, node: name, kind };
    job.events.send(event).await.map_err(|_| Unheard)
}
