//! How a connection to a node's ssh server comes about. Others plug in their
//! own [`Dial`], as the local provider does for network namespaces.

use std::fmt;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use async_trait::async_trait;
use model::Endpoint;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;

use crate::limits;

/// Why no connection came about. Reads after "failed to reach the node:".
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum DialError {
    /// The machine is there, nothing listens.
    #[error("the connection was refused")]
    Refused,
    /// Nothing answered in time.
    #[error("no answer within {} s", .0.as_secs_f32())]
    Timeout(Duration),
    /// No way leads there from here.
    #[error("no route to the node")]
    NoRoute,
    /// The name means no address.
    #[error("no address for the name `{name}`: {text}")]
    NoSuchName {
        /// The name.
        name: String,
        /// The resolver's words.
        text: String,
    },
    /// The bastion before the node cannot be used itself.
    #[error("the bastion {bastion}: failed to {text}")]
    Bastion {
        /// The bastion.
        bastion: String,
        /// Why not, in words.
        text: String,
        /// What the user can do.
        mend: String,
        /// Whether another try may succeed.
        passing: bool,
    },
    /// The bastion could not go on to the node.
    #[error("the bastion {bastion}: {problem}")]
    Forward {
        /// The bastion.
        bastion: String,
        /// What it said.
        problem: ForwardProblem,
    },
    /// Anything else, in words.
    #[error("{0}")]
    Unreachable(String),
}

/// Why a bastion does not connect us to a node.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ForwardProblem {
    /// It does not forward connections for us.
    #[error("it does not allow connections to be forwarded")]
    NotAllowed,
    /// It does not reach the node itself: refused, no route, no such name.
    #[error("it does not reach the node either")]
    NoConnection,
    /// It has no room for another one.
    #[error("it has no room for another connection")]
    NoRoom,
    /// It does not answer the request.
    #[error("it did not say within {} s whether it reaches the node", .0.as_secs_f32())]
    Timeout(Duration),
}

impl DialError {
    /// Whether another try a little later may well succeed.
    #[must_use]
    pub const fn is_passing(&self) -> bool {
        match self {
            Self::Refused | Self::Timeout(_) | Self::NoRoute => true,
            Self::Bastion { passing, .. } => *passing,
            Self::Forward { problem, .. } => !matches!(problem, ForwardProblem::NotAllowed),
            Self::NoSuchName { .. } | Self::Unreachable(_) => false,
        }
    }

    /// What the user can do about it.
    #[must_use]
    pub fn mend(&self) -> String {
        match self {
            Self::Refused => {
                "is it still booting, or has its ssh server stopped? is the port right?"
            }
            Self::Timeout(_) => {
                "is it up, and does a firewall drop what comes from here? `squall show` says, \
                 `squall console` has its log"
            }
            Self::NoRoute | Self::Unreachable(_) => {
                "is the cluster running, and is there a way to it from this machine?"
            }
            Self::NoSuchName { .. } => {
                "is the name written right? HostName in ssh_config says what address it has"
            }
            Self::Bastion { mend, .. } => mend,
            Self::Forward { problem, .. } => problem.mend(),
        }
        .to_owned()
    }
}

impl ForwardProblem {
    const fn mend(&self) -> &'static str {
        match self {
            Self::NotAllowed => {
                "AllowTcpForwarding and PermitOpen in its sshd_config, and the key's options in \
                 authorized_keys there, decide that"
            }
            Self::NoConnection | Self::Timeout(_) => {
                "is the node up? try from the bastion; its name and address are taken from there"
            }
            Self::NoRoom => "try again with a lower --fanout",
        }
    }
}

impl From<io::Error> for DialError {
    fn from(error: io::Error) -> Self {
        match error.kind() {
            io::ErrorKind::ConnectionRefused => Self::Refused,
            io::ErrorKind::HostUnreachable | io::ErrorKind::NetworkUnreachable => Self::NoRoute,
            io::ErrorKind::TimedOut => Self::Timeout(limits::CONNECT_TIMEOUT),
            _ => Self::Unreachable(error.to_string()),
        }
    }
}

/// Makes connections to nodes.
#[async_trait]
pub trait Dial: Send + Sync {
    /// A connected stream to the ssh server behind `endpoint`, within
    /// `timeout`.
    ///
    /// # Errors
    /// The kind of failure; never hangs longer than `timeout`.
    async fn dial(&self, endpoint: &Endpoint, timeout: Duration) -> Result<Dialled, DialError>;
}

/// A byte stream that is not a socket of this process, such as a channel of
/// the connection to a bastion.
pub trait ByteStream: AsyncRead + AsyncWrite + Send + Unpin {}

impl<T: AsyncRead + AsyncWrite + Send + Unpin> ByteStream for T {}

/// A connected stream to a node's ssh server.
pub enum Dialled {
    /// A socket.
    Tcp(TcpStream),
    /// Anything else.
    Other(Box<dyn ByteStream>),
}

impl fmt::Debug for Dialled {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Tcp(stream) => f.debug_tuple("Tcp").field(stream).finish(),
            Self::Other(_) => f.write_str("Other"),
        }
    }
}

impl From<TcpStream> for Dialled {
    fn from(stream: TcpStream) -> Self {
        Self::Tcp(stream)
    }
}

impl Dialled {
    /// Settings that every connection gets, however it was dialled.
    pub(crate) fn tune(&self) {
        if let Self::Tcp(stream) = self {
            tune(stream);
        }
    }
}

impl AsyncRead for Dialled {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Tcp(stream) => Pin::new(stream).poll_read(cx, buffer),
            Self::Other(stream) => Pin::new(stream).poll_read(cx, buffer),
        }
    }
}

impl AsyncWrite for Dialled {
    fn poll_write(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        match self.get_mut() {
            Self::Tcp(stream) => Pin::new(stream).poll_write(cx, bytes),
            Self::Other(stream) => Pin::new(stream).poll_write(cx, bytes),
        }
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Tcp(stream) => Pin::new(stream).poll_flush(cx),
            Self::Other(stream) => Pin::new(stream).poll_flush(cx),
        }
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Tcp(stream) => Pin::new(stream).poll_shutdown(cx),
            Self::Other(stream) => Pin::new(stream).poll_shutdown(cx),
        }
    }
}

/// Dials addresses that this machine reaches by itself.
#[derive(Debug, Clone, Copy, Default)]
pub struct DirectDial;

#[async_trait]
impl Dial for DirectDial {
    async fn dial(&self, endpoint: &Endpoint, timeout: Duration) -> Result<Dialled, DialError> {
        let connecting = async {
            match endpoint {
                Endpoint::Tcp { address } => Ok(TcpStream::connect(address).await?),
                Endpoint::Host { name, port } => connect_by_name(name, *port).await,
                Endpoint::Namespace { .. } => Err(DialError::Unreachable(
                    "the address lies in a network namespace, which needs the local provider"
                        .to_owned(),
                )),
                Endpoint::Jump { bastion, .. } => Err(DialError::Unreachable(format!(
                    "nothing is known of the bastion {bastion}"
                ))),
            }
        };
        match tokio::time::timeout(timeout, connecting).await {
            Ok(connected) => Ok(Dialled::Tcp(connected?)),
            Err(_elapsed) => Err(DialError::Timeout(timeout)),
        }
    }
}

/// Tries the addresses of a name in the resolver's order; the first that
/// answers is taken, and the last failure is told.
async fn connect_by_name(name: &str, port: u16) -> Result<TcpStream, DialError> {
    let unknown = |text: String| DialError::NoSuchName { name: name.to_owned(), text };
    let addresses = tokio::net::lookup_host((name, port))
        .await
        .map_err(|error| unknown(resolver_words(&error)))?;
    let mut last = None;
    for address in addresses {
        match TcpStream::connect(address).await {
            Ok(stream) => return Ok(stream),
            Err(error) => last = Some(error),
        }
    }
    Err(last.map_or_else(|| unknown("it has none".to_owned()), DialError::from))
}

/// The resolver's words without what the library puts before them.
fn resolver_words(error: &io::Error) -> String {
    let text = error.to_string();
    text.strip_prefix("failed to lookup address information: ").unwrap_or(&text).to_owned()
}

/// Settings that every connection gets, however it was dialled. Failing to set
/// them costs speed or a late diagnosis, so it is not an error.
pub(crate) fn tune(stream: &TcpStream) {
    // Nagle's algorithm would hold back every keystroke and short command.
    let _ = stream.set_nodelay(true);
    let timeout_ms = u32::try_from(limits::TCP_USER_TIMEOUT.as_millis()).unwrap_or(u32::MAX);
    let _ = rustix::net::sockopt::set_tcp_user_timeout(stream, timeout_ms);
}

/// Lets the kernel find out that a quiet peer is gone.
pub(crate) fn probe(stream: &TcpStream) {
    let _ = rustix::net::sockopt::set_socket_keepalive(stream, true);
    let _ = rustix::net::sockopt::set_tcp_keepidle(stream, limits::SERVER_KEEPALIVE_INTERVAL);
    let _ = rustix::net::sockopt::set_tcp_keepintvl(stream, limits::SERVER_KEEPALIVE_INTERVAL);
    let _ = rustix::net::sockopt::set_tcp_keepcnt(stream, 3);
}

#[cfg(test)]
mod tests {
    use super::{Dial, DialError, DirectDial};
    use model::Endpoint;
    use std::time::Duration;

    #[tokio::test]
    async fn a_closed_port_is_refused_and_a_namespace_is_not_ours() {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        drop(listener);
        let second = Duration::from_secs(1);
        let refused = DirectDial.dial(&Endpoint::Tcp { address }, second).await.unwrap_err();
        assert_eq!(refused, DialError::Refused);
        let inside = Endpoint::Namespace { relay: "/run/x".into(), address };
        let error = DirectDial.dial(&inside, second).await.unwrap_err();
        assert!(matches!(error, DialError::Unreachable(_)));
    }
}
