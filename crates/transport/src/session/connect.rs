//! From an endpoint to a logged-in connection, under one deadline.

use std::sync::{Arc, OnceLock};
use std::time::Duration;

use model::Endpoint;
use russh::client::{self, Handle};
use russh::keys::{PrivateKeyWithHashAlg, PublicKeyOrCertificate};
use tokio::time::{Instant, timeout_at};
use tokio_util::sync::CancellationToken;

use crate::algorithms::preferred;
use crate::dial::{Dial, DialError};
use crate::keys::{KeyError, PrivateKey, PublicKey};
use crate::limits;
use crate::stream::SshStream;

/// Who we are to the node.
#[derive(Debug, Clone)]
pub struct Login {
    /// The user's name there.
    pub user: String,
    /// What may open it, in the order in which it is tried.
    pub identities: Vec<Identity>,
}

impl Login {
    /// One key and nothing else, as for nodes of our own making.
    #[must_use]
    pub fn with_key(user: impl Into<String>, key: PrivateKey) -> Self {
        Self { user: user.into(), identities: vec![Identity::Key(key)] }
    }
}

/// One way to prove who we are.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub enum Identity {
    /// A private key that is at hand.
    Key(PrivateKey),
}

/// The host keys that a node may show. Always verified; with none, no node is
/// accepted.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct HostKeys(Vec<PublicKey>);

impl HostKeys {
    /// These and no others.
    #[must_use]
    pub const fn new(keys: Vec<PublicKey>) -> Self {
        Self(keys)
    }

    /// From public key lines, as nodes' records keep them.
    ///
    /// # Errors
    /// A line that is no public key.
    pub fn parse<S: AsRef<str>>(lines: &[S]) -> Result<Self, KeyError> {
        lines.iter().map(|line| PublicKey::parse(line.as_ref())).collect::<Result<_, _>>().map(Self)
    }

    fn fingerprints(&self) -> String {
        if self.0.is_empty() {
            return "no key at all".into();
        }
        let each: Vec<String> = self.0.iter().map(PublicKey::fingerprint).collect();
        each.join(" or ")
    }
}

/// How long things may take.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Timeouts {
    /// Dialling, key exchange and log-in together.
    pub connect: Duration,
    /// A command that prints nothing and does not end for so long is given up.
    pub idle: Option<Duration>,
    /// A command that has not ended after so long is given up.
    pub total: Option<Duration>,
    /// A quiet connection is probed this often; see
    /// [`limits::KEEPALIVES_UNANSWERED_MAX`].
    pub keepalive: Duration,
}

impl Default for Timeouts {
    fn default() -> Self {
        Self {
            connect: limits::CONNECT_TIMEOUT,
            idle: None,
            total: None,
            keepalive: limits::KEEPALIVE_INTERVAL,
        }
    }
}

/// How far a connection came.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ConnectStage {
    /// Finding the node.
    Dial,
    /// The key exchange, once something answered.
    Handshake,
    /// Logging in.
    LogIn,
}

impl ConnectStage {
    const fn doing(self) -> &'static str {
        match self {
            Self::Dial => "reach the node",
            Self::Handshake => "agree on an encrypted connection",
            Self::LogIn => "log in",
        }
    }
}

/// Why there is no connection. Reads after "failed to".
#[derive(Debug, Clone, thiserror::Error)]
pub enum ConnectError {
    /// No connection at all.
    #[error("reach {address}")]
    Dial {
        /// What was dialled.
        address: String,
        /// Why not.
        #[source]
        source: DialError,
    },
    /// The node fell silent.
    #[error("{}: no answer within {} s", .stage.doing(), .after.as_secs_f32())]
    Timeout {
        /// While doing what.
        stage: ConnectStage,
        /// The time that it was given.
        after: Duration,
    },
    /// What answered does not speak SSH as we do, or hung up.
    #[error("agree on an encrypted connection: {text}")]
    Handshake {
        /// In words.
        text: String,
    },
    /// The node is another one than we know.
    #[error("trust {address}: it shows the host key {seen}, expected {expected}")]
    HostKeyChanged {
        /// What was dialled.
        address: String,
        /// Fingerprints of the keys that we know.
        expected: String,
        /// Fingerprint of the key that it showed.
        seen: String,
    },
    /// The node does not let this user in with this key.
    #[error("log in as {user}: the key {fingerprint} was refused")]
    AuthRefused {
        /// The user's name there.
        user: String,
        /// Which key was tried.
        fingerprint: String,
    },
    /// Anything else.
    #[error("{doing}: {text}")]
    Other {
        /// What was being done.
        doing: &'static str,
        /// In words.
        text: String,
    },
}

/// The kinds of [`ConnectError`], for those who count and compare.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ConnectErrorKind {
    /// The machine is there, nothing listens.
    Refused,
    /// Silence.
    Timeout,
    /// No way leads there.
    NoRoute,
    /// Other reasons why it could not be dialled.
    Unreachable,
    /// What answered does not speak SSH as we do.
    Handshake,
    /// The node is another one than we know.
    HostKeyChanged,
    /// The node does not let us in.
    AuthRefused,
    /// Anything else.
    Other,
}

impl ConnectError {
    /// Its kind.
    #[must_use]
    pub const fn kind(&self) -> ConnectErrorKind {
        match self {
            Self::Dial { source, .. } => match source {
                DialError::Refused => ConnectErrorKind::Refused,
                DialError::Timeout(_) => ConnectErrorKind::Timeout,
                DialError::NoRoute => ConnectErrorKind::NoRoute,
                DialError::Unreachable(_) => ConnectErrorKind::Unreachable,
            },
            Self::Timeout { .. } => ConnectErrorKind::Timeout,
            Self::Handshake { .. } => ConnectErrorKind::Handshake,
            Self::HostKeyChanged { .. } => ConnectErrorKind::HostKeyChanged,
            Self::AuthRefused { .. } => ConnectErrorKind::AuthRefused,
            Self::Other { .. } => ConnectErrorKind::Other,
        }
    }

    /// The error and what caused it, in one line.
    #[must_use]
    pub fn text(&self) -> String {
        match self {
            Self::Dial { source, .. } => format!("{self}: {source}"),
            _ => self.to_string(),
        }
    }

    /// What the user can do about it.
    #[must_use]
    pub const fn mend(&self) -> &'static str {
        match self.kind() {
            ConnectErrorKind::Refused => "is it still booting, or has its ssh server stopped?",
            ConnectErrorKind::Timeout => {
                "is it up? `squall show` says, `squall console` has its log"
            }
            ConnectErrorKind::NoRoute | ConnectErrorKind::Unreachable => {
                "is the cluster running, and is there a way to it from this machine?"
            }
            ConnectErrorKind::Handshake => "is it an SSH server that listens there?",
            ConnectErrorKind::HostKeyChanged => {
                "the machine is not the one that was made; do not trust it before you know why"
            }
            ConnectErrorKind::AuthRefused => {
                "does the node know the key that the cluster was made with?"
            }
            ConnectErrorKind::Other => "run again with -v to see more",
        }
    }
}

/// A connection that is logged in, and the means to end it.
pub(crate) struct Connected {
    pub(crate) handle: Handle<Verifier>,
    pub(crate) cut: CancellationToken,
    pub(crate) lost: Arc<OnceLock<String>>,
}

/// Dials, agrees on keys, verifies the host and logs in.
pub(crate) async fn connect(
    dial: &dyn Dial,
    endpoint: &Endpoint,
    login: &Login,
    host_keys: &HostKeys,
    timeouts: Timeouts,
) -> Result<Connected, ConnectError> {
    let address = endpoint.to_string();
    let deadline = Instant::now() + timeouts.connect;
    let silent = |stage| ConnectError::Timeout { stage, after: timeouts.connect };

    let stream = timeout_at(deadline, dial.dial(endpoint, timeouts.connect))
        .await
        .map_err(|_| silent(ConnectStage::Dial))?
        .map_err(|source| ConnectError::Dial { address: address.clone(), source })?;
    stream.tune();

    let cut = CancellationToken::new();
    let guard = cut.clone().drop_guard();
    let lost = Arc::new(OnceLock::new());
    let verifier = Verifier { known: host_keys.clone(), lost: Arc::clone(&lost) };
    let stream = SshStream::new(stream, cut.clone());
    let handshake = client::connect_stream(config(host_keys, timeouts), stream, verifier);
    let mut handle = timeout_at(deadline, Box::pin(handshake))
        .await
        .map_err(|_| silent(ConnectStage::Handshake))?
        .map_err(|error| handshake_error(error, address, host_keys))?;

    timeout_at(deadline, Box::pin(log_in(&mut handle, login)))
        .await
        .map_err(|_| silent(ConnectStage::LogIn))??;
    guard.disarm();
    Ok(Connected { handle, cut, lost })
}

fn config(host_keys: &HostKeys, timeouts: Timeouts) -> Arc<client::Config> {
    let known: Vec<_> = host_keys.0.iter().map(PublicKey::algorithm).collect();
    Arc::new(client::Config {
        client_id: russh::SshId::Standard("SSH-2.0-squall".into()),
        preferred: preferred(&known),
        window_size: limits::WINDOW_BYTES,
        maximum_packet_size: limits::PACKET_BYTES_MAX,
        channel_buffer_size: limits::CHANNEL_PACKETS_MAX,
        keepalive_interval: Some(timeouts.keepalive),
        keepalive_max: limits::KEEPALIVES_UNANSWERED_MAX,
        ..client::Config::default()
    })
}

/// Offers the identities one after the other.
async fn log_in(handle: &mut Handle<Verifier>, login: &Login) -> Result<(), ConnectError> {
    let mut tried = Vec::new();
    for identity in &login.identities {
        let Identity::Key(key) = identity;
        let offered = PrivateKeyWithHashAlg::new(key.shared(), None);
        match handle.authenticate_publickey(login.user.clone(), offered).await {
            Ok(result) if result.success() => return Ok(()),
            Ok(_) => tried.push(key.public().fingerprint()),
            Err(error) => {
                let text = plain(&error);
                return Err(ConnectError::Other { doing: ConnectStage::LogIn.doing(), text });
            }
        }
    }
    Err(ConnectError::AuthRefused { user: login.user.clone(), fingerprint: tried.join(", ") })
}

fn handshake_error(error: VerifyError, address: String, known: &HostKeys) -> ConnectError {
    match error {
        VerifyError::Unknown { seen } => {
            ConnectError::HostKeyChanged { address, expected: known.fingerprints(), seen }
        }
        VerifyError::Ssh(error) => ConnectError::Handshake { text: plain(&error) },
    }
}

/// russh's errors in the words of this crate, where its own say too little.
pub(crate) fn plain(error: &russh::Error) -> String {
    match error {
        russh::Error::HUP | russh::Error::Disconnect | russh::Error::SendError => {
            "the node closed the connection".into()
        }
        russh::Error::IO(error) if error.kind() == std::io::ErrorKind::UnexpectedEof => {
            "the node closed the connection".into()
        }
        russh::Error::KeepaliveTimeout => "the node stopped answering".into(),
        other => other.to_string(),
    }
}

/// What russh asks about the server.
pub(crate) struct Verifier {
    known: HostKeys,
    lost: Arc<OnceLock<String>>,
}

/// Why a server was not accepted.
#[derive(Debug, thiserror::Error)]
pub(crate) enum VerifyError {
    #[error("unknown host key {seen}")]
    Unknown { seen: String },
    #[error(transparent)]
    Ssh(#[from] russh::Error),
}

impl client::Handler for Verifier {
    type Error = VerifyError;

    async fn check_server_key(
        &mut self,
        shown: &PublicKeyOrCertificate,
    ) -> Result<bool, VerifyError> {
        // Certificates are not offered by us, so one is as unknown as any key.
        let seen = match shown {
            PublicKeyOrCertificate::PublicKey { key, .. } => PublicKey::from_russh(key.clone()),
            PublicKeyOrCertificate::Certificate(_) => {
                return Err(VerifyError::Unknown { seen: "a certificate".into() });
            }
        };
        if self.known.0.contains(&seen) {
            Ok(true)
        } else {
            Err(VerifyError::Unknown { seen: seen.fingerprint() })
        }
    }

    async fn disconnected(
        &mut self,
        reason: client::DisconnectReason<VerifyError>,
    ) -> Result<(), VerifyError> {
        let text = match &reason {
            client::DisconnectReason::ReceivedDisconnect(info) => {
                format!("the node closed the connection: {}", info.message)
            }
            client::DisconnectReason::Error(VerifyError::Ssh(error)) => plain(error),
            client::DisconnectReason::Error(error) => error.to_string(),
        };
        let _ = self.lost.set(text);
        match reason {
            client::DisconnectReason::ReceivedDisconnect(_) => Ok(()),
            client::DisconnectReason::Error(error) => Err(error),
        }
    }
}
