//! The name under which a host is listed.

use std::fmt;

use crate::limits::SSH_PORT;

/// A host as `known_hosts` files name it: in lower case, with its port where
/// that is not ssh's own.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct HostName {
    listed: String,
    bare: Option<String>,
}

impl HostName {
    /// A host that is dialled by name or address.
    #[must_use]
    pub fn new(host: &str, port: u16) -> Self {
        let host = host.to_lowercase();
        if port == SSH_PORT {
            return Self { listed: host, bare: None };
        }
        Self { listed: format!("[{host}]:{port}"), bare: Some(host) }
    }

    /// What `HostKeyAlias` says instead; it takes no port.
    #[must_use]
    pub fn alias(alias: &str) -> Self {
        Self { listed: alias.to_lowercase(), bare: None }
    }

    /// As it is listed: `host`, or `[host]:port`.
    #[must_use]
    pub fn listed(&self) -> &str {
        &self.listed
    }

    /// The name without its port, under which a key counts too where the name
    /// with the port has none, as ssh has it.
    #[must_use]
    pub fn bare(&self) -> Option<&str> {
        self.bare.as_deref()
    }

    /// What a host certificate must be for: names never carry a port there.
    #[must_use]
    pub fn principal(&self) -> &str {
        self.bare.as_deref().unwrap_or(&self.listed)
    }
}

impl fmt::Display for HostName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.listed)
    }
}
