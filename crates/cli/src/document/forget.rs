//! `{"kind": "forgotten"}`: what `squall forget` did.

use controller::Forgotten;
use model::name::ClusterName;
use serde::Serialize;

use super::VERSION;

/// The document.
#[derive(Debug, Serialize)]
pub(crate) struct ForgottenDocument {
    squall: u32,
    kind: &'static str,
    cluster: String,
    event_count: usize,
    /// Why the cluster is still listed; `null` when it is not.
    still_listed: Option<String>,
}

impl ForgottenDocument {
    /// What was done.
    pub(crate) fn new(cluster: &ClusterName, forgotten: &Forgotten) -> Self {
        Self {
            squall: VERSION,
            kind: "forgotten",
            cluster: cluster.to_string(),
            event_count: forgotten.events,
            still_listed: forgotten.still_listed.clone(),
        }
    }
}
