//! Waiting for nodes that come up late.

use std::time::{Duration, Instant};

use transport::keys::generate;
use transport::wait::{WaitError, WaitEvent, WaitOptions, wait_for_all, wait_until_ready};
use transport::{ConnectErrorKind, DirectDial, ExecOptions, HostKeys, Target};

use crate::support::{Server, direct, free_address};

#[tokio::test]
async fn a_node_that_listens_late_is_waited_for() {
    let known = Server::embedded();
    let address = free_address();
    let target = Target { endpoint: model::Endpoint::Tcp { address }, ..known.target("late") };
    let (mut events, _task) = wait_for_all(direct(), vec![target], WaitOptions::default(), 64);
    let Some(WaitEvent::StillWaiting { error, .. }) = events.recv().await else {
        panic!("nothing was tried")
    };
    assert_eq!(error.kind(), ConnectErrorKind::Refused);
    // Another server comes up there: known by another key, so it is refused at
    // once and not retried until the deadline.
    let _late = Server::embedded_at(address);
    let Some(WaitEvent::GaveUp { error, .. }) = events.recv().await else { panic!("not given up") };
    assert!(matches!(error, WaitError::Final { .. }), "{error}");
    assert!(events.recv().await.is_none());
}

#[tokio::test]
async fn the_deadline_tells_the_last_error() {
    let server = Server::embedded();
    let mut target = server.target("n");
    let pair = generate("stranger").unwrap();
    let key = transport::PrivateKey::parse(pair.private_pem.reveal(), "x").unwrap();
    target.login.identities = vec![transport::Identity::Key(key)];
    let options = WaitOptions { deadline: Duration::from_millis(400), ..WaitOptions::default() };
    let error = wait_until_ready(&DirectDial, &target, &options).await.unwrap_err();
    let WaitError::Deadline { last, tries, .. } = error else { panic!("{error}") };
    assert_eq!(last.kind(), ConnectErrorKind::AuthRefused);
    assert!(tries > 1);
}

#[tokio::test]
async fn a_wrong_host_key_is_not_waited_out() {
    let server = Server::embedded();
    let target = Target { host_keys: HostKeys::default(), ..server.target("n") };
    let error = wait_until_ready(&DirectDial, &target, &WaitOptions::default()).await.unwrap_err();
    assert!(matches!(error, WaitError::Final { .. }), "{error}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sixty_four_nodes_are_waited_for_at_once() {
    let server = Server::embedded();
    let targets = (0..64).map(|number| server.target(&format!("n{number}"))).collect();
    let begun = Instant::now();
    let (mut events, task) = wait_for_all(direct(), targets, WaitOptions::default(), 64);
    let mut ready = 0;
    while let Some(event) = events.recv().await {
        if let WaitEvent::Ready { session, .. } = event {
            ready += 1;
            if ready == 1 {
                let output = session.output("echo in", ExecOptions::default()).await.unwrap();
                assert_eq!(output.stdout, "in\n");
            }
        }
    }
    task.await.unwrap();
    eprintln!("64 nodes let us in within {:?}", begun.elapsed());
    assert_eq!(ready, 64);
}
