//! Removing a cluster, and leaving every other one alone.

use model::inventory::Condition;
use model::node::NodeState;
use model::plan::StepKind;
use providers::ErrorKind;

use crate::run::Scenario;
use crate::site::{Site, lasting};

pub(super) const ALL: &[Scenario] = &[
    ("deleting_what_was_never_made_is_success", |site| Box::pin(never_made(site))),
    ("a_deleted_cluster_leaves_nothing", |site| Box::pin(nothing_left(site))),
    ("a_begun_delete_shows", |site| Box::pin(begun(site))),
    ("a_cluster_goes_only_after_its_machines", |site| Box::pin(machines_first(site))),
    ("other_clusters_are_untouched", |site| Box::pin(others(site))),
    ("the_same_node_name_in_two_clusters_is_two_machines", |site| Box::pin(same_names(site))),
    ("a_machine_of_another_cluster_is_not_deleted", |site| Box::pin(foreign(site))),
];

async fn never_made(site: Site) {
    assert!(!site.done(StepKind::BeginDelete).await.changed);
    let id = model::node::NodeId("never-there".to_owned());
    assert!(!site.delete_node("worker1", &id).await.changed);
    assert!(!site.done(StepKind::DeleteCluster).await.changed);
}

async fn nothing_left(site: Site) {
    let mut site = site.with_nodes(&["head", "worker1"]).await;
    site.delete().await;
    let left = site.look().await;
    assert!(left.record().is_none() && left.nodes().is_empty());
    let listed = site.provider.clusters().await.unwrap();
    assert!(listed.iter().all(|cluster| cluster.name != site.cluster));
    assert!(site.provider.events(&site.cluster).await.unwrap().is_empty());
}

async fn begun(site: Site) {
    let mut site = site.with_nodes(&["worker1"]).await;
    site.generation = site.generation.next();
    site.done(StepKind::BeginDelete).await;
    let listed = site.provider.clusters().await.unwrap();
    let found = listed.iter().find(|cluster| cluster.name == site.cluster).unwrap();
    assert_eq!(found.condition, Condition::Deleting);
    assert!(site.record().await.deleting);
    assert_eq!(site.look().await.nodes().len(), 1, "nothing is gone yet");
}

/// A provider may refuse to remove a cluster that still has machines, or
/// remove them with it; it must not lose them.
async fn machines_first(site: Site) {
    let mut site = site.with_nodes(&["worker1"]).await;
    site.generation = site.generation.next();
    site.done(StepKind::BeginDelete).await;
    match site.run(StepKind::DeleteCluster).await {
        Ok(_) => assert!(site.look().await.nodes().is_empty()),
        Err(error) => {
            assert_eq!(error.kind, ErrorKind::Conflict, "{error}");
            let inventory = site.look().await;
            assert!(inventory.record().is_some() && inventory.nodes().len() == 1);
        }
    }
}

async fn others(site: Site) {
    let other = site.beside().with_nodes(&["head", "worker1"]).await;
    other.done(StepKind::SyncMembers).await;
    let before = other.look().await;
    let mut site = site.with_nodes(&["head", "worker1"]).await;
    site.delete().await;
    let after = other.look().await;
    assert_eq!(lasting(&before), lasting(&after));
    assert_eq!(other.machine("worker1").await.state, NodeState::Running);
}

async fn same_names(site: Site) {
    let other = site.beside().with_nodes(&["worker1"]).await;
    let site = site.with_nodes(&["worker1"]).await;
    let (here, there) = (site.machine("worker1").await, other.machine("worker1").await);
    assert_ne!(here.id, there.id);
    assert_eq!((site.look().await.nodes().len(), other.look().await.nodes().len()), (1, 1));
    let name = here.name.clone();
    site.done(StepKind::StopNode { name }).await;
    site.until("worker1", NodeState::Stopped).await;
    assert_eq!(other.machine("worker1").await.state, NodeState::Running);
}

/// Its id is refused or not found; in no case is it deleted.
async fn foreign(site: Site) {
    let other = site.beside().with_nodes(&["worker1"]).await;
    let site = site.with_nodes(&["worker1"]).await;
    let there = other.machine("worker1").await;
    let kind = StepKind::DeleteNode { name: there.name.clone(), id: there.id.clone() };
    match site.run(kind).await {
        Ok(receipt) => assert!(!receipt.changed),
        Err(error) => assert_eq!(error.kind, ErrorKind::Conflict, "{error}"),
    }
    let after = other.machine("worker1").await;
    assert_eq!((after.id, after.state), (there.id, there.state));
    site.running("worker1").await;
}
