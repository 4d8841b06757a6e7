//! Where a node's ssh server is reached. Says nothing about how: `transport`
//! owns the `Dial` trait, and others plug in their own implementations.

use std::fmt;
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
    /// A host by its name, which is resolved when it is dialled.
    Host {
        /// A name of DNS or of the hosts file, or an address.
        name: String,
        /// Port of the ssh server.
        port: u16,
    },
    /// A host that only a bastion reaches, through the connection to it.
    Jump {
        /// The bastion, by the name under which the dialler knows it.
        bastion: String,
        /// Name or address, resolved by the bastion.
        host: String,
        /// Port of the ssh server.
        port: u16,
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
    /// Name or address as seen from where the node lives.
    #[must_use]
    pub fn host(&self) -> String {
        match self {
            Self::Tcp { address } | Self::Namespace { address, .. } => address.ip().to_string(),
            Self::Host { name: host, .. } | Self::Jump { host, .. } => host.clone(),
        }
    }

    /// Port of the ssh server.
    #[must_use]
    pub const fn port(&self) -> u16 {
        match self {
            Self::Tcp { address } | Self::Namespace { address, .. } => address.port(),
            Self::Host { port, .. } | Self::Jump { port, .. } => *port,
        }
    }
}

impl fmt::Display for Endpoint {
    /// `HOST:PORT`, with brackets around an address of IPv6.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Tcp { address } | Self::Namespace { address, .. } => address.fmt(f),
            Self::Host { name: host, port } | Self::Jump { host, port, .. } => {
                if host.contains(':') {
                    write!(f, "[{host}]:{port}")
                } else {
                    write!(f, "{host}:{port}")
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Endpoint;

    #[test]
    fn endpoints_read_as_host_and_port() {
        let address = "[::1]:2222".parse().unwrap();
        let name = "node.example".to_owned();
        let jump = |host: &str| Endpoint::Jump { bastion: "b".into(), host: host.into(), port: 22 };
        for (endpoint, expected) in [
            (Endpoint::Tcp { address }, "[::1]:2222"),
            (Endpoint::Host { name, port: 22 }, "node.example:22"),
            (jump("fd00::1"), "[fd00::1]:22"),
            (jump("10.0.0.1"), "10.0.0.1:22"),
        ] {
            assert_eq!(endpoint.to_string(), expected);
        }
    }
}
