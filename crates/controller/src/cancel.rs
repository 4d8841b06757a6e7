//! The two stages of stopping an operation.

use tokio_util::sync::CancellationToken;

/// How a user stops an operation.
#[derive(Debug, Clone, Default)]
pub struct Cancel {
    /// First: start no more steps, let the running ones finish, undo nothing,
    /// and say what stands.
    pub stop: CancellationToken,
    /// Second: drop everything at once.
    pub abort: CancellationToken,
}

impl Cancel {
    /// Whether the user asked to stop, in either way.
    #[must_use]
    pub fn is_asked(&self) -> bool {
        self.stop.is_cancelled() || self.abort.is_cancelled()
    }

    /// Waits until the user asks to stop, in either way.
    pub async fn asked(&self) {
        tokio::select! {
            () = self.stop.cancelled() => {}
            () = self.abort.cancelled() => {}
        }
    }
}
