//! Nodes that let us in over ssh, or do not: the fake cloud with real servers.

use std::collections::BTreeMap;
use std::net::{SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use model::event::TimelineEvent;
use model::inventory::{ClusterSummary, Inventory, Known};
use model::name::{ClusterName, NodeName};
use model::node::NodeState;
use model::plan::{Intent, Plan, Receipt, Step, StepKind};
use model::resolved::{ProviderKind, Resolved};
use model::{Diagnostic, Endpoint};
use providers::fake::{FakeProvider, Latencies};
use providers::{Capabilities, ClusterLock, LogIn, NodeMaterial, Provider, ProviderError};
use testkit::build::{cluster, node};

use super::support::{Answer, Watch, World, carry_out, spec, told};
use crate::{CarryOut, Clock, FailureKind};

/// What is wrong with a node's server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Flaw {
    NotThere,
    OtherHostKey,
    LetsNobodyIn,
    /// Knows our key only once it was looked at twice.
    LetsInLate,
}

/// A node that will know our key: where, the key, and how many looks before.
type Late = (PathBuf, String, u32);

/// The fake cloud, whose nodes have ssh servers.
struct SshCloud {
    inner: FakeProvider,
    home: PathBuf,
    flaws: BTreeMap<NodeName, Flaw>,
    addresses: Mutex<BTreeMap<NodeName, SocketAddr>>,
    late: Mutex<Vec<Late>>,
}

impl SshCloud {
    fn serve(&self, name: &NodeName, material: &NodeMaterial) {
        let address = free_address();
        self.addresses.lock().unwrap().insert(name.clone(), address);
        let flaw = self.flaws.get(name).copied();
        if flaw == Some(Flaw::NotThere) {
            return;
        }
        let home = self.home.join(name.as_str());
        std::fs::create_dir_all(&home).unwrap();
        let host_key = match flaw {
            Some(Flaw::OtherHostKey) => transport::keys::generate("other").unwrap().private_pem,
            _ => material.host_key.clone(),
        };
        std::fs::write(home.join("host"), host_key.reveal()).unwrap();
        let keys = material.authorized_keys.join("\n");
        let file = home.join("authorized");
        let authorized = match flaw {
            Some(Flaw::LetsNobodyIn | Flaw::LetsInLate) => "",
            _ => &keys,
        };
        std::fs::write(&file, authorized).unwrap();
        if flaw == Some(Flaw::LetsInLate) {
            self.late.lock().unwrap().push((file, keys, 2));
        }
        start(address, &home);
    }

    /// One more look at nodes that learn our key by being looked at.
    fn looked(&self) {
        for (file, keys, looks) in self.late.lock().unwrap().iter_mut() {
            *looks = looks.saturating_sub(1);
            if *looks == 0 {
                std::fs::write(file, keys).unwrap();
            }
        }
    }
}

/// A server for as long as this process lives.
fn start(address: SocketAddr, home: &Path) {
    let config = home.join("server.json");
    let json = serde_json::json!({
        "listen": address,
        "host_key_path": home.join("host"),
        "authorized_keys_path": home.join("authorized"),
        "user": "root",
        "home": home,
        "shell": "/bin/sh",
    });
    std::fs::write(&config, json.to_string()).unwrap();
    std::thread::spawn(move || {
        transport::server::dispatch(&[transport::server::SERVER_ARGUMENT.into(), config.into()])
    });
}

fn free_address() -> SocketAddr {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap()
}

#[async_trait]
impl Provider for SshCloud {
    fn kind(&self) -> ProviderKind {
        self.inner.kind()
    }

    fn region(&self) -> String {
        self.inner.region()
    }

    fn capabilities(&self) -> Capabilities {
        Capabilities { log_in: LogIn::Ssh, ..self.inner.capabilities() }
    }

    fn lower(&self, plan: &Plan, owner: &str) -> Vec<Step> {
        self.inner.lower(plan, owner)
    }

    async fn preflight(&self, spec: &Resolved) -> Result<Vec<Diagnostic>, ProviderError> {
        self.inner.preflight(spec).await
    }

    async fn clusters(&self) -> Result<Vec<ClusterSummary>, ProviderError> {
        self.inner.clusters().await
    }

    async fn observe(&self, cluster: &ClusterName) -> Result<Inventory, ProviderError> {
        self.looked();
        let mut inventory = self.inner.observe(cluster).await?;
        let addresses = self.addresses.lock().unwrap();
        if let Known::Seen(nodes) = &mut inventory.nodes {
            for node in nodes.iter_mut().filter(|node| node.state == NodeState::Running) {
                node.endpoint =
                    addresses.get(&node.name).map(|address| Endpoint::Tcp { address: *address });
            }
        }
        Ok(inventory)
    }

    async fn execute(
        &self,
        cluster: &ClusterName,
        step: &Step,
        material: Option<&NodeMaterial>,
    ) -> Result<Receipt, ProviderError> {
        let receipt = self.inner.execute(cluster, step, material).await?;
        if let (StepKind::EnsureNode { node }, Some(material), true) =
            (&step.kind, material, receipt.changed)
        {
            self.serve(&node.name, material);
        }
        Ok(receipt)
    }

    async fn events(&self, cluster: &ClusterName) -> Result<Vec<TimelineEvent>, ProviderError> {
        self.inner.events(cluster).await
    }

    async fn console(&self, c: &ClusterName, node: &NodeName) -> Result<Vec<u8>, ProviderError> {
        self.inner.console(c, node).await
    }

    async fn lock(
        &self,
        cluster: &ClusterName,
        purpose: &str,
    ) -> Result<Box<dyn ClusterLock>, ProviderError> {
        self.inner.lock(cluster, purpose).await
    }
}

async fn create(
    world: &World,
    workers: u32,
    flaws: &[(&str, Flaw)],
    ready_timeout: Duration,
) -> (Answer, Arc<SshCloud>) {
    world.cloud.set_latencies(Latencies { call_ms: 0, boot_ms: 0 }).unwrap();
    let cloud = Arc::new(SshCloud {
        inner: world.cloud.clone(),
        home: world.home.path().join("nodes"),
        flaws: flaws.iter().map(|(name, flaw)| (node(name), *flaw)).collect(),
        addresses: Mutex::default(),
        late: Mutex::default(),
    });
    let provider: Arc<dyn Provider> = Arc::clone(&cloud) as _;
    let controller = world.controller_with(provider, Clock::System);
    let spec = spec(workers, "debian-12");
    let planned = controller.plan(Intent::Create, Some(&spec), &cluster("demo")).await.unwrap();
    let how = CarryOut { on_failure: None, ready_timeout: Some(ready_timeout) };
    let (answer, _) = carry_out(&controller, planned, how, Watch::default()).await;
    (answer, cloud)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nodes_are_ready_when_they_have_let_us_in() {
    let world = World::starting_at(crate::clock::now());
    let (answer, cloud) = create(&world, 5, &[], Duration::from_secs(60)).await;
    let outcome = answer.unwrap();
    assert_eq!(outcome.ready.len(), 6);
    assert_eq!(world.sight().await, "complete 1: head worker1 worker2 worker3 worker4 worker5");

    let controller = world.controller_with(cloud, Clock::System);
    let inventory = controller.require(&cluster("demo")).await.unwrap();
    let names: Vec<NodeName> = inventory.nodes().iter().map(|node| node.name.clone()).collect();
    let found = controller.ssh_targets(&inventory, &names).await.unwrap();
    assert_eq!((found.targets.len(), found.unreachable.len()), (6, 0));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_node_that_knows_our_key_a_little_later_is_waited_for() {
    let world = World::starting_at(crate::clock::now());
    let late = [("worker2", Flaw::LetsInLate)];
    let (answer, _cloud) = create(&world, 2, &late, Duration::from_secs(60)).await;
    assert_eq!(answer.unwrap().ready.len(), 3);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_node_that_does_not_let_us_in_fails_the_change_with_the_cause() {
    for (flaw, timeout_s, expected) in [
        (Flaw::NotThere, 2, "the connection was refused"),
        (Flaw::OtherHostKey, 60, "it shows the host key SHA256:"),
        (Flaw::LetsNobodyIn, 60, "was refused"),
    ] {
        let world = World::starting_at(crate::clock::now());
        let timeout = Duration::from_secs(timeout_s);
        let (answer, _cloud) = create(&world, 2, &[("worker2", flaw)], timeout).await;
        let error = answer.unwrap_err();
        let text = told(&error);
        assert_eq!(error.kind, FailureKind::Failed, "{text}");
        assert!(text.contains("cause: worker2 ") && text.contains(expected), "{flaw:?}: {text}");
        assert!(text.contains("rolled back"), "{text}");
        assert_eq!(world.sight().await, "nothing: ");
    }
}
