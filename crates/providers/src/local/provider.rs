//! The local provider: its configuration, and its side of the provider
//! contract. All of its work is blocking (files, a supervisor's socket), so
//! that every call goes to a blocking thread; the work itself is in
//! [`super::execute`], [`super::observe`] and their neighbours.

use std::path::PathBuf;
use std::sync::{Arc, Mutex, OnceLock};

use async_trait::async_trait;
use jiff::Timestamp;
use model::Diagnostic;
use model::event::TimelineEvent;
use model::inventory::{ClusterSummary, Inventory};
use model::name::{ClusterName, NodeName};
use model::plan::{Plan, Receipt, Step};
use model::resolved::{LOCAL_NODE_COUNT_MAX, ProviderKind, Resolved};

use super::doctor::{self, DoctorReport};
use super::execute::StepRun;
use super::probe::probe_rung;
use super::rung::{Rung, RungProbe};
use super::store::Store;
use super::{observe, preflight, story};
use crate::error::{ErrorKind, ProviderError};
use crate::lower::lower_direct;
use crate::provider::{Capabilities, ClusterLock, LogIn, NodeMaterial, Provider};

/// The only region there is.
pub const REGION: &str = "local";
/// Nodes that are worth making at once: more wait for processors, not for
/// disks or answers.
const STEPS_AT_ONCE_MAX: usize = 16;

/// Which ssh server new nodes get.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SshChoice {
    /// The host's own.
    Real,
    /// The one in this binary.
    Embedded,
}

impl SshChoice {
    /// The choice of a word, as users write it.
    #[must_use]
    pub fn from_word(word: &str) -> Option<Self> {
        match word {
            "real" => Some(Self::Real),
            "embedded" => Some(Self::Embedded),
            _ => None,
        }
    }
}

/// What the local provider is told by its caller, who alone knows the
/// environment, the clock and where randomness comes from.
#[derive(Debug, Clone)]
pub struct LocalConfig {
    /// Directory of the node store; made when first needed.
    pub store_dir: PathBuf,
    /// This binary, as `/proc/self/exe`, which is good even after a rebuild.
    pub program: PathBuf,
    /// How new clusters' nodes are made; `None`: the best way that works.
    pub rung: Option<Rung>,
    /// Which ssh server new nodes get; `None`: the host's own on the root rung
    /// if the host has one, else the embedded one.
    pub ssh: Option<SshChoice>,
    /// Paths of the host that nodes must not see, beside the store.
    pub masked_paths: Vec<PathBuf>,
    /// The time.
    pub now: fn() -> Timestamp,
    /// Fills with random bytes.
    pub random: fn(&mut [u8]),
}

/// Nodes on this machine. A clone is another handle on the same.
#[derive(Debug, Clone)]
pub struct LocalProvider {
    local: Arc<Local>,
}

/// What every operation works with.
#[derive(Debug)]
pub(super) struct Local {
    pub(super) config: LocalConfig,
    pub(super) store: Store,
    /// One thread at a time starts a supervisor; the others find it started.
    pub(super) starting: Mutex<()>,
    probes: OnceLock<Vec<RungProbe>>,
    chosen: OnceLock<Option<Rung>>,
}

impl LocalProvider {
    /// The provider on the store of its configuration; touches nothing yet.
    #[must_use]
    pub fn new(config: LocalConfig) -> Self {
        let store = Store::new(config.store_dir.clone());
        let local = Local {
            config,
            store,
            starting: Mutex::new(()),
            probes: OnceLock::new(),
            chosen: OnceLock::new(),
        };
        Self { local: Arc::new(local) }
    }

    /// What this machine can do for local nodes, found by trying. Blocking,
    /// up to some seconds.
    #[must_use]
    pub fn doctor(&self) -> DoctorReport {
        doctor::examine(&self.local)
    }

    async fn blocking<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Local) -> Result<T, ProviderError> + Send + 'static,
    ) -> Result<T, ProviderError> {
        let local = Arc::clone(&self.local);
        match tokio::task::spawn_blocking(move || work(&local)).await {
            Ok(done) => done,
            Err(cause) => {
                Err(ProviderError::new(ErrorKind::Other, "work on this machine", cause.to_string()))
            }
        }
    }
}

impl Local {
    /// What was found by trying every rung; tried once.
    pub(super) fn probes(&self) -> &[RungProbe] {
        self.probes.get_or_init(|| Rung::ALL.map(|rung| self.try_rung(rung)).to_vec())
    }

    /// The rung that new clusters are made on: the first that works, unless the
    /// caller chose; `None` when none works.
    pub(super) fn chosen_rung(&self) -> Option<Rung> {
        if self.config.rung.is_some() {
            return self.config.rung;
        }
        *self.chosen.get_or_init(|| {
            Rung::ALL.into_iter().find(|rung| match self.probes.get() {
                Some(probes) => probes.iter().any(|probe| probe.rung == *rung && probe.works),
                None => self.try_rung(*rung).works,
            })
        })
    }

    fn try_rung(&self, rung: Rung) -> RungProbe {
        // Without the store's directories the probe says why it cannot work.
        let _told_by_the_probe = self.store.prepare();
        probe_rung(&self.config.program, self.store.root(), rung)
    }
}

#[async_trait]
impl Provider for LocalProvider {
    fn kind(&self) -> ProviderKind {
        ProviderKind::Local
    }

    fn region(&self) -> String {
        REGION.to_owned()
    }

    fn capabilities(&self) -> Capabilities {
        Capabilities {
            nodes_per_cluster_max: LOCAL_NODE_COUNT_MAX as usize,
            steps_at_once_max: STEPS_AT_ONCE_MAX,
            log_in: LogIn::Ssh,
        }
    }

    fn lower(&self, plan: &Plan, owner: &str) -> Vec<Step> {
        lower_direct(plan, owner, None)
    }

    async fn preflight(&self, spec: &Resolved) -> Result<Vec<Diagnostic>, ProviderError> {
        let spec = spec.clone();
        self.blocking(move |local| preflight::check(local, &spec)).await
    }

    async fn clusters(&self) -> Result<Vec<ClusterSummary>, ProviderError> {
        self.blocking(observe::clusters).await
    }

    async fn observe(&self, cluster: &ClusterName) -> Result<Inventory, ProviderError> {
        let cluster = cluster.clone();
        self.blocking(move |local| Ok(observe::cluster(local, &cluster))).await
    }

    async fn execute(
        &self,
        cluster: &ClusterName,
        step: &Step,
        material: Option<&NodeMaterial>,
    ) -> Result<Receipt, ProviderError> {
        let (cluster, step, material) = (cluster.clone(), step.clone(), material.cloned());
        self.blocking(move |local| StepRun::new(local, &cluster, &step).run(material.as_ref()))
            .await
    }

    async fn events(&self, cluster: &ClusterName) -> Result<Vec<TimelineEvent>, ProviderError> {
        let cluster = cluster.clone();
        self.blocking(move |local| story::events(local, &cluster)).await
    }

    async fn console(
        &self,
        cluster: &ClusterName,
        node: &NodeName,
    ) -> Result<Vec<u8>, ProviderError> {
        let (cluster, node) = (cluster.clone(), node.clone());
        self.blocking(move |local| story::console(local, &cluster, &node)).await
    }

    async fn lock(
        &self,
        cluster: &ClusterName,
        purpose: &str,
    ) -> Result<Box<dyn ClusterLock>, ProviderError> {
        let (cluster, purpose) = (cluster.clone(), purpose.to_owned());
        self.blocking(move |local| {
            let held = local.store.hold_cluster(&cluster.slug(), &purpose, (local.config.now)());
            match held {
                Ok(held) => Ok(Box::new(held) as Box<dyn ClusterLock>),
                Err(error) => Err(error.at(format!("lock cluster {cluster}"))),
            }
        })
        .await
    }
}
