//! What a machine is known by: names, tags, keys, ids.

use model::plan::StepKind;
use model::tag;
use providers::ErrorKind;
use testkit::build::cluster;

use crate::run::Scenario;
use crate::site::{OWNER, Site};

pub(super) const ALL: &[Scenario] = &[
    ("names_keep_their_case", |site| Box::pin(case_is_kept(site))),
    ("a_name_that_differs_only_by_case_is_refused", |site| Box::pin(case_collides(site))),
    ("tags_say_whose_a_machine_is", |site| Box::pin(own_tags(site))),
    ("the_users_tags_are_on_the_machine", |site| Box::pin(user_tags(site))),
    ("tags_change_where_the_machine_stands", |site| Box::pin(tags_change(site))),
    ("the_machine_is_what_was_ordered", |site| Box::pin(as_ordered(site))),
    ("the_host_key_is_the_one_handed_in", |site| Box::pin(host_key(site))),
    ("a_replaced_node_has_another_id", |site| Box::pin(replaced(site))),
    ("deleting_an_old_machine_leaves_the_new_one", |site| Box::pin(old_id(site))),
    ("a_machine_made_otherwise_is_not_made_over", |site| Box::pin(other_digest(site))),
    ("a_cluster_made_again_is_another_one", |site| Box::pin(made_again(site))),
];

async fn case_is_kept(site: Site) {
    let site = site.with_nodes(&["worker1"]).await;
    assert!(site.cluster.as_str().starts_with("Con"), "the name has capitals");
    let listed = site.provider.clusters().await.unwrap();
    assert!(listed.iter().any(|found| found.name == site.cluster));
    assert_eq!(site.record().await.name, site.cluster);
}

async fn case_collides(site: Site) {
    site.done(site.frame()).await;
    let other = site.again(cluster(&site.cluster.as_str().to_ascii_uppercase()));
    other.refused(other.frame(), ErrorKind::Conflict).await;
    assert_eq!(site.record().await.id, site.id);
    assert!(other.look().await.record().is_none(), "another name is another cluster");
}

async fn own_tags(site: Site) {
    let site = site.with_nodes(&["worker1"]).await;
    let tags = site.machine("worker1").await.tags;
    for (key, value) in [
        (tag::CLUSTER, site.cluster.as_str()),
        (tag::CLUSTER_ID, site.id.as_str()),
        (tag::POOL, "worker"),
        (tag::NODE, "worker1"),
        (tag::GENERATION, "1"),
        (tag::OWNER, OWNER),
    ] {
        assert_eq!(tags.get(key).map(String::as_str), Some(value), "{key}");
    }
}

async fn user_tags(site: Site) {
    let site = site.with_nodes(&["head", "worker1"]).await;
    let tags = tag::of_user(&site.machine("worker1").await.tags);
    assert_eq!(tags.into_iter().collect::<Vec<_>>(), [("team".to_owned(), "Blue".to_owned())]);
    assert!(tag::of_user(&site.machine("head").await.tags).is_empty());
}

async fn tags_change(site: Site) {
    let mut site = site.with_nodes(&["worker1"]).await;
    let before = site.machine("worker1").await;
    site.next_generation().await;
    let mut node = site.wanted("worker1");
    node.tags = [("tier".to_owned(), "Two".to_owned())].into();
    node.role = "login".to_owned();
    let receipt = site.done(StepKind::EnsureNode { node: node.clone() }).await;
    assert!(receipt.changed);
    let after = site.machine("worker1").await;
    assert_eq!(tag::of_user(&after.tags), node.tags);
    assert_eq!(after.role, "login");
    assert_eq!(after.id, before.id, "the machine stays");
    assert_eq!(after.tags.get(tag::CLUSTER_ID), Some(&site.id));
    assert!(!site.done(StepKind::EnsureNode { node }).await.changed);
}

async fn as_ordered(site: Site) {
    let site = site.with_nodes(&["head"]).await;
    let (wanted, seen) = (site.wanted("head"), site.machine("head").await);
    assert_eq!((seen.name, seen.pool, seen.role), (wanted.name, wanted.pool, wanted.role));
    assert_eq!(seen.instance_type, wanted.instance_type);
    assert_eq!(seen.image, wanted.image);
    assert_eq!(seen.username, wanted.username);
    assert_eq!(seen.digest, wanted.digest);
    assert_eq!(seen.generation, site.generation);
}

async fn host_key(site: Site) {
    site.done(site.frame()).await;
    let wanted = site.wanted("worker1");
    let material = site.material(&wanted.name);
    let step = site.step(StepKind::EnsureNode { node: wanted });
    site.provider.execute(&site.cluster, &step, Some(&material)).await.unwrap();
    let seen = site.running("worker1").await;
    assert_eq!(seen.host_key.as_deref(), Some(material.host_key_public.as_str()));
    assert_eq!(seen.created_at, material.ordered_at);
}

async fn replaced(site: Site) {
    let mut site = site.with_nodes(&["worker1"]).await;
    let old = site.machine("worker1").await;
    site.next_generation().await;
    site.delete_node("worker1", &old.id).await;
    site.gone("worker1").await;
    site.done(site.making("worker1")).await;
    let new = site.running("worker1").await;
    assert_ne!(new.id, old.id);
    assert_eq!(new.generation, site.generation);
}

async fn old_id(site: Site) {
    let mut site = site.with_nodes(&["worker1"]).await;
    let old = site.machine("worker1").await;
    site.next_generation().await;
    site.delete_node("worker1", &old.id).await;
    site.done(site.making("worker1")).await;
    let receipt = site.delete_node("worker1", &old.id).await;
    assert!(!receipt.changed, "that machine is gone already");
    let new = site.running("worker1").await;
    assert_ne!(new.id, old.id);
}

async fn other_digest(site: Site) {
    let mut site = site.with_nodes(&["worker1"]).await;
    let before = site.machine("worker1").await;
    site.next_generation().await;
    let mut node = site.wanted("worker1");
    node.digest = "made-from-something-else".to_owned();
    site.refused(StepKind::EnsureNode { node }, ErrorKind::Conflict).await;
    let after = site.machine("worker1").await;
    assert_eq!((after.id, after.digest), (before.id, before.digest));
}

async fn made_again(site: Site) {
    let mut site = site.with_nodes(&["worker1"]).await;
    let old = site.machine("worker1").await;
    site.delete().await;
    let again = site.again(site.cluster.clone()).with_nodes(&["worker1"]).await;
    let new = again.machine("worker1").await;
    assert_ne!(old.id, new.id);
    assert_eq!(again.record().await.id, again.id);
    assert_eq!(new.tags.get(tag::CLUSTER_ID), Some(&again.id));
}
