//! Sharp edges of what goes through a connection: small packets, quiet and
//! frozen peers, last words, bytes of every kind.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use model::Endpoint;
use transport::fanout::{
    Assignment, LineEnd, Outcome, RunEventKind, RunOptions, Stop, StreamName, run,
};
use transport::{
    CancellationToken, Dial, DialError, Dialled, DirectDial, ExecEnd, ExecEvent, ExecOptions,
    Executor, Timeouts, limits,
};

use crate::scripted::scripted;
use crate::support::{Server, direct, servers, stdin};

/// Keeps a second handle on every socket.
#[derive(Default)]
struct Watched(Mutex<Vec<std::net::TcpStream>>);

#[async_trait]
impl Dial for Watched {
    async fn dial(&self, endpoint: &Endpoint, timeout: Duration) -> Result<Dialled, DialError> {
        let Dialled::Tcp(stream) = DirectDial.dial(endpoint, timeout).await? else {
            panic!("not a socket")
        };
        let stream = stream.into_std().unwrap();
        self.0.lock().unwrap().push(stream.try_clone().unwrap());
        Ok(Dialled::Tcp(tokio::net::TcpStream::from_std(stream).unwrap()))
    }
}

#[tokio::test]
async fn small_packets_leave_at_once() {
    let server = Server::embedded();
    let dial = Arc::new(Watched::default());
    let executor = Executor::from(Arc::clone(&dial) as Arc<dyn Dial>);
    let _lease = executor.session(&server.target("n"), &CancellationToken::new()).await.unwrap();
    let sockets = dial.0.lock().unwrap();
    assert!(sockets.iter().all(|socket| socket.nodelay().unwrap()));
    assert_eq!(sockets.len(), 1);
}

#[tokio::test]
async fn a_quiet_command_outlasts_many_probes() {
    for (kind, server) in servers() {
        let times = Timeouts { keepalive: Duration::from_millis(20), ..Timeouts::default() };
        let session = server.session_with(times).await;
        let output = session.output("sleep 0.6; echo late", ExecOptions::default()).await.unwrap();
        assert_eq!(output.stdout, "late\n", "{kind:?}");
    }
}

#[test]
fn packets_are_not_larger_than_the_library_allows() {
    const { assert!(limits::PACKET_BYTES_MAX <= 65_535) };
    const { assert!(limits::WINDOW_BYTES >= 2 * limits::PACKET_BYTES_MAX) };
}

#[tokio::test]
async fn the_last_words_of_a_server_are_kept() {
    let server = scripted(1 << 30).await;
    let executor = Executor::from(direct());
    let lease = executor.session(&server.target, &CancellationToken::new()).await.unwrap();
    let exec = lease.exec("leave for maintenance", ExecOptions::default()).await.unwrap();
    let output = exec.collect(100).await;
    assert_eq!(output.stdout, "last words\n");
    let expected = "the node closed the connection: for maintenance";
    assert_eq!(output.end, ExecEnd::Lost(expected.into()));
    let error = lease.exec("echo", ExecOptions::default()).await.unwrap_err();
    assert!(error.to_string().contains(expected), "{error}");
}

#[tokio::test]
async fn empty_packets_are_nothing() {
    let server = scripted(1 << 30).await;
    let executor = Executor::from(direct());
    let lease = executor.session(&server.target, &CancellationToken::new()).await.unwrap();
    let output = lease.exec("empty", ExecOptions::default()).await.unwrap().collect(10).await;
    assert_eq!((output.stdout, output.stderr), ("x".into(), "".into()));
    assert_eq!(output.end, ExecEnd::Exited(0));
}

#[tokio::test]
async fn a_flood_on_standard_error_passes_beside_standard_output() {
    for (kind, server) in servers() {
        let session = server.session().await;
        let command = "head -c 20000000 /dev/zero >&2 & head -c 5000000 /dev/zero; wait; exit 4";
        let mut exec = session.exec(command, ExecOptions::default()).await.unwrap();
        let (mut out, mut err) = (0, 0);
        while let Some(event) = exec.next().await {
            match event {
                ExecEvent::Stdout(piece) => out += piece.len(),
                ExecEvent::Stderr(piece) => err += piece.len(),
                ExecEvent::Ended(end) => assert_eq!(end, ExecEnd::Exited(4), "{kind:?}"),
            }
        }
        assert_eq!((out, err), (5_000_000, 20_000_000), "{kind:?}");
    }
}

#[tokio::test]
async fn every_byte_and_every_split_passes_a_run_unharmed() {
    for (kind, server) in servers() {
        // A signal at the end; NUL and half characters on the way.
        let command = "printf 'a\\0b\\n\\303'; sleep 0.05; printf '\\274\\n\\377\\n'; \
                       printf '' ; printf 'no end'; kill -HUP $$";
        let assignments = vec![Assignment::new(server.target("n"), command)];
        let mut running = run(direct(), assignments, RunOptions::default(), Stop::default());
        let mut lines: Vec<u8> = Vec::new();
        while let Some(event) = running.events.recv().await {
            match event.kind {
                RunEventKind::Output { stream, bytes, end } => {
                    assert_eq!(stream, StreamName::Out);
                    lines.extend_from_slice(&bytes);
                    lines.extend_from_slice(match end {
                        LineEnd::Newline => b"\n",
                        LineEnd::Cut => b"<cut>",
                        LineEnd::Output => b"<end>",
                    });
                }
                RunEventKind::Finished { outcome, .. } => {
                    assert_eq!(outcome, Outcome::Signalled("HUP".into()), "{kind:?}");
                }
                RunEventKind::Connecting | RunEventKind::Started | RunEventKind::LeftOpen => {}
            }
        }
        assert_eq!(lines, b"a\0b\n\xc3\xbc\n\xff\nno end<end>", "{kind:?}");
    }
}

#[tokio::test]
async fn a_command_that_reads_nothing_gets_the_end_of_its_input_at_once() {
    for (kind, server) in servers() {
        let session = server.session().await;
        for _ in 0..20 {
            let output = session.output("cat; echo end", ExecOptions::default()).await.unwrap();
            assert_eq!(output.stdout, "end\n", "{kind:?}");
        }
        let output = session.exec("cat", stdin("")).await.unwrap().collect(10).await;
        assert_eq!(output.end, ExecEnd::Exited(0), "{kind:?}");
    }
}
