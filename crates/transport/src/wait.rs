//! Waiting for nodes that are booting: tries until ssh lets us in.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::mpsc;
use tokio::task::{JoinHandle, JoinSet};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use crate::backoff::Backoff;
use crate::dial::Dial;
use crate::executor::Slots;
use crate::fanout::Target;
use crate::limits;
use crate::session::{ConnectError, ConnectErrorKind, Session, Timeouts};

/// How to wait.
#[derive(Debug, Clone)]
pub struct WaitOptions {
    /// In total, per node.
    pub deadline: Duration,
    /// Times of each try and of the session that comes of it.
    pub timeouts: Timeouts,
    /// First pause between two tries; each next one is half as long again.
    pub backoff_first: Duration,
    /// Longest pause.
    pub backoff_max: Duration,
    /// Spreads the tries of many nodes; any number.
    pub seed: u64,
    /// Ends the waiting early.
    pub cancel: CancellationToken,
}

impl Default for WaitOptions {
    fn default() -> Self {
        Self {
            deadline: Duration::from_secs(60),
            timeouts: Timeouts { connect: limits::WAIT_ATTEMPT_TIMEOUT, ..Timeouts::default() },
            backoff_first: limits::WAIT_BACKOFF_FIRST,
            backoff_max: limits::WAIT_BACKOFF_MAX,
            seed: 0,
            cancel: CancellationToken::new(),
        }
    }
}

/// Why waiting came to nothing.
#[derive(Debug, Clone, thiserror::Error)]
pub enum WaitError {
    /// The time is over. Reads after "failed to".
    #[error("get into {node} within {} s ({tries} tries)", .after.as_secs_f32())]
    Deadline {
        /// The node.
        node: Arc<str>,
        /// The time that it was given.
        after: Duration,
        /// How often it was tried.
        tries: u32,
        /// What the last try met.
        #[source]
        last: ConnectError,
    },
    /// No time will mend it: the node is another one than we know.
    #[error("get into {node}")]
    Final {
        /// The node.
        node: Arc<str>,
        /// What the try met.
        #[source]
        last: ConnectError,
    },
    /// We were told to stop.
    #[error("wait for {node}: cancelled")]
    Cancelled {
        /// The node.
        node: Arc<str>,
    },
}

/// Something happened while waiting for many nodes. Every node gets exactly
/// one `Ready` or `GaveUp`.
#[derive(Debug)]
pub enum WaitEvent {
    /// A try failed in another way than the one before it.
    StillWaiting {
        /// The node.
        node: Arc<str>,
        /// What the try met.
        error: ConnectError,
    },
    /// The node lets us in.
    Ready {
        /// The node.
        node: Arc<str>,
        /// The session, for whatever comes next.
        session: Session,
        /// How long it took.
        duration: Duration,
    },
    /// It did not come to that.
    GaveUp {
        /// The node.
        node: Arc<str>,
        /// Why.
        error: WaitError,
    },
}

/// Tries until `target` lets us in.
///
/// # Errors
/// The deadline, with what the last try met; at once when the host key is a
/// wrong one.
pub async fn wait_until_ready(
    dial: &dyn Dial,
    target: &Target,
    options: &WaitOptions,
) -> Result<Session, WaitError> {
    let slots = Slots::new(1);
    tokio::select! {
        biased;
        () = options.cancel.cancelled() => {
            Err(WaitError::Cancelled { node: Arc::clone(&target.name) })
        }
        waited = Box::pin(tries(dial, target, options, &slots, None)) => waited,
    }
}

/// Waits for many nodes at once, at most `fanout_max` tries at any moment. The
/// events must be read; dropping the receiver ends the waiting.
pub fn wait_for_all(
    dial: Arc<dyn Dial>,
    targets: Vec<Target>,
    options: WaitOptions,
    fanout_max: usize,
) -> (mpsc::Receiver<WaitEvent>, JoinHandle<()>) {
    let (events, receiver) = mpsc::channel(limits::RUN_EVENTS_MAX);
    let task = tokio::spawn(async move {
        let slots = Slots::new(fanout_max);
        let mut tasks = JoinSet::new();
        for target in targets {
            let (dial, slots, events) = (Arc::clone(&dial), slots.clone(), events.clone());
            let options = options.clone();
            tasks.spawn(
                async move { wait_for_one(&*dial, &target, &options, &slots, events).await },
            );
        }
        drop(events);
        while tasks.join_next().await.is_some() {}
    });
    (receiver, task)
}

async fn wait_for_one(
    dial: &dyn Dial,
    target: &Target,
    options: &WaitOptions,
    slots: &Slots,
    events: mpsc::Sender<WaitEvent>,
) {
    let begun = Instant::now();
    let node = Arc::clone(&target.name);
    let waited = tokio::select! {
        biased;
        () = options.cancel.cancelled() => Err(WaitError::Cancelled { node: Arc::clone(&node) }),
        () = events.closed() => return,
        waited = Box::pin(tries(dial, target, options, slots, Some(&events))) => waited,
    };
    let event = match waited {
        Ok(session) => WaitEvent::Ready { node, session, duration: begun.elapsed() },
        Err(error) => WaitEvent::GaveUp { node, error },
    };
    let _ = events.send(event).await;
}

async fn tries(
    dial: &dyn Dial,
    target: &Target,
    options: &WaitOptions,
    slots: &Slots,
    events: Option<&mpsc::Sender<WaitEvent>>,
) -> Result<Session, WaitError> {
    let deadline = Instant::now() + options.deadline;
    let (first, max) = (options.backoff_first, options.backoff_max);
    let mut pauses = Backoff::new(first, max, 3, options.seed, &target.name);
    let mut tries = 0_u32;
    let mut before: Option<ConnectError> = None;
    loop {
        tries = tries.saturating_add(1);
        let error = match one_try(dial, target, options, slots, deadline).await {
            Ok(session) => return Ok(session),
            Err(error) => error,
        };
        let node = Arc::clone(&target.name);
        if error.kind() == ConnectErrorKind::HostKeyChanged {
            return Err(WaitError::Final { node, last: error });
        }
        let pause = pauses.pause();
        if Instant::now() + pause >= deadline {
            // A try that only ran out of our time says less than the one before.
            let cut = error.kind() == ConnectErrorKind::Timeout;
            let last = before.filter(|_| cut).unwrap_or(error);
            return Err(WaitError::Deadline { node, after: options.deadline, tries, last });
        }
        let is_news = before.as_ref().is_none_or(|before| before.kind() != error.kind());
        before = Some(error.clone());
        if is_news && let Some(events) = events {
            // Only news for people: dropped rather than waited for.
            let _ = events.try_send(WaitEvent::StillWaiting { node, error });
        }
        tokio::time::sleep(pause).await;
    }
}

/// One try holds a place only while it is under way, so that nodes which do
/// not answer cost the others at most a turn.
async fn one_try(
    dial: &dyn Dial,
    target: &Target,
    options: &WaitOptions,
    slots: &Slots,
    deadline: Instant,
) -> Result<Session, ConnectError> {
    let trying = async {
        let left = deadline.saturating_duration_since(Instant::now());
        let connect = options.timeouts.connect.min(left).max(Duration::from_millis(1));
        let timeouts = Timeouts { connect, ..options.timeouts };
        Session::connect(dial, &target.endpoint, &target.login, &target.host_keys, timeouts).await
    };
    slots.hold(trying).await
}
