//! What `run` prints: nothing lost, nothing mixed, nobody waited for.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use std::path::Path;
use std::time::Duration;

use e2e::{Home, Running, Terminal, Who, with_home};
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
    let events: Vec<serde_json::Value> =
        events.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(events.iter().filter(|event| event["text"] == "hi").count(), 2, "{events:?}");
    let ending = &events.last().unwrap()["endings"][0];
    assert_eq!((&ending["nodes"], &ending["code"]), (&"n[1,3]".into(), &0.into()));

    let run = home.start(&["run", "n[1,3]", "--", "sleep 100"]);
    assert!(!run.ended_within(Duration::from_secs(2)));
    run.signal(Signal::INT);
    let stopped = run.finish().code(130);
    assert!(stopped.err().contains("n1") || stopped.err().contains("n[1,3]"), "{}", stopped.err());
}

/// What is the same once, and what is not as what it has differently.
fn folded(home: &Home) {
    let five = "uname -n; i=0; while [ $i -lt 5 ]; do echo line $i; i=$((i+1)); done";
    let odd = format!("{five}; [ $(uname -n) != n3 ] && echo fine || {{ echo ill; exit 3; }}");
    let run = home.squall(&["run", "*", "-b", "-S", "--", &odd]).code(3);
    assert_eq!(
        run.out(),
        "\
---------------
n[1-2,4] (3 nodes, alike but for {node})
---------------
{node}
line 0
line 1
line 2
line 3
line 4
fine
---------------
n3 (1 node, changes from the biggest group)
---------------
… 4 lines alike
line 3
line 4
[-fine-]
{+ill+}
"
    );
    assert_eq!(run.err(), "1 of 4 nodes failed:\n  exit code 3: n3\n");

    // Not even the name may differ, and nothing is shortened.
    let exact = home.squall(&["run", "*", "-b", "--exact", "--", "uname -n"]).ok().out();
    assert_eq!(exact.matches("(1 node)").count(), 4, "{exact}");

    // Standard error comes apart, or among it in the order of arrival.
    let both = "echo out; sleep 0.2; echo err >&2; sleep 0.2; echo end";
    let apart = home.squall(&["run", "n[1-2]", "-b", "--", both]).ok();
    assert!(apart.out().ends_with("---------------\nout\nend\n"), "{}", apart.out());
    assert_eq!(apart.err().matches(": err\n").count(), 2, "{}", apart.err());
    let among = home.squall(&["run", "n[1-2]", "-B", "--", both]).ok();
    assert!(among.out().ends_with("---------------\nout\nerr\nend\n"), "{}", among.out());
    assert_eq!(among.err(), "");

    let blocks = home.squall(&["run", "n[2,4]", "--by-node", "--", "uname -n"]).ok().out();
    let rule = "---------------";
    assert_eq!(blocks, format!("{rule}\nn2\n{rule}\nn2\n{rule}\nn4\n{rule}\nn4\n"));
    let live = home.squall(&["run", "n[2,4]", "-b", "-L", "--", "echo hi"]).ok().out();
    assert!(live.contains("n2: hi\n") && live.ends_with("hi\n"), "{live}");
    assert!(live.contains("n[2,4] (2 nodes)\n"), "{live}");
}

/// What each node prints is in files of its own.
fn files(home: &Home) {
    let directory = home.work().join("out");
    let place = directory.to_str().unwrap();
    let run =
        |rest: &[&str]| home.squall(&[&["run", "*", "-q", "--output-dir", place], rest].concat());
    let printed = run(&["--", "printf '\\377\\000'; echo bad >&2"]).ok();
    assert_eq!((printed.out().as_str(), printed.err().as_str()), ("", ""));
    let read = |name: &str| std::fs::read(directory.join(name)).unwrap();
    for node in ["n1", "n2", "n3", "n4"] {
        assert_eq!(read(&format!("{node}.out")), b"\xff\x00");
        assert_eq!(read(&format!("{node}.err")), b"bad\n");
    }
    let _ = run(&["--", "true"]).code(4).says("not empty");
    let _ = run(&["--append", "--", "echo more"]).ok();
    assert_eq!(read("n4.out"), b"\xff\x00more\n");
    let _ = run(&["--overwrite", "--", "echo new"]).ok();
    assert_eq!((read("n1.out"), read("n1.err")), (b"new\n".to_vec(), Vec::new()));
}

/// A node that prints more than memory should hold is folded all the same.
fn flood(home: &Home) {
    let flood = "yes 'a line of some length that says nothing new at all' | head -c 60000000";
    let run = home.squall(&["run", "n[1-2]", "-b", "--", flood]).ok();
    assert!(run.out().starts_with("---------------\nn[1-2] (2 nodes)\n---------------\na line"));
    assert!(run.stdout.len() > 60_000_000 && run.stdout.len() < 60_000_200);
}

/// The disk that takes what memory does not is full: what there is is shown,
/// and that it is not all.
fn full_disk(home: &Home) {
    let flood = "yes 'a line of some length that says nothing new at all' | head -c 9000000";
    let script = format!(
        "mkdir small; mount -t tmpfs -o size=1m none small; TMPDIR=$PWD/small \
         exec {} run n[1-2] -b --color never -- \"{flood}; echo the end\"",
        home.binary().display()
    );
    let command = home.program(Path::new("unshare"), &["--mount", "sh", "-c", &script]);
    let run = Running::start(command, b"").finish().ok();
    assert!(run.err().contains("could not be kept whole"), "{}", run.err());
    let out = run.out();
    assert!(out.starts_with("---------------\nn[1-2] (2 nodes)\n"), "{out:.200}");
    assert!(out.ends_with(" bytes are not shown: they could not be kept]\n"));
    assert!(run.stdout.len() < 2_000_000, "{}", run.stdout.len());
}

/// On a terminal: progress meanwhile, names aligned, and nothing that nodes
/// print can steer it.
fn on_a_terminal(home: &Home) {
    let words = ["run", "*", "--", "sleep 1; printf '\\033[2Jx\\033[31mred\\n'; exit 3"];
    let mut shown = Terminal::start(&home.command(&words), 24, 100).unwrap();
    shown.expect("0/4 done, 4 running");
    let lines = shown.expect("4 of 4 nodes failed:");
    assert_eq!(lines.matches("^[[2Jx\u{1b}[31mred\u{1b}[0m").count(), 4, "{lines}");
    let (code, rest) = shown.finish();
    assert!(code == 1 && rest.contains("exit code 3: n[1-4] (4 nodes)"), "{code} {rest}");
}

fn views(home: &Home) {
    home.file("four.yaml", FOUR);
    let _ = home.squall(&["create", "four.yaml", "--yes"]).ok();
    folded(home);
    files(home);
    flood(home);
    on_a_terminal(home);
    if home.who == Who::Root {
        full_disk(home);
    }
}

#[test]
fn output_is_shown_as_asked_for_as_root() {
    with_home("output_is_shown_as_asked_for_as_root", Who::Root, views);
}

#[test]
fn output_is_shown_as_asked_for_as_user() {
    with_home("output_is_shown_as_asked_for_as_user", Who::User, views);
}

#[test]
fn output_arrives_whole_as_root() {
    with_home("output_arrives_whole_as_root", Who::Root, output);
}

#[test]
fn output_arrives_whole_as_user() {
    with_home("output_arrives_whole_as_user", Who::User, output);
}
