//! What the server is told: a JSON file that the local provider writes.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

/// The server's configuration.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ServerConfig {
    /// Address and port to listen on.
    pub listen: SocketAddr,
    /// Private host key, OpenSSH format.
    pub host_key_path: PathBuf,
    /// Keys that may log in, as sshd's `authorized_keys`; read again at every
    /// log-in. Options before a key are refused, not ignored.
    pub authorized_keys_path: PathBuf,
    /// The one user.
    pub user: String,
    /// The user's home.
    pub home: PathBuf,
    /// The user's shell.
    pub shell: PathBuf,
    /// Variables of every session, over the server's own.
    #[serde(default)]
    pub env: BTreeMap<String, String>,
}
