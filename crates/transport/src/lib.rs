//! SSH: sessions to running nodes, one command on many of them, waiting until
//! they let us in, and the small server inside nodes that have none. Knows no
//! provider: where a node is reached is a [`model::Endpoint`], how it is
//! reached is a [`Dial`]. The only crate that names russh.

#![forbid(unsafe_code)]

mod algorithms;
pub mod dial;
pub mod fanout;
pub mod gather;
pub mod keys;
pub mod limits;
pub mod server;
pub mod session;
pub mod sftp;
pub mod sshconfig;
mod stream;
pub mod wait;

pub use bytes::Bytes;
pub use dial::{ByteStream, Dial, DialError, Dialled, DirectDial};
pub use fanout::Target;
pub use keys::{KeyPair, PrivateKey, PublicKey};
pub use session::{
    ConnectError, ConnectErrorKind, Exec, ExecEnd, ExecEvent, ExecOptions, HostKeys, Identity,
    Login, Session, Timeouts,
};
pub use tokio_util::sync::CancellationToken;
