//! What `run` prints: nothing lost, nothing mixed, nobody waited for.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use std::time::Duration;

use e2e::{Home, Who, with_home};
use rustix::process::Signal;

const FOUR: &str = "\
cloud: {provider: local}
cluster: {name: four}
nodes:
- {nodename: n, count: 4, instance_type: local.nano}
";

fn output(home: &Home) {
    home.file("four.yaml", FOUR);
    let _ = home.squall(&["create", "four.yaml", "--yes"]).ok();

    // Long lines from all nodes at once stay whole.
    let burst = "i=0; while [ $i -lt 200 ]; do printf '%0500d\\n' $i; i=$((i+1)); done";
    let lines = home.squall(&["run", "*", "--", burst]).ok().out();
    assert_eq!(lines.lines().count(), 800);
    for line in lines.lines() {
        let (name, rest) = line.split_once(": ").unwrap();
        assert!(name.starts_with('n') && rest.len() == 500, "mixed: {line}");
    }

    // Bytes that are no text, and characters cut in two, arrive unchanged.
    let bytes = home.squall(&["run", "n1", "--", "printf '\\377\\000\\001\\n'"]).ok();
    assert_eq!(bytes.stdout, b"n1: \xff\x00\x01\n");
    let split = "printf '\\303'; sleep 0.3; printf '\\244\\n'";
    assert_eq!(home.squall(&["run", "n1", "--", split]).ok().stdout, "n1: ä\n".as_bytes());
    let unfinished = home.squall(&["run", "n1", "--", "printf unfinished"]).ok();
    assert_eq!(unfinished.stdout, b"n1: unfinished\n");

    let apart = home.squall(&["run", "n1", "--", "echo out; echo err >&2"]).ok();
    assert_eq!((apart.out().as_str(), apart.err().contains("n1: err")), ("n1: out\n", true));

    let killed = home.squall(&["run", "n1", "--", "kill -9 $$"]).code(1);
    assert!(killed.err().contains("KILL") || killed.err().contains("signal"), "{}", killed.err());
    let late = home.squall(&["run", "n1", "--timeout", "1s", "--", "sleep 60"]).code(1);
    assert!(late.err().contains("n1"), "{}", late.err());

    // One node that ends under the command is reported; the rest is not delayed.
    let dying = "test $(hostname) = n2 && poweroff; sleep 1; echo done";
    let dying = home.squall(&["run", "*", "--", dying]).code(1);
    assert_eq!(dying.out().lines().filter(|line| line.ends_with(": done")).count(), 3);
    assert!(dying.err().contains("n2"), "{}", dying.err());

    let events = home.squall(&["run", "--json", "n[1,3]", "--", "echo hi"]).ok().out();
    for line in events.lines() {
        let event: serde_json::Value = serde_json::from_str(line).unwrap();
        assert!(event.is_object(), "{line}");
    }

    let run = home.start(&["run", "n[1,3]", "--", "sleep 100"]);
    assert!(!run.ended_within(Duration::from_secs(2)));
    run.signal(Signal::INT);
    let stopped = run.finish().code(130);
    assert!(stopped.err().contains("n1") || stopped.err().contains("n[1,3]"), "{}", stopped.err());
}

#[test]
fn output_arrives_whole_as_root() {
    with_home("output_arrives_whole_as_root", Who::Root, output);
}

#[test]
fn output_arrives_whole_as_user() {
    with_home("output_arrives_whole_as_user", Who::User, output);
}
