//! Supervisors that are lost, and nodes that go by themselves.

use model::node::NodeState;
use model::plan::StepKind;
use providers::Provider as _;
use testkit::build::cluster;

use crate::bed::Bed;

#[test]
fn nodes_of_a_lost_supervisor_are_stopped_and_start_again_with_their_files() {
    let mut bed = Bed::new().made(&["worker1", "worker2"]);
    bed.done(StepKind::SyncMembers);
    bed.say("worker1", "echo kept > /root/file && sync");
    bed.kill_supervisor();
    for name in ["worker1", "worker2"] {
        let seen = bed.seen(name).unwrap();
        assert_eq!(seen.state, NodeState::Stopped);
        assert_eq!(seen.state_reason.as_deref(), Some("its supervisor was lost"));
        assert_eq!(seen.endpoint, None);
    }
    assert!(!bed.done(bed.stopping("worker1")).changed);
    assert!(bed.done(bed.starting("worker1")).changed);
    assert_eq!(bed.say("worker1", "cat /root/file"), "kept");
    assert!(bed.say("worker1", "cat /etc/hosts").contains("10.77.0.12 worker2 worker2.demo"));
    assert_eq!(bed.seen("worker2").unwrap().state, NodeState::Stopped);
    bed.kill_supervisor();
    bed.delete();
    assert!(bed.left().is_empty(), "{:?}", bed.left());
}

#[test]
fn looking_for_a_cluster_that_was_never_recorded_sweeps_what_its_making_left() {
    let mut bed = Bed::new().made(&[]);
    bed.delete();
    let probe = bed.store().join(".probe-999999-root");
    let leave = |name: &str| {
        std::fs::create_dir_all(bed.store().join(name).join("layers/usr.work/work")).unwrap();
    };
    leave("staging/new-999999-0");
    leave("trash/old-999999-0");
    assert!(bed.look().record().is_none());
    assert!(bed.left().is_empty(), "{:?}", bed.left());
    leave(".probe-999999-root");
    leave("bin/nobody");
    assert!(bed.block_on(bed.provider.clusters()).unwrap().is_empty());
    assert!(bed.left().is_empty() && !probe.exists(), "{:?}", bed.left());
}

#[test]
fn a_restart_of_the_host_is_told_as_such() {
    let bed = Bed::new().made(&["worker1"]);
    bed.kill_supervisor();
    let status = bed.node_dir("worker1").join("status.json");
    let boot = std::fs::read_to_string("/proc/sys/kernel/random/boot_id").unwrap();
    let text = std::fs::read_to_string(&status).unwrap().replace(boot.trim(), "another");
    std::fs::write(&status, text).unwrap();
    let seen = bed.seen("worker1").unwrap();
    assert_eq!(seen.state, NodeState::Stopped);
    assert_eq!(seen.state_reason.as_deref(), Some("the host restarted"));
    assert!(bed.done(bed.starting("worker1")).changed);
    assert_eq!(bed.seen("worker1").unwrap().state, NodeState::Running);
}

#[test]
fn a_node_that_powers_off_is_seen_stopped_and_the_timeline_says_why() {
    let bed = Bed::new().made(&["worker1"]);
    bed.say("worker1", "poweroff");
    let seen = testkit::until("the node to stop", || {
        bed.seen("worker1").filter(|seen| seen.state == NodeState::Stopped)
    });
    assert_eq!(seen.state_reason.as_deref(), Some("powered off from inside"));
    let events = bed.block_on(bed.provider.events(&cluster("Demo"))).unwrap();
    let stopped = events.iter().find(|event| event.what == "stopped").unwrap();
    assert_eq!(stopped.why.as_deref(), Some("powered off from inside"));
}
