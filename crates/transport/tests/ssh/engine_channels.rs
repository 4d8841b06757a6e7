//! Sharp edges of channels: full ones, refused ones, ones that close early.

use std::time::Duration;

use tokio::time::timeout;
use transport::session::SessionError;
use transport::{
    CancellationToken, ExecEnd, ExecEvent, ExecOptions, Executor, ExecutorOptions, Lease, limits,
};

use crate::scripted::scripted;
use crate::support::{Server, direct, servers, skip, stdin, until};

/// Longer than anything here takes, so that a standstill is told from it.
const STANDSTILL: Duration = Duration::from_secs(60);

async fn lease(executor: &Executor, server: &Server) -> Lease {
    executor.session(&server.target("n"), &CancellationToken::new()).await.unwrap()
}

#[tokio::test]
async fn an_undrained_channel_stalls_no_other_command() {
    for (kind, server) in servers() {
        let executor = Executor::new(direct(), ExecutorOptions::default());
        let mut leases = Vec::new();
        // So many have a connection to themselves; two more share one.
        for _ in 0..limits::OWN_SESSIONS_MAX + 2 {
            leases.push(lease(&executor, &server).await);
        }
        let mut unread = Vec::new();
        // More than any window, and on the shared one less than its backlog.
        for (lease, bytes) in leases.iter().skip(1).zip([50_000_000, 50_000_000, 5_000_000]) {
            let command = format!("head -c {bytes} /dev/zero; echo done");
            let mut exec = lease.exec(&command, ExecOptions::default()).await.unwrap();
            until(&mut exec, |event| matches!(event, ExecEvent::Stdout(_))).await;
            unread.push((exec, bytes));
        }
        for other in [leases.first().unwrap(), leases.last().unwrap()] {
            for _ in 0..20 {
                let saying = async {
                    let exec = other.exec("echo hi", ExecOptions::default()).await.unwrap();
                    exec.collect(1000).await
                };
                let output = timeout(STANDSTILL, saying).await.expect("it came to a standstill");
                assert_eq!(output.stdout, "hi\n", "{kind:?}");
            }
        }
        let (mut exec, bytes) = unread.pop().unwrap();
        let mut count = 0;
        while let Some(event) = exec.next().await {
            match event {
                ExecEvent::Stdout(piece) => count += piece.len(),
                ExecEvent::Stderr(_) => {}
                ExecEvent::Ended(end) => assert_eq!(end, ExecEnd::Exited(0)),
            }
        }
        // The first piece went by above.
        assert!(count > bytes / 2 && count < bytes + 10, "{count} of {bytes}");
    }
}

#[tokio::test]
async fn refused_channels_are_waited_for_where_max_sessions_is_small() {
    let Some(server) = Server::openssh_first("MaxSessions 2") else {
        return skip("transport/sshd", "this machine has no /usr/sbin/sshd");
    };
    let session = server.session().await;
    let mut tasks = tokio::task::JoinSet::new();
    for number in 0..8 {
        let session = session.clone();
        tasks.spawn(async move {
            let command = format!("sleep 0.05; echo {number}");
            let output = session.output(&command, ExecOptions::default()).await.unwrap();
            assert_eq!(output.stdout, format!("{number}\n"));
        });
    }
    while let Some(done) = tasks.join_next().await {
        done.unwrap();
    }
}

#[tokio::test]
async fn a_channel_that_stays_refused_is_an_error_and_spoils_nothing() {
    let Some(server) = Server::openssh_first("MaxSessions 1") else {
        return skip("transport/sshd", "this machine has no /usr/sbin/sshd");
    };
    let session = server.session().await;
    let mut first = session.exec("echo up; exec cat", stdin_open()).await.unwrap();
    until(&mut first, |event| matches!(event, ExecEvent::Stdout(_))).await;
    let error = session.exec("true", ExecOptions::default()).await.unwrap_err();
    assert!(matches!(error, SessionError::Refused(_)), "{error}");
    drop(first);
    let output = session.output("echo again", ExecOptions::default()).await.unwrap();
    assert_eq!(output.stdout, "again\n");
}

fn stdin_open() -> ExecOptions {
    ExecOptions { stdin: transport::session::Stdin::Later, ..ExecOptions::default() }
}

#[tokio::test]
async fn a_command_that_ends_without_reading_its_input_ends_well() {
    for (kind, server) in servers() {
        let session = server.session().await;
        for round in 0..40 {
            let exec = session.exec("exit 3", stdin(vec![b'x'; 3_000_000])).await.unwrap();
            let output = timeout(STANDSTILL, exec.collect(1000)).await.expect("a standstill");
            assert_eq!(output.end, ExecEnd::Exited(3), "{kind:?} {round}");
        }
        // What was meant for those that are gone harms nobody.
        let output = session.output("echo fine", ExecOptions::default()).await.unwrap();
        assert_eq!(output.stdout, "fine\n", "{kind:?}");
    }
}

#[tokio::test]
async fn a_channel_closed_before_the_command_began_is_told() {
    let server = scripted(1 << 30).await;
    let executor = Executor::new(direct(), ExecutorOptions::default());
    let lease = executor.session(&server.target, &CancellationToken::new()).await.unwrap();
    for _ in 0..50 {
        let exec = lease.exec("slam", stdin(vec![b'x'; 100_000])).await.unwrap();
        let ended = timeout(STANDSTILL, exec.collect(10)).await.expect("a standstill").end;
        assert!(matches!(ended, ExecEnd::Lost(_)), "{ended:?}");
    }
    let exec = lease.exec("refuse", ExecOptions::default()).await.unwrap();
    assert_ne!(exec.collect(10).await.end, ExecEnd::Exited(0));
    let output = lease.exec("echo", stdin("back")).await.unwrap().collect(10).await;
    assert_eq!((output.stdout, output.end), ("back".into(), ExecEnd::Exited(0)));
}

#[tokio::test]
async fn windows_that_are_full_both_ways_come_free_again() {
    let bytes: transport::Bytes = vec![b'w'; 8_000_000].into();
    for (kind, server) in servers() {
        let session = server.session().await;
        let mut tasks = tokio::task::JoinSet::new();
        for _ in 0..4 {
            let (session, bytes) = (session.clone(), bytes.clone());
            tasks.spawn(async move {
                let exec = session.exec("cat", stdin(bytes)).await.unwrap();
                exec.collect(usize::MAX).await.stdout.len()
            });
        }
        while let Some(count) =
            timeout(STANDSTILL, tasks.join_next()).await.expect("it came to a standstill")
        {
            assert_eq!(count.unwrap(), 8_000_000, "{kind:?}");
        }
    }
}
