//! The ways to nodes that this build knows: an address that this machine
//! reaches by itself, and one inside a local cluster's network.

use std::path::Path;
use std::time::Duration;

use async_trait::async_trait;
use model::Endpoint;
use tokio::net::TcpStream;
use transport::{Dial, DialError, Dialled, DirectDial};

/// More than `timeout` that a connection through a supervisor may take before
/// it is given up: the supervisor answers by itself, this is for one that died.
const MARGIN: Duration = Duration::from_secs(2);

/// Dials every kind of endpoint.
#[derive(Debug, Clone, Copy, Default)]
pub struct NodeDial;

#[async_trait]
impl Dial for NodeDial {
    async fn dial(&self, endpoint: &Endpoint, timeout: Duration) -> Result<Dialled, DialError> {
        let Endpoint::Namespace { relay, address } = endpoint else {
            return DirectDial.dial(endpoint, timeout).await;
        };
        let (relay, address) = (relay.clone(), *address);
        let dialling = tokio::task::spawn_blocking(move || {
            providers::local::dialer::dial(Path::new(&relay), address, timeout)
        });
        let Ok(joined) = tokio::time::timeout(timeout + MARGIN, dialling).await else {
            return Err(DialError::Timeout(timeout));
        };
        let socket = joined
            .map_err(|error| DialError::Unreachable(error.to_string()))?
            .map_err(|error| failed(&error, timeout))?;
        let stream = std::net::TcpStream::from(socket);
        stream.set_nonblocking(true)?;
        Ok(Dialled::Tcp(TcpStream::from_std(stream)?))
    }
}

fn failed(error: &std::io::Error, timeout: Duration) -> DialError {
    match error.kind() {
        std::io::ErrorKind::ConnectionRefused => DialError::Refused,
        std::io::ErrorKind::TimedOut => DialError::Timeout(timeout),
        std::io::ErrorKind::HostUnreachable | std::io::ErrorKind::NetworkUnreachable => {
            DialError::NoRoute
        }
        _ => DialError::Unreachable(error.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use super::NodeDial;
    use model::Endpoint;
    use std::time::Duration;
    use transport::{Dial, DialError};

    #[tokio::test]
    async fn a_network_whose_supervisor_is_gone_is_unreachable_at_once() {
        let dir = tempfile::tempdir().unwrap();
        let relay = dir.path().join("supervisor.sock").to_string_lossy().into_owned();
        let address = "10.77.0.2:22".parse().unwrap();
        let endpoint = Endpoint::Namespace { relay, address };
        let error = NodeDial.dial(&endpoint, Duration::from_secs(5)).await.unwrap_err();
        assert!(matches!(error, DialError::Unreachable(_)), "{error}");
    }

    #[tokio::test]
    async fn an_address_of_this_machine_is_dialled_directly() {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let endpoint = Endpoint::Tcp { address: listener.local_addr().unwrap() };
        NodeDial.dial(&endpoint, Duration::from_secs(5)).await.unwrap();
    }
}
