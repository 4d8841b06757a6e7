//! How a connection to a node's ssh server comes about. Others plug in their
//! own [`Dial`], as the local provider does for network namespaces.

use std::io;
use std::time::Duration;

use async_trait::async_trait;
use model::Endpoint;
use tokio::net::TcpStream;

use crate::limits;

/// Why no connection came about. Reads after "failed to reach the node:".
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
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
    /// Anything else, in words.
    #[error("{0}")]
    Unreachable(String),
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
    async fn dial(&self, endpoint: &Endpoint, timeout: Duration) -> Result<TcpStream, DialError>;
}

/// Dials addresses that this machine reaches by itself.
#[derive(Debug, Clone, Copy, Default)]
pub struct DirectDial;

#[async_trait]
impl Dial for DirectDial {
    async fn dial(&self, endpoint: &Endpoint, timeout: Duration) -> Result<TcpStream, DialError> {
        let Endpoint::Tcp { address } = endpoint else {
            return Err(DialError::Unreachable(
                "the address lies in a network namespace, which needs the local provider".into(),
            ));
        };
        match tokio::time::timeout(timeout, TcpStream::connect(address)).await {
            Ok(connected) => Ok(connected?),
            Err(_elapsed) => Err(DialError::Timeout(timeout)),
        }
    }
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
