//! `squall run` as its users call it: what each node is given, what the
//! commands read, and how a run is stopped.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use std::process::Command;

use e2e::{Finished, Home, Running, Terminal, Who, until, with_home};
use rustix::process::Signal;

const TRIO: &str = "\
cloud: {provider: local}
cluster: {name: trio}
nodes:
- {nodename: n, count: 3, instance_type: local.nano, tags: {rack: 'r 1; exit 9'}}
";

/// Output lines in order; nodes come as they come.
fn sorted(finished: &Finished) -> Vec<String> {
    let mut lines: Vec<String> = finished.out().lines().map(str::to_owned).collect();
    lines.sort();
    lines
}

/// Runs with something to read.
#[track_caller]
fn with_input(home: &Home, arguments: &[&str], input: &[u8]) -> Finished {
    Running::start(home.command(arguments), input).finish()
}

fn each_node_its_own(home: &Home) {
    home.file("trio.yaml", TRIO);
    let _ = home.squall(&["create", "trio.yaml", "--yes"]).ok();

    let values = "echo %h %host %rank of %{count} %{cluster} '%{tag:rack}' \"$(date +%%)\" 5%";
    let run = home.squall(&["run", "*", "-x", "n2", values]).ok();
    let expected =
        |node: &str, rank| format!("{node}: {node} {node} {rank} of 2 trio r 1; exit 9 % 5%");
    assert_eq!(sorted(&run), [expected("n1", 0), expected("n3", 1)]);
    let literal = home.squall(&["run", "n1", "--literal", "echo %h %{no}"]).ok();
    assert_eq!(literal.out(), "n1: %h %{no}\n");
    let noted = home.squall(&["run", "n1", "--", "find", "/etc/hosts", "-printf", "'%h\\n'"]).ok();
    assert!(noted.err().contains("leave it to `find`"), "{}", noted.err());

    for (command, says) in [
        ("touch /tmp/ran; echo %{poool}", "did you mean `%{pool}`?"),
        ("touch /tmp/ran; echo %{tag:none}", "n[1-3] have no tag `none`"),
        ("touch /tmp/ran; echo `true` %{tag:rack}", "--env"),
    ] {
        let wrong = home.squall(&["run", "*", "--", command]).code(2).says(says);
        assert!(wrong.err().contains("nothing was run"), "{}", wrong.err());
    }
    let _ = home.squall(&["run", "*", "--", "test ! -e /tmp/ran"]).ok();

    // Options stand on either side of the target, not within the command.
    for arguments in [
        &["run", "--fanout", "1", "n1", "-u", "30s", "echo", "--fanout", "-u"][..],
        &["run", "-t", "20", "n1", "--fanout", "1", "--", "echo", "--fanout", "-u"],
    ] {
        assert_eq!(home.squall(arguments).ok().out(), "n1: --fanout -u\n");
    }
}

#[test]
fn each_node_is_given_its_own_command_as_root() {
    with_home("each_node_is_given_its_own_command_as_root", Who::Root, each_node_its_own);
}

#[test]
fn each_node_is_given_its_own_command_as_user() {
    with_home("each_node_is_given_its_own_command_as_user", Who::User, each_node_its_own);
}

fn surroundings(home: &Home) {
    home.file("trio.yaml", TRIO);
    let _ = home.squall(&["create", "trio.yaml", "--yes"]).ok();

    let run = home.squall(&["run", "n1", "--dir", "~", "mkdir", "-p", "n1/d; pwd"]).ok();
    let root = run.out().trim().strip_prefix("n1: ").unwrap().to_owned();
    let inner = home.squall(&["run", "n1", "--dir", "~/%h/d", "pwd"]).ok();
    assert_eq!(inner.out(), format!("n1: {root}/n1/d\n"));
    let missing = home.squall(&["run", "n[1-2]", "--dir", "~/n1", "--", "echo ran"]).code(1);
    assert_eq!(missing.out(), "n1: ran\n");
    assert!(missing.err().contains("n2: squall: ") && missing.err().contains("no such directory"));
    assert!(missing.err().contains("exit code 125"), "{}", missing.err());

    let nasty = "A=it's $HOME \"`x`\"";
    let mut command = home.command(&[
        "run",
        "n1",
        "-n",
        "--env",
        nasty,
        "--env",
        "RACK=%{tag:rack}",
        "--env",
        "OURS",
        "--",
        "printf '%s|' \"$A\" \"$RACK\" \"$OURS\"",
    ]);
    command.env("OURS", "100%h");
    let run = Running::start(command, b"").finish().ok();
    assert_eq!(run.out(), "n1: it's $HOME \"`x`\"|r 1; exit 9|100%h|\n");
    let _ = home.squall(&["run", "n1", "--env", "1=2", "true"]).code(2);
    let _ = home.squall(&["run", "n1", "--env", "NOT_SET_HERE", "true"]).code(2);

    let script = "#!/bin/sh -e\ncat\necho \"$0 $1 $2 $#\"\nfalse\necho not reached\n";
    home.file("do it.sh", script);
    let run = home.squall(&["run", "n[1-2]", "--script", "do it.sh", "--", "a b", "%h"]);
    assert_eq!(sorted(&run.code(1)), ["n1: do it.sh a b n1 2", "n2: do it.sh a b n2 2"]);
    home.file("do.awk", "#!/usr/bin/awk -f\n");
    let _ = home.squall(&["run", "n1", "--script", "do.awk"]).code(2).says("squall put");
    let _ = home.squall(&["run", "n1", "--script", "none.sh"]).code(2).says("none.sh");
    let _ = home.squall(&["run", "n1", "--script", "/bin/sh"]).code(2).says("is no script");
    let _ = home.squall(&["run", "n1", "--dir", "%{tag:none:-}", "pwd"]).code(2).says("empty");

    // The longest that is sent arrives, if only to be too long for the kernel.
    let half = "x".repeat(130_000);
    let sent = home.squall(&["run", "n1", "-n", ":", &half, &half]).code(1);
    assert!(sent.out().is_empty() && sent.err().contains("exit code"), "{}", sent.err());
    let refused = home.squall(&["run", "n1", "-n", ":", &half, &half, &half]).code(2);
    assert!(refused.err().contains("390004 bytes"), "{}", refused.err());
}

#[test]
fn commands_find_their_surroundings_as_root() {
    with_home("commands_find_their_surroundings_as_root", Who::Root, surroundings);
}

#[test]
fn commands_find_their_surroundings_as_user() {
    with_home("commands_find_their_surroundings_as_user", Who::User, surroundings);
}

fn input(home: &Home) {
    home.file("trio.yaml", TRIO);
    let _ = home.squall(&["create", "trio.yaml", "--yes"]).ok();

    // One node at a time: those that begin late miss nothing, and one that
    // takes nothing holds up no other.
    let big: Vec<u8> = (0..8_000_000_u32).flat_map(u32::to_le_bytes).collect();
    let command = "[ %h = n2 ] && exec sleep 1; wc -c";
    let run = with_input(home, &["run", "*", "-f", "1", "--", command], &big).ok();
    assert_eq!(sorted(&run), ["n1: 32000000", "n3: 32000000"]);
    let path = home.file("input", "from a file\n");
    for arguments in [&["run", "*", "cat"][..], &["run", "*", "-n", "cat"]] {
        let mut command = Command::new("sh");
        command.args(["-c", "exec \"$@\" < input", "sh"]).arg(home.binary()).args(arguments);
        let plain = home.command(arguments);
        command.env_clear().envs(plain.get_envs().filter_map(|(key, value)| Some((key, value?))));
        command.current_dir(path.parent().unwrap());
        let run = Running::start(command, b"not this").finish();
        let expected = if arguments.contains(&"-n") { 0 } else { 3 };
        assert_eq!(run.out().matches("from a file").count(), expected, "{arguments:?}");
    }
    // A command that closes its input early, and endless input.
    let run = with_input(home, &["run", "*", "head -c 5; exec <&-; echo"], &big).ok();
    assert_eq!(run.stdout.iter().filter(|byte| **byte == b'\n').count(), 3, "{}", run.out());
    let mut endless = Command::new("sh");
    let plain = home.command(&["run", "*", "head -c 3 | wc -c"]);
    endless.args(["-c", "yes | \"$@\"", "sh"]).arg(plain.get_program()).args(plain.get_args());
    endless.env_clear().envs(plain.get_envs().filter_map(|(key, value)| Some((key, value?))));
    assert_eq!(sorted(&Running::start(endless, b"").finish().ok()), ["n1: 3", "n2: 3", "n3: 3"]);
    // At a terminal nobody is waited for.
    let cat = Terminal::start(&home.command(&["run", "*", "cat"]), 24, 100).unwrap();
    assert_eq!(cat.finish().0, 0);
}

#[test]
fn every_node_reads_the_same_input_as_root() {
    with_home("every_node_reads_the_same_input_as_root", Who::Root, input);
}

#[test]
fn every_node_reads_the_same_input_as_user() {
    with_home("every_node_reads_the_same_input_as_user", Who::User, input);
}

/// Waits until no process of the nodes runs `sleep SECONDS`.
#[track_caller]
fn gone(home: &Home, seconds: &str) {
    until("the commands to be gone", || {
        let find = format!("grep -lsxz {seconds} /proc/[0-9]*/cmdline; true");
        let left = home.squall(&["run", "*", "-n", "--literal", "--", &find]).ok().out();
        left.is_empty().then_some(())
    });
}

fn stopping(home: &Home) {
    home.file("trio.yaml", TRIO);
    let _ = home.squall(&["create", "trio.yaml", "--yes"]).ok();
    let command = "echo up; sleep 4711; echo never";
    let start = || {
        let line = home.command(&["run", "*", "--", command]);
        let mut run = Terminal::start(&line, 24, 100).unwrap();
        for _ in 0..3 {
            run.expect("up");
        }
        run
    };

    let mut run = start();
    run.send("\u{3}").unwrap();
    run.expect("still running: n[1-3] (3 nodes)");
    run.expect("Ctrl-C again within 10 s stops them.");
    run.send("\u{3}").unwrap();
    run.expect("stopped while the command was running: n[1-3] (3 nodes)");
    let (code, rest) = run.finish();
    assert_eq!((code, rest.contains("never")), (130, false), "{rest}");
    gone(home, "4711");

    // Nobody looks at a script's terminal: one signal stops.
    for (signal, mark) in [(Signal::INT, "/tmp/one"), (Signal::TERM, "/tmp/two")] {
        let command = format!("touch {mark}; sleep 4712");
        let run = home.start(&["run", "*", "-S", "--", &command]);
        let up = ["run", "*", "-n", "--", "test", "-e", mark];
        until("the command to run", || (home.squall(&up).code == 0).then_some(()));
        run.signal(signal);
        let stopped = run.finish().code(130).says("stopped while the command was running");
        assert!(!stopped.err().contains("Ctrl-C again within"), "{}", stopped.err());
        gone(home, "4712");
    }
    let _ = home.squall(&["run", "*", "-n", "-u", "1s", "--", "sleep 4713"]).code(1);
    gone(home, "4713");
}

#[test]
fn ctrl_c_shows_then_stops_then_leaves_as_root() {
    with_home("ctrl_c_shows_then_stops_then_leaves_as_root", Who::Root, stopping);
}

#[test]
fn ctrl_c_shows_then_stops_then_leaves_as_user() {
    with_home("ctrl_c_shows_then_stops_then_leaves_as_user", Who::User, stopping);
}
