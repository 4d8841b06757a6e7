//! Every way in which nodes, supervisors and clusters end.

use std::path::Path;
use std::time::Duration;

use providers::local::client::SupervisorClient;
use providers::local::launch::NodeLimits;
use providers::local::probe::probe_rung;
use providers::local::record::{read_events, read_statuses};
use providers::local::rung::Rung;
use providers::local::status::{LocalEventKind, NodeStatus, RunState};
use providers::local::teardown::{supervisor_pid, teardown};
use rustix::process::{Pid, Signal, kill_process};

use crate::bed::{Bed, LONG, address, as_ordinary_user, can_be_root, helper, say};

/// Waits for a node to be in a state, by asking.
fn until(client: &mut SupervisorClient, what: impl Fn(&NodeStatus) -> bool) -> NodeStatus {
    testkit::until("a state of the node", || {
        Some(client.list().unwrap().remove(0)).filter(|status| what(status))
    })
}

/// Whether a process runs; one that ended may still wait for its new parent to
/// take note of it.
fn exists(pid: u32) -> bool {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    stat.rsplit_once(") ").is_some_and(|(_, rest)| !rest.starts_with('Z'))
}

#[test]
fn reboots_and_power_offs_from_inside_are_seen_as_root() {
    if can_be_root("reboots_and_power_offs_from_inside_are_seen_as_root") {
        from_inside(Rung::Root);
    }
}

#[test]
fn reboots_and_power_offs_from_inside_are_seen_as_an_ordinary_user() {
    let test = "ends::reboots_and_power_offs_from_inside_are_seen_as_an_ordinary_user";
    as_ordinary_user(test, || from_inside(Rung::UserNamespace));
}

fn from_inside(rung: Rung) {
    let bed = Bed::new(rung);
    let mut client = bed.client();
    client.launch(bed.launch(1)).unwrap();
    bed.say(1, "echo kept > /root/f");
    let reboots = ["reboot", "shutdown -r now", "/proc/1/exe reboot-the-hard-way restart"];
    for (boots, line) in (2..).zip(reboots) {
        bed.say(1, line);
        let status = until(&mut client, |one| one.state == RunState::Running && one.boots == boots);
        assert_eq!(status.last_exit.as_deref(), Some("rebooted from inside"), "{line}");
        assert_eq!(bed.say(1, "cat /root/f"), "kept", "{line}");
    }
    for line in ["poweroff", "shutdown -h now", "/proc/1/exe reboot-the-hard-way off"] {
        bed.say(1, line);
        let status = until(&mut client, |one| one.state == RunState::Stopped);
        assert_eq!(status.last_exit.as_deref(), Some("powered off from inside"), "{line}");
        let refused = client.dial(address(1), 22, LONG, true).unwrap_err().to_string();
        assert!(refused.contains("n1 is stopped: powered off from inside"), "{refused}");
        client.launch(bed.launch(1)).unwrap();
    }
    let status = client.reboot("n1", LONG).unwrap();
    assert_eq!(status.last_exit.as_deref(), Some("rebooted on request"));
    assert_eq!(bed.say(1, "cat /root/f"), "kept");
    let kinds: Vec<_> =
        read_events(&bed.cluster_dir).unwrap().into_iter().map(|event| event.kind).collect();
    let count = |kind| kinds.iter().filter(|one| **one == kind).count();
    assert_eq!((count(LocalEventKind::Rebooted), count(LocalEventKind::Stopped)), (4, 3));
}

#[test]
fn a_stop_ends_what_does_not_want_to_end() {
    let bed = Bed::any();
    let mut client = bed.client();
    client.launch(bed.launch(1)).unwrap();
    bed.say(1, "setsid sh -c 'trap \"\" TERM HUP INT; touch /tmp/on; while :; do sleep 1; done' >/dev/null 2>&1 & while [ ! -e /tmp/on ]; do :; done");
    let pid = client.list().unwrap()[0].pid.unwrap();
    let status = client.stop("n1", Duration::from_millis(300)).unwrap();
    assert_eq!(
        status.last_exit.as_deref(),
        Some("stopped on request; killed when its grace was over")
    );
    assert!(!exists(pid));
    assert_eq!(client.stop("n1", LONG).unwrap().state, RunState::Stopped, "twice is fine");
    assert!(client.stop("nobody", LONG).unwrap_err().to_string().contains("no node nobody"));
}

#[test]
fn nodes_die_with_their_supervisor_and_the_next_one_knows_it_as_root() {
    if can_be_root("nodes_die_with_their_supervisor_and_the_next_one_knows_it_as_root") {
        supervisor_killed(Rung::Root);
    }
}

#[test]
fn nodes_die_with_their_supervisor_and_the_next_one_knows_it_as_an_ordinary_user() {
    let test =
        "ends::nodes_die_with_their_supervisor_and_the_next_one_knows_it_as_an_ordinary_user";
    as_ordinary_user(test, || supervisor_killed(Rung::UserNamespace));
}

fn supervisor_killed(rung: Rung) {
    let bed = Bed::new(rung);
    let mut client = bed.client();
    client.launch(bed.launch(1)).unwrap();
    bed.say(1, "setsid sleep 1000 >/dev/null 2>&1 & echo kept > /root/f");
    let node = client.list().unwrap()[0].pid.unwrap();
    let supervisor = client.welcome().pid;
    assert_eq!(supervisor_pid(&bed.cluster_dir), Some(supervisor));
    let pid = Pid::from_raw(i32::try_from(supervisor).unwrap()).unwrap();
    kill_process(pid, Signal::KILL).unwrap();
    testkit::until("the supervisor and its node to end", || {
        (supervisor_pid(&bed.cluster_dir).is_none() && !exists(node)).then_some(())
    });
    let status = read_statuses(&bed.cluster_dir).remove(0);
    assert_eq!(status.state, RunState::Stopped);
    assert_eq!(status.last_exit.as_deref(), Some("its supervisor was lost"));
    let mut client = bed.client();
    assert_eq!(client.list().unwrap()[0].state, RunState::Stopped);
    assert_eq!(client.launch(bed.launch(1)).unwrap().boots, 2);
    assert_eq!(bed.say(1, "cat /root/f"), "kept");
}

#[test]
fn teardown_leaves_nothing_as_root() {
    if can_be_root("teardown_leaves_nothing_as_root") {
        leaves_nothing(Rung::Root);
    }
}

#[test]
fn teardown_leaves_nothing_as_an_ordinary_user() {
    let test = "ends::teardown_leaves_nothing_as_an_ordinary_user";
    as_ordinary_user(test, || leaves_nothing(Rung::UserNamespace));
}

fn leaves_nothing(rung: Rung) {
    let bed = Bed::new(rung);
    let mut client = bed.client();
    let mut pids = vec![client.welcome().pid];
    for number in 1..=2 {
        let mut launch = bed.launch(number);
        launch.limits = NodeLimits { pids: Some(100), memory_bytes: Some(1 << 30), cores: None };
        pids.push(client.launch(launch).unwrap().pid.unwrap());
        say(
            &mut client,
            number,
            "mkdir -p /root/deep/er; chmod 0 /root/deep; touch /etc/x; setsid sleep 1000 >/dev/null 2>&1 &",
        );
    }
    let groups = std::fs::read_to_string(bed.cluster_dir.join("cgroups")).unwrap_or_default();
    assert_eq!(groups.is_empty(), rung != Rung::Root || !rustix::process::geteuid().is_root());
    teardown(&bed.cluster_dir).unwrap();
    assert!(!bed.cluster_dir.exists());
    assert_eq!(std::fs::read_dir(bed.base.path()).unwrap().count(), 0);
    for pid in pids {
        assert!(!exists(pid), "{pid}");
    }
    for group in groups.lines() {
        assert!(!Path::new(group).exists(), "{group}");
    }
    let mounts = std::fs::read_to_string("/proc/self/mountinfo").unwrap();
    assert!(!mounts.contains("squall-kernel-"), "{mounts}");
    teardown(&bed.cluster_dir).unwrap();
}

#[test]
fn a_shutdown_ends_everything_but_the_files() {
    let bed = Bed::any();
    let mut client = bed.client();
    let mut launch = bed.launch(1);
    launch.limits.pids = Some(100);
    client.launch(launch).unwrap();
    let groups = std::fs::read_to_string(bed.cluster_dir.join("cgroups")).unwrap_or_default();
    client.shutdown(LONG).unwrap();
    assert!(groups.lines().all(|group| !Path::new(group).exists()), "{groups}");
    let status = read_statuses(&bed.cluster_dir).remove(0);
    assert_eq!(status.last_exit.as_deref(), Some("stopped on request"));
    let mut client = bed.client();
    client.launch(bed.launch(1)).unwrap();
    client.forget("n1").unwrap();
    client.forget("n1").unwrap();
    assert!(client.list().unwrap().is_empty());
}

#[test]
fn a_probe_says_what_works_and_leaves_nothing() {
    let test = "ends::a_probe_says_what_works_and_leaves_nothing";
    let tried = |rung| {
        let place = tempfile::tempdir().unwrap();
        let probe = probe_rung(&helper(), place.path(), rung);
        assert_eq!(std::fs::read_dir(place.path()).unwrap().count(), 0, "{probe:?}");
        probe
    };
    if rustix::process::geteuid().is_root() {
        let probe = tried(Rung::Root);
        assert!(probe.works, "{probe:?}");
    }
    as_ordinary_user(test, || {
        let probe = tried(Rung::UserNamespace);
        assert!(probe.works, "{probe:?}");
        let probe = tried(Rung::Root);
        assert_eq!(probe.why.as_deref(), Some("failed to be root: this is an ordinary user"));
        assert!(probe.mend.is_some());
    });
}
