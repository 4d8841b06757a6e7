//! What is needed to boot one node, as data: written by whoever orders the
//! node, read by the supervisor. Versioned, because a supervisor outlives the
//! build that speaks to it. Knows nothing of how a node is made.

use std::collections::BTreeMap;
use std::net::Ipv4Addr;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use super::hosts::HostEntry;
use super::mac::MacAddress;
use super::rung::Rung;

/// Version of [`NodeLaunch`] that this build writes. Fields may be added with
/// a default within a version; anything else raises it.
pub const LAUNCH_VERSION: u32 = 2;

/// Where a node keeps its private host key. A seed with this path is required.
pub const HOST_KEY_PATH: &str = "/etc/ssh/ssh_host_ed25519_key";
/// Where a node keeps the keys that may log in. A seed with this path is
/// required.
pub const AUTHORIZED_KEYS_PATH: &str = "/root/.ssh/authorized_keys";
/// Configuration of the embedded server, written by the supervisor.
pub const EMBEDDED_CONFIG_PATH: &str = "/etc/squall/sshd.json";
/// Configuration of the real server, written by the supervisor unless a seed
/// has this path.
pub const SSHD_CONFIG_PATH: &str = "/etc/ssh/sshd_config";
/// The port that the ssh server of every node listens on.
pub const SSH_PORT: u16 = 22;

/// Everything needed to boot one node.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct NodeLaunch {
    /// [`LAUNCH_VERSION`] of the writer.
    pub version: u32,
    /// The node's name, unique in the cluster; a key, not shown inside.
    pub name: String,
    /// Its host name.
    pub hostname: String,
    /// Its domain: the cluster's slug.
    pub domain: String,
    /// Its address on the cluster's bridge.
    pub address: Ipv4Addr,
    /// Length of the network's prefix; the first address of the network is
    /// the bridge's.
    pub prefix_length: u8,
    /// Fixed over reboots, or peers keep a stale address for half a minute.
    pub mac: MacAddress,
    /// What it may use of the machine.
    #[serde(default)]
    pub limits: NodeLimits,
    /// The directory that holds all of the node: `<cluster_dir>/nodes/<name>`,
    /// absolute.
    pub node_dir: PathBuf,
    /// Which ssh server it runs.
    pub ssh_server: SshServer,
    /// Name of a file in the node's directory with this launch as it was
    /// before [`NodeLaunch::kept_in`], if that was done.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kept_in: Option<String>,
    /// Files written before the first boot.
    #[serde(default)]
    pub seeds: Vec<FileSeed>,
    /// Lines of `/etc/hosts` at the first boot.
    #[serde(default)]
    pub hosts: Vec<HostEntry>,
    /// Scripts run once, in order, after the network is up at the first boot.
    #[serde(default)]
    pub scripts: Vec<BootScript>,
    /// Variables added to the environment of the ssh server and the scripts.
    #[serde(default)]
    pub environment: BTreeMap<String, String>,
    /// Paths of the host that must not be seen in the node although they lie
    /// under a directory that is shown (the product's own state).
    #[serde(default)]
    pub masked_paths: Vec<PathBuf>,
    /// How it is made.
    pub rung: Rung,
}

impl NodeLaunch {
    /// This launch without what only the node itself may know, which it reads
    /// from `file` in its directory at its first boot. For the supervisor: every
    /// node begins as a copy of its memory, so that a key in there would be a
    /// key in the hands of all of them.
    #[must_use]
    pub fn kept_in(mut self, file: &str) -> Self {
        self.kept_in = Some(file.to_owned());
        self.seeds.clear();
        for script in &mut self.scripts {
            script.content = script.shebang().to_owned();
        }
        self
    }
}

impl BootScript {
    /// `#!` if it says itself what runs it, else nothing.
    #[must_use]
    pub fn shebang(&self) -> &'static str {
        if self.content.starts_with("#!") { "#!" } else { "" }
    }
}

/// What a node may use. `None` is no limit.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
pub struct NodeLimits {
    /// Memory, in bytes.
    #[serde(default)]
    pub memory_bytes: Option<u64>,
    /// Processor time, in cores; 0.5 is half of one.
    #[serde(default)]
    pub cores: Option<f64>,
    /// Processes and threads.
    #[serde(default)]
    pub pids: Option<u64>,
}

/// Which ssh server a node runs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "kind")]
pub enum SshServer {
    /// The host's own, at this path.
    Real {
        /// Path of `sshd`, under a directory that nodes see (`/usr`, `/sbin`).
        program: PathBuf,
    },
    /// The one in this binary.
    Embedded,
}

/// A file written into the node before its first boot.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FileSeed {
    /// Absolute path inside the node.
    pub path: PathBuf,
    /// Permission bits.
    pub mode: u32,
    /// Its text.
    pub content: String,
}

impl std::fmt::Debug for FileSeed {
    // A seed may be a private key, so its text is never printed.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("FileSeed")
            .field("path", &self.path)
            .field("mode", &format_args!("{:o}", self.mode))
            .field("bytes", &self.content.len())
            .finish()
    }
}

/// A script that is run once.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BootScript {
    /// What the user calls it, as `user_data`; letters, digits, `_`, `-`, `.`.
    pub name: String,
    /// Its text; without a `#!` line it is given to `/bin/sh`.
    pub content: String,
}

/// What the embedded ssh server is told, as JSON at [`EMBEDDED_CONFIG_PATH`].
/// The server itself lives in `transport`, which reads the same fields.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct EmbeddedServerConfig {
    /// Address and port to listen on.
    pub listen: String,
    /// Private host key.
    pub host_key_path: String,
    /// Keys that may log in.
    pub authorized_keys_path: String,
    /// The only user.
    pub user: String,
    /// The user's home.
    pub home: String,
    /// The user's shell.
    pub shell: String,
    /// The environment of sessions.
    pub env: BTreeMap<String, String>,
}

#[cfg(test)]
impl NodeLaunch {
    /// A node of the root rung in a directory.
    pub(super) fn for_tests(node_dir: &std::path::Path) -> Self {
        Self { node_dir: node_dir.to_owned(), ..serde_json::from_str(tests::LEAST).unwrap() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What the first build wrote, at its least.
    pub(super) const LEAST: &str = r#"{
        "version": 1, "name": "n1", "hostname": "n1", "domain": "demo",
        "address": "10.77.0.11", "prefix_length": 16, "mac": "02:00:00:00:00:01",
        "node_dir": "/state/nodes/n1", "ssh_server": {"kind": "embedded"}, "rung": "root"
    }"#;

    #[test]
    fn the_least_that_version_one_may_hold_is_read_and_what_is_newer_is_passed_over() {
        let least: NodeLaunch = serde_json::from_str(LEAST).unwrap();
        assert_eq!(least.limits, NodeLimits::default());
        assert!(least.seeds.is_empty() && least.scripts.is_empty());
        let newer = LEAST.replacen('{', "{\"from_the_future\": [1],", 1);
        assert_eq!(serde_json::from_str::<NodeLaunch>(&newer).unwrap(), least);
    }

    #[test]
    fn a_launch_survives_being_written_and_read() {
        let mut launch: NodeLaunch = serde_json::from_str(LEAST).unwrap();
        launch.limits = NodeLimits { memory_bytes: Some(1), cores: Some(0.5), pids: Some(2) };
        launch.ssh_server = SshServer::Real { program: "/usr/sbin/sshd".into() };
        launch.seeds.push(FileSeed { path: "/x".into(), mode: 0o600, content: "\u{0}\n".into() });
        launch.scripts.push(BootScript { name: "setup".into(), content: "#!/bin/sh\n".into() });
        launch.environment.insert("A".into(), "b".into());
        let text = serde_json::to_string(&launch).unwrap();
        assert_eq!(serde_json::from_str::<NodeLaunch>(&text).unwrap(), launch);
    }

    #[test]
    fn a_launch_kept_elsewhere_holds_no_secret_but_how_scripts_run() {
        let mut launch: NodeLaunch = serde_json::from_str(LEAST).unwrap();
        launch.seeds.push(FileSeed { path: "/x".into(), mode: 0o600, content: "secret".into() });
        for content in ["#!/bin/sh\nsecret\n", "echo secret\n"] {
            launch.scripts.push(BootScript { name: "setup".into(), content: content.into() });
        }
        let told = launch.kept_in("order.json");
        assert!(!serde_json::to_string(&told).unwrap().contains("secret"));
        assert_eq!(told.kept_in.as_deref(), Some("order.json"));
        assert_eq!(told.scripts.iter().map(BootScript::shebang).collect::<Vec<_>>(), ["#!", ""]);
    }

    #[test]
    fn a_seed_is_shown_without_its_text() {
        let seed = FileSeed { path: "/key".into(), mode: 0o600, content: "secret".into() };
        assert_eq!(format!("{seed:?}"), r#"FileSeed { path: "/key", mode: 600, bytes: 6 }"#);
    }
}
