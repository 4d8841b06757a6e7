//! The whole path through the binary: from a small file to nodes and back to
//! nothing, as root and as an ordinary user.

use e2e::{Home, Who, with_home};

const HELLO: &str = "\
cloud:
  provider: local
cluster:
  name: Hello
nodes:
- nodename: master
  instance_type: local.small
- nodename: worker
  instance_type: local.nano
  count: 2
  tags: {team: blue}
";

/// What all nodes print, by line.
#[track_caller]
fn sorted(home: &Home, command: &str) -> Vec<String> {
    let printed = home.squall(&["run", "*", "--", command]).ok().out();
    let mut lines: Vec<String> = printed.lines().map(String::from).collect();
    lines.sort_unstable();
    lines
}

fn spine(home: &Home) {
    home.file("hello.yaml", HELLO);
    let plan = home.squall(&["plan", "hello.yaml"]).ok();
    assert!(plan.out().contains("worker[1-2]"), "{}", plan.out());
    home.assert_clean();

    let _ = home.squall(&["create", "hello.yaml", "--yes"]).ok();
    let again = home.squall(&["create", "hello.yaml", "--yes"]).ok();
    assert!(again.out().contains("othing to do") || again.err().contains("othing to do"));

    let list = home.squall(&["list", "--json"]).ok().json();
    assert_eq!(list["clusters"][0]["name"], "Hello");
    assert_eq!(list["clusters"][0]["nodes"]["running"], 3);

    let show = home.squall(&["show", "-v"]).ok().out();
    for word in ["Name", "Instance", "State", "ID", "ext_IP", "int_IP", "worker2", "running"] {
        assert!(show.contains(word), "no {word} in\n{show}");
    }
    assert!(home.squall(&["show", "-vv", "worker1"]).ok().out().contains("blue"));

    assert_eq!(
        sorted(home, "hostname"),
        ["master: master", "worker1: worker1", "worker2: worker2"]
    );

    let mixed = home.squall(&["run", "worker[1-2]", "--", "test $(hostname) = worker1"]).code(1);
    assert!(mixed.err().contains("worker2"), "{}", mixed.err());
    let _ = home.squall(&["ssh", "worker2", "--", "exit 7"]).code(7);
    let head = home.squall(&["ssh", "Hello", "--", "hostname"]).ok().out();
    assert_eq!(head.trim(), "master", "a cluster's name means its head");

    let _ = home.squall(&["delete", "Hello", "--yes"]).ok();
    assert!(home.clusters().is_empty());
    home.assert_clean();
}

#[test]
fn spine_as_root() {
    with_home("spine_as_root", Who::Root, spine);
}

#[test]
fn spine_as_user() {
    with_home("spine_as_user", Who::User, spine);
}

fn lifecycle(home: &Home) {
    home.file("hello.yaml", HELLO);
    let _ = home.squall(&["create", "hello.yaml", "--yes"]).ok();

    // Directories of the host's root below /usr are closed where only one user
    // is mapped.
    let system: &[&str] = if home.who == Who::Root { &["/usr/local"] } else { &[] };
    let own = ["/root", "/home", "/etc", "/var/lib", "/opt", "/srv", "/tmp"];
    let places: Vec<&str> = own.iter().chain(system).copied().collect();
    for place in &places {
        let _ = home.squall(&["run", "worker1", "--", &format!("echo kept > {place}/kept")]).ok();
    }
    let _ = home.squall(&["stop", "worker1", "--yes"]).ok();
    let show = home.squall(&["show", "worker1"]).ok().out();
    assert!(show.contains("stopped"), "{show}");
    let refused = home.squall(&["run", "*", "--", "true"]).code(1);
    assert!(refused.err().contains("squall start"), "{}", refused.err());
    let _ = home.squall(&["stop", "worker1", "--yes"]).ok();
    let _ = home.squall(&["start", "worker1", "--yes"]).ok();
    for place in &places {
        let kept = home.squall(&["run", "worker1", "--", &format!("cat {place}/kept")]);
        assert_eq!(kept.ok().out(), "worker1: kept\n", "{place}");
    }

    let boot = "cat /proc/1/stat | cut -d' ' -f22";
    let before = home.squall(&["run", "worker2", "--", boot]).ok().out();
    let _ = home.squall(&["reboot", "worker2", "--yes"]).ok();
    let after = home.squall(&["run", "worker2", "--", boot]).ok().out();
    assert_ne!(before, after, "a reboot begins a new PID 1");

    let _ = home.squall(&["terminate", "worker2", "--yes"]).ok();
    let known = sorted(home, "grep -c worker2 /etc/hosts || true");
    assert_eq!(known, ["master: 0", "worker1: 0"], "members forget a node that is gone");
    let plan = home.squall(&["update", "hello.yaml", "--yes"]).ok();
    assert!(!plan.out().contains("+ worker2"), "a removed node stays away:\n{}", plan.out());

    home.file("more.yaml", &HELLO.replace("count: 2", "count: 3"));
    let _ = home.squall(&["update", "more.yaml", "--yes"]).ok();
    let run = home.squall(&["run", "*", "--", "grep -c worker3 /etc/hosts"]).ok().out();
    assert_eq!(run.lines().count(), 4, "a new count brings every node back:\n{run}");

    home.file("less.yaml", &HELLO.replace("count: 2", "count: 1"));
    let _ = home.squall(&["update", "less.yaml", "--yes"]);
    let _ = home.squall(&["delete", "hello", "--yes"]).ok();
    home.assert_clean();
}

#[test]
fn lifecycle_as_root() {
    with_home("lifecycle_as_root", Who::Root, lifecycle);
}

#[test]
fn lifecycle_as_user() {
    with_home("lifecycle_as_user", Who::User, lifecycle);
}
