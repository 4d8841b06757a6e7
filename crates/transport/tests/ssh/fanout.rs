//! One command on many nodes.

use std::collections::BTreeMap;
use std::net::TcpListener;
use std::sync::Arc;
use std::time::{Duration, Instant};

use model::Endpoint;
use transport::fanout::{
    Assignment, LineEnd, Outcome, RunEvent, RunEventKind, RunOptions, Stop, StreamName, run,
};
use transport::{ConnectErrorKind, Target, Timeouts};

use crate::support::{Server, direct, servers};

async fn all(mut run: transport::fanout::Run) -> (Vec<RunEvent>, transport::fanout::RunSummary) {
    let mut events = Vec::new();
    while let Some(event) = run.events.recv().await {
        events.push(event);
    }
    (events, run.summary().await)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sixty_four_nodes_print_whole_lines_in_order() {
    for (kind, server) in servers() {
        let targets: Vec<Target> =
            (0..64).map(|number| server.target(&format!("n{number}"))).collect();
        let command =
            "for i in 1 2 3 4 5; do printf 'li'; printf 'ne %s\\n' $i; echo e$i >&2; done";
        let (events, summary) = all(run(
            direct(),
            Assignment::each(targets, command),
            RunOptions::default(),
            Stop::default(),
        ))
        .await;
        assert!(summary.all_succeeded(), "{kind:?} {:?}", summary.failed().next());
        let mut nodes: BTreeMap<Arc<str>, Vec<RunEventKind>> = BTreeMap::new();
        for event in events {
            nodes.entry(event.node).or_default().push(event.kind);
        }
        assert_eq!(nodes.len(), 64);
        for kinds in nodes.values() {
            assert!(matches!(kinds.first(), Some(RunEventKind::Connecting)));
            assert!(matches!(kinds.last(), Some(RunEventKind::Finished { .. })));
            let lines = |wanted| -> Vec<String> {
                kinds
                    .iter()
                    .filter_map(|kind| match kind {
                        RunEventKind::Output { stream, bytes, end } if *stream == wanted => {
                            assert_eq!(*end, LineEnd::Newline);
                            Some(String::from_utf8(bytes.to_vec()).unwrap())
                        }
                        _ => None,
                    })
                    .flat_map(|lines| lines.lines().map(str::to_owned).collect::<Vec<_>>())
                    .collect()
            };
            assert_eq!(lines(StreamName::Out), ["line 1", "line 2", "line 3", "line 4", "line 5"]);
            assert_eq!(lines(StreamName::Err), ["e1", "e2", "e3", "e4", "e5"]);
        }
    }
}

#[tokio::test]
async fn every_way_to_end_is_told() {
    let server = Server::embedded();
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let closed = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let at =
        |name: &str, address| Target { endpoint: Endpoint::Tcp { address }, ..server.target(name) };
    let strange = Target { host_keys: transport::HostKeys::default(), ..server.target("strange") };
    let targets = vec![
        at("silent", silent.local_addr().unwrap()),
        at("closed", closed),
        strange,
        server.target("good"),
    ];
    let times = Timeouts { connect: Duration::from_secs(3), ..Timeouts::default() };
    // Two at once: the silent node may not hold up the rest for its 3 s.
    let options = RunOptions { fanout_max: 2, timeouts: times, ..RunOptions::default() };
    let mut running = run(
        direct(),
        Assignment::each(targets, "printf 'no newline'; exit 9"),
        options,
        Stop::default(),
    );
    let mut ended = Vec::new();
    let mut last_line = None;
    while let Some(event) = running.events.recv().await {
        match event.kind {
            RunEventKind::Finished { .. } => ended.push(event.node.to_string()),
            RunEventKind::Output { bytes, end, .. } => last_line = Some((bytes, end)),
            RunEventKind::Connecting | RunEventKind::Started | RunEventKind::LeftOpen => {}
        }
    }
    assert_eq!(ended.last().map(String::as_str), Some("silent"));
    assert_eq!(last_line, Some(("no newline".into(), LineEnd::Output)));
    let summary = running.summary().await;
    let kinds: Vec<String> = summary
        .nodes
        .iter()
        .map(|node| match &node.outcome {
            Outcome::Unreachable { kind, mend, .. } => {
                assert!(!mend.is_empty());
                format!("{} {kind:?}", node.node)
            }
            other => format!("{} {other:?}", node.node),
        })
        .collect();
    let kind = ConnectErrorKind::HostKeyChanged;
    assert_eq!(
        kinds,
        [
            "silent Timeout".into(),
            "closed Refused".into(),
            format!("strange {kind:?}"),
            "good Exited(9)".to_owned()
        ]
    );
}

#[tokio::test]
async fn an_endless_line_comes_in_pieces() {
    let server = Server::embedded();
    let options = RunOptions { line_bytes_max: 1000, ..RunOptions::default() };
    let command = "head -c 100000 /dev/zero | tr '\\0' x; echo";
    let (events, _) = all(run(
        direct(),
        Assignment::each(vec![server.target("n")], command),
        options,
        Stop::default(),
    ))
    .await;
    let mut total = 0;
    let mut ends = Vec::new();
    for event in events {
        if let RunEventKind::Output { bytes, end, .. } = event.kind {
            assert!(bytes.len() <= 1000);
            total += bytes.len();
            ends.push(end);
        }
    }
    assert_eq!(total, 100_000);
    assert_eq!(ends.pop(), Some(LineEnd::Newline));
    assert!(ends.iter().all(|end| *end == LineEnd::Cut));
}

#[tokio::test]
async fn the_first_stop_cancels_and_starts_no_more() {
    let server = Server::embedded();
    let targets: Vec<Target> = (0..6).map(|number| server.target(&format!("n{number}"))).collect();
    let stop = Stop::default();
    let options = RunOptions { fanout_max: 2, ..RunOptions::default() };
    let mut running =
        run(direct(), Assignment::each(targets, "echo up; sleep 1000"), options, stop.clone());
    let mut up = 0;
    while let Some(event) = running.events.recv().await {
        if matches!(event.kind, RunEventKind::Output { .. }) {
            up += 1;
            if up == 2 {
                stop.cancel.cancel();
            }
        }
    }
    let summary = running.summary().await;
    let started = summary
        .nodes
        .iter()
        .filter(|node| node.outcome == Outcome::Cancelled { started: true })
        .count();
    let never = summary
        .nodes
        .iter()
        .filter(|node| node.outcome == Outcome::Cancelled { started: false })
        .count();
    assert_eq!((started, never), (2, 4), "{summary:?}");
}

#[tokio::test]
async fn dropping_a_run_ends_it() {
    let server = Server::embedded();
    let mut running = run(
        direct(),
        Assignment::each(vec![server.target("n")], "echo $$; exec sleep 1000"),
        RunOptions::default(),
        Stop::default(),
    );
    let pid = loop {
        if let RunEventKind::Output { bytes, .. } = running.events.recv().await.unwrap().kind {
            break String::from_utf8(bytes.to_vec()).unwrap();
        }
    };
    drop(running);
    crate::support::ended(&pid).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn floods_of_many_nodes_fit_a_slow_reader() {
    let server = Server::embedded();
    let targets: Vec<Target> = (0..16).map(|number| server.target(&format!("n{number}"))).collect();
    let before = crate::support::status_kib(std::process::id(), "VmRSS:");
    let begun = Instant::now();
    let mut running = run(
        direct(),
        Assignment::each(targets, "yes 'a line of some length, as lines are' | head -c 4000000"),
        RunOptions::default(),
        Stop::default(),
    );
    let mut bytes = 0;
    while let Some(event) = running.events.recv().await {
        if let RunEventKind::Output { bytes: line, end, .. } = event.kind {
            bytes += line.len() + usize::from(end == LineEnd::Newline);
        }
    }
    assert_eq!(bytes, 16 * 4_000_000);
    let grown = crate::support::status_kib(std::process::id(), "VmRSS:").saturating_sub(before);
    eprintln!("64 MB from 16 nodes: {:?}, the client grew by {grown} KiB", begun.elapsed());
    assert!(grown < 40_000, "the client grew by {grown} KiB");
}

#[tokio::test]
async fn what_a_command_leaves_running_is_told_and_not_waited_for() {
    for (kind, server) in servers() {
        let command = "(sleep 30; echo late) & echo $!";
        let assignments = Assignment::each(vec![server.target("n")], command);
        let (events, summary) =
            all(run(direct(), assignments, RunOptions::default(), Stop::default())).await;
        assert!(summary.all_succeeded(), "{kind:?}");
        let kinds: Vec<&RunEventKind> = events.iter().map(|event| &event.kind).rev().collect();
        assert!(
            matches!(kinds[..2], [RunEventKind::Finished { .. }, RunEventKind::LeftOpen]),
            "{kind:?} {kinds:?}"
        );
    }
}
