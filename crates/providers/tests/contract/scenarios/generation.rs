//! Effects of an old generation, or on another base, are refused.

use model::node::Generation;
use model::plan::StepKind;
use providers::ErrorKind;
use testkit::build::node;

use crate::run::Scenario;
use crate::site::{Site, lasting};

pub(super) const ALL: &[Scenario] = &[
    ("steps_of_an_old_generation_are_refused", |site| Box::pin(stale(site))),
    ("steps_of_a_generation_to_come_are_refused", |site| Box::pin(too_early(site))),
    ("a_record_that_moved_on_is_not_overwritten", |site| Box::pin(other_base(site))),
    ("two_changes_on_one_base_cannot_both_be_accepted", |site| Box::pin(race(site))),
    ("a_change_of_a_cluster_that_is_gone_is_refused", |site| Box::pin(gone(site))),
    ("another_creation_of_the_cluster_is_not_overwritten", |site| Box::pin(other_id(site))),
    ("an_old_delete_is_refused", |site| Box::pin(old_delete(site))),
    ("removed_names_are_recorded", |site| Box::pin(removed(site))),
    ("nothing_is_made_in_a_cluster_that_is_being_deleted", |site| Box::pin(deleting(site))),
];

async fn stale(site: Site) {
    let mut site = site.with_nodes(&["worker1"]).await;
    let id = site.machine("worker1").await.id;
    site.next_generation().await;
    let before = site.look().await;
    site.generation = Generation(1);
    let name = node("worker1");
    for kind in [
        site.frame(),
        site.making("worker2"),
        StepKind::DeleteNode { name: name.clone(), id },
        StepKind::SyncMembers,
        StepKind::StartNode { name: name.clone() },
        StepKind::StopNode { name: name.clone() },
        StepKind::RebootNode { name },
        StepKind::Complete,
        StepKind::BeginDelete,
        StepKind::DeleteCluster,
    ] {
        site.refused(kind, ErrorKind::Conflict).await;
    }
    let after = site.look().await;
    assert_eq!(lasting(&before), lasting(&after));
}

async fn too_early(site: Site) {
    let mut site = site.with_nodes(&["worker1"]).await;
    site.generation = Generation(2);
    site.refused(site.making("worker2"), ErrorKind::Conflict).await;
    site.refused(StepKind::Complete, ErrorKind::Conflict).await;
    assert_eq!(site.look().await.nodes().len(), 1);
    assert_eq!(site.record().await.completed, None);
}

async fn other_base(mut site: Site) {
    site.done(site.frame()).await;
    site.next_generation().await;
    let mut order = site.order(&["worker1"]);
    order.base = Some(Generation(1));
    site.generation = Generation(3);
    site.refused(StepKind::EnsureCluster { order }, ErrorKind::Conflict).await;
    let record = site.record().await;
    assert_eq!(record.accepted, Generation(2));
    assert!(record.removed.is_empty());
}

async fn race(mut site: Site) {
    site.done(site.frame()).await;
    site.next_generation().await;
    let order = site.order(&["worker1"]);
    assert_eq!(order.base, Some(Generation(1)));
    site.refused(StepKind::EnsureCluster { order }, ErrorKind::Conflict).await;
    assert!(site.record().await.removed.is_empty(), "the first one counts");
}

async fn gone(mut site: Site) {
    site.generation = Generation(4);
    site.refused(site.frame(), ErrorKind::Conflict).await;
    assert!(site.look().await.record().is_none());
}

async fn other_id(site: Site) {
    site.done(site.frame()).await;
    let other = site.again(site.cluster.clone());
    other.refused(other.frame(), ErrorKind::Conflict).await;
    assert_eq!(site.record().await.id, site.id);
}

async fn old_delete(mut site: Site) {
    site.done(site.frame()).await;
    site.next_generation().await;
    site.refused(StepKind::BeginDelete, ErrorKind::Conflict).await;
    assert!(!site.record().await.deleting);
    site.refused(StepKind::DeleteCluster, ErrorKind::Conflict).await;
    assert!(site.look().await.record().is_some(), "no delete was begun");
}

async fn removed(site: Site) {
    let mut site = site.with_nodes(&["worker1", "worker2"]).await;
    let id = site.machine("worker2").await.id;
    site.generation = site.generation.next();
    let order = site.order(&["worker2"]);
    assert!(site.done(StepKind::EnsureCluster { order }).await.changed);
    site.delete_node("worker2", &id).await;
    site.done(StepKind::Complete).await;
    site.gone("worker2").await;
    let record = site.record().await;
    assert_eq!(record.removed.into_iter().collect::<Vec<_>>(), [node("worker2")]);
    assert_eq!(record.completed, Some(site.generation));
    site.running("worker1").await;
}

async fn deleting(site: Site) {
    let mut site = site.with_nodes(&["worker1"]).await;
    site.generation = site.generation.next();
    site.done(StepKind::BeginDelete).await;
    site.refused(site.making("worker2"), ErrorKind::Conflict).await;
    site.refused(StepKind::Complete, ErrorKind::Conflict).await;
    site.generation = site.generation.next();
    site.refused(site.frame(), ErrorKind::Conflict).await;
    assert_eq!(site.look().await.nodes().len(), 1);
}
