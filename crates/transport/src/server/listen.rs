//! Accepting connections and keeping each of them within its bounds.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::Arc;

use russh::MethodKind;
use russh::server;
use tokio::io::Interest;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio::time::{sleep, timeout};
use tokio_util::sync::CancellationToken;

use super::channel::{Connection, Context, Peer};
use super::config::ServerConfig;
use super::entry::{ServeError, report};
use crate::algorithms::preferred;
use crate::keys::PrivateKey;
use crate::stream::{ReadGate, SshStream};
use crate::{dial, limits};

/// Serves for ever.
pub(super) async fn serve(
    config: ServerConfig,
    host_key: &PrivateKey,
) -> Result<Infallible, ServeError> {
    let listener = TcpListener::bind(config.listen)
        .await
        .map_err(|source| ServeError::System { doing: "listen", source })?;
    report(&format!("squall sshd: listening on {}", config.listen));
    let protocol = Arc::new(protocol(host_key));
    let config = Arc::new(config);
    let places = Arc::new(Semaphore::new(limits::SERVER_CONNECTIONS_MAX));
    loop {
        let Ok((stream, address)) = listener.accept().await else {
            sleep(limits::SERVER_ACCEPT_PAUSE).await;
            continue;
        };
        // Without a place the stream is dropped, which closes it.
        let Ok(place) = Arc::clone(&places).try_acquire_owned() else { continue };
        let (protocol, config) = (Arc::clone(&protocol), Arc::clone(&config));
        tokio::spawn(async move {
            attend(stream, address, protocol, config).await;
            drop(place);
        });
    }
}

fn protocol(host_key: &PrivateKey) -> server::Config {
    server::Config {
        server_id: russh::SshId::Standard("SSH-2.0-squall".into()),
        methods: [MethodKind::PublicKey].as_slice().into(),
        auth_rejection_time: limits::SERVER_REJECTION_TIME,
        auth_rejection_time_initial: Some(std::time::Duration::ZERO),
        keys: vec![host_key.shared().as_ref().clone()],
        window_size: limits::SERVER_WINDOW_BYTES,
        maximum_packet_size: limits::PACKET_BYTES_MAX,
        channel_buffer_size: limits::SERVER_CHANNEL_PACKETS_MAX,
        event_buffer_size: limits::SERVER_EVENTS_MAX,
        preferred: preferred(&[], false),
        max_auth_attempts: limits::SERVER_AUTH_TRIES_MAX,
        inactivity_timeout: None,
        // The kernel probes instead: our probes would find a client dead
        // while we are the ones who do not read.
        keepalive_interval: None,
        ..server::Config::default()
    }
}

/// One connection from greeting to end. Whatever ends it, its commands hear
/// of it.
async fn attend(
    stream: TcpStream,
    address: SocketAddr,
    protocol: Arc<server::Config>,
    config: Arc<ServerConfig>,
) {
    dial::tune(&stream);
    dial::probe(&stream);
    let Some((stream, watched, local)) = doubled(stream) else { return };
    let cut = CancellationToken::new();
    let _cut = cut.clone().drop_guard();
    let gone = CancellationToken::new();
    let _gone = gone.clone().drop_guard();
    let logged_in = CancellationToken::new();
    let gate = Arc::new(ReadGate::default());
    let peer = Peer { remote: address, local };
    let context = Context { config, peer, gone: gone.clone(), gate: Arc::clone(&gate) };
    let connection = Connection::new(context, logged_in.clone());
    let greeting = server::run_stream(protocol, SshStream::gated(stream, cut, gate), connection);
    let Ok(Ok(running)) = timeout(limits::SERVER_LOGIN_TIMEOUT, Box::pin(greeting)).await else {
        return;
    };
    tokio::pin!(running);
    tokio::select! {
        _ended = &mut running => {}
        () = hung_up(&watched) => {
            gone.cancel();
            let _ = timeout(limits::GOODBYE_TIMEOUT, running).await;
        }
        () = overdue(&logged_in) => {}
    }
}

/// Waits until the time to log in is over, if nobody has; else for ever.
async fn overdue(logged_in: &CancellationToken) {
    if timeout(limits::SERVER_LOGIN_TIMEOUT, logged_in.cancelled()).await.is_ok() {
        std::future::pending::<()>().await;
    }
}

/// The stream twice, and its own address. The second one only watches: the
/// task that reads the first may be busy with a command that does not read.
fn doubled(stream: TcpStream) -> Option<(TcpStream, TcpStream, SocketAddr)> {
    let local = stream.local_addr().ok()?;
    let stream = stream.into_std().ok()?;
    let watched = TcpStream::from_std(stream.try_clone().ok()?).ok()?;
    Some((TcpStream::from_std(stream).ok()?, watched, local))
}

/// Waits until the client has closed its side, whatever is still unread.
async fn hung_up(stream: &TcpStream) {
    loop {
        // Interest in urgent data alone is woken by a hang-up, not by input.
        match stream.ready(Interest::PRIORITY).await {
            Ok(ready) if ready.is_read_closed() => return,
            Ok(_) => tokio::task::yield_now().await,
            Err(_) => return,
        }
    }
}
