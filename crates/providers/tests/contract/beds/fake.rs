//! The fake provider as a bed: in memory, and in a file that two handles share
//! as two processes would.

use std::sync::Arc;

use async_trait::async_trait;
use jiff::SignedDuration;
use model::name::{ClusterName, NodeName};
use model::secret::SecretText;
use providers::fake::{FakeClock, FakeProvider};
use providers::{NodeMaterial, Provider};
use testkit::build::{SpecBuilder, epoch};

use crate::bed::{Bed, Machine, Made};

struct FakeBed {
    provider: FakeProvider,
    another: FakeProvider,
    /// Removed with the bed.
    _folder: Option<tempfile::TempDir>,
}

pub(crate) fn in_memory() -> Made {
    let provider = FakeProvider::in_memory(FakeClock::starting_at(epoch()));
    Made::Ready(Arc::new(FakeBed { another: provider.clone(), provider, _folder: None }))
}

pub(crate) fn in_file() -> Made {
    let folder = tempfile::tempdir().unwrap();
    let open = || {
        let clock = FakeClock::starting_at(epoch());
        FakeProvider::in_file(folder.path().join("cloud.json"), clock)
    };
    Made::Ready(Arc::new(FakeBed { provider: open(), another: open(), _folder: Some(folder) }))
}

#[async_trait]
impl Bed for FakeBed {
    fn provider(&self) -> Arc<dyn Provider> {
        Arc::new(self.provider.clone())
    }

    fn another_provider(&self) -> Arc<dyn Provider> {
        Arc::new(self.another.clone())
    }

    fn spec(&self, cluster: &ClusterName) -> SpecBuilder {
        SpecBuilder::new(cluster.as_str())
    }

    fn machine(&self) -> Machine {
        Machine { instance_type: "small", image: "debian-12" }
    }

    fn material(&self, node: &NodeName) -> (NodeMaterial, String) {
        let secret = format!("private-part-of-{node}");
        let material = NodeMaterial {
            host_key: SecretText::new(secret.clone()),
            host_key_public: format!("ssh-ed25519 public-part-of-{node}"),
            authorized_keys: vec!["ssh-ed25519 of-the-user".to_owned()],
            ordered_at: self.provider.clock().now(),
        };
        (material, secret)
    }

    async fn pause(&self) {
        self.provider.clock().advance(SignedDuration::from_secs(5));
    }

    async fn lose(&self, cluster: &ClusterName, node: &NodeName) -> bool {
        self.provider.vanish(cluster, node).is_ok()
    }
}
