//! The local provider as a bed: on a node store of its own, as root and as an
//! ordinary user, with real namespaces. Its nodes run the stub server of the
//! helper binary: the contract never logs in.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use jiff::Timestamp;
use model::name::{ClusterName, NodeName};
use model::resolved::ProviderKind;
use model::secret::SecretText;
use providers::local::rung::Rung;
use providers::local::teardown::teardown;
use providers::local::{LocalConfig, LocalProvider, SshChoice};
use providers::{NodeMaterial, Provider};
use testkit::build::SpecBuilder;

use crate::bed::{Bed, Machine, Made};

/// Names the helper binary to a test that runs as another user.
const HELPER_VARIABLE: &str = "SQUALL_TEST_HELPER";
/// Between two looks.
const PAUSE: Duration = Duration::from_millis(50);

struct LocalBed {
    rung: Rung,
    folder: tempfile::TempDir,
}

/// Made of real root.
pub(crate) fn as_root() -> Made {
    if rustix::process::geteuid().is_root() {
        ready(Rung::Root)
    } else {
        Made::Skipped("it needs root".to_owned())
    }
}

/// Made as an ordinary user.
pub(crate) fn as_user() -> Made {
    ready(Rung::UserNamespace)
}

fn ready(rung: Rung) -> Made {
    let folder = tempfile::Builder::new().prefix("squall-contract-").tempdir().unwrap();
    let bed = LocalBed { rung, folder };
    let report = LocalProvider::new(bed.config()).doctor();
    match report.rungs.into_iter().find(|probe| probe.rung == rung) {
        Some(probe) if !probe.works => Made::Skipped(probe.why.unwrap_or_default()),
        _ => Made::Ready(Arc::new(bed)),
    }
}

impl LocalBed {
    fn config(&self) -> LocalConfig {
        LocalConfig {
            store_dir: self.store(),
            program: helper(),
            rung: Some(self.rung),
            ssh: Some(SshChoice::Embedded),
            masked_paths: Vec::new(),
            now: Timestamp::now,
            random,
        }
    }

    fn store(&self) -> PathBuf {
        self.folder.path().join("local")
    }
}

fn random(bytes: &mut [u8]) {
    rustix::rand::getrandom(bytes, rustix::rand::GetRandomFlags::empty()).unwrap();
}

#[async_trait]
impl Bed for LocalBed {
    fn provider(&self) -> Arc<dyn Provider> {
        Arc::new(LocalProvider::new(self.config()))
    }

    fn another_provider(&self) -> Arc<dyn Provider> {
        Arc::new(LocalProvider::new(self.config()))
    }

    fn spec(&self, cluster: &ClusterName) -> SpecBuilder {
        SpecBuilder::new(cluster.as_str()).provider(ProviderKind::Local)
    }

    fn machine(&self) -> Machine {
        Machine { instance_type: "host", image: "host" }
    }

    fn material(&self, node: &NodeName) -> (NodeMaterial, String) {
        let secret = format!("private-part-of-{node}");
        let material = NodeMaterial {
            host_key: SecretText::new(secret.clone()),
            host_key_public: format!("ssh-ed25519 public-part-of-{node}"),
            authorized_keys: vec!["ssh-ed25519 of-the-user".to_owned()],
            ordered_at: Timestamp::now(),
        };
        (material, secret)
    }

    async fn pause(&self) {
        tokio::time::sleep(PAUSE).await;
    }

    /// Everything is gone: directories, copies of the binary, locks. Processes
    /// and mounts are held by directories, and would have kept those.
    async fn clean_up(&self) {
        for cluster in entries(&self.store().join("clusters")) {
            teardown(&cluster).unwrap();
        }
        for name in ["staging", "trash", "bin", "locks"] {
            let left = entries(&self.store().join(name));
            assert!(left.is_empty(), "left behind: {left:?}");
        }
    }
}

fn entries(directory: &Path) -> Vec<PathBuf> {
    let Ok(entries) = std::fs::read_dir(directory) else {
        return Vec::new();
    };
    entries.map(|entry| entry.unwrap().path()).collect()
}

fn helper() -> PathBuf {
    std::env::var_os(HELPER_VARIABLE)
        .map_or_else(|| env!("CARGO_BIN_EXE_local-node-helper").into(), PathBuf::from)
}

/// Runs a scenario as an ordinary user, when the test runs as root.
pub(crate) fn elsewhere(name: &str) -> Option<Result<(), String>> {
    rustix::process::geteuid().is_root().then(|| run_as_user(name))
}

fn run_as_user(name: &str) -> Result<(), String> {
    let ended = testkit::elsewhere::run_as_user(name, (HELPER_VARIABLE, &helper()))
        .map_err(|error| format!("to run as an ordinary user: {error}"))?;
    if let Some(reason) = ended.err.lines().find_map(|line| line.strip_prefix("skipped: ")) {
        testkit::skip(name, reason.split('\t').next_back().unwrap_or(reason));
        return Ok(());
    }
    if ended.passed {
        return Ok(());
    }
    Err(format!("as an ordinary user:\n{}\n{}", ended.out, ended.err))
}
