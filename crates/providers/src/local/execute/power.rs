//! Steps that start, stop and reboot nodes.

use std::time::Duration;

use model::name::NodeName;

use super::{Done, StepRun, changed, unchanged};
use crate::error::{ErrorKind, ProviderError};
use crate::local::observe::statuses;
use crate::local::status::RunState;
use crate::local::store::{ORDER_FILE, Stage};

/// How long the processes of a node may take to end before they are killed.
const STOP_GRACE: Duration = Duration::from_secs(10);

impl StepRun<'_> {
    /// Starts a stopped node.
    pub(super) fn start_node(&self, name: &NodeName) -> Done {
        let cluster = self.guarded()?;
        let (dir, file) = self.member(name)?;
        let id = Some(file.id.clone());
        if self.run_state(dir.slug())? != RunState::Stopped {
            return Ok(unchanged(id));
        }
        let mut launch = dir.order().map_err(|error| self.store_failed(error))?;
        let members = self.members()?;
        launch.hosts.clone_from(&members);
        let mut client = self.supervisor_started(&cluster)?;
        let status = client
            .launch(launch.kept_in(ORDER_FILE))
            .map_err(|error| self.client_failed(&error))?;
        let told = client.set_hosts(Some(dir.slug()), members);
        told.map_err(|error| self.client_failed(&error))?;
        let noted = dir.note_stage(&file, Stage::Made);
        noted.map_err(|error| self.store_failed(error))?;
        let mut receipt = changed(id);
        receipt.notes = status.notes;
        Ok(receipt)
    }

    /// Stops a node; its files stay.
    pub(super) fn stop_node(&self, name: &NodeName) -> Done {
        let (dir, file) = self.member(name)?;
        let id = Some(file.id.clone());
        if self.run_state(dir.slug())? == RunState::Stopped {
            return Ok(unchanged(id));
        }
        let noted = dir.note_stage(&file, Stage::Made);
        noted.map_err(|error| self.store_failed(error))?;
        let Some(mut client) = self.supervisor()? else {
            return Ok(unchanged(id));
        };
        client.stop(dir.slug(), STOP_GRACE).map_err(|error| self.client_failed(&error))?;
        Ok(changed(id))
    }

    /// Reboots a running node.
    pub(super) fn reboot_node(&self, name: &NodeName) -> Done {
        let (dir, file) = self.member(name)?;
        let not_running = |state: &str| {
            self.fail(ErrorKind::Invalid, format!("the node is {state}"))
                .with_mend("start it instead")
        };
        match self.run_state(dir.slug())? {
            RunState::Running => {}
            RunState::Pending => return Err(not_running("pending")),
            RunState::Stopping => return Err(not_running("stopping")),
            RunState::Stopped => return Err(not_running("stopped")),
        }
        let Some(mut client) = self.supervisor()? else {
            return Err(not_running("stopped"));
        };
        client.reboot(dir.slug(), STOP_GRACE).map_err(|error| self.client_failed(&error))?;
        Ok(changed(Some(file.id)))
    }

    fn run_state(&self, slug: &str) -> Result<RunState, ProviderError> {
        let statuses = statuses(&self.dir).map_err(|error| self.client_failed(&error))?;
        Ok(statuses.get(slug).map_or(RunState::Stopped, |status| status.state))
    }
}
