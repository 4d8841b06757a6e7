//! The timeline of a cluster: what this machine remembers and what the
//! provider tells, in one order.

use jiff::Timestamp;
use model::event::TimelineEvent;
use model::name::ClusterName;

use crate::controller::Controller;
use crate::look::within;

/// A cluster's timeline.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Timeline {
    /// What happened, oldest first.
    pub events: Vec<TimelineEvent>,
    /// Why part of it could not be read, one line each.
    pub missing: Vec<String>,
}

impl Controller {
    /// What happened to a cluster after `since`. A cluster that is gone has
    /// what this machine remembers of it.
    pub async fn timeline(&self, cluster: &ClusterName, since: Option<Timestamp>) -> Timeline {
        let mut timeline = Timeline::default();
        let limit = self.parts.timing.look_timeout;
        let telling = self.parts.provider.events(cluster);
        match within(limit, "read the provider's timeline", telling).await {
            Ok(events) => timeline.events = events,
            Err(error) => timeline.missing.push(format!("failed to {error}")),
        }
        match self.parts.journal.read(&self.scope(cluster)).await {
            Ok(events) => timeline.events.extend(events),
            Err(error) => timeline.missing.push(format!("failed to {error}")),
        }
        timeline.events.retain(|event| since.is_none_or(|since| event.at > since));
        timeline.events.sort_by_key(|event| event.at);
        timeline
    }
}
