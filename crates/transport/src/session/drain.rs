//! Takes what comes on a channel off the connection while nobody reads it.
//! The library stops reading a connection, for all its channels, when one of
//! them is full.

use std::sync::Arc;

use russh::{ChannelMsg, ChannelReadHalf};
use tokio::sync::Semaphore;
use tokio::sync::mpsc::{self, UnboundedReceiver, UnboundedSender};

/// What comes on a channel: at once, or by way of a task that keeps the
/// channel empty.
pub(super) enum Source {
    Direct(ChannelReadHalf),
    Drained(Drained),
}

/// Messages that wait; bounded by their bytes, not by their number.
pub(super) struct Drained {
    messages: UnboundedReceiver<ChannelMsg>,
    room: Arc<Semaphore>,
}

impl Source {
    /// The next message; none when the channel is gone. Safe to drop and call
    /// again.
    pub(super) async fn next(&mut self) -> Option<ChannelMsg> {
        match self {
            Self::Direct(reader) => reader.wait().await,
            Self::Drained(drained) => {
                let message = drained.messages.recv().await?;
                drained.room.add_permits(weight(&message));
                Some(message)
            }
        }
    }

    /// From now on up to `bytes_max` are taken off the connection unread.
    pub(super) fn drained(self, bytes_max: usize) -> Self {
        let Self::Direct(reader) = self else { return self };
        let room = Arc::new(Semaphore::new(bytes_max));
        let (sender, messages) = mpsc::unbounded_channel();
        tokio::spawn(drain(reader, sender, Arc::clone(&room)));
        Self::Drained(Drained { messages, room })
    }
}

async fn drain(
    mut reader: ChannelReadHalf,
    messages: UnboundedSender<ChannelMsg>,
    room: Arc<Semaphore>,
) {
    let moving = async {
        while let Some(message) = reader.wait().await {
            let weight = u32::try_from(weight(&message)).unwrap_or(u32::MAX);
            let Ok(taken) = room.acquire_many(weight).await else { return };
            taken.forget();
            if messages.send(message).is_err() {
                return;
            }
        }
    };
    tokio::select! {
        () = moving => {}
        () = messages.closed() => {}
    }
}

/// Bytes that a message keeps.
fn weight(message: &ChannelMsg) -> usize {
    match message {
        ChannelMsg::Data { data } | ChannelMsg::ExtendedData { data, .. } => data.len(),
        _ => 0,
    }
}
