//! Every step done twice: the second time changes nothing and succeeds.

use model::node::NodeState;
use model::plan::StepKind;
use testkit::build::node;

use crate::run::Scenario;
use crate::site::Site;

pub(super) const ALL: &[Scenario] = &[
    ("recording_the_cluster_twice_changes_nothing", |site| Box::pin(frame(site))),
    ("making_a_node_twice_finds_the_first_machine", |site| Box::pin(make(site))),
    ("a_node_made_from_two_processes_is_one_machine", |site| Box::pin(two_processes(site))),
    ("removing_a_node_twice_is_success", |site| Box::pin(delete(site))),
    ("telling_members_twice_changes_nothing", |site| Box::pin(sync(site))),
    ("completing_twice_changes_nothing", |site| Box::pin(complete(site))),
    ("beginning_a_delete_twice_changes_nothing", |site| Box::pin(begin_delete(site))),
    ("removing_the_cluster_twice_is_success", |site| Box::pin(delete_cluster(site))),
    ("a_stopped_node_made_again_stays_stopped", |site| Box::pin(stopped(site))),
];

async fn frame(site: Site) {
    assert!(site.done(site.frame()).await.changed);
    let first = site.record().await;
    assert!(!site.done(site.frame()).await.changed);
    assert_eq!(site.record().await, first);
}

async fn make(site: Site) {
    site.done(site.frame()).await;
    let first = site.done(site.making("worker1")).await;
    let second = site.done(site.making("worker1")).await;
    assert!(first.changed && !second.changed);
    assert_eq!(first.node_id, second.node_id);
    let up = site.running("worker1").await;
    let third = site.done(site.making("worker1")).await;
    assert!(!third.changed);
    assert_eq!(site.look().await.nodes().len(), 1);
    assert_eq!(site.machine("worker1").await.host_key, up.host_key, "new keys change nothing");
}

async fn two_processes(site: Site) {
    site.done(site.frame()).await;
    let other = site.elsewhere();
    let (one, two) =
        tokio::join!(site.done(site.making("worker1")), other.done(other.making("worker1")));
    assert_eq!(one.node_id, two.node_id);
    assert_eq!(site.look().await.nodes().len(), 1);
}

async fn delete(site: Site) {
    let site = site.with_nodes(&["worker1", "worker2"]).await;
    let id = site.machine("worker1").await.id;
    assert!(site.delete_node("worker1", &id).await.changed);
    assert!(!site.delete_node("worker1", &id).await.changed);
    site.gone("worker1").await;
    assert_eq!(site.machine("worker2").await.state, NodeState::Running);
}

async fn sync(site: Site) {
    let site = site.with_nodes(&["worker1"]).await;
    assert!(site.done(StepKind::SyncMembers).await.changed);
    assert!(!site.done(StepKind::SyncMembers).await.changed);
    site.done(site.making("worker2")).await;
    assert!(site.done(StepKind::SyncMembers).await.changed, "there is a new member");
}

async fn complete(site: Site) {
    site.done(site.frame()).await;
    assert!(site.done(StepKind::Complete).await.changed);
    let first = site.record().await;
    assert!(!site.done(StepKind::Complete).await.changed);
    assert_eq!(site.record().await, first);
}

async fn begin_delete(site: Site) {
    let mut site = site.with_nodes(&[]).await;
    site.generation = site.generation.next();
    assert!(site.done(StepKind::BeginDelete).await.changed);
    assert!(!site.done(StepKind::BeginDelete).await.changed);
    assert!(site.record().await.deleting);
}

async fn delete_cluster(site: Site) {
    let mut site = site.with_nodes(&["worker1"]).await;
    site.delete().await;
    assert!(!site.done(StepKind::DeleteCluster).await.changed);
    assert!(!site.done(StepKind::BeginDelete).await.changed);
    assert!(site.look().await.record().is_none());
}

async fn stopped(site: Site) {
    let site = site.with_nodes(&["worker1"]).await;
    site.done(StepKind::StopNode { name: node("worker1") }).await;
    let before = site.until("worker1", NodeState::Stopped).await;
    assert!(!site.done(site.making("worker1")).await.changed);
    let after = site.machine("worker1").await;
    assert_eq!((after.id, after.state), (before.id, NodeState::Stopped));
}
