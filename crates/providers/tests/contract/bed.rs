//! What a scenario needs of a provider besides the contract itself.

use std::sync::Arc;

use async_trait::async_trait;
use model::name::{ClusterName, NodeName};
use providers::{NodeMaterial, Provider};
use testkit::build::SpecBuilder;

/// A provider ready to be tested.
#[async_trait]
pub(crate) trait Bed: Send + Sync {
    /// The provider.
    fn provider(&self) -> Arc<dyn Provider>;

    /// Another handle on the same world, as another process would have. It
    /// shares nothing with the first one but the world.
    fn another_provider(&self) -> Arc<dyn Provider>;

    /// A spec without pools that this provider accepts; scenarios add theirs.
    fn spec(&self, cluster: &ClusterName) -> SpecBuilder;

    /// Instance type and image that this provider has, twice: two different
    /// images, or the same one where there is only one.
    fn machine(&self) -> Machine;

    /// Keys for a node. `secret` must be within the private ones, so that a
    /// scenario can look for it where it must not be.
    fn material(&self, node: &NodeName) -> (NodeMaterial, String);

    /// Lets a little time pass between two looks.
    async fn pause(&self);

    /// Makes a node's machine die by itself; false where the bed cannot.
    async fn lose(&self, _cluster: &ClusterName, _node: &NodeName) -> bool {
        false
    }

    /// Removes whatever is left when all clusters are deleted.
    async fn clean_up(&self) {}
}

/// What machines of a bed are made from.
#[derive(Debug, Clone)]
pub(crate) struct Machine {
    /// An instance type.
    pub(crate) instance_type: &'static str,
    /// An image.
    pub(crate) image: &'static str,
}

/// A bed, or why there is none on this machine.
pub(crate) enum Made {
    /// Ready.
    Ready(Arc<dyn Bed>),
    /// Why not.
    Skipped(String),
}
