//! What the configuration says about one host. Pure data.

use std::path::PathBuf;
use std::time::Duration;

use crate::known_hosts::Place;

/// Settings for one host, as far as they were said.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Settings {
    /// Name or address to dial instead of the host's name.
    pub host_name: Option<String>,
    /// The user's name there.
    pub user: Option<String>,
    /// Port of its ssh server.
    pub port: Option<u16>,
    /// Key files, in order; none means the usual ones.
    pub identity_files: Vec<PathBuf>,
    /// Certificates for keys, besides those that lie beside the key files.
    pub certificate_files: Vec<PathBuf>,
    /// Of the agent's keys, only those that are named here too.
    pub identities_only: bool,
    /// Which agent.
    pub agent: AgentChoice,
    /// The bastions on the way, the first one first.
    pub jumps: Vec<Hop>,
    /// A command that relays to the host, and where it is written.
    pub proxy_command: Option<(String, Place)>,
    /// The user's files of host keys; none means the usual ones.
    pub user_known_hosts: Option<Vec<PathBuf>>,
    /// The system's files of host keys; none means the usual ones.
    pub global_known_hosts: Option<Vec<PathBuf>>,
    /// The name that the host's key is listed under.
    pub host_key_alias: Option<String>,
    /// What becomes of a host of which nothing is known.
    pub strict: Strict,
    /// Whether names of new hosts are hashed.
    pub hash_known_hosts: bool,
    /// How long a connection may take.
    pub connect_timeout: Option<Duration>,
    /// How often a quiet connection is probed.
    pub alive_interval: Option<Duration>,
}

/// Which agent holds keys.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum AgentChoice {
    /// The one of `SSH_AUTH_SOCK`.
    #[default]
    Environment,
    /// The one at this socket.
    Socket(PathBuf),
    /// None.
    None,
}

/// A bastion.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Hop {
    /// The user's name there, if it is said here.
    pub user: Option<String>,
    /// Its name, which has settings of its own.
    pub host: String,
    /// Its port, if it is said here.
    pub port: Option<u16>,
}

/// What becomes of a host of which nothing is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Strict {
    /// `ask`: it is refused, as a thousand hosts cannot be asked about.
    #[default]
    Ask,
    /// `yes`: it is refused.
    Yes,
    /// `accept-new`, and `no`, which means no more here: a host that has
    /// changed is never accepted.
    AcceptNew,
}
