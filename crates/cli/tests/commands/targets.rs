//! Targets through the built binary: what they select, in which scope, and
//! what is said of those that select nothing.

use super::home::{HELLO, Home};

fn with_two() -> Home {
    let home = Home::with_hello();
    home.squall(&["create", "hello.yaml", "--name", "other", "--yes"]).ends(0);
    home
}

#[test]
fn nodes_prints_what_a_target_selects() {
    let home = Home::with_hello();
    for (words, expected) in [
        (&["nodes"][..], "master,worker[1-2]\n"),
        (&["nodes", "worker[1-8]"], "worker[1-2]\n"),
        (&["nodes", "worker[1-8]", "--expand"], "worker1\nworker2\n"),
        (&["nodes", "*", "--count"], "3\n"),
        (&["nodes", "*", "-x", "worker1", "-x", "master"], "worker2\n"),
        (&["nodes", "hello!worker*"], "master\n"),
        (&["nodes", "hello:(master,worker2)"], "master,worker2\n"),
        (&["nodes", "state=running&name~/r[12]$/"], "worker[1-2]\n"),
        (&["nodes", "age<1h&worker1"], "worker1\n"),
        (&["nodes", "launch_time>=2016&type=small"], "master\n"),
    ] {
        assert_eq!(home.squall(words).ends(0).out, expected, "{words:?}");
    }
    let json = home.squall(&["nodes", "worker*", "--json"]).ends(0).json();
    assert_eq!((&json["kind"], &json["count"]), (&"targets".into(), &2.into()));
    assert_eq!(json["folded"], "worker[1-2]");
    assert_eq!(json["clusters"][0]["nodes"][1], "worker2");
}

#[test]
fn names_of_several_clusters_carry_their_cluster() {
    let home = with_two();
    for (words, expected) in [
        (&["nodes"][..], "Hello:(master,worker[1-2])\nother:(master,worker[1-2])\n"),
        (&["nodes", "worker*"], "Hello:worker[1-2]\nother:worker[1-2]\n"),
        (&["nodes", "other:worker*", "--expand"], "other:worker1\nother:worker2\n"),
        (&["nodes", "worker*", "-C", "other"], "worker[1-2]\n"),
        (&["nodes", "worker1,hello:master", "-C", "other"], "Hello:master\nworker1\n"),
        (&["nodes", "worker1", "-x", "hello"], "other:worker1\n"),
    ] {
        assert_eq!(home.squall(words).ends(0).out, expected, "{words:?}");
    }
    let json = home.squall(&["nodes", "worker*", "--json"]).ends(0).json();
    let folded = json["folded"].as_str().unwrap();
    let again = home.squall(&["nodes", folded, "--json"]).ends(0).json();
    assert_eq!(again["clusters"], json["clusters"]);
    // An exclude is taken from what is selected, wherever names are taken from.
    let left = home.squall(&["nodes", "hello", "-C", "other", "-x", "worker1"]).ends(0);
    assert_eq!(left.out, "Hello:(master,worker2)\n");
}

#[test]
fn what_selects_nothing_ends_with_the_reason() {
    let home = Home::with_hello();
    let none = home.squall(&["nodes", "state=stopped"]).ends(3);
    none.says("selects no node of cluster Hello").says("Hello has master,worker[1-2]");
    let slip = home.squall(&["nodes", "worker1!wroker2"]).ends(3);
    slip.says("TARGET:1:9").says("there is no node `wroker2`").says("did you mean `worker2`?");
    home.squall(&["nodes", "worker1", "-x", "wroker2"]).ends(3).says("--exclude:1:1");
    home.squall(&["nodes", "@failed"]).ends(2).says("asks for the last run, and there was none");
    home.squall(&["nodes", "3"]).ends(2).says("nothing was listed");
    home.squall(&["nodes", "colour=red"]).ends(2).says("no node has a property `colour`");
    home.squall(&["nodes", "name~/(/"]).ends(2).says("no regular expression");
    home.squall(&["nodes", "helo:worker1"]).ends(3).says("did you mean `Hello`?");
    Home::new().squall(&["nodes"]).ends(3).says("there is no cluster");
}

#[test]
fn an_empty_target_is_no_target() {
    let home = Home::with_hello();
    home.file("f", "x");
    home.file("hosts", "a\nb\n");
    for words in [
        &["run", "", "--", "echo hi"][..],
        &["run", " \t", "--", "echo hi"],
        &["run", "--hosts", "hosts", "", "--", "echo hi"],
        &["put", "f", "", "/tmp"],
        &["put", "f", "--", "", "/tmp"],
        &["get", "f", "", "x"],
        &["ssh", ""],
        &["ssh", "--hosts", "hosts", ""],
        &["stop", "", "--yes"],
        &["start", "", "--yes"],
        &["reboot", "", "--yes"],
        &["terminate", "", "--yes"],
        &["nodes", ""],
        &["nodes", "--hosts", "hosts", ""],
    ] {
        home.squall(words).ends(2).says("the target is empty; `*` is every node");
    }
    for words in [
        &["run", "*", "-x", "", "--", "echo hi"][..],
        &["nodes", "-x", " "],
        &["nodes", "--hosts", "hosts", "-x", ""],
    ] {
        home.squall(words).ends(2).says("an empty --exclude leaves out everything");
    }
    home.squall(&["get", "", "worker1", "dir"]).ends(2).says("FILE is empty");
    home.squall(&["get", "f", "worker1", ""]).ends(2).says("DIR is empty");
    let list = home.squall(&["list", "--json"]).json();
    assert_eq!(list["clusters"][0]["nodes"]["running"], 3);
    assert_eq!(home.squall(&["nodes"]).ends(0).out, "master,worker[1-2]\n");
    assert_eq!(home.squall(&["nodes", "--hosts", "hosts"]).ends(0).out, "a,b\n");
}

#[test]
fn what_is_left_out_is_named_when_nothing_is_left() {
    let home = Home::with_hello();
    home.file("hosts", "a\nb\n");
    let none = home.squall(&["nodes", "worker*", "-x", "*", "-x", "master"]).ends(3);
    none.says("`worker*` selects no node of cluster Hello after leaving out `*`, `master`");
    let none = home.squall(&["nodes", "-x", "*"]).ends(3);
    none.says("`*` selects no node of cluster Hello after leaving out `*`");
    let none = home.squall(&["nodes", "state=stopped", "-x", "master"]).ends(3);
    assert!(!none.err.contains("leaving out"), "{}", none.err);
    let none = home.squall(&["nodes", "--hosts", "hosts", "a", "-x", "*"]).ends(3);
    none.says("`a` selects no host of these lists after leaving out `*`");
}

#[test]
fn a_target_that_is_no_target_cannot_be_read() {
    let home = Home::with_hello();
    home.squall(&["nodes", "wor["]).ends(2).says("the target `wor[` cannot be read");
    let wrong = home.squall(&["nodes", "*", "-x", "wor["]).ends(2);
    wrong.says("--exclude `wor[` cannot be read");
    let unknown = home.squall(&["nodes", "nobody"]).ends(3);
    unknown.says("the target `nobody` selects nothing");
}

#[test]
fn of_many_errors_the_first_are_said() {
    let home = Home::with_hello();
    let names: Vec<String> = (0..2000).map(|number| format!("nobody{number}")).collect();
    let many = home.squall(&["nodes", &names.join(",")]).ends(3);
    let many = many.says("`nobody19`").says("and 1980 more like these").says("…` selects nothing");
    assert!(!many.err.contains("no node `nobody20`") && many.err.len() < 20_000, "{}", many.err);
    let commas = home.squall(&["nodes", &",".repeat(8000)]).ends(2);
    assert!(commas.err.len() < 20_000, "{}", commas.err);
    let json = home.squall(&["nodes", &",".repeat(8000), "--json"]).ends(2);
    let error: serde_json::Value = serde_json::from_str(&json.err).unwrap();
    let said = error["error"]["diagnostics"].as_array().unwrap();
    assert_eq!((said.len(), &said[101]["code"]), (102, &"more".into()));
}

#[test]
fn settings_of_an_ssh_configuration_hold_for_hosts_of_a_list() {
    let home = Home::new();
    home.file("hosts", "l1\nl2\nl3 rack=1\n");
    let circle = "Host l2\n ProxyJump l3\nHost l3\n ProxyJump l2\nHost *\n User ada\n Port 9\n\
                  HostName 127.0.0.1\n";
    home.file("ssh_config", circle);
    let with = ["--hosts", "hosts", "--ssh-config=ssh_config"];
    let nodes = |target| home.squall(&[&["nodes"], &with[..], &[target]].concat());
    assert_eq!(nodes("user=ada&port=9").ends(0).out, "l[1-3]\n");
    assert_eq!(nodes("rack=1").ends(0).out, "l3\n");
    // Its hosts are not in the list.
    home.file("hosts", "l1\n");
    assert_eq!(nodes("*").ends(0).out, "l1\n");
    assert_eq!(home.squall(&["nodes", "--ssh-config=ssh_config"]).ends(0).out, "l[2-3]\n");
}

#[test]
fn a_circle_of_bastions_stops_its_own_hosts_only() {
    let home = Home::new();
    home.file("hosts", "l1\nl2\n");
    let circle = "Host l2\n ProxyJump l3\nHost l3\n ProxyJump l2\nHost l1\n HostName 127.0.0.1\n \
                  Port 9\n";
    home.file("ssh_config", circle);
    let with = ["--hosts", "hosts", "--ssh-config=ssh_config"];
    let ran = home.squall(&[&["run"], &with[..], &["*", "--", "true"]].concat()).ends(1);
    ran.says("l2").says("lead in a circle").says("l1").says("refused");
    let alone = home.squall(&[&["ssh"], &with[..], &["l2", "--", "true"]].concat()).ends(5);
    alone.says("l2 cannot be reached: the bastions before l").says("see ProxyJump");
}

#[test]
fn sets_of_the_settings_stand_in_targets() {
    let home = with_two();
    home.file("home/config/config.yaml", "sets:\n  w: worker*\n  all2: \"@w!other:worker2\"\n");
    let found = home.squall(&["nodes", "@all2"]).ends(0);
    assert_eq!(found.out, "Hello:worker[1-2]\nother:worker1\n");
    let inside = home.squall(&["nodes", "@w,master", "-C", "other"]).ends(0);
    assert_eq!(inside.out, "master,worker[1-2]\n");
    let unknown = home.squall(&["nodes", "@al2"]).ends(3);
    let unknown = unknown.says("did you mean `@all2`?").says("sets there are: @all2, @w");
    unknown.says("home/config/config.yaml makes sets");
    home.file("home/config/config.yaml", "set:\n  w: worker*\n");
    home.squall(&["nodes"]).ends(2).says("config.yaml:1:1").says("did you mean `sets`?");
    home.file("home/config/config.yaml", "sets: {a: \"@b\", b: \"@a\"}\n");
    home.squall(&["nodes"]).ends(2).says("is made of itself");
    home.squall(&["list"]).ends(0);
}

#[test]
fn show_looks_everywhere_for_what_is_no_name() {
    let home = Home::with_hello();
    let found = home.squall(&["show", "NANO"]).ends(0);
    let found = found.shows("worker1").shows("worker2").says("no node is called `NANO`");
    assert!(!found.out.contains("master"), "{}", found.out);
    home.squall(&["stop", "nano", "--yes"]).ends(3).says("there is no node `nano`");
    home.squall(&["show", "nothing-like-it"]).ends(3).says("Hello has master,worker[1-2]");
}

#[test]
fn a_shell_without_a_head_is_told_which_head_is_missing() {
    let home = Home::new();
    home.file("hello.yaml", HELLO);
    home.squall(&["create", "hello.yaml", "--yes"]).ends(0);
    home.squall(&["terminate", "master", "--yes"]).ends(0);
    let missing = home.squall(&["ssh", "hello"]).ends(3);
    missing.says("master, the head of cluster hello, is not there").says("worker[1-2]");
}

#[test]
fn targets_are_completed_where_the_cursor_stands() {
    let home = Home::with_hello();
    home.file("home/config/config.yaml", "sets: {odd: worker1}\n");
    let offered = |typed: &str| {
        let mut command = home.command(&["--", "squall", "nodes", typed]);
        command.env("SQUALL_COMPLETE", "fish");
        let out = command.output().unwrap();
        let text = String::from_utf8(out.stdout).unwrap();
        let words = text.lines().filter_map(|line| line.split('\t').next());
        words.filter(|word| !word.starts_with('-')).map(String::from).collect::<Vec<_>>()
    };
    assert_eq!(offered("w"), ["worker1", "worker2"]);
    assert_eq!(offered("master!wor"), ["master!worker1", "master!worker2"]);
    assert_eq!(offered("hello:m"), ["hello:master"]);
    assert_eq!(offered("stat"), ["state="]);
    assert_eq!(offered("master,state!="), ["master,state!=running"]);
    assert_eq!(offered("@"), ["@odd"]);
}
