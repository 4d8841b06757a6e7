//! What an operation tells: progress to whoever shows it, and lines to the
//! cluster's timeline.

use std::time::Duration;

use jiff::Timestamp;
use model::event::{EventSource, Level, Progress, TimelineEvent};
use model::name::{ClusterName, NodeName};
use tokio::sync::mpsc;

use crate::controller::Controller;
use crate::journal::{Journal, Scope};

/// A reader of progress that takes nothing for so long misses some of it; the
/// operation is not held up by a terminal that is stopped.
const READER_PATIENCE: Duration = Duration::from_secs(1);

/// The listeners of one operation.
#[derive(Debug, Clone)]
pub(crate) struct Teller {
    progress: mpsc::Sender<Progress>,
    journal: Journal,
    scope: Scope,
}

impl Teller {
    /// Tells progress.
    pub(crate) async fn progress(&self, progress: Progress) {
        match self.progress.try_send(progress) {
            Ok(()) | Err(mpsc::error::TrySendError::Closed(_)) => {}
            Err(mpsc::error::TrySendError::Full(progress)) => {
                let sending = self.progress.send_timeout(progress, READER_PATIENCE);
                if sending.await.is_err() {
                    tracing::debug!("progress was dropped: nobody reads it");
                }
            }
        }
    }

    /// Tells something the reader should know.
    pub(crate) async fn note(&self, text: impl Into<String>) {
        self.progress(Progress::Note { text: text.into() }).await;
    }

    /// Adds a line to the cluster's timeline.
    pub(crate) fn line(
        &self,
        at: Timestamp,
        node: Option<&NodeName>,
        (level, what, why): (Level, &str, Option<&str>),
    ) {
        let event = TimelineEvent {
            at,
            cluster: self.scope.cluster.clone(),
            node: node.cloned(),
            source: EventSource::Squall,
            level,
            what: what.to_owned(),
            why: why.map(str::to_owned),
        };
        self.journal.record(&self.scope, event);
    }

    /// Waits until the timeline is written, or has taken too long.
    pub(crate) async fn flush(&self) {
        self.journal.flush().await;
    }
}

impl Controller {
    /// Which cluster of that name is meant in the journal.
    pub(crate) fn scope(&self, cluster: &ClusterName) -> Scope {
        let provider = &self.parts.provider;
        Scope { provider: provider.kind(), region: provider.region(), cluster: cluster.clone() }
    }

    /// The listeners of an operation on a cluster.
    pub(crate) fn teller(&self, cluster: &ClusterName, progress: mpsc::Sender<Progress>) -> Teller {
        Teller { progress, journal: self.parts.journal.clone(), scope: self.scope(cluster) }
    }
}
