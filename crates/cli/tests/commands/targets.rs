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
fn sets_of_the_settings_stand_in_targets() {
    let home = with_two();
    home.file("home/config/config.yaml", "sets:\n  w: worker*\n  all2: \"@w!other:worker2\"\n");
    let found = home.squall(&["nodes", "@all2"]).ends(0);
    assert_eq!(found.out, "Hello:worker[1-2]\nother:worker1\n");
    let inside = home.squall(&["nodes", "@w,master", "-C", "other"]).ends(0);
    assert_eq!(inside.out, "master,worker[1-2]\n");
    let unknown = home.squall(&["nodes", "@al2"]).ends(3);
    unknown.says("did you mean `@all2`?").says("sets there are: @all2, @w");
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
