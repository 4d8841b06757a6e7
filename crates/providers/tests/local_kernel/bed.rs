//! A cluster's directory to test in, and ways to look into its nodes. Removes
//! everything when dropped.

use std::io::{Read, Write};
use std::net::{Ipv4Addr, TcpStream};
use std::path::PathBuf;
use std::time::Duration;

use providers::local::client::SupervisorClient;
use providers::local::hosts::HostEntry;
use providers::local::launch::{
    AUTHORIZED_KEYS_PATH, FileSeed, HOST_KEY_PATH, LAUNCH_VERSION, NodeLaunch, NodeLimits,
    SshServer,
};
use providers::local::mac::MacAddress;
use providers::local::rung::Rung;
use providers::local::teardown::teardown;

/// Names the helper binary to a test that runs as another user.
const HELPER_VARIABLE: &str = "SQUALL_TEST_HELPER";
pub(crate) const LONG: Duration = Duration::from_secs(30);

/// A cluster under test.
pub(crate) struct Bed {
    pub(crate) base: tempfile::TempDir,
    pub(crate) cluster_dir: PathBuf,
    pub(crate) rung: Rung,
}

impl Bed {
    pub(crate) fn new(rung: Rung) -> Self {
        Self::at(rung, "cluster")
    }

    /// A bed for what does not depend on the rung: on the best there is.
    pub(crate) fn any() -> Self {
        Self::new(best_rung())
    }

    pub(crate) fn at(rung: Rung, path: &str) -> Self {
        let base = tempfile::Builder::new().prefix("squall-kernel-").tempdir().unwrap();
        let cluster_dir = base.path().join(path);
        std::fs::create_dir_all(&cluster_dir).unwrap();
        Self { base, cluster_dir, rung }
    }

    pub(crate) fn client(&self) -> SupervisorClient {
        SupervisorClient::start_or_connect(&self.cluster_dir, self.rung, &helper()).unwrap()
    }

    pub(crate) fn launch(&self, number: u8) -> NodeLaunch {
        let name = format!("n{number}");
        let seed = |path: &str, mode, content: &str| FileSeed {
            path: path.into(),
            mode,
            content: content.to_owned(),
        };
        NodeLaunch {
            version: LAUNCH_VERSION,
            hostname: name.clone(),
            domain: "bed".to_owned(),
            address: address(number),
            prefix_length: 16,
            mac: MacAddress::of_node("bed", &name),
            limits: NodeLimits::default(),
            node_dir: self.node_dir(number),
            ssh_server: SshServer::Embedded,
            kept_in: None,
            seeds: vec![
                seed(HOST_KEY_PATH, 0o600, "no real key\n"),
                seed(AUTHORIZED_KEYS_PATH, 0o600, "no real key\n"),
                seed("/usr/local/bin/seeded", 0o755, "#!/bin/sh\necho from a seed\n"),
            ],
            hosts: vec![host(1), host(2)],
            scripts: Vec::new(),
            environment: std::collections::BTreeMap::new(),
            masked_paths: Vec::new(),
            rung: self.rung,
            name,
        }
    }

    pub(crate) fn node_dir(&self, number: u8) -> PathBuf {
        self.cluster_dir.join("nodes").join(format!("n{number}"))
    }

    /// What a line of shell says in a node.
    pub(crate) fn say(&self, number: u8, line: &str) -> String {
        let mut client = SupervisorClient::connect(&self.cluster_dir).unwrap();
        say(&mut client, number, line)
    }

    pub(crate) fn console(&self, number: u8) -> String {
        std::fs::read_to_string(self.node_dir(number).join("console.log")).unwrap_or_default()
    }
}

impl Drop for Bed {
    fn drop(&mut self) {
        if std::thread::panicking() {
            for number in 1..=2 {
                eprintln!("console of n{number}:\n{}", self.console(number));
            }
        }
        let done = teardown(&self.cluster_dir);
        if !std::thread::panicking() {
            done.unwrap();
            assert!(!self.cluster_dir.exists());
        }
    }
}

pub(crate) fn best_rung() -> Rung {
    if rustix::process::geteuid().is_root() { Rung::Root } else { Rung::UserNamespace }
}

/// Whether a test of the root rung can run here; says so when it cannot.
pub(crate) fn can_be_root(test: &str) -> bool {
    let can = best_rung() == Rung::Root;
    if !can {
        eprintln!("skipped: {test}: needs root");
    }
    can
}

pub(crate) fn address(number: u8) -> Ipv4Addr {
    Ipv4Addr::new(10, 77, 0, 10 + number)
}

pub(crate) fn host(number: u8) -> HostEntry {
    HostEntry { address: address(number), names: vec![format!("n{number}")] }
}

/// What a line of shell says in a node, which may still be starting.
pub(crate) fn say(client: &mut SupervisorClient, number: u8, line: &str) -> String {
    let socket = client.dial(address(number), 22, LONG, true).unwrap();
    let mut stream = TcpStream::from(socket);
    stream.set_nonblocking(false).unwrap();
    stream.set_read_timeout(Some(LONG)).unwrap();
    stream.write_all(format!("{line}\n").as_bytes()).unwrap();
    let mut said = String::new();
    stream.read_to_string(&mut said).unwrap();
    said.trim_end().to_owned()
}

pub(crate) fn helper() -> PathBuf {
    std::env::var_os(HELPER_VARIABLE)
        .map_or_else(|| env!("CARGO_BIN_EXE_local-node-helper").into(), PathBuf::from)
}

/// Runs a test's body as an ordinary user: here, if we are one; otherwise by
/// running this test once more as a user that nothing belongs to.
pub(crate) fn as_ordinary_user(test: &str, body: impl FnOnce()) {
    if !rustix::process::geteuid().is_root() {
        return body();
    }
    let ended = testkit::elsewhere::run_as_user(test, (HELPER_VARIABLE, &helper())).unwrap();
    assert!(ended.passed, "{}\n{}", ended.out, ended.err);
}
