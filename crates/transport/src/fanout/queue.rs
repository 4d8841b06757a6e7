//! The queue between the nodes of a run and its reader: bounded by the number
//! of events and by the bytes they keep. A full queue makes the nodes wait,
//! each with one event, in the order in which they came: none is stalled for
//! another.
//!
//! The reader is often a thread of its own, and waking a thread costs more
//! than most events. So a task collects what comes in one turn of the
//! scheduler, and wakes the reader once.

use std::sync::Arc;

use tokio::sync::mpsc::error::TryRecvError;
use tokio::sync::{Semaphore, mpsc};

use super::event::{RunEvent, RunEventKind};
use crate::limits;

/// The reader's end.
#[derive(Debug)]
pub struct RunEvents {
    batch: std::vec::IntoIter<RunEvent>,
    batches: mpsc::Receiver<Vec<RunEvent>>,
    room: Arc<Semaphore>,
}

/// A node's end.
#[derive(Debug, Clone)]
pub(super) struct EventSender {
    events: mpsc::Sender<RunEvent>,
    room: Arc<Semaphore>,
}

/// Nobody listens any more.
pub(super) struct Unheard;

pub(super) fn queue() -> (EventSender, RunEvents) {
    bounded(limits::RUN_EVENTS_MAX, limits::RUN_EVENT_BYTES_MAX)
}

fn bounded(events_max: usize, bytes_max: usize) -> (EventSender, RunEvents) {
    let (sender, receiver) = mpsc::channel(events_max);
    let (batcher, batches) = mpsc::channel(1);
    tokio::spawn(collect(receiver, batcher));
    let room = Arc::new(Semaphore::new(bytes_max));
    (
        EventSender { events: sender, room: Arc::clone(&room) },
        RunEvents { batch: Vec::new().into_iter(), batches, room },
    )
}

async fn collect(mut events: mpsc::Receiver<RunEvent>, batches: mpsc::Sender<Vec<RunEvent>>) {
    while let Some(event) = events.recv().await {
        // Whoever can tell something now does so before us.
        tokio::task::yield_now().await;
        let mut batch = vec![event];
        while batch.len() < limits::RUN_EVENTS_MAX
            && let Ok(event) = events.try_recv()
        {
            batch.push(event);
        }
        if batches.send(batch).await.is_err() {
            return;
        }
    }
}

impl RunEvents {
    /// The next event; none after the last one. Safe to drop and call again.
    pub async fn recv(&mut self) -> Option<RunEvent> {
        loop {
            if let Some(event) = self.batch.next() {
                return Some(self.taken(event));
            }
            self.batch = self.batches.recv().await?.into_iter();
        }
    }

    /// The next event if there is one already.
    ///
    /// # Errors
    /// There is none yet, or there will be none.
    pub fn try_recv(&mut self) -> Result<RunEvent, TryRecvError> {
        loop {
            if let Some(event) = self.batch.next() {
                return Ok(self.taken(event));
            }
            self.batch = self.batches.try_recv()?.into_iter();
        }
    }

    /// Whether no event is ready to be taken.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.batch.len() == 0 && self.batches.is_empty()
    }

    /// Makes room for what the others wait to tell.
    fn taken(&self, event: RunEvent) -> RunEvent {
        let bytes = weight(&event);
        if bytes > 0 {
            self.room.add_permits(bytes);
        }
        event
    }
}

impl Drop for RunEvents {
    fn drop(&mut self) {
        // Those who wait for room learn that nobody listens.
        self.room.close();
    }
}

impl EventSender {
    /// Waits while the reader has not caught up, which is what slows the node.
    pub(super) async fn send(&self, event: RunEvent) -> Result<(), Unheard> {
        let bytes = weight(&event);
        if bytes > 0 {
            let bytes = u32::try_from(bytes).map_err(|_| Unheard)?;
            self.room.acquire_many(bytes).await.map_err(|_| Unheard)?.forget();
        }
        self.events.send(event).await.map_err(|_| Unheard)
    }
}

/// Bytes that an event keeps, besides itself.
fn weight(event: &RunEvent) -> usize {
    match &event.kind {
        RunEventKind::Output { bytes, .. } => bytes.len(),
        _ => 0,
    }
}

#[cfg(test)]
mod tests {
    use super::bounded;
    use crate::fanout::{LineEnd, RunEvent, RunEventKind, StreamName};

    fn output(index: usize, bytes: &'static [u8]) -> RunEvent {
        let kind = RunEventKind::Output {
            stream: StreamName::Out,
            bytes: bytes.into(),
            end: LineEnd::Newline,
        };
        RunEvent { index, node: "n".into(), kind }
    }

    #[tokio::test]
    async fn bytes_bound_the_queue_and_waiters_take_turns() {
        let (sender, mut events) = bounded(100, 10);
        let mut tasks = tokio::task::JoinSet::new();
        for index in 0..3 {
            let sender = sender.clone();
            tasks.spawn(async move {
                for _ in 0..4 {
                    let _ = sender.send(output(index, b"12345")).await;
                }
            });
            tokio::task::yield_now().await;
        }
        drop(sender);
        let mut order = Vec::new();
        while let Some(event) = events.recv().await {
            order.push(event.index);
            let untaken = 10 - events.room.available_permits();
            assert!(untaken <= 10, "{untaken} bytes wait");
        }
        assert_eq!(order.len(), 12);
        // The first node had both places before the others came; then turns.
        let last_first = order.iter().position(|index| *index == 2).unwrap();
        assert!(last_first <= 4, "{order:?}");
    }

    #[tokio::test]
    async fn without_a_reader_nobody_waits() {
        let (sender, events) = bounded(100, 10);
        let waiting = tokio::spawn(async move {
            let _ = sender.send(output(0, b"1234567890")).await;
            sender.send(output(0, b"1234567890")).await.is_err()
        });
        tokio::task::yield_now().await;
        drop(events);
        assert!(waiting.await.unwrap());
    }
}
