//! New keys while data flows both ways, asked for by either side.

use std::time::Duration;

use tokio::time::timeout;
use transport::{Bytes, CancellationToken, ExecEnd, ExecEvent, ExecOptions, Executor, Session};

use crate::scripted::scripted;
use crate::support::{Server, direct, servers, skip, stdin};

const STANDSTILL: Duration = Duration::from_secs(60);

fn pattern(length: u32) -> Bytes {
    (0..length).map(|number| (number * 31 % 251) as u8).collect()
}

/// Sends the bytes through `cat` and asks for new keys every so often.
async fn there_and_back(session: &Session, command: &str, bytes: &Bytes, rekey_every: usize) {
    let mut exec = session.exec(command, stdin(bytes.clone())).await.unwrap();
    let (mut back, mut until_rekey) = (Vec::with_capacity(bytes.len()), rekey_every);
    let reading = async {
        while let Some(event) = exec.next().await {
            match event {
                ExecEvent::Stdout(piece) => {
                    back.extend_from_slice(&piece);
                    if back.len() > until_rekey {
                        until_rekey += rekey_every;
                        session.rekey().await.unwrap();
                    }
                }
                ExecEvent::Stderr(_) => {}
                ExecEvent::Ended(end) => assert_eq!(end, ExecEnd::Exited(0)),
            }
        }
    };
    timeout(STANDSTILL, reading).await.expect("it came to a standstill");
    assert!(back == bytes.as_ref(), "{} bytes came back", back.len());
}

#[tokio::test]
async fn new_keys_at_our_wish_while_data_flows_both_ways() {
    let bytes = pattern(20_000_000);
    for (_, server) in servers() {
        let session = server.session().await;
        there_and_back(&session, "cat", &bytes, 1_500_000).await;
    }
}

#[tokio::test]
async fn new_keys_at_our_wish_while_several_commands_flood() {
    for (kind, server) in servers() {
        let session = server.session().await;
        let mut tasks = tokio::task::JoinSet::new();
        for _ in 0..6 {
            let session = session.clone();
            tasks.spawn(async move {
                let mut exec = session
                    .exec("head -c 6000000 /dev/zero", ExecOptions::default())
                    .await
                    .unwrap();
                let (mut count, mut end) = (0, None);
                while let Some(event) = exec.next().await {
                    match event {
                        ExecEvent::Stdout(piece) => count += piece.len(),
                        ExecEvent::Stderr(_) => {}
                        ExecEvent::Ended(how) => end = Some(how),
                    }
                }
                (count, end)
            });
        }
        let rekeying = async {
            for _ in 0..10 {
                let _ = session.rekey().await;
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        };
        let reading = async {
            while let Some(done) = tasks.join_next().await {
                assert_eq!(done.unwrap(), (6_000_000, Some(ExecEnd::Exited(0))), "{kind:?}");
            }
        };
        let both = async { tokio::join!(rekeying, reading) };
        timeout(STANDSTILL, both).await.expect("it came to a standstill");
    }
}

#[tokio::test]
async fn new_keys_at_the_wish_of_openssh_while_data_flows_both_ways() {
    let Some(server) = Server::openssh_first("RekeyLimit 1M 1s") else {
        return skip("transport/sshd", "this machine has no /usr/sbin/sshd");
    };
    let session = server.session().await;
    there_and_back(&session, "cat", &pattern(20_000_000), usize::MAX).await;
    // Later than the time that the server gives its keys.
    let late = session.output("sleep 1.2; echo late", ExecOptions::default()).await.unwrap();
    assert_eq!(late.stdout, "late\n");
    assert_eq!(session.output("echo on", ExecOptions::default()).await.unwrap().stdout, "on\n");
}

#[tokio::test]
async fn new_keys_at_the_wish_of_our_own_kind_of_server_while_data_flows_both_ways() {
    let server = scripted(1_000_000).await;
    let executor = Executor::from(direct());
    let lease = executor.session(&server.target, &CancellationToken::new()).await.unwrap();
    there_and_back(&lease, "echo", &pattern(20_000_000), usize::MAX).await;
}
