//! Carries out one step: the guard that every step passes, and what the steps
//! share. Every effect is ordered so that whatever ends the process in between
//! leaves only what `observe` shows and the next create or delete clears away.

mod frame;
mod launching;
mod members;
mod node;
mod order;
mod power;

use jiff::Timestamp;
use model::event::{EventSource, Level, TimelineEvent};
use model::inventory::ClusterRecord;
use model::name::{ClusterName, NodeName};
use model::node::{Generation, NodeId};
use model::plan::{Receipt, Step, StepKind};

use super::client::{ClientError, SupervisorClient};
use super::observe::chain;
use super::protocol::RefusalKind;
use super::provider::Local;
use super::store::{ClusterDir, ClusterFile, NodeDir, NodeEntry, NodeFile, Stage, StoreError};
use crate::error::{ErrorKind, ProviderError};
use crate::provider::NodeMaterial;

/// What comes of a step.
type Done = Result<Receipt, ProviderError>;

/// One execution of a step.
pub(super) struct StepRun<'a> {
    local: &'a Local,
    cluster: &'a ClusterName,
    step: &'a Step,
    dir: ClusterDir,
}

impl<'a> StepRun<'a> {
    /// A step of a cluster.
    pub(super) fn new(local: &'a Local, cluster: &'a ClusterName, step: &'a Step) -> Self {
        Self { local, cluster, step, dir: local.store.cluster(&cluster.slug()) }
    }

    /// Carries it out.
    pub(super) fn run(&self, material: Option<&NodeMaterial>) -> Done {
        match &self.step.kind {
            StepKind::EnsureCluster { order } => self.ensure_cluster(order),
            StepKind::EnsureNode { node } => self.ensure_node(node, material),
            StepKind::DeleteNode { name, id } => self.delete_node(name, id),
            StepKind::SyncMembers => self.sync_members(),
            StepKind::StartNode { name } => self.start_node(name),
            StepKind::StopNode { name } => self.stop_node(name),
            StepKind::RebootNode { name } => self.reboot_node(name),
            StepKind::Complete => self.complete(),
            StepKind::BeginDelete => self.begin_delete(),
            StepKind::DeleteCluster => self.delete_cluster(),
        }
    }

    /// The record, if there is one and the step is of the generation it is at.
    fn guarded_if_any(&self) -> Result<Option<ClusterFile>, ProviderError> {
        let Some(file) = self.read()? else {
            return Ok(None);
        };
        if file.record.accepted != self.step.generation {
            return Err(self.moved_on(file.record.accepted));
        }
        Ok(Some(file))
    }

    /// The record, if the step is of the generation it is at.
    fn guarded(&self) -> Result<ClusterFile, ProviderError> {
        let no_cluster = || self.fail(ErrorKind::NotFound, "there is no such cluster");
        self.guarded_if_any()?.ok_or_else(no_cluster)
    }

    /// The record of the cluster of that very name.
    fn read(&self) -> Result<Option<ClusterFile>, ProviderError> {
        let file = self.dir.read().map_err(|error| self.store_failed(error))?;
        Ok(file.filter(|file| file.record.name == *self.cluster))
    }

    fn refuse_deleting(&self, record: &ClusterRecord) -> Result<(), ProviderError> {
        if record.deleting {
            return Err(self.fail(ErrorKind::Conflict, "the cluster is being deleted"));
        }
        Ok(())
    }

    /// The machine of a node that a user may start, stop and reboot.
    fn member(&self, name: &NodeName) -> Result<(NodeDir, NodeFile), ProviderError> {
        self.refuse_deleting(&self.guarded()?.record)?;
        let dir = self.dir.node(&name.slug());
        match dir.entry().map_err(|error| self.store_failed(error))? {
            Some(NodeEntry::Recorded(file))
                if file.wanted.name == *name && file.stage != Stage::Removing =>
            {
                Ok((dir, *file))
            }
            _ => Err(self.fail(ErrorKind::NotFound, "there is no such node")),
        }
    }

    /// The supervisor, if it runs.
    fn supervisor(&self) -> Result<Option<SupervisorClient>, ProviderError> {
        match SupervisorClient::connect(self.dir.path()) {
            Ok(client) => Ok(Some(client)),
            Err(ClientError::NotRunning(_)) => Ok(None),
            Err(error) => Err(self.client_failed(&error)),
        }
    }

    /// Adds a line to the cluster's timeline. A timeline that cannot be
    /// written is no reason to fail at what was done.
    fn note(&self, at: Timestamp, node: Option<&NodeName>, what: &str) {
        let event = TimelineEvent {
            at,
            cluster: self.cluster.clone(),
            node: node.cloned(),
            source: EventSource::Provider,
            level: Level::Info,
            what: what.to_owned(),
            why: None,
        };
        if let Err(error) = self.dir.note(&event) {
            tracing::warn!(cluster = %self.cluster, error = %error.cause(), "timeline not written");
        }
    }

    /// What is being done, for errors.
    fn doing(&self) -> String {
        match self.step.kind.node() {
            Some(node) => format!("{} {node}", self.step.kind.verb()),
            None => self.step.kind.verb().to_owned(),
        }
    }

    fn fail(&self, kind: ErrorKind, cause: impl Into<String>) -> ProviderError {
        ProviderError::new(kind, self.doing(), cause)
    }

    fn moved_on(&self, accepted: Generation) -> ProviderError {
        let cause = format!(
            "the step is of generation {} and the cluster is at {accepted}",
            self.step.generation
        );
        self.fail(ErrorKind::Conflict, cause).with_mend("look again and plan anew")
    }

    fn store_failed(&self, error: StoreError) -> ProviderError {
        error.at(self.doing())
    }

    fn client_failed(&self, error: &ClientError) -> ProviderError {
        let kind = match error {
            ClientError::Refused { kind, .. } => match kind {
                RefusalKind::NotFound => ErrorKind::NotFound,
                RefusalKind::Conflict => ErrorKind::Conflict,
                RefusalKind::Invalid => ErrorKind::Invalid,
                RefusalKind::Capacity => ErrorKind::Capacity,
                RefusalKind::Timeout => ErrorKind::Timeout,
                _ => ErrorKind::Other,
            },
            ClientError::Timeout { .. } => ErrorKind::Timeout,
            ClientError::Version { .. } => ErrorKind::Conflict,
            ClientError::Io { source, .. } if source.kind() == std::io::ErrorKind::StorageFull => {
                ErrorKind::Capacity
            }
            _ => ErrorKind::Other,
        };
        self.fail(kind, chain(error))
    }
}

fn changed(node_id: Option<NodeId>) -> Receipt {
    Receipt { changed: true, node_id, notes: Vec::new() }
}

fn unchanged(node_id: Option<NodeId>) -> Receipt {
    Receipt { changed: false, node_id, notes: Vec::new() }
}
