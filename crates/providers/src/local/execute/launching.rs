//! Starting a supervisor, and booting from it the nodes that there are.

use std::sync::PoisonError;

use super::StepRun;
use crate::error::ProviderError;
use crate::local::client::SupervisorClient;
use crate::local::store::ClusterFile;

impl StepRun<'_> {
    /// The supervisor, started when it does not run. It runs its own copy of
    /// this binary.
    pub(super) fn supervisor_started(
        &self,
        cluster: &ClusterFile,
    ) -> Result<SupervisorClient, ProviderError> {
        if let Some(client) = self.supervisor()? {
            return Ok(client);
        }
        let _one_at_a_time = self.local.starting.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(client) = self.supervisor()? {
            return Ok(client);
        }
        let store = &self.local.store;
        let installed = store
            .hold()
            .and_then(|held| store.install_program(&held, &self.dir, &self.local.config.program));
        let program = installed.map_err(|error| self.store_failed(error))?;
        SupervisorClient::start_or_connect(self.dir.path(), cluster.rung, &program)
            .map_err(|error| self.client_failed(&error))
    }
}
