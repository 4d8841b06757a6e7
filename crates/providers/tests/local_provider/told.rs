//! What nodes are told and what is told of them: members, scripts, accounts,
//! properties, the doctor's report.

use model::node::NodeState;
use model::plan::StepKind;
use providers::Provider as _;
use providers::local::SshChoice;
use providers::local::doctor::SupervisorHealth;
use providers::local::rung::Rung;
use testkit::build::{cluster, node};

use crate::bed::{Bed, rung};

#[test]
fn members_know_each_other_by_name_and_forget_who_is_gone() {
    let mut bed = Bed::new().made(&["head", "worker1"]);
    assert!(bed.done(StepKind::SyncMembers).changed);
    let hosts = |bed: &Bed, name: &str| bed.say(name, "cat /etc/hosts");
    for name in ["head", "worker1"] {
        let text = hosts(&bed, name);
        assert!(
            text.contains("10.77.0.11 head head.demo\n10.77.0.12 worker1 worker1.demo"),
            "{text}"
        );
    }
    assert_eq!(bed.say("worker1", "hostname"), "worker1");
    let id = bed.seen("head").unwrap().id;
    bed.done(bed.deleting("head", &id));
    assert!(bed.done(StepKind::SyncMembers).changed);
    assert!(!hosts(&bed, "worker1").contains("head"));
    bed.delete();
}

#[test]
fn first_boot_scripts_run_once_and_their_ends_are_told() {
    let script = "#!/bin/sh\necho from the script\necho once >> /root/count\nexit 3\n";
    let bed = Bed::with(SshChoice::Embedded, |worker| worker.setup(script)).made(&["worker1"]);
    let first_boot = testkit::until("the end of the first boot", || {
        let told = bed.seen("worker1")?.properties.get("first_boot").cloned()?;
        told.contains("exit code").then_some(told)
    });
    assert_eq!(first_boot, "setup: exit code 3");
    bed.done(StepKind::RebootNode { name: node("worker1") });
    assert_eq!(bed.say("worker1", "cat /root/count"), "once");
    let console = bed.block_on(bed.provider.console(&cluster("Demo"), &node("worker1"))).unwrap();
    let console = String::from_utf8_lossy(&console).into_owned();
    assert_eq!(console.matches("from the script").count(), 1, "{console}");
}

#[test]
fn properties_say_how_a_node_is_made_and_hold_no_secret() {
    let bed = Bed::new().made(&["worker1"]);
    let seen = bed.seen("worker1").unwrap();
    assert_eq!(seen.properties["rung"], rung().as_str());
    assert_eq!(seen.properties["ssh_server"], "embedded");
    assert_eq!(seen.properties["boots"], "1");
    assert!(seen.properties.contains_key("pid") && seen.properties.contains_key("kernel"));
    assert_eq!(seen.properties["node_dir"], bed.node_dir("worker1").display().to_string());
    for name in ["node.json", "order.json", "launch.json"] {
        use std::os::unix::fs::PermissionsExt as _;
        let meta = std::fs::metadata(bed.node_dir("worker1").join(name)).unwrap();
        assert_eq!(meta.permissions().mode() & 0o077, 0, "{name} is its owner's alone");
    }
    let record = std::fs::read_to_string(bed.node_dir("worker1").join("node.json")).unwrap();
    assert!(!record.contains("private-part"), "{record}");
}

#[test]
fn an_account_of_the_spec_is_made_where_the_hosts_sshd_runs() {
    if rung() != Rung::Root || providers::local::probe::find_sshd().is_none() {
        testkit::skip("an_account_of_the_spec_is_made", "it needs root and an sshd");
        return;
    }
    let bed = Bed::with(SshChoice::Real, |worker| worker.username("ec2-user")).made(&["worker1"]);
    let seen = bed.seen("worker1").unwrap();
    assert_eq!(seen.username, "ec2-user");
    assert_eq!(seen.properties["ssh_server"], "/usr/sbin/sshd");
    let told = testkit::until("the end of the first boot", || {
        let told = bed.seen("worker1")?.properties.get("first_boot").cloned()?;
        told.contains("exit code").then_some(told)
    });
    assert_eq!(told, "account: exit code 0");
}

#[test]
fn where_only_root_can_be_the_receipt_says_so() {
    let bed = Bed::with(SshChoice::Embedded, |worker| worker.username("ec2-user"));
    bed.done(bed.frame());
    let receipt = bed.done(bed.making("worker1"));
    assert_eq!(bed.seen("worker1").unwrap().username, "root");
    assert!(receipt.notes.iter().any(|note| note.contains("log in as root")), "{receipt:?}");
    let noted = bed.block_on(bed.provider.preflight(&bed.spec)).unwrap();
    assert!(noted.iter().any(|one| one.code == "local-root-only"), "{noted:?}");
}

#[test]
fn the_doctor_tells_what_works_and_how_supervisors_are() {
    let bed = Bed::new().made(&["worker1"]);
    let report = bed.provider.doctor();
    assert!(report.is_able() && report.rung == Some(rung()) && report.rung_overridden);
    assert_eq!(report.ssh_server, "embedded");
    assert!(report.bounds.is_sorted_by_key(|bound| bound.nodes_max));
    assert!(report.store.problem.is_none() && report.store.bytes_free.is_some());
    let [health] = report.clusters.as_slice() else { panic!("{:?}", report.clusters) };
    assert_eq!((health.name.as_str(), health.nodes), ("Demo", 1));
    assert!(matches!(health.supervisor, SupervisorHealth::Answers { .. }));
    let text = serde_json::to_string(&report).unwrap();
    assert!(text.starts_with("{\"version\":1,"), "{text}");
    bed.kill_supervisor();
    let report = bed.provider.doctor();
    assert_eq!(report.clusters[0].supervisor, SupervisorHealth::NotRunning);
    assert_eq!(bed.seen("worker1").unwrap().state, NodeState::Stopped);
}
