//! What a lab is made of.

/// Stands in configurations for the directory of the lab.
pub(super) const DIRECTORY: &str = "@LAB@";

/// What the client's files say of a server's host key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Trust {
    /// The right one.
    Known,
    /// Another one, as after a reinstallation or with somebody in between.
    Changed,
    /// The right one, and that it is revoked.
    Revoked,
    /// Nothing.
    Unknown,
    /// An authority that has signed it, and nothing else.
    Certified,
}

/// What a server lets in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Admits {
    /// The lab's user key.
    Key,
    /// The certificate of the lab's user key; the bare key is not enough.
    Certificate,
}

/// Where a server listens.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    /// On loopback addresses of this machine.
    Here,
    /// On loopback addresses behind the bastion. As root those of a network
    /// namespace that nothing else reaches, else those of this machine.
    BehindBastion,
    /// The same namespace, with a door from this machine: the bastion.
    Bastion,
}

/// One sshd.
#[derive(Debug, Clone)]
pub struct Server {
    /// How many addresses it listens on, each a node; at most 16, which is
    /// what sshd can do.
    pub addresses: u8,
    /// Where.
    pub place: Place,
    /// What the client knows of its key.
    pub trust: Trust,
    /// Whom it lets in.
    pub admits: Admits,
    /// Lines of its configuration, before all others: sshd heeds the first.
    /// `@LAB@` in them is the directory of the lab.
    pub options: Vec<String>,
}

impl Default for Server {
    fn default() -> Self {
        Self {
            addresses: 1,
            place: Place::Here,
            trust: Trust::Known,
            admits: Admits::Key,
            options: Vec::new(),
        }
    }
}

impl Server {
    /// One with lines of configuration.
    #[must_use]
    pub fn with(options: &[&str]) -> Self {
        Self { options: options.iter().map(|line| (*line).to_owned()).collect(), ..Self::default() }
    }

    /// The one that the hidden ones are reached through, with few sessions and
    /// hardly any strangers at once.
    #[must_use]
    pub fn bastion() -> Self {
        let options = ["MaxStartups 3:100:3", "MaxSessions 10"];
        Self { place: Place::Bastion, ..Self::with(&options) }
    }
}

/// A lab.
#[derive(Debug, Clone)]
pub struct Plan {
    /// Its servers. Nodes are named `n1`, `n2`, ... in their order; a bastion
    /// is named `bastion` and is no node.
    pub servers: Vec<Server>,
    /// Whether every node has a home directory of its own. Costs each command
    /// one more shell.
    pub homes: bool,
}

impl Plan {
    /// These servers, with homes.
    #[must_use]
    pub fn of(servers: Vec<Server>) -> Self {
        Self { servers, homes: true }
    }

    /// So many servers of so many addresses.
    #[must_use]
    pub fn alike(servers: usize, addresses: u8) -> Self {
        Self::of(vec![Server { addresses, ..Server::default() }; servers])
    }
}
