//! Servers that are silent, broken or dying, and clients that vanish.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener};
use std::time::Duration;

use model::Endpoint;
use transport::session::ConnectStage;
use transport::{
    ConnectError, ConnectErrorKind, DirectDial, ExecEnd, ExecEvent, ExecOptions, HostKeys, Session,
    Timeouts,
};

use crate::support::{Server, ended, servers, status_kib, stdin, until};

/// A server that does what the function does with one connection.
fn fake_server(serve: impl FnOnce(std::net::TcpStream) + Send + 'static) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    std::thread::spawn(move || {
        if let Ok((stream, _)) = listener.accept() {
            serve(stream);
        }
    });
    address
}

async fn connect_to(address: SocketAddr, connect: Duration) -> ConnectError {
    let login = Server::embedded().login();
    let times = Timeouts { connect, ..Timeouts::default() };
    let endpoint = Endpoint::Tcp { address };
    Session::connect(&DirectDial, &endpoint, &login, &HostKeys::default(), times).await.unwrap_err()
}

#[tokio::test]
async fn a_server_that_says_nothing_is_given_up() {
    let address = fake_server(|mut stream| {
        let _ = stream.read_to_end(&mut Vec::new());
    });
    let error = connect_to(address, Duration::from_millis(300)).await;
    assert!(matches!(error, ConnectError::Timeout { stage: ConnectStage::Banner, .. }), "{error}");
}

#[tokio::test]
async fn a_server_that_stops_within_the_key_exchange_is_given_up_and_its_socket_closed() {
    let (closed, heard) = std::sync::mpsc::channel();
    let address = fake_server(move |mut stream| {
        stream.write_all(b"SSH-2.0-OpenSSH_9.9\r\n").unwrap();
        // Ends only when the client closes.
        let _ = stream.read_to_end(&mut Vec::new());
        closed.send(()).unwrap();
    });
    let error = connect_to(address, Duration::from_millis(300)).await;
    assert_eq!(error.kind(), ConnectErrorKind::Timeout, "{error}");
    let heard = tokio::task::spawn_blocking(move || heard.recv_timeout(Duration::from_secs(10)));
    heard.await.unwrap().expect("the socket stayed open");
}

#[tokio::test]
async fn what_is_no_ssh_server_is_a_failed_handshake() {
    let address = fake_server(|mut stream| {
        let _ = stream.write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n");
    });
    let error = connect_to(address, Duration::from_secs(5)).await;
    assert_eq!(error.kind(), ConnectErrorKind::Handshake, "{error}");
}

#[tokio::test]
async fn a_server_that_dies_ends_its_commands_as_lost() {
    let mut server = Server::embedded();
    let session = server.session().await;
    let mut exec = session.exec("echo up; sleep 1000", ExecOptions::default()).await.unwrap();
    until(&mut exec, |event| matches!(event, ExecEvent::Stdout(_))).await;
    server.kill();
    let end = until(&mut exec, |event| matches!(event, ExecEvent::Ended(_))).await;
    assert!(matches!(end, ExecEvent::Ended(ExecEnd::Lost(_))), "{end:?}");
    assert!(session.ping().await.is_err());
    assert!(session.exec("true", ExecOptions::default()).await.is_err());
}

#[tokio::test]
async fn a_frozen_server_is_found_out_by_probes() {
    let server = Server::embedded();
    let times = Timeouts { keepalive: Duration::from_millis(100), ..Timeouts::default() };
    let session = server.session_with(times).await;
    let mut exec = session.exec("echo up; sleep 1000", ExecOptions::default()).await.unwrap();
    until(&mut exec, |event| matches!(event, ExecEvent::Stdout(_))).await;
    let pid = rustix::process::Pid::from_raw(i32::try_from(server.pid()).unwrap()).unwrap();
    rustix::process::kill_process(pid, rustix::process::Signal::STOP).unwrap();
    let end = until(&mut exec, |event| matches!(event, ExecEvent::Ended(_))).await;
    assert_eq!(end, ExecEvent::Ended(ExecEnd::Lost("the node stopped answering".into())));
}

#[tokio::test]
async fn a_client_that_vanishes_takes_its_commands_along() {
    // The second command reads nothing of a large input, so the server is not
    // reading the connection when it ends.
    let big = vec![b'x'; 4_000_000];
    for input in [Vec::new(), big] {
        let server = Server::embedded();
        let session = server.session().await;
        let mut exec = session.exec("echo $$; exec sleep 1000", stdin(input)).await.unwrap();
        let ExecEvent::Stdout(pid) = exec.next().await.unwrap() else { panic!("no pid") };
        session.abort();
        ended(&String::from_utf8_lossy(&pid)).await;
    }
}

#[tokio::test]
async fn input_that_nobody_reads_stays_with_the_client() {
    let server = Server::embedded();
    let session = server.session().await;
    let input = stdin(vec![b'x'; 40_000_000]);
    let mut exec = session.exec("echo up; sleep 2; echo late", input).await.unwrap();
    until(&mut exec, |event| matches!(event, ExecEvent::Stdout(_))).await;
    let mut shown = Vec::new();
    let end = until(&mut exec, |event| {
        if let ExecEvent::Stdout(bytes) = event {
            shown.extend_from_slice(bytes);
        }
        matches!(event, ExecEvent::Ended(_))
    })
    .await;
    assert_eq!(end, ExecEvent::Ended(ExecEnd::Exited(0)));
    assert_eq!(shown, b"late\n");
    let peak = status_kib(server.pid(), "VmHWM:");
    assert!(peak < 24_000, "the server grew to {peak} KiB");
}

#[tokio::test]
async fn large_input_and_output_at_once_do_not_block_each_other() {
    let bytes: transport::Bytes = vec![b'y'; 30_000_000].into();
    for (kind, server) in servers() {
        let session = server.session().await;
        let mut tasks = tokio::task::JoinSet::new();
        for _ in 0..3 {
            let (session, bytes) = (session.clone(), bytes.clone());
            tasks.spawn(async move {
                let mut exec = session.exec("cat", stdin(bytes)).await.unwrap();
                let mut count = 0;
                while let Some(event) = exec.next().await {
                    match event {
                        ExecEvent::Stdout(chunk) => count += chunk.len(),
                        ExecEvent::Stderr(_) => {}
                        ExecEvent::Ended(end) => assert_eq!(end, ExecEnd::Exited(0)),
                    }
                }
                count
            });
        }
        let all = async {
            while let Some(count) = tasks.join_next().await {
                assert_eq!(count.unwrap(), 30_000_000, "{kind:?}");
            }
        };
        tokio::time::timeout(Duration::from_secs(60), all).await.expect("it came to a standstill");
        if kind == crate::support::Kind::Embedded {
            let peak = status_kib(server.pid(), "VmHWM:");
            assert!(peak < 40_000, "the server grew to {peak} KiB");
        }
    }
}

#[tokio::test]
async fn thousands_of_commands_leave_the_server_small() {
    let server = Server::embedded();
    let session = server.session().await;
    for _ in 0..50 {
        session.output("true", ExecOptions::default()).await.unwrap();
    }
    let before = status_kib(server.pid(), "VmRSS:");
    for _ in 0..500 {
        session.output("true", ExecOptions::default()).await.unwrap();
    }
    let grown = status_kib(server.pid(), "VmRSS:").saturating_sub(before);
    eprintln!("500 commands: the server grew by {grown} KiB");
    assert!(grown < 5 * 500, "500 commands: the server grew by {grown} KiB");
}
