//! One cluster on a bed, as scenarios see it: steps without ceremony, looks
//! with patience.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex};

use model::inventory::{ClusterRecord, Inventory, ObservedNode};
use model::name::{ClusterName, NodeName};
use model::node::{Generation, NodeId, NodeState};
use model::plan::{ClusterOrder, Reason, Receipt, Step, StepId, StepKind, WantedNode};
use model::resolved::Resolved;
use providers::{ErrorKind, NodeMaterial, Provider, ProviderError};
use testkit::build::{PoolBuilder, cluster, node, wanted};

use crate::run::SharedBed;

/// Looks before a scenario gives up waiting.
const LOOKS_MAX: usize = 600;

/// Who orders everything here.
pub(crate) const OWNER: &str = "ada@desk";

/// A cluster on a bed: `head` and `worker1` to `worker3`, not made yet.
#[derive(Clone)]
pub(crate) struct Site {
    pub(crate) bed: SharedBed,
    pub(crate) provider: Arc<dyn Provider>,
    pub(crate) cluster: ClusterName,
    pub(crate) id: String,
    pub(crate) spec: Resolved,
    pub(crate) generation: Generation,
    made: SitesMade,
}

/// The names of all clusters of one scenario.
#[derive(Clone, Default)]
pub(crate) struct SitesMade(Arc<Mutex<BTreeSet<ClusterName>>>);

static COUNT: AtomicU32 = AtomicU32::new(1);

/// A number that no other call in this process got.
fn unique() -> u32 {
    COUNT.fetch_add(1, Ordering::Relaxed)
}

impl Site {
    /// The first cluster of a scenario.
    pub(crate) fn new(bed: SharedBed) -> Self {
        let name = cluster(&format!("Con{}x{}", std::process::id(), unique()));
        Self::of(bed, name, SitesMade::default())
    }

    /// Another cluster on the same bed.
    pub(crate) fn beside(&self) -> Self {
        let name = cluster(&format!("Con{}x{}", std::process::id(), unique()));
        Self::of(Arc::clone(&self.bed), name, self.made.clone())
    }

    /// A later creation of the same cluster, or one of another name.
    pub(crate) fn again(&self, name: ClusterName) -> Self {
        Self::of(Arc::clone(&self.bed), name, self.made.clone())
    }

    fn of(bed: SharedBed, name: ClusterName, made: SitesMade) -> Self {
        made.0.lock().unwrap().insert(name.clone());
        let machine = bed.machine();
        let pool =
            |pool: PoolBuilder| pool.instance_type(machine.instance_type).image(machine.image);
        let spec = bed
            .spec(&name)
            .pool(pool(PoolBuilder::head("head")))
            .pool(pool(PoolBuilder::new("worker").count(3).tag("team", "Blue")))
            .build();
        Self {
            provider: bed.provider(),
            bed,
            id: format!("c-{}-{}", std::process::id(), unique()),
            cluster: name,
            spec,
            generation: Generation(1),
            made,
        }
    }

    /// What has to be removed in the end.
    pub(crate) fn made(&self) -> SitesMade {
        self.made.clone()
    }

    /// This site through another handle, as from another process.
    pub(crate) fn elsewhere(&self) -> Self {
        Self { provider: self.bed.another_provider(), ..self.clone() }
    }

    /// A step of the current generation.
    pub(crate) fn step(&self, kind: StepKind) -> Step {
        Step {
            id: StepId(0),
            after: Vec::new(),
            generation: self.generation,
            kind,
            reason: Reason::new("the contract says so"),
        }
    }

    /// Runs a step of the current generation, with keys where it needs them.
    pub(crate) async fn run(&self, kind: StepKind) -> Result<Receipt, ProviderError> {
        let material = match &kind {
            StepKind::EnsureNode { node } => Some(self.material(&node.name)),
            _ => None,
        };
        self.provider.execute(&self.cluster, &self.step(kind), material.as_ref()).await
    }

    /// Runs a step that must succeed.
    pub(crate) async fn done(&self, kind: StepKind) -> Receipt {
        let verb = kind.verb();
        self.run(kind).await.unwrap_or_else(|error| panic!("{verb}: failed to {error}"))
    }

    /// Runs a step that must fail, and checks how.
    pub(crate) async fn refused(&self, kind: StepKind, expected: ErrorKind) -> ProviderError {
        let verb = kind.verb();
        match self.run(kind).await {
            Ok(receipt) => panic!("{verb} was not refused: {receipt:?}"),
            Err(error) => {
                assert_eq!(error.kind, expected, "{error}");
                assert!(!error.cause.is_empty() && !error.doing.is_empty(), "{error:?}");
                error
            }
        }
    }

    /// Keys for a node.
    pub(crate) fn material(&self, name: &NodeName) -> NodeMaterial {
        self.bed.material(name).0
    }

    /// What is ordered with the current generation.
    pub(crate) fn order(&self, removed: &[&str]) -> ClusterOrder {
        ClusterOrder {
            cluster_id: self.id.clone(),
            base: self.generation.0.checked_sub(1).filter(|base| *base > 0).map(Generation),
            spec: self.spec.to_stored().unwrap(),
            removed: removed.iter().map(|name| node(name)).collect(),
            owner: OWNER.to_owned(),
            subnet: None,
        }
    }

    /// The step that records the current generation.
    pub(crate) fn frame(&self) -> StepKind {
        StepKind::EnsureCluster { order: self.order(&[]) }
    }

    /// The step that makes a declared node.
    pub(crate) fn making(&self, name: &str) -> StepKind {
        StepKind::EnsureNode { node: self.wanted(name) }
    }

    /// A declared node.
    pub(crate) fn wanted(&self, name: &str) -> WantedNode {
        wanted(&self.spec, name)
    }

    /// Makes the frame and these nodes, and waits until they run.
    pub(crate) async fn with_nodes(self, names: &[&str]) -> Self {
        self.done(self.frame()).await;
        for name in names {
            self.done(self.making(name)).await;
        }
        for name in names {
            self.running(name).await;
        }
        self
    }

    /// Moves on to the next generation, with the same spec.
    pub(crate) async fn next_generation(&mut self) {
        self.generation = self.generation.next();
        self.done(self.frame()).await;
    }

    /// What is there.
    pub(crate) async fn look(&self) -> Inventory {
        self.provider.observe(&self.cluster).await.unwrap()
    }

    /// The cluster's record, which must be there.
    pub(crate) async fn record(&self) -> ClusterRecord {
        self.look().await.record().unwrap().clone()
    }

    /// The machine of a node, which must be there.
    pub(crate) async fn machine(&self, name: &str) -> ObservedNode {
        self.look().await.node(&node(name)).unwrap_or_else(|| panic!("no {name}")).clone()
    }

    /// Looks until a node is in a state.
    pub(crate) async fn until(&self, name: &str, state: NodeState) -> ObservedNode {
        let mut last = None;
        for _ in 0..LOOKS_MAX {
            let found = self.look().await.node(&node(name)).cloned();
            match found {
                Some(found) if found.state == state => return found,
                other => last = other.map(|node| (node.state, node.state_reason)),
            }
            self.bed.pause().await;
        }
        panic!("{name} did not become {state}: {last:?}");
    }

    /// Looks until a node runs.
    pub(crate) async fn running(&self, name: &str) -> ObservedNode {
        self.until(name, NodeState::Running).await
    }

    /// Looks until a node's machine is there no more.
    pub(crate) async fn gone(&self, name: &str) {
        for _ in 0..LOOKS_MAX {
            if self.look().await.node(&node(name)).is_none() {
                return;
            }
            self.bed.pause().await;
        }
        panic!("{name} is still there");
    }

    /// Removes a node's machine.
    pub(crate) async fn delete_node(&self, name: &str, id: &NodeId) -> Receipt {
        self.done(StepKind::DeleteNode { name: node(name), id: id.clone() }).await
    }

    /// Deletes the whole cluster, under the next generation.
    pub(crate) async fn delete(&mut self) {
        self.generation = self.generation.next();
        self.done(StepKind::BeginDelete).await;
        self.delete_nodes().await;
        self.done(StepKind::DeleteCluster).await;
    }

    /// Removes every machine of the cluster.
    pub(crate) async fn delete_nodes(&self) {
        for machine in self.look().await.nodes() {
            self.delete_node(machine.name.as_str(), &machine.id).await;
        }
    }
}

/// Everything of an inventory that only a change of ours alters; properties may
/// hold whatever a provider measures.
pub(crate) fn lasting(inventory: &Inventory) -> (Option<ClusterRecord>, Vec<ObservedNode>) {
    let record = inventory.record().cloned();
    let mut nodes = inventory.nodes().to_vec();
    for node in &mut nodes {
        node.properties.clear();
    }
    (record, nodes)
}

impl SitesMade {
    /// Deletes whatever is left of the clusters, from what is observed alone.
    pub(crate) async fn wipe(&self, bed: &SharedBed) -> Result<(), String> {
        let names = self.0.lock().unwrap().clone();
        for name in names {
            let provider = bed.another_provider();
            let inventory = provider.observe(&name).await.map_err(|error| error.to_string())?;
            if let Some(record) = inventory.record() {
                let mut site = Site::of(Arc::clone(bed), name, self.clone());
                site.generation = record.accepted;
                site.delete().await;
            }
        }
        Ok(())
    }
}
