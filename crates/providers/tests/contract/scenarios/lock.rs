//! One change of a cluster at a time.

use providers::ErrorKind;

use crate::run::Scenario;
use crate::site::Site;

pub(super) const ALL: &[Scenario] = &[
    ("a_cluster_is_locked_once_and_the_holder_is_named", |site| Box::pin(once(site))),
    ("a_dropped_lock_is_free", |site| Box::pin(dropped(site))),
    ("locks_of_two_clusters_are_apart", |site| Box::pin(apart(site))),
    ("a_locked_cluster_can_be_looked_at", |site| Box::pin(look(site))),
];

async fn once(site: Site) {
    let held = site.provider.lock(&site.cluster, "update by ada").await.unwrap();
    let other = site.elsewhere();
    let Err(error) = other.provider.lock(&site.cluster, "delete by bob").await else {
        panic!("a locked cluster was locked again");
    };
    assert_eq!(error.kind, ErrorKind::Conflict);
    assert!(error.to_string().contains("update by ada"), "{error}");
    drop(held);
}

async fn dropped(site: Site) {
    drop(site.provider.lock(&site.cluster, "first").await.unwrap());
    let other = site.elsewhere();
    drop(other.provider.lock(&site.cluster, "second").await.unwrap());
    drop(site.provider.lock(&site.cluster, "third").await.unwrap());
    assert!(site.look().await.record().is_none(), "a lock makes no cluster");
}

async fn apart(site: Site) {
    let other = site.beside();
    let one = site.provider.lock(&site.cluster, "first").await.unwrap();
    let two = other.provider.lock(&other.cluster, "second").await.unwrap();
    drop((one, two));
}

async fn look(site: Site) {
    let site = site.with_nodes(&["worker1"]).await;
    let held = site.provider.lock(&site.cluster, "update by ada").await.unwrap();
    let other = site.elsewhere();
    assert_eq!(other.look().await.nodes().len(), 1);
    assert!(!other.provider.clusters().await.unwrap().is_empty());
    drop(held);
}
