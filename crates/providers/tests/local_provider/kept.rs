//! What interruptions, damage and full disks leave, and how it is mended.

use std::path::Path;

use model::inventory::{Condition, Known};
use model::node::NodeState;
use model::plan::StepKind;
use providers::local::{LocalProvider, SshChoice};
use providers::{ErrorKind, Provider as _};
use testkit::build::cluster;

use crate::bed::{Bed, config, rung};

/// Changes a file as an interruption would have left it.
fn edit(path: &Path, from: &str, to: &str) {
    let text = std::fs::read_to_string(path).unwrap();
    assert!(text.contains(from), "{} holds no {from}", path.display());
    std::fs::write(path, text.replace(from, to)).unwrap();
}

#[test]
fn a_node_whose_making_was_interrupted_shows_as_leaving_and_is_made_anew() {
    let mut bed = Bed::new().made(&["worker1", "worker2"]);
    let old = bed.seen("worker1").unwrap();
    bed.kill_supervisor();
    edit(&bed.node_dir("worker1").join("node.json"), "\"made\"", "\"making\"");
    let seen = bed.seen("worker1").unwrap();
    assert_eq!(seen.state, NodeState::Terminating);
    assert!(seen.state_reason.unwrap().contains("making was interrupted"));
    assert_eq!(bed.seen("worker2").unwrap().state, NodeState::Stopped);

    assert!(bed.done(bed.making("worker1")).changed);
    let new = bed.seen("worker1").unwrap();
    assert_eq!(new.state, NodeState::Running);
    assert_ne!(new.id, old.id);
    bed.delete();
    assert!(bed.left().is_empty(), "{:?}", bed.left());
}

#[test]
fn a_node_that_came_up_while_its_maker_was_killed_is_kept() {
    let mut bed = Bed::new().made(&["worker1"]);
    edit(&bed.node_dir("worker1").join("node.json"), "\"made\"", "\"making\"");
    assert_eq!(bed.seen("worker1").unwrap().state, NodeState::Running);
    bed.done(bed.frame());
    bed.done(StepKind::SyncMembers);
    let text = std::fs::read_to_string(bed.node_dir("worker1").join("node.json")).unwrap();
    assert!(text.contains("\"made\""), "it counts as made from now on");
    bed.delete();
}

#[test]
fn leftovers_are_cleared_away_by_the_next_change_of_the_cluster() {
    let mut bed = Bed::new().made(&["worker1", "worker2"]);
    edit(&bed.node_dir("worker1").join("node.json"), "\"made\"", "\"removing\"");
    assert_eq!(bed.seen("worker1").unwrap().state, NodeState::Terminating);
    for name in ["staging/new-1-0", "trash/old-1-0", "trash/old-1-0.trash", ".probe-999999-root"] {
        std::fs::create_dir_all(bed.store().join(name).join("x")).unwrap();
    }
    std::fs::create_dir(bed.store().join("clusters/gone.trash")).unwrap();
    std::os::unix::fs::symlink("l-gone", bed.cluster_dir().join("addresses/10.77.0.99")).unwrap();

    assert!(bed.done(bed.frame()).changed, "there was something to clear away");
    assert!(bed.seen("worker1").is_none() && bed.seen("worker2").is_some());
    assert!(!bed.node_dir("worker1").exists());
    assert!(!bed.store().join(".probe-999999-root").exists());
    assert!(!bed.cluster_dir().join("addresses/10.77.0.99").is_symlink());
    let left = bed.left();
    assert_eq!(left.len(), 2, "the cluster and its copy of the binary: {left:?}");
    bed.delete();
    assert!(bed.left().is_empty(), "{:?}", bed.left());
}

#[test]
fn a_directory_without_a_record_is_shown_and_replaced_or_removed_as_planned() {
    let mut bed = Bed::new().made(&["worker1", "worker2"]);
    std::fs::write(bed.node_dir("worker1").join("node.json"), "{\"version\": 1, \"wan").unwrap();
    std::fs::remove_file(bed.node_dir("worker2").join("node.json")).unwrap();
    for name in ["worker1", "worker2"] {
        let seen = bed.seen(name).unwrap();
        assert_eq!(seen.tags["squall:cluster-id"], "c-demo");
        assert_eq!(seen.digest, "");
        assert!(seen.state_reason.unwrap().starts_with("not a whole node: "));
    }
    let id = bed.seen("worker1").unwrap().id;
    assert!(bed.done(bed.deleting("worker1", &id)).changed);
    assert!(bed.done(bed.making("worker2")).changed);
    assert!(bed.seen("worker1").is_none());
    assert_eq!(bed.seen("worker2").unwrap().state, NodeState::Running);
    bed.delete();
    assert!(bed.left().is_empty(), "{:?}", bed.left());
}

#[test]
fn a_cluster_that_a_newer_build_wrote_is_listed_refused_and_never_touched() {
    let bed = Bed::new().made(&["worker1"]);
    let record = bed.cluster_dir().join("cluster.json");
    edit(&record, "\"version\": 1,\n  \"record\"", "\"version\": 9,\n  \"record\"");
    let listed = bed.block_on(bed.provider.clusters()).unwrap();
    assert_eq!(listed.len(), 1);
    assert_eq!(listed[0].condition, Condition::Unreadable);
    assert!(listed[0].note.as_ref().unwrap().contains("a newer squall wrote it (version 9"));
    let seen = bed.look();
    assert!(matches!(&seen.record, Known::Unknown(why) if why.contains("version 9")), "{seen:?}");
    assert!(matches!(&seen.nodes, Known::Unknown(_)));
    for kind in [bed.frame(), bed.making("worker2"), StepKind::BeginDelete, StepKind::DeleteCluster]
    {
        let error = bed.run(kind).unwrap_err();
        assert_eq!(error.kind, ErrorKind::Invalid, "{error}");
        assert!(error.mend.is_some());
    }
    assert!(bed.node_dir("worker1").join("node.json").exists());
}

#[test]
fn two_clusters_have_different_networks_and_addresses_last_for_a_nodes_life() {
    let mut bed = Bed::new().made(&["worker1", "worker2"]);
    let address = |bed: &Bed, name: &str| bed.seen(name).unwrap().internal_ip.unwrap();
    assert_eq!(address(&bed, "worker1"), "10.77.0.11");
    assert_eq!(address(&bed, "worker2"), "10.77.0.12");
    bed.done(bed.stopping("worker2"));
    let id = bed.seen("worker1").unwrap().id;
    bed.done(bed.deleting("worker1", &id));
    bed.done(bed.making("worker3"));
    assert_eq!(address(&bed, "worker3"), "10.77.0.11", "the first free one");
    bed.done(bed.starting("worker2"));
    assert_eq!(address(&bed, "worker2"), "10.77.0.12");
    bed.delete();
}

/// A small disk of its own, unmounted however the test ends.
struct SmallDisk(std::path::PathBuf);

impl SmallDisk {
    fn new(place: &Path, bytes: u64) -> Self {
        let options = std::ffi::CString::new(format!("size={bytes}")).unwrap();
        let none = rustix::mount::MountFlags::empty();
        rustix::mount::mount("tmpfs", place, "tmpfs", none, options.as_c_str()).unwrap();
        Self(place.to_owned())
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        let _ = rustix::mount::unmount(&self.0, rustix::mount::UnmountFlags::DETACH);
    }
}

#[test]
fn a_full_disk_is_a_clear_error_and_leaves_nothing_half_made() {
    if rung() != providers::local::rung::Rung::Root {
        testkit::skip("a_full_disk_is_a_clear_error", "it mounts a small disk, which needs root");
        return;
    }
    let mut bed = Bed::new();
    std::fs::create_dir(bed.store()).unwrap();
    let program = std::fs::metadata(env!("CARGO_BIN_EXE_local-node-helper")).unwrap().len();
    let disk = SmallDisk::new(&bed.store(), program + (20 << 20));

    let ballast = bed.store().join("ballast");
    std::fs::write(&ballast, vec![0_u8; 16 << 20]).unwrap();
    let error = bed.run(bed.frame()).unwrap_err();
    assert_eq!(error.kind, ErrorKind::Capacity, "{error}");
    assert!(error.cause.contains("no space left on"), "{error}");
    assert!(bed.look().record().is_none(), "nothing is made");
    std::fs::remove_file(&ballast).unwrap();

    bed.done(bed.frame());
    bed.done(bed.making("worker1"));
    fill(&ballast);
    let error = bed.run(bed.making("worker2")).unwrap_err();
    assert_eq!(error.kind, ErrorKind::Capacity, "{error}");
    assert!(error.to_string().to_lowercase().contains("no space left on"), "{error}");
    assert!(bed.seen("worker2").is_none() && !bed.node_dir("worker2").exists());
    assert_eq!(bed.seen("worker1").unwrap().state, NodeState::Running);

    // A full disk keeps nobody from making room by removing nodes.
    let id = bed.seen("worker1").unwrap().id;
    bed.done(bed.deleting("worker1", &id));
    std::fs::remove_file(&ballast).unwrap();
    bed.done(bed.making("worker2"));
    bed.delete();
    assert!(bed.left().is_empty(), "{:?}", bed.left());
    drop(disk);
}

/// Writes until nothing more fits.
fn fill(path: &Path) {
    use std::io::Write as _;
    let mut file = std::fs::File::create(path).unwrap();
    for size in [1 << 20, 1 << 12, 1] {
        let block = vec![0_u8; size];
        while file.write_all(&block).is_ok() {}
    }
}

#[test]
fn another_handle_sees_the_same_and_locks_are_between_processes() {
    let bed = Bed::new().made(&["worker1"]);
    let other = LocalProvider::new(config(bed.store(), SshChoice::Embedded));
    let held = bed.block_on(bed.provider.lock(&cluster("Demo"), "update Demo")).unwrap();
    let error = bed.block_on(other.lock(&cluster("Demo"), "delete Demo")).err().unwrap();
    assert_eq!(error.kind, ErrorKind::Conflict);
    let who = format!("process {} is changing it since ", std::process::id());
    assert!(error.cause.starts_with(&who) && error.cause.ends_with(": update Demo"), "{error}");
    drop(held);
    let seen = bed.block_on(other.observe(&cluster("Demo"))).unwrap();
    assert_eq!(seen.nodes().len(), 1);
}
