//! Forgetting a cluster: removes what this machine remembers, never a machine.

use model::inventory::Known;
use model::name::ClusterName;

use crate::controller::Controller;
use crate::error::{FailureKind, OperationError};

/// What forgetting did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Forgotten {
    /// Lines of the timeline that were removed.
    pub events: usize,
    /// Why the cluster is still listed, if it is; none when it is gone at the
    /// provider too.
    pub still_listed: Option<String>,
}

impl Controller {
    /// Removes what this machine remembers of a cluster.
    ///
    /// # Errors
    /// When the journal cannot be changed; `NotFound` when there is no such
    /// cluster and nothing is remembered of one.
    pub async fn forget(&self, cluster: &ClusterName) -> Result<Forgotten, Box<OperationError>> {
        let removed = self.parts.journal.forget(&self.scope(cluster)).await;
        let events = removed.map_err(|error| {
            OperationError::new(FailureKind::Failed, format!("failed to {error}"))
        })?;
        let provider = &self.parts.provider;
        let still_listed = match self.look(cluster).await.map(|inventory| inventory.record) {
            Ok(Known::Seen(None)) => None,
            Ok(Known::Seen(Some(_)) | Known::Unknown(_)) => Some(format!(
                "it is there on {}, and that is where lists come from; \
                 `squall delete {cluster}` removes its machines",
                provider.kind().place(&provider.region())
            )),
            Err(error) => Some(format!("whether it is there is not known: failed to {error}")),
        };
        if events == 0 && still_listed.is_none() {
            return Err(self.unknown(cluster).await);
        }
        Ok(Forgotten { events, still_listed })
    }
}
