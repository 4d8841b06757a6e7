//! From an endpoint to a logged-in connection, under one deadline.

use std::sync::{Arc, OnceLock};
use std::time::Duration;

use model::Endpoint;
use russh::client::{self, Handle};
use tokio::time::{Instant, timeout_at};
use tokio_util::sync::CancellationToken;

use crate::algorithms::preferred;
use crate::dial::Dial;
use crate::limits;
use crate::stream::{FirstWords, SshStream};

mod error;
mod host_keys;
mod login;

pub use error::{ConnectError, ConnectErrorKind, ConnectStage, HostKeyProblem, Untrusted};
pub(crate) use host_keys::Verifier;
use host_keys::{Expected, VerifyError};
pub use host_keys::{HostKeys, Listed, NewHost, UnknownHosts};
pub use login::{Identity, Login, Tried};

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
    let expected = host_keys.expected();
    let config = config(&expected, timeouts);
    let verifier = Verifier { address: address.clone(), expected, lost: Arc::clone(&lost) };
    let heard = FirstWords::default();
    let stream = SshStream::new(stream, cut.clone()).telling(heard.clone());
    let handshake = client::connect_stream(config, stream, verifier);
    let mut handle = timeout_at(deadline, Box::pin(handshake))
        .await
        .map_err(|_| silent(heard.stage()))?
        .map_err(|error| handshake_error(error, address, &heard))?;

    let logging_in = Box::pin(login::log_in(&mut handle, login, &lost));
    patiently(deadline, timeouts.connect, login, logging_in)
        .await
        .ok_or_else(|| silent(ConnectStage::LogIn))??;
    guard.disarm();
    Ok(Connected { handle, cut, lost })
}

/// Waits until the deadline, and longer while a person is being asked for a
/// passphrase.
async fn patiently<T>(
    mut deadline: Instant,
    patience: Duration,
    login: &Login,
    mut doing: impl Future<Output = T> + Unpin,
) -> Option<T> {
    loop {
        match timeout_at(deadline, &mut doing).await {
            Ok(done) => return Some(done),
            Err(_) if login.is_asking() => deadline = Instant::now() + patience,
            Err(_) => return None,
        }
    }
}

fn config(expected: &Expected, timeouts: Timeouts) -> Arc<client::Config> {
    Arc::new(client::Config {
        client_id: russh::SshId::Standard("SSH-2.0-squall".into()),
        preferred: preferred(&expected.algorithms(), expected.takes_certificates()),
        limits: russh::Limits::new(limits::REKEY_BYTES, limits::REKEY_BYTES, limits::REKEY_AFTER),
        window_size: limits::WINDOW_BYTES,
        maximum_packet_size: limits::PACKET_BYTES_MAX,
        channel_buffer_size: limits::CHANNEL_PACKETS_MAX,
        keepalive_interval: Some(timeouts.keepalive),
        keepalive_max: limits::KEEPALIVES_UNANSWERED_MAX,
        ..client::Config::default()
    })
}

fn handshake_error(error: VerifyError, address: String, heard: &FirstWords) -> ConnectError {
    match error {
        VerifyError::Host(error) => *error,
        VerifyError::Ssh(error) => match heard.before_ssh() {
            // A web server answers too, and is no overloaded sshd.
            Some(said) if said.is_empty() || said.contains("MaxStartups") => {
                ConnectError::TurnedAway { address, said }
            }
            Some(said) => {
                let text = format!("what answers is no SSH server, it says `{said}`");
                ConnectError::Handshake { text }
            }
            None => ConnectError::Handshake { text: plain(&error) },
        },
    }
}

/// russh's errors in the words of this crate, where its own say too little.
pub(crate) fn plain(error: &russh::Error) -> String {
    match error {
        russh::Error::HUP
        | russh::Error::Disconnect
        | russh::Error::SendError
        | russh::Error::RecvError => "the node closed the connection".into(),
        russh::Error::IO(error)
            if matches!(
                error.kind(),
                std::io::ErrorKind::UnexpectedEof | std::io::ErrorKind::ConnectionReset
            ) =>
        {
            "the node closed the connection".into()
        }
        russh::Error::KeepaliveTimeout => "the node stopped answering".into(),
        other => other.to_string(),
    }
}
