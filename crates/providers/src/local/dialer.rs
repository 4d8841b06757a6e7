//! Connects to a port of a local node from outside its network: the way that
//! callers give `transport` into a `model::Endpoint::Namespace`. Blocking.

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::os::fd::OwnedFd;
use std::path::Path;
use std::time::Duration;

use super::client::{ClientError, SupervisorClient};
use super::protocol::RefusalKind;

/// Connects to `address` in the network of the cluster whose supervisor
/// listens at `relay`, within `timeout`. The socket is non-blocking and closed
/// on exec.
///
/// # Errors
/// Of the kinds that connecting to any address has: `ConnectionRefused`,
/// `TimedOut`, `HostUnreachable`; `NotFound` when no supervisor is running.
pub fn dial(relay: &Path, address: SocketAddr, timeout: Duration) -> io::Result<OwnedFd> {
    let IpAddr::V4(host) = address.ip() else {
        let text = format!("{address}: nodes on this machine have addresses of version 4");
        return Err(io::Error::new(io::ErrorKind::AddrNotAvailable, text));
    };
    let cluster_dir = relay.parent().unwrap_or(relay);
    let dialled = SupervisorClient::connect(cluster_dir)
        .and_then(|mut client| client.dial(host, address.port(), timeout, false));
    dialled.map_err(|error| io::Error::new(kind(&error), error.to_string()))
}

fn kind(error: &ClientError) -> io::ErrorKind {
    match error {
        ClientError::NotRunning(_) => io::ErrorKind::NotFound,
        ClientError::Timeout { .. } => io::ErrorKind::TimedOut,
        ClientError::Io { source, .. } => source.kind(),
        ClientError::Refused { kind, .. } => match kind {
            RefusalKind::ConnectionRefused => io::ErrorKind::ConnectionRefused,
            RefusalKind::Timeout => io::ErrorKind::TimedOut,
            RefusalKind::Unreachable | RefusalKind::NotFound => io::ErrorKind::HostUnreachable,
            _ => io::ErrorKind::Other,
        },
        ClientError::Version { .. } | ClientError::Start(_) | ClientError::Nonsense(_) => {
            io::ErrorKind::Other
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_supervisor_is_said_to_be_none() {
        let dir = tempfile::tempdir().unwrap();
        let relay = dir.path().join("supervisor.sock");
        let address = SocketAddr::from(([10, 77, 0, 11], 22));
        let error = dial(&relay, address, Duration::from_secs(1)).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::NotFound);
        let six = SocketAddr::from(([0_u16; 8], 22));
        let error = dial(&relay, six, Duration::from_secs(1)).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::AddrNotAvailable);
    }
}
