//! SSH: sessions to running nodes, one command on many of them, waiting until
//! they let us in, and the small server inside nodes that have none. Knows no
//! provider: where a node is reached is a [`model::Endpoint`], how it is
//! reached is a [`Dial`]. The only crate that names russh.

#![forbid(unsafe_code)]

mod algorithms;
mod backoff;
pub mod copy;
pub mod dial;
pub mod executor;
pub mod fanout;
mod first_words;
pub mod gather;
mod host_pattern;
pub mod jump;
pub mod keys;
pub mod known_hosts;
pub mod limits;
pub mod server;
pub mod session;
pub mod sftp;
pub mod ssh_config;
pub mod sshconfig;
mod stream;
pub mod wait;

pub use bytes::Bytes;
pub use dial::{ByteStream, Dial, DialError, Dialled, DirectDial};
pub use executor::{Executor, ExecutorOptions, Lease};
pub use fanout::Target;
pub use keys::{Agent, KeyFile, KeyPair, PrivateKey, PublicKey, UserCertificate};
pub use known_hosts::{HostName, KnownHosts};
pub use session::{
    ConnectError, ConnectErrorKind, Exec, ExecEnd, ExecEvent, ExecOptions, HostKeys, Identity,
    Listed, Login, NewHost, Session, Timeouts, UnknownHosts,
};
pub use tokio_util::sync::CancellationToken;
