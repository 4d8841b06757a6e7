//! The built binary against the fake provider: what commands do, say, and end
//! with. Nodes of the fake let nobody in; what needs real ones is in
//! `tests/e2e`.

mod home;
mod messages;
mod targets;

use std::io::Write as _;
use std::process::Stdio;

use home::{HELLO, Home, done};
use model::name::{ClusterName, NodeName};
use providers::ErrorKind;
use providers::fake::{Call, Fault, FaultEffect};

#[test]
fn a_cluster_is_made_shown_changed_and_removed() {
    let home = Home::new();
    home.file("hello.yaml", HELLO);
    home.squall(&["plan", "hello.yaml"]).ends(0).shows("+ create  master,worker[1-2]");
    assert!(home.squall(&["list", "--json"]).json()["clusters"].as_array().unwrap().is_empty());

    let made = home.squall(&["create", "hello.yaml", "--yes"]).ends(0);
    made.shows("Cluster Hello is ready: 3 nodes").says("worker2 is made").says("squall ssh Hello");
    let again = home.squall(&["create", "hello.yaml", "--yes"]).ends(0);
    again.shows("Nothing to do");

    let list = home.squall(&["list", "--json"]).ends(0).json();
    assert_eq!(list["squall"], 1);
    assert_eq!(list["clusters"][0]["name"], "Hello");
    assert_eq!(list["clusters"][0]["nodes"]["running"], 3);
    home.squall(&["list"]).ends(0).shows("3 running").shows("complete").shows("@");

    home.file("more.yaml", &HELLO.replace("count: 2", "count: 3"));
    home.squall(&["plan", "more.yaml"]).ends(0).shows("+ create  worker3");
    home.squall(&["update", "more.yaml", "--yes"]).ends(0);
    home.squall(&["show", "worker3"]).ends(0).shows("running");

    home.squall(&["terminate", "worker[1-2]", "--yes"]).ends(0).shows("Terminated 2 nodes");
    let nodes = home.squall(&["show", "--json"]).ends(0).json();
    assert_eq!(nodes["clusters"][0]["nodes"].as_array().unwrap().len(), 2);

    let deleted = home.squall(&["delete", "hello", "--yes", "--json"]).ends(0).json();
    assert_eq!((&deleted["kind"], &deleted["changed"]), (&"change".into(), &true.into()));
    home.squall(&["show", "master"]).ends(3).says("there is no cluster");
}

#[test]
fn plans_change_nothing() {
    let home = Home::with_hello();
    let before = home.squall(&["show", "--json"]).json()["clusters"][0]["nodes"].clone();
    home.file("more.yaml", &HELLO.replace("count: 2", "count: 3"));
    let plan = home.squall(&["plan", "more.yaml", "--json"]).ends(0).json();
    assert_eq!(plan["kind"], "plan");
    assert_eq!(plan["plan"]["counts"]["create"], 1);
    assert_eq!(home.squall(&["show", "--json"]).json()["clusters"][0]["nodes"], before);
}

#[test]
fn nothing_is_changed_without_a_yes() {
    let home = Home::new();
    home.file("hello.yaml", HELLO);
    let refused = home.squall(&["create", "hello.yaml"]).ends(4);
    let refused = refused.says("--yes").says("+ create  master,worker[1-2]");
    assert_eq!(refused.out, "");
    assert!(!home.squall(&["list"]).out.contains("Hello"));
    home.squall(&["create", "hello.yaml", "--yes"]).ends(0);
    for words in [
        &["update", "hello.yaml", "--set", "nodes.worker.count=1"][..],
        &["terminate", "worker1"],
        &["delete", "Hello"],
        &["stop", "worker1"],
        &["reboot", "Hello"],
        &["forget", "Hello"],
    ] {
        home.squall(words).ends(4).says("--yes");
    }
    let list = home.squall(&["list", "--json"]).json();
    assert_eq!(list["clusters"][0]["nodes"]["running"], 3);
}

#[test]
fn every_kind_of_failure_has_its_exit_code() {
    let home = Home::with_hello();
    home.squall(&["frobnicate"]).ends(2);
    home.squall(&["plan", "missing.yaml"]).ends(2).says("missing.yaml");
    let unknown = home.squall(&["delete", "helo", "--yes"]).ends(3);
    unknown.says("did you mean Hello?").says("the clusters there are: Hello");
    home.squall(&["status", "nope"]).ends(3).says("nope");
    home.squall(&["show", "nobody"]).ends(3).says("Hello has master,worker[1-2]");
    home.squall(&["show", "-C", "nope"]).ends(3).says("nope");
    home.squall(&["run", "wor[", "--", "true"]).ends(2).says("TARGET:1:4");
    home.squall(&["run", "Hello", "--", "true"]).ends(1).says("let nobody in");
    home.squall(&["ssh", "worker1"]).ends(5).says("let nobody in");
    let cloud = home.squall(&["create", "hello.yaml", "--name", "far", "--provider", "ec2", "-y"]);
    assert!(cloud.code != 0 && cloud.err.contains("ec2"), "{cloud:?}");
}

#[test]
fn all_errors_of_a_spec_come_at_once_and_as_json_too() {
    let home = Home::new();
    let bad = "cloud: {provider: fake}\ncluster: {name: bad_name}\nnodes:\n- nodename: a\n  \
               instanc_type: host\n  count: many\n";
    home.file("bad.yaml", bad);
    let plain = home.squall(&["create", "bad.yaml", "--yes"]).ends(2);
    plain.says("bad.yaml:2:").says("bad.yaml:5:").says("bad.yaml:6:").says("`instance_type`");
    let json = home.squall(&["create", "bad.yaml", "--yes", "--json"]).ends(2);
    assert_eq!(json.out, "");
    let error: serde_json::Value = serde_json::from_str(&json.err).unwrap();
    assert_eq!((&error["kind"], &error["error"]["exit_code"]), (&"error".into(), &2.into()));
    let lines: Vec<u64> = error["error"]["diagnostics"]
        .as_array()
        .unwrap()
        .iter()
        .filter_map(|one| one["line"].as_u64())
        .collect();
    assert!(lines.contains(&2) && lines.contains(&5) && lines.contains(&6), "{lines:?}");
}

#[test]
fn what_this_build_cannot_do_stops_create_and_shows_in_plans() {
    let home = Home::new();
    home.file("later.yaml", &format!("{HELLO}expires: 2h\n"));
    let plan = home.squall(&["plan", "later.yaml", "--json"]).ends(0).json();
    assert_eq!(plan["not_yet"].as_array().unwrap().len(), 1, "{plan}");
    home.squall(&["create", "later.yaml", "--yes"]).ends(2).says("later.yaml:6:");
    assert!(!home.squall(&["list"]).out.contains("Hello"));
}

#[test]
fn a_spec_may_come_by_standard_input_and_be_changed_by_flags() {
    let home = Home::new();
    let arguments =
        ["create", "-", "--name", "piped", "--set", "nodes.worker.count=1", "--yes", "--quiet"];
    let mut child = home
        .command(&arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(HELLO.as_bytes()).unwrap();
    let made = done(child.wait_with_output().unwrap()).ends(0);
    assert_eq!(made.err, "");
    let list = home.squall(&["list", "--json"]).json();
    assert_eq!(list["clusters"][0]["name"], "piped");
    assert_eq!(list["clusters"][0]["node_count"], 2);
}

#[test]
fn pipes_that_nobody_writes_to_hold_nobody_up() {
    let home = Home::new();
    let pipe = home.pipe("pipe");
    home.file("hello.yaml", HELLO);
    let set = format!("nodes.master.setup={pipe}");
    home.squall(&["plan", "hello.yaml", "--set", &set]).ends(2).says("it is not a file");

    let child =
        home.command(&["plan", "pipe"]).stdout(Stdio::null()).stderr(Stdio::piped()).spawn();
    let child = child.unwrap();
    // Opens once the command reads, which is after it began to heed signals.
    let _writer = std::fs::OpenOptions::new().write(true).open(&pipe).unwrap();
    let id = rustix::process::Pid::from_child(&child);
    rustix::process::kill_process(id, rustix::process::Signal::TERM).unwrap();
    done(child.wait_with_output().unwrap()).ends(130).says("nothing was changed");
}

#[test]
fn lists_heed_the_cluster_that_is_meant() {
    let home = Home::with_hello();
    home.squall(&["create", "hello.yaml", "--name", "other", "--yes"]).ends(0);
    let one = home.squall(&["list", "-C", "hello", "--json"]).ends(0).json();
    assert_eq!(one["clusters"].as_array().unwrap().len(), 1, "{one}");
    assert_eq!(one["clusters"][0]["name"], "Hello");
    home.squall(&["list", "-C", "helo"]).ends(3).says("the clusters there are: Hello, other");
    home.squall(&["forget", "nope", "--yes"]).ends(3).says("there is no cluster nope on ");
}

#[test]
fn a_cluster_without_nodes_is_shown_by_its_name() {
    let home = Home::with_hello();
    home.squall(&["terminate", "Hello:*", "--yes"]).ends(0);
    home.squall(&["show", "hello"]).ends(0).shows("Hello (fake");
    home.squall(&["show", "Hello:*"]).ends(3).says("Hello has no nodes");
}

#[test]
fn aliases_of_the_user_are_heeded() {
    let home = Home::new();
    home.file("hello.yaml", HELLO);
    home.file("home/config/aliases.yaml", "nonsense: [\n");
    home.squall(&["plan", "hello.yaml"]).ends(2).says("aliases.yaml");
}

#[test]
fn a_target_never_reaches_further_than_it_reads() {
    let home = Home::with_hello();
    home.squall(&["create", "hello.yaml", "--name", "other", "--yes"]).ends(0);
    let refused = home.squall(&["stop", "worker1", "--yes"]).ends(4);
    refused.says("Hello: worker1").says("other: worker1").says("--all-clusters");
    home.squall(&["stop", "worker1", "--yes", "-C", "other"]).ends(0);
    let stopped = home.squall(&["show", "state=stopped", "--json"]).ends(0).json();
    assert_eq!(stopped["clusters"][0]["name"], "other");
    home.squall(&["start", "other:worker1", "--yes"]).ends(0);
    let mut scoped = home.command(&["stop", "worker2", "--yes"]);
    done(scoped.env("SQUALL_CLUSTER", "Hello").output().unwrap()).ends(0);
    home.squall(&["stop", "worker*", "--yes", "--all-clusters"]).ends(0);
    let list = home.squall(&["list", "--json"]).json();
    for cluster in list["clusters"].as_array().unwrap() {
        assert_eq!(cluster["nodes"]["stopped"], 2, "{cluster}");
    }
    // A cluster's own name reaches all of it, and only it.
    home.squall(&["start", "Hello", "--yes"]).ends(0);
    let list = home.squall(&["list", "--json"]).json();
    let running = |at: usize| list["clusters"][at]["nodes"]["running"].clone();
    assert_eq!((running(0), running(1)), (3.into(), 1.into()), "{list}");
}

#[test]
fn a_node_that_vanished_is_shown_as_absent_and_mended_by_update() {
    let home = Home::with_hello();
    let (cluster, node) =
        (ClusterName::parse("Hello").unwrap(), NodeName::parse("worker2").unwrap());
    home.fake().vanish(&cluster, &node).unwrap();
    home.squall(&["show"]).ends(0).shows("absent");
    home.squall(&["show", "state=absent"]).ends(0).shows("worker2");
    let status = home.squall(&["status", "Hello"]).ends(0);
    status.shows("1 absent: worker2").shows("Differs from the spec:").shows("lost");
    home.squall(&["stop", "worker2", "--yes"]).ends(3).says("squall update");
    home.squall(&["update", "hello.yaml", "--yes"]).ends(0);
    assert!(!home.squall(&["show"]).out.contains("absent"));
    let status = home.squall(&["status", "--json"]).ends(0).json();
    assert!(status["drift"].as_array().unwrap().is_empty(), "{status}");
}

#[test]
fn a_create_that_fails_leaves_nothing_and_says_why() {
    let home = Home::new();
    home.file("hello.yaml", HELLO);
    let fault = Fault {
        call: Call::EnsureNode,
        node: NodeName::parse("worker2").ok(),
        effect: FaultEffect::Refuse(ErrorKind::Capacity),
        times: 50,
    };
    home.fake().script(fault).unwrap();
    let failed = home.squall(&["create", "hello.yaml", "--yes"]).ends(1);
    failed.says("worker2").says("capacity");
    assert!(!home.squall(&["list"]).out.contains("Hello"));
}

#[test]
fn without_a_terminal_nothing_is_coloured_or_drawn() {
    let home = Home::with_hello();
    for words in [&["list"][..], &["show", "-v"], &["status"], &["plan", "hello.yaml"], &["--help"]]
    {
        let plain = home.squall(words).ends(0);
        assert!(!plain.out.contains('\u{1b}') && !plain.err.contains('\u{1b}'), "{words:?}");
    }
    assert!(home.squall(&["list", "--color", "always"]).ends(0).out.contains('\u{1b}'));
}

#[test]
fn a_reader_that_goes_away_ends_it_quietly() {
    let home = Home::new();
    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    let ended = done(home.command(&["schema"]).stdout(writer).output().unwrap());
    assert_eq!((ended.code, ended.err.as_str()), (141, ""));
}

#[test]
fn traces_go_to_standard_error_and_a_private_log() {
    use std::os::unix::fs::PermissionsExt as _;
    let home = Home::with_hello();
    home.squall(&["-v", "list"]).ends(0).says("begin");
    assert_eq!(home.squall(&["show", "-vv"]).ends(0).err, "");
    let log = home.path("home/state/squall.log");
    assert_eq!(log.metadata().unwrap().permissions().mode() & 0o777, 0o600);
    assert!(std::fs::read_to_string(log).unwrap().contains("begin"));
}

#[test]
fn shells_are_offered_clusters_and_nodes() {
    let home = Home::with_hello();
    let offered = |words: &[&str]| {
        let mut command = home.command(&["--"]);
        command.args(words).env("SQUALL_COMPLETE", "fish");
        done(command.output().unwrap()).ends(0).out
    };
    let nodes = offered(&["squall", "ssh", "w"]);
    assert!(nodes.contains("worker1") && nodes.contains("worker2"), "{nodes}");
    assert!(!nodes.contains("Hello:"), "{nodes}");
    assert!(offered(&["squall", "delete", "H"]).contains("Hello"));
    assert!(offered(&["squall", "run", "Hello:w"]).contains("Hello:worker1"));
    assert!(offered(&["squall", "stop", "master,w"]).contains("master,worker1"));
    assert!(offered(&["squall", "te"]).contains("terminate"));
    for shell in ["bash", "zsh", "fish"] {
        home.squall(&["completions", shell]).ends(0).shows("SQUALL_COMPLETE");
    }
}

#[test]
fn forgetting_touches_no_node() {
    let home = Home::with_hello();
    let forgotten = home.squall(&["forget", "Hello", "--yes"]).ends(0);
    forgotten.says("still listed");
    assert_eq!(home.squall(&["list", "--json"]).json()["clusters"][0]["node_count"], 3);
    home.squall(&["forget", "nobody", "--yes"]).ends(3);
}

#[test]
fn the_schema_is_json() {
    let home = Home::new();
    let schema = home.squall(&["schema"]).ends(0).json();
    assert!(schema["properties"]["nodes"].is_object());
}
