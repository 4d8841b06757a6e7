//! Waiting for nodes that are booting: tries until ssh lets us in.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::mpsc;
use tokio::task::{JoinHandle, JoinSet};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use crate::dial::Dial;
use crate::fanout::{Slots, Target};
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
    let mut pauses = Pauses::new(options, &target.name);
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
        let pause = pauses.next();
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
    let place = slots.place().await;
    let left = deadline.saturating_duration_since(Instant::now());
    let connect = options.timeouts.connect.min(left).max(Duration::from_millis(1));
    let timeouts = Timeouts { connect, ..options.timeouts };
    let connecting =
        Session::connect(dial, &target.endpoint, &target.login, &target.host_keys, timeouts);
    tokio::pin!(connecting);
    if let Ok(connected) = tokio::time::timeout(limits::SLOT_GRACE, &mut connecting).await {
        return connected;
    }
    let slow = slots.slow_place();
    if slow.is_some() {
        drop(place);
    }
    connecting.await
}

/// Pauses that grow, each shortened by a random part of up to a half, so that
/// nodes which booted together are not all tried in the same moment.
#[derive(Debug)]
struct Pauses {
    next: Duration,
    max: Duration,
    state: u64,
}

impl Pauses {
    fn new(options: &WaitOptions, node: &str) -> Self {
        // FNV-1a over the name makes every node's sequence its own.
        let state = node.bytes().fold(options.seed ^ 0xcbf2_9ce4_8422_2325, |hash, byte| {
            (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
        });
        Self { next: options.backoff_first, max: options.backoff_max, state }
    }

    fn next(&mut self) -> Duration {
        let full = self.next.min(self.max);
        self.next = full.saturating_mul(3) / 2;
        full - (full / 2).mul_f64(self.fraction())
    }

    /// The next number of a SplitMix64 sequence, in `[0, 1)`.
    fn fraction(&mut self) -> f64 {
        self.state = self.state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.state;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^= mixed >> 31;
        f64::from(u32::try_from(mixed >> 32).unwrap_or(0)) / 4_294_967_296.0
    }
}

#[cfg(test)]
mod tests {
    use super::{Pauses, WaitOptions};
    use std::time::Duration;

    #[test]
    fn pauses_grow_to_the_limit_and_depend_on_seed_and_node() {
        let options = WaitOptions { seed: 7, ..WaitOptions::default() };
        let draw = |seed, node| {
            let mut pauses = Pauses::new(&WaitOptions { seed, ..options.clone() }, node);
            (0..20).map(|_| pauses.next()).collect::<Vec<_>>()
        };
        let mine = draw(7, "worker1");
        assert_eq!(mine, draw(7, "worker1"));
        assert_ne!(mine, draw(7, "worker2"));
        assert_ne!(mine, draw(8, "worker1"));
        assert!(mine.iter().all(|pause| *pause <= options.backoff_max));
        assert!(*mine.first().unwrap() <= Duration::from_millis(15));
        assert!(*mine.last().unwrap() >= options.backoff_max / 2);
    }
}
