//! What a supervisor and its clients say to each other: one JSON object a
//! line over a unix socket. The protocol has a number of its own; builds do
//! not matter, so squall can be rebuilt under live nodes.
//!
//! The first line of a client is a [`Hello`], answered by a [`Welcome`]. Every
//! further line is a [`Call`], answered by one [`Answer`] with the same id,
//! not always in order. The answer to a dial carries the connected socket.

use std::net::Ipv4Addr;

use serde::{Deserialize, Serialize};

use super::hosts::HostEntry;
use super::launch::NodeLaunch;
use super::rung::Rung;
use super::status::NodeStatus;

/// Version of everything in this module.
pub const PROTOCOL_VERSION: u32 = 1;
/// The longest line that either side takes, in bytes: a launch holds its
/// seeds and scripts.
pub const LINE_BYTES_MAX: usize = 8 * 1024 * 1024;
/// Name of the socket in the cluster's directory.
pub const SOCKET_FILE: &str = "supervisor.sock";

/// The first line of a client.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Hello {
    /// [`PROTOCOL_VERSION`] of the client.
    pub protocol: u32,
    /// Its build, for people.
    pub build: String,
}

/// The first line of a supervisor.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Welcome {
    /// [`PROTOCOL_VERSION`] of the supervisor.
    pub protocol: u32,
    /// Its build, for people.
    pub build: String,
    /// Its process id.
    pub pid: u32,
    /// The rung that its nodes are made on.
    pub rung: Option<Rung>,
    /// Why it will not serve this client; the connection ends after it.
    #[serde(default)]
    pub refused: Option<String>,
}

/// One request.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Call {
    /// Chosen by the client; the answer carries the same.
    pub id: u64,
    /// What is asked.
    pub request: Request,
}

/// What can be asked.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Request {
    /// Boot a node, unless it runs. Answered by [`Outcome::Node`] when it is
    /// set up.
    Launch(Box<NodeLaunch>),
    /// End a node in good order. Answered when it is stopped.
    Stop {
        /// The node.
        name: String,
        /// How long it may take before it is killed, in milliseconds.
        grace_ms: u64,
    },
    /// End a node at once. Answered when it is stopped.
    Kill {
        /// The node.
        name: String,
    },
    /// Boot a running node again. Answered when it is set up.
    Reboot {
        /// The node.
        name: String,
        /// How long its processes may take to end, in milliseconds.
        grace_ms: u64,
    },
    /// Every node. Answered by [`Outcome::Nodes`].
    List,
    /// Stop a node, if it runs, and forget it and its limits. Its directory is
    /// the caller's.
    Forget {
        /// The node.
        name: String,
    },
    /// Replace our part of `/etc/hosts` in running nodes. Nodes that are not
    /// running get it at their next boot.
    SetHosts {
        /// One node, or all.
        name: Option<String>,
        /// The lines.
        entries: Vec<HostEntry>,
    },
    /// Connect to a node. Answered by [`Outcome::Connected`] and the socket.
    Dial {
        /// Address inside the cluster's network.
        address: Ipv4Addr,
        /// Port.
        port: u16,
        /// How long to try, in milliseconds.
        timeout_ms: u64,
        /// Whether to try again, within that time, while nobody listens.
        wait: bool,
    },
    /// Stop every node, remove limits, end the supervisor.
    Shutdown {
        /// How long the nodes may take, in milliseconds.
        grace_ms: u64,
    },
}

/// The answer to one request.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Answer {
    /// Id of the call.
    pub id: u64,
    /// What came of it.
    pub outcome: Outcome,
}

/// What came of a request.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Outcome {
    /// Done, nothing to say.
    Done,
    /// Done; the node as it is now.
    Node(Box<NodeStatus>),
    /// Every node.
    Nodes(Vec<NodeStatus>),
    /// The socket comes with this line.
    Connected,
    /// Not done.
    Refused {
        /// What kind of refusal.
        kind: RefusalKind,
        /// Why, for people.
        text: String,
    },
}

/// Why something was not done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum RefusalKind {
    /// No such node.
    NotFound,
    /// The node is in the wrong state for it.
    Conflict,
    /// The request is wrong in itself.
    Invalid,
    /// The disk or a limit of this machine is full.
    Capacity,
    /// The kernel refused.
    Kernel,
    /// Dial: nobody listens there.
    ConnectionRefused,
    /// Dial: no answer in time.
    Timeout,
    /// Dial: no such address, or it does not answer at all.
    Unreachable,
    /// Something else, which a newer supervisor knows.
    #[serde(other)]
    Other,
}
