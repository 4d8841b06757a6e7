//! Where a node's ssh server is reached. Says nothing about how: `transport`
//! owns the `Dial` trait, and the local provider gives one implementation.

use std::net::SocketAddr;

use serde::{Deserialize, Serialize};

/// The way to a node's ssh server.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Endpoint {
    /// An address that this machine reaches by itself.
    Tcp {
        /// Address and port of the ssh server.
        address: SocketAddr,
    },
    /// An address inside a network namespace; `relay` is the unix socket of
    /// the process that lives in it and dials on our behalf.
    Namespace {
        /// Path of the supervisor's socket.
        relay: String,
        /// Address and port inside the namespace.
        address: SocketAddr,
    },
}

impl Endpoint {
    /// The address and port as seen from where the node lives.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        match self {
            Self::Tcp { address } | Self::Namespace { address, .. } => *address,
        }
    }
}
