//! A node store to test on, and steps without ceremony. Removes everything
//! when dropped.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::time::Duration;

use jiff::Timestamp;
use model::Endpoint;
use model::inventory::{Inventory, ObservedNode};
use model::node::{Generation, NodeId, NodeState};
use model::plan::{ClusterOrder, Reason, Receipt, Step, StepId, StepKind};
use model::resolved::{ProviderKind, Resolved};
use model::secret::SecretText;
use providers::local::dialer::dial;
use providers::local::rung::Rung;
use providers::local::teardown::{supervisor_pid, teardown};
use providers::local::{LocalConfig, LocalProvider, SshChoice};
use providers::{NodeMaterial, Provider as _, ProviderError};
use testkit::build::{PoolBuilder, SpecBuilder, cluster, node, wanted};

const DIAL_TIMEOUT: Duration = Duration::from_secs(10);

/// The rung of whoever runs the tests.
pub(crate) fn rung() -> Rung {
    if rustix::process::geteuid().is_root() { Rung::Root } else { Rung::UserNamespace }
}

/// A store, and in it the cluster `Demo` once it is made.
pub(crate) struct Bed {
    store: PathBuf,
    /// Removed with the bed that made it.
    _folder: Option<tempfile::TempDir>,
    runtime: tokio::runtime::Runtime,
    pub(crate) provider: LocalProvider,
    pub(crate) spec: Resolved,
    pub(crate) generation: Generation,
}

fn random(bytes: &mut [u8]) {
    rustix::rand::getrandom(bytes, rustix::rand::GetRandomFlags::empty()).unwrap();
}

impl Bed {
    /// A bed on whose store no cluster is.
    pub(crate) fn new() -> Self {
        Self::with(SshChoice::Embedded, |worker| worker)
    }

    /// A bed whose workers are something special.
    pub(crate) fn with(ssh: SshChoice, worker: impl FnOnce(PoolBuilder) -> PoolBuilder) -> Self {
        let folder = tempfile::Builder::new().prefix("squall-local-").tempdir().unwrap();
        let store = folder.path().join("local");
        Self::laid(store, Some(folder), ssh, worker)
    }

    /// A bed on a store that another process uses too.
    pub(crate) fn on(store: PathBuf) -> Self {
        Self::laid(store, None, SshChoice::Embedded, |worker| worker)
    }

    fn laid(
        store: PathBuf,
        folder: Option<tempfile::TempDir>,
        ssh: SshChoice,
        worker: impl FnOnce(PoolBuilder) -> PoolBuilder,
    ) -> Self {
        let provider = LocalProvider::new(config(store.clone(), ssh));
        let machine = |pool: PoolBuilder| pool.instance_type("host").image("host");
        let spec = SpecBuilder::new("Demo")
            .provider(ProviderKind::Local)
            .pool(machine(PoolBuilder::head("head")))
            .pool(worker(machine(PoolBuilder::new("worker").count(3))))
            .build();
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        Self { store, _folder: folder, runtime, provider, spec, generation: Generation(1) }
    }

    /// Makes the cluster and these nodes.
    pub(crate) fn made(self, names: &[&str]) -> Self {
        self.done(self.frame());
        for name in names {
            self.done(self.making(name));
        }
        self
    }

    /// The store's directory.
    pub(crate) fn store(&self) -> PathBuf {
        self.store.clone()
    }

    /// The cluster's directory.
    pub(crate) fn cluster_dir(&self) -> PathBuf {
        self.store().join("clusters/demo")
    }

    /// A node's directory.
    pub(crate) fn node_dir(&self, name: &str) -> PathBuf {
        self.cluster_dir().join("nodes").join(name)
    }

    pub(crate) fn frame(&self) -> StepKind {
        let order = ClusterOrder {
            cluster_id: "c-demo".to_owned(),
            base: self.generation.0.checked_sub(1).filter(|base| *base > 0).map(Generation),
            spec: self.spec.to_stored().unwrap(),
            removed: Default::default(),
            owner: "ada@desk".to_owned(),
            subnet: None,
        };
        StepKind::EnsureCluster { order }
    }

    pub(crate) fn making(&self, name: &str) -> StepKind {
        StepKind::EnsureNode { node: wanted(&self.spec, name) }
    }

    pub(crate) fn run(&self, kind: StepKind) -> Result<Receipt, ProviderError> {
        let material = kind.node().map(|name| NodeMaterial {
            host_key: SecretText::new(format!("private-part-of-{name}")),
            host_key_public: format!("ssh-ed25519 public-part-of-{name}"),
            authorized_keys: vec!["ssh-ed25519 of-the-user".to_owned()],
            ordered_at: Timestamp::now(),
        });
        let step = Step {
            id: StepId(0),
            after: Vec::new(),
            generation: self.generation,
            kind,
            reason: Reason::new("a test says so"),
        };
        self.runtime.block_on(self.provider.execute(&cluster("Demo"), &step, material.as_ref()))
    }

    pub(crate) fn done(&self, kind: StepKind) -> Receipt {
        let verb = kind.verb();
        self.run(kind).unwrap_or_else(|error| panic!("{verb}: failed to {error}"))
    }

    pub(crate) fn starting(&self, name: &str) -> StepKind {
        StepKind::StartNode { name: node(name) }
    }

    pub(crate) fn stopping(&self, name: &str) -> StepKind {
        StepKind::StopNode { name: node(name) }
    }

    pub(crate) fn deleting(&self, name: &str, id: &NodeId) -> StepKind {
        StepKind::DeleteNode { name: node(name), id: id.clone() }
    }

    pub(crate) fn look(&self) -> Inventory {
        self.runtime.block_on(self.provider.observe(&cluster("Demo"))).unwrap()
    }

    /// A node as it is seen, on its way out or not.
    pub(crate) fn seen(&self, name: &str) -> Option<ObservedNode> {
        self.look().nodes().iter().find(|seen| seen.name == node(name)).cloned()
    }

    /// Waits until nodes run that somebody else has begun to make.
    pub(crate) fn until_running(&self, names: &[&str]) {
        for name in names {
            testkit::until("the node to run", || {
                self.seen(name).filter(|seen| seen.state == NodeState::Running)
            });
        }
    }

    pub(crate) fn block_on<T>(&self, work: impl Future<Output = T>) -> T {
        self.runtime.block_on(work)
    }

    /// What a line of shell says in a node, through the dialer.
    pub(crate) fn say(&self, name: &str, line: &str) -> String {
        let seen = self.seen(name).unwrap();
        let Some(Endpoint::Namespace { relay, address }) = seen.endpoint else {
            panic!("{name} has no way in: {seen:?}");
        };
        let socket = testkit::until("the node to answer", || {
            let refused = std::io::ErrorKind::ConnectionRefused;
            match dial(Path::new(&relay), address, DIAL_TIMEOUT) {
                Ok(socket) => Some(socket),
                Err(error) if error.kind() == refused => None,
                Err(error) => panic!("{name} does not answer: {error}"),
            }
        });
        let mut stream = TcpStream::from(socket);
        stream.set_nonblocking(false).unwrap();
        stream.set_read_timeout(Some(DIAL_TIMEOUT)).unwrap();
        stream.write_all(format!("{line}\n").as_bytes()).unwrap();
        let mut said = String::new();
        stream.read_to_string(&mut said).unwrap();
        said.trim_end().to_owned()
    }

    /// Ends the supervisor as a crash would, and with it the nodes.
    pub(crate) fn kill_supervisor(&self) {
        let pid = supervisor_pid(&self.cluster_dir()).unwrap();
        let pid = rustix::process::Pid::from_raw(i32::try_from(pid).unwrap()).unwrap();
        rustix::process::kill_process(pid, rustix::process::Signal::KILL).unwrap();
        testkit::until("the supervisor to end", || {
            supervisor_pid(&self.cluster_dir()).is_none().then_some(())
        });
    }

    /// Deletes the whole cluster, as the provider is to do it.
    pub(crate) fn delete(&mut self) {
        self.generation = self.look().record().unwrap().accepted.next();
        self.done(StepKind::BeginDelete);
        for seen in self.look().nodes() {
            self.done(self.deleting(seen.name.as_str(), &seen.id));
        }
        self.done(StepKind::DeleteCluster);
    }

    /// Files and directories of the store that are left: none but its own.
    pub(crate) fn left(&self) -> Vec<PathBuf> {
        ["clusters", "staging", "trash", "bin", "locks"]
            .into_iter()
            .flat_map(|name| std::fs::read_dir(self.store().join(name)).unwrap())
            .map(|entry| entry.unwrap().path())
            .collect()
    }
}

/// The configuration of a provider on a store.
pub(crate) fn config(store_dir: PathBuf, ssh: SshChoice) -> LocalConfig {
    LocalConfig {
        store_dir,
        program: env!("CARGO_BIN_EXE_local-node-helper").into(),
        rung: Some(rung()),
        ssh: Some(ssh),
        masked_paths: Vec::new(),
        now: Timestamp::now,
        random,
    }
}

impl Drop for Bed {
    fn drop(&mut self) {
        let done = teardown(&self.cluster_dir());
        if !std::thread::panicking() {
            done.unwrap();
        }
    }
}
