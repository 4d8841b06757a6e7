//! Sessions that are kept, replaced, tried again and ended together.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use model::Endpoint;
use transport::fanout::{Assignment, Outcome, RunEventKind, RunOptions, RunSummary, Stop, run};
use transport::{
    CancellationToken, ConnectErrorKind, Dial, DialError, Dialled, DirectDial, ExecOptions,
    Executor, ExecutorOptions, Target, Timeouts, limits,
};

use crate::support::{Server, eventually, servers, skip};

/// Counts connections.
#[derive(Default)]
struct Counted(AtomicUsize);

#[async_trait]
impl Dial for Counted {
    async fn dial(&self, endpoint: &Endpoint, timeout: Duration) -> Result<Dialled, DialError> {
        self.0.fetch_add(1, Ordering::Relaxed);
        DirectDial.dial(endpoint, timeout).await
    }
}

fn counted() -> (Arc<Counted>, Executor) {
    counted_with(ExecutorOptions::default())
}

fn counted_with(options: ExecutorOptions) -> (Arc<Counted>, Executor) {
    let dial = Arc::new(Counted::default());
    let executor = Executor::new(Arc::clone(&dial) as Arc<dyn Dial>, options);
    (dial, executor)
}

impl Counted {
    fn count(&self) -> usize {
        self.0.load(Ordering::Relaxed)
    }
}

async fn round(executor: &Executor, targets: &[Target], command: &str) -> RunSummary {
    let assignments = Assignment::each(targets.to_vec(), command);
    run(executor.clone(), assignments, RunOptions::default(), Stop::default()).summary().await
}

async fn output(executor: &Executor, target: &Target, command: &str) -> String {
    let lease = executor.session(target, &CancellationToken::new()).await.unwrap();
    let exec = lease.exec(command, ExecOptions::default()).await.unwrap();
    String::from_utf8(exec.collect(1000).await.stdout.to_vec()).unwrap()
}

#[tokio::test]
async fn sessions_are_kept_for_the_next_run() {
    for (kind, server) in servers() {
        let (dial, executor) = counted();
        let target = [server.target("n")];
        for _ in 0..5 {
            assert!(round(&executor, &target, "true").await.all_succeeded(), "{kind:?}");
        }
        assert_eq!(dial.count(), 1, "{kind:?}");
        // Another host key is not taken on trust because a connection exists.
        let other = Target { host_keys: transport::HostKeys::default(), ..server.target("n") };
        let refused = executor.session(&other, &CancellationToken::new()).await.unwrap_err();
        assert_eq!(refused.kind(), ConnectErrorKind::HostKeyChanged, "{kind:?}");
    }
}

#[tokio::test]
async fn a_session_that_died_between_runs_is_made_anew() {
    let mut server = Server::embedded();
    let (dial, executor) = counted();
    let target = [server.target("n")];
    for restarts in 1..4 {
        assert!(round(&executor, &target, "true").await.all_succeeded());
        assert_eq!(dial.count(), restarts);
        server.restart();
    }
}

#[tokio::test]
async fn a_session_to_a_frozen_node_is_found_out_while_nobody_has_it() {
    let server = Server::embedded();
    let times = Timeouts { keepalive: Duration::from_millis(50), ..Timeouts::default() };
    let (dial, executor) =
        counted_with(ExecutorOptions { timeouts: times, ..ExecutorOptions::default() });
    let target = server.target("n");
    let lease = executor.session(&target, &CancellationToken::new()).await.unwrap();
    let session = transport::Session::clone(&lease);
    drop(lease);
    let pid = rustix::process::Pid::from_raw(i32::try_from(server.pid()).unwrap()).unwrap();
    rustix::process::kill_process(pid, rustix::process::Signal::STOP).unwrap();
    eventually("the end of the session", || session.is_closed()).await;
    rustix::process::kill_process(pid, rustix::process::Signal::CONT).unwrap();
    assert_eq!(output(&executor, &target, "echo back").await, "back\n");
    assert_eq!(dial.count(), 2);
}

#[tokio::test]
async fn a_worn_connection_is_replaced() {
    let server = Server::embedded();
    let (dial, executor) = counted();
    let target = server.target("n");
    for number in 0..limits::COMMANDS_PER_CONNECTION_MAX + 5 {
        let said = output(&executor, &target, &format!("echo {number}")).await;
        assert_eq!(said, format!("{number}\n"));
    }
    assert_eq!(dial.count(), 2);
}

#[tokio::test]
async fn many_commands_on_one_node_share_few_connections() {
    let server = Server::embedded();
    let (dial, executor) = counted();
    let target = server.target("n");
    let mut tasks = tokio::task::JoinSet::new();
    let all_at_once = Arc::new(tokio::sync::Barrier::new(30));
    for number in 0..30 {
        let (executor, target) = (executor.clone(), target.clone());
        let all_at_once = Arc::clone(&all_at_once);
        tasks.spawn(async move {
            let lease = executor.session(&target, &CancellationToken::new()).await.unwrap();
            all_at_once.wait().await;
            let exec = lease.exec(&format!("echo {number}"), ExecOptions::default()).await.unwrap();
            assert_eq!(exec.collect(100).await.stdout, format!("{number}\n"));
        });
    }
    while let Some(done) = tasks.join_next().await {
        done.unwrap();
    }
    assert_eq!(dial.count(), limits::OWN_SESSIONS_MAX + 1);
}

#[tokio::test]
async fn a_busy_server_that_turns_us_away_is_tried_again() {
    let Some(server) = Server::openssh_first("MaxStartups 3:100:3") else {
        return skip("transport/sshd", "this machine has no /usr/sbin/sshd");
    };
    let (dial, executor) = counted();
    let targets: Vec<Target> = (0..12).map(|number| server.target(&format!("n{number}"))).collect();
    let summary = round(&executor, &targets, "true").await;
    assert!(summary.all_succeeded(), "{:?}", summary.failed().next());
    eprintln!("12 nodes behind a server that takes 3: {} connections", dial.count());
}

#[tokio::test]
async fn connections_are_made_a_few_at_a_time() {
    /// Remembers how many were under way at once.
    #[derive(Default)]
    struct Narrow(AtomicUsize, AtomicUsize);

    #[async_trait]
    impl Dial for Narrow {
        async fn dial(&self, endpoint: &Endpoint, timeout: Duration) -> Result<Dialled, DialError> {
            let now = self.0.fetch_add(1, Ordering::SeqCst) + 1;
            self.1.fetch_max(now, Ordering::SeqCst);
            tokio::task::yield_now().await;
            let dialled = DirectDial.dial(endpoint, timeout).await;
            self.0.fetch_sub(1, Ordering::SeqCst);
            dialled
        }
    }

    let server = Server::embedded();
    let dial = Arc::new(Narrow::default());
    let options = ExecutorOptions { connects_max: 4, ..ExecutorOptions::default() };
    let executor = Executor::new(Arc::clone(&dial) as Arc<dyn Dial>, options);
    let targets: Vec<Target> = (0..32).map(|number| server.target(&format!("n{number}"))).collect();
    assert!(round(&executor, &targets, "true").await.all_succeeded());
    assert!(dial.1.load(Ordering::SeqCst) <= 4);
}

#[tokio::test]
async fn closing_says_goodbye_on_every_session() {
    let server = Server::embedded();
    let (dial, executor) = counted();
    let targets: Vec<Target> = (0..8)
        .map(|number| Target {
            // One address of the loopback network each, or they were one node.
            ..server.target(&format!("n{number}"))
        })
        .collect();
    assert!(round(&executor, &targets, "true").await.all_succeeded());
    let lease = executor.session(&server.target("n"), &CancellationToken::new()).await.unwrap();
    let session = transport::Session::clone(&lease);
    drop(lease);
    executor.close().await;
    assert!(session.is_closed());
    assert!(dial.count() <= 8);
    // It can be used again.
    assert_eq!(output(&executor, &server.target("n"), "echo on").await, "on\n");
}

#[tokio::test]
async fn a_flooding_and_a_silent_node_hold_up_nobody() {
    for (kind, server) in servers() {
        let work = |name: &str, command: &str| Assignment::new(server.target(name), command);
        let mut assignments = vec![
            work("flood", "yes 'a line of some length, as lines are'"),
            work("silent", "exec sleep 1000"),
        ];
        assignments.extend((0..20).map(|number| work(&format!("n{number}"), "echo in; exit 5")));
        let stop = Stop::default();
        let executor = Executor::from(crate::support::direct());
        let mut running = run(executor, assignments, RunOptions::default(), stop.clone());
        let mut ended = Vec::new();
        while let Some(event) = running.events.recv().await {
            if let RunEventKind::Finished { outcome, .. } = event.kind {
                ended.push((event.node.to_string(), outcome));
                if ended.len() == 20 {
                    stop.cancel.cancel();
                }
            }
        }
        let last: Vec<&str> = ended.iter().skip(20).map(|(node, _)| node.as_str()).collect();
        assert_eq!(last.len(), 2, "{kind:?}");
        assert!(last.contains(&"flood") && last.contains(&"silent"), "{kind:?} {last:?}");
        assert!(ended.iter().take(20).all(|(_, outcome)| *outcome == Outcome::Exited(5)));
    }
}
