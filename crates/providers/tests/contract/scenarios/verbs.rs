//! Start, stop, reboot.

use model::node::NodeState;
use model::plan::StepKind;
use providers::ErrorKind;
use testkit::build::node;

use crate::run::Scenario;
use crate::site::Site;

pub(super) const ALL: &[Scenario] = &[
    ("a_stopped_node_keeps_its_machine", |site| Box::pin(stop(site))),
    ("a_stopped_node_starts_as_what_it_was", |site| Box::pin(start(site))),
    ("stopping_and_starting_twice_change_nothing", |site| Box::pin(twice(site))),
    ("a_rebooted_node_comes_up_again", |site| Box::pin(reboot(site))),
    ("a_stopped_node_cannot_be_rebooted", |site| Box::pin(reboot_stopped(site))),
    ("verbs_on_a_node_that_is_not_there_find_nothing", |site| Box::pin(unknown(site))),
    ("a_stopped_node_can_be_removed", |site| Box::pin(remove_stopped(site))),
    ("stopping_one_node_leaves_the_others", |site| Box::pin(others(site))),
];

fn stopping(name: &str) -> StepKind {
    StepKind::StopNode { name: node(name) }
}

fn starting(name: &str) -> StepKind {
    StepKind::StartNode { name: node(name) }
}

fn rebooting(name: &str) -> StepKind {
    StepKind::RebootNode { name: node(name) }
}

async fn stop(site: Site) {
    let site = site.with_nodes(&["worker1"]).await;
    let before = site.machine("worker1").await;
    assert!(site.done(stopping("worker1")).await.changed);
    let after = site.until("worker1", NodeState::Stopped).await;
    assert_eq!(after.id, before.id);
    assert_eq!(after.tags, before.tags);
    assert_eq!(after.endpoint, None, "nobody gets in");
}

async fn start(site: Site) {
    let site = site.with_nodes(&["worker1"]).await;
    let before = site.machine("worker1").await;
    site.done(stopping("worker1")).await;
    site.until("worker1", NodeState::Stopped).await;
    assert!(site.done(starting("worker1")).await.changed);
    let after = site.running("worker1").await;
    assert_eq!(after.id, before.id);
    assert_eq!(after.internal_ip, before.internal_ip);
    assert_eq!(after.host_key, before.host_key);
    assert_eq!(after.endpoint, before.endpoint);
    assert!(after.started_at >= before.started_at);
}

async fn twice(site: Site) {
    let site = site.with_nodes(&["worker1"]).await;
    assert!(!site.done(starting("worker1")).await.changed);
    site.done(stopping("worker1")).await;
    site.until("worker1", NodeState::Stopped).await;
    assert!(!site.done(stopping("worker1")).await.changed);
    site.done(starting("worker1")).await;
    site.running("worker1").await;
    assert!(!site.done(starting("worker1")).await.changed);
}

async fn reboot(site: Site) {
    let site = site.with_nodes(&["worker1"]).await;
    let before = site.machine("worker1").await;
    assert!(site.done(rebooting("worker1")).await.changed);
    let after = site.running("worker1").await;
    assert_eq!((after.id, after.internal_ip), (before.id, before.internal_ip));
    assert!(after.started_at >= before.started_at);
}

async fn reboot_stopped(site: Site) {
    let site = site.with_nodes(&["worker1"]).await;
    site.done(stopping("worker1")).await;
    site.until("worker1", NodeState::Stopped).await;
    site.refused(rebooting("worker1"), ErrorKind::Invalid).await;
    assert_eq!(site.machine("worker1").await.state, NodeState::Stopped);
}

async fn unknown(site: Site) {
    let site = site.with_nodes(&[]).await;
    for kind in [starting("worker1"), stopping("worker1"), rebooting("worker1")] {
        site.refused(kind, ErrorKind::NotFound).await;
    }
}

async fn remove_stopped(site: Site) {
    let site = site.with_nodes(&["worker1"]).await;
    site.done(stopping("worker1")).await;
    let machine = site.until("worker1", NodeState::Stopped).await;
    assert!(site.delete_node("worker1", &machine.id).await.changed);
    site.gone("worker1").await;
}

async fn others(site: Site) {
    let site = site.with_nodes(&["head", "worker1"]).await;
    site.done(stopping("worker1")).await;
    site.until("worker1", NodeState::Stopped).await;
    assert_eq!(site.machine("head").await.state, NodeState::Running);
    let listed = site.provider.clusters().await.unwrap();
    let found = listed.iter().find(|cluster| cluster.name == site.cluster).unwrap();
    assert_eq!(found.nodes.get(&NodeState::Stopped), Some(&1));
    assert_eq!(found.nodes.get(&NodeState::Running), Some(&1));
}
