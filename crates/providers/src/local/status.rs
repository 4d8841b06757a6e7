//! What the supervisor knows of its nodes, as data, and the files that keep
//! it over the supervisor's own death.

use std::net::Ipv4Addr;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// File in a node's directory that holds its [`NodeStatus`].
pub const STATUS_FILE: &str = "status.json";
/// File in a node's directory that holds its `NodeLaunch`.
pub const LAUNCH_FILE: &str = "launch.json";
/// File in a node's directory that holds what it printed.
pub const CONSOLE_FILE: &str = "console.log";
/// The end of what was cut off from it when it grew too large.
pub const CONSOLE_OLD_FILE: &str = "console.log.1";
/// Directory in a cluster's directory that holds its nodes' directories.
pub const NODES_DIRECTORY: &str = "nodes";

/// One node as the supervisor sees it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct NodeStatus {
    /// The node's name.
    pub name: String,
    /// Its address in the cluster's network.
    pub address: Ipv4Addr,
    /// Pending, running, stopping or stopped.
    pub state: RunState,
    /// Since when.
    pub since: Timestamp,
    /// Process id of its PID 1 as the supervisor's pid namespace knows it.
    #[serde(default)]
    pub pid: Option<u32>,
    /// How often it was booted.
    #[serde(default)]
    pub boots: u32,
    /// Why it last stopped, in words: "powered off from inside".
    #[serde(default)]
    pub last_exit: Option<String>,
    /// Whether its ssh server was seen to listen since the last boot; `None`
    /// when nobody has tried yet.
    #[serde(default)]
    pub ssh_listening: Option<bool>,
    /// Its first-boot scripts, in order.
    #[serde(default)]
    pub scripts: Vec<ScriptStatus>,
    /// What had to be left out in making it, in words.
    #[serde(default)]
    pub notes: Vec<String>,
    /// The host's boot in which this was written; another one means that the
    /// node cannot be running any more.
    #[serde(default)]
    pub host_boot_id: String,
}

/// The states that a node can be in while its supervisor knows it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum RunState {
    /// Being set up, or waiting to be booted again.
    Pending,
    /// Its PID 1 runs; says nothing about whether ssh answers.
    Running,
    /// Told to end.
    Stopping,
    /// Not running; its files are there.
    Stopped,
}

/// One first-boot script.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ScriptStatus {
    /// Its name.
    pub name: String,
    /// How far it is.
    pub state: ScriptState,
}

/// How far a first-boot script is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "kind")]
pub enum ScriptState {
    /// Not started.
    Waiting,
    /// Running now.
    Running,
    /// Ended.
    Ended {
        /// Exit code, or 128 and the signal's number.
        code: i32,
    },
    /// The node went down under it. It is not run again.
    Interrupted,
}

/// One line of a cluster's timeline.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LocalEvent {
    /// When.
    pub at: Timestamp,
    /// Which node; `None` for the cluster's supervisor itself.
    #[serde(default)]
    pub node: Option<String>,
    /// What sort of event.
    pub kind: LocalEventKind,
    /// What happened and why, for people.
    pub text: String,
}

/// What sort of event it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum LocalEventKind {
    /// The supervisor came up or went.
    Supervisor,
    /// A node was started.
    Started,
    /// A node stopped, whyever.
    Stopped,
    /// A node rebooted.
    Rebooted,
    /// A node could not be started.
    Failed,
    /// A first-boot script started or ended.
    Script,
    /// Something about a node worth knowing: its ssh server was restarted.
    Note,
    /// A kind that a newer build writes.
    #[serde(other)]
    Other,
}
