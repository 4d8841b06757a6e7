//! Stores that older builds wrote are still read. The texts stand for files on
//! users' disks: they are never edited, only joined by those of new versions.

use fs_err as fs;
use model::node::{Generation, NodeId};

use super::*;
use crate::error::ErrorKind;

const CLUSTER_V1: &str = r#"{
  "version": 1,
  "record": {
    "name": "Demo",
    "id": "c-5f0c1d2e",
    "owner": "ann@box",
    "created_at": "2026-11-21T10:00:00Z",
    "accepted": 2,
    "completed": 1,
    "spec": "{\"version\":1}",
    "removed": ["worker3"],
    "deleting": false
  },
  "network": "10.77.16.0",
  "prefix_length": 20,
  "rung": "user-namespace"
}"#;

const NODE_V1: &str = r#"{
  "version": 1,
  "wanted": {
    "name": "Worker1",
    "pool": "Worker",
    "role": "worker",
    "instance_type": "small",
    "image": "host",
    "limits": {"memory_bytes": 1073741824, "cores_milli": 500, "processes": null},
    "username": "ec2-user",
    "tags": {"team": "a"},
    "first_boot": [],
    "digest": "abc"
  },
  "id": "l-0123456789ab",
  "cluster_id": "c-5f0c1d2e",
  "generation": 1,
  "owner": "ann@box",
  "host_key_public": "ssh-ed25519 AAAA",
  "created_at": "2026-11-21T10:00:01Z",
  "address": "10.77.16.11",
  "mac": "02:ab:00:01:02:03",
  "username": "root",
  "rung": "user-namespace",
  "ssh_server": {"kind": "embedded"},
  "stage": "made"
}"#;

const ORDER_V1: &str = r#"{
  "version": 1,
  "name": "worker1",
  "hostname": "worker1",
  "domain": "demo",
  "address": "10.77.16.11",
  "prefix_length": 20,
  "mac": "02:ab:00:01:02:03",
  "limits": {"memory_bytes": 1073741824, "cores": 0.5, "pids": null},
  "node_dir": "/data/local/clusters/demo/nodes/worker1",
  "ssh_server": {"kind": "real", "program": "/usr/sbin/sshd"},
  "seeds": [{"path": "/etc/ssh/ssh_host_ed25519_key", "mode": 384, "content": "k"}],
  "hosts": [{"address": "10.77.16.11", "names": ["worker1", "worker1.demo"]}],
  "scripts": [{"name": "user_data", "content": "x"}],
  "environment": {},
  "masked_paths": ["/data/local"],
  "rung": "root"
}"#;

fn store_with(cluster: &str, node: &str, order: &str) -> (tempfile::TempDir, ClusterDir) {
    let home = tempfile::tempdir().unwrap();
    let store = Store::new(home.path().to_owned());
    let dir = store.cluster("demo");
    let node_dir = dir.node("worker1");
    fs::create_dir_all(node_dir.path()).unwrap();
    fs::create_dir_all(dir.path().join("addresses")).unwrap();
    fs::write(dir.path().join("cluster.json"), cluster).unwrap();
    fs::write(node_dir.path().join("node.json"), node).unwrap();
    fs::write(node_dir.path().join("order.json"), order).unwrap();
    (home, dir)
}

#[test]
fn files_of_version_1_are_read_whole_and_written_back_as_they_were() {
    let (_home, dir) = store_with(CLUSTER_V1, NODE_V1, ORDER_V1);
    let cluster = dir.read().unwrap().unwrap();
    assert_eq!(cluster.record.accepted, Generation(2));
    let files = dir.node_files().unwrap();
    assert_eq!(files.len(), 1);
    assert_eq!(files[0].id, NodeId("l-0123456789ab".to_owned()));
    assert_eq!(files[0].stage, Stage::Made);
    let order = dir.node("worker1").order().unwrap();
    let same = |text: &str, value: serde_json::Value| {
        assert_eq!(serde_json::from_str::<serde_json::Value>(text).unwrap(), value);
    };
    same(CLUSTER_V1, serde_json::to_value(&cluster).unwrap());
    same(NODE_V1, serde_json::to_value(&files[0]).unwrap());
    same(ORDER_V1, serde_json::to_value(&order).unwrap());
}

#[test]
fn what_a_newer_build_adds_to_a_version_is_no_obstacle() {
    let added = CLUSTER_V1.replace("\"version\": 1,", "\"version\": 1, \"colour\": \"red\",");
    let (_home, dir) = store_with(&added, NODE_V1, ORDER_V1);
    assert!(dir.read().unwrap().is_some());
}

#[test]
fn a_newer_version_is_refused_with_what_to_do_and_never_taken_for_broken() {
    let newer = |text: &str| text.replacen("\"version\": 1", "\"version\": 9", 1);
    let (_home, dir) = store_with(&newer(CLUSTER_V1), NODE_V1, ORDER_V1);
    let error = dir.read().unwrap_err().at("read cluster demo");
    assert_eq!(error.kind, ErrorKind::Invalid);
    assert!(error.cause.contains("version 9, this one reads up to 1"), "{}", error.cause);
    assert!(error.mend.is_some());

    let (_home, dir) = store_with(CLUSTER_V1, &newer(NODE_V1), ORDER_V1);
    assert!(matches!(dir.nodes(), Err(StoreError::Newer { .. })));
    let (_home, dir) = store_with(CLUSTER_V1, NODE_V1, &newer(ORDER_V1));
    assert!(matches!(dir.node("worker1").order(), Err(StoreError::Newer { .. })));
}

#[test]
fn a_directory_without_a_whole_record_is_told_as_broken() {
    let (_home, dir) = store_with(CLUSTER_V1, "{\"version\": 1, \"wan", ORDER_V1);
    assert!(matches!(dir.nodes().unwrap()["worker1"], NodeEntry::Broken(_)));
    fs::remove_file(dir.node("worker1").path().join("node.json")).unwrap();
    assert_eq!(dir.nodes().unwrap()["worker1"], NodeEntry::Broken("it has no record".to_owned()));
    fs::remove_file(dir.path().join("cluster.json")).unwrap();
    assert!(matches!(dir.read(), Err(StoreError::Damaged { .. })));
}
