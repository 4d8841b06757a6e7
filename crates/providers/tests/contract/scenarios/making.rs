//! Making a cluster and its nodes.

use model::diagnostic::Severity;
use model::inventory::{Condition, Known};
use model::node::{Generation, NodeState};
use model::plan::StepKind;
use providers::{ErrorKind, LogIn};
use testkit::build::node;

use crate::run::Scenario;
use crate::site::{OWNER, Site};

pub(super) const ALL: &[Scenario] = &[
    ("a_cluster_nobody_made_is_seen_as_none", |site| Box::pin(unknown(site))),
    ("a_frame_alone_is_an_incomplete_cluster", |site| Box::pin(frame(site))),
    ("the_record_holds_what_was_ordered", |site| Box::pin(record(site))),
    ("a_made_node_comes_up", |site| Box::pin(node_comes_up(site))),
    ("nodes_made_at_once_all_come_up", |site| Box::pin(at_once(site))),
    ("a_completed_cluster_is_complete", |site| Box::pin(complete(site))),
    ("a_node_without_keys_is_refused", |site| Box::pin(no_keys(site))),
    ("a_node_without_a_frame_is_refused", |site| Box::pin(no_frame(site))),
    ("a_good_spec_passes_preflight", |site| Box::pin(preflight(site))),
    ("a_running_node_has_an_address_and_a_way_in", |site| Box::pin(way_in(site))),
];

async fn unknown(site: Site) {
    let inventory = site.look().await;
    assert_eq!(inventory.record, Known::Seen(None));
    assert_eq!(inventory.nodes, Known::Seen(Vec::new()));
    assert_eq!(inventory.provider, site.provider.kind());
    assert_eq!(inventory.region, site.provider.region());
    let listed = site.provider.clusters().await.unwrap();
    assert!(listed.iter().all(|cluster| cluster.name != site.cluster));
}

async fn frame(site: Site) {
    assert!(site.done(site.frame()).await.changed);
    let listed = site.provider.clusters().await.unwrap();
    let found = listed.iter().find(|cluster| cluster.name == site.cluster).unwrap();
    assert_eq!(found.condition, Condition::Incomplete);
    assert_eq!(found.nodes.values().sum::<usize>(), 0);
    assert_eq!(found.provider, site.provider.kind());
    assert_eq!(site.look().await.nodes, Known::Seen(Vec::new()));
}

async fn record(site: Site) {
    let order = site.order(&["worker3"]);
    site.done(StepKind::EnsureCluster { order }).await;
    let record = site.record().await;
    assert_eq!(record.name, site.cluster);
    assert_eq!(record.id, site.id);
    assert_eq!(record.owner, OWNER);
    assert_eq!(record.accepted, Generation(1));
    assert_eq!(record.completed, None);
    assert_eq!(record.spec, site.spec.to_stored().unwrap());
    assert_eq!(record.removed.into_iter().collect::<Vec<_>>(), [node("worker3")]);
    assert!(!record.deleting);
}

async fn node_comes_up(site: Site) {
    site.done(site.frame()).await;
    let receipt = site.done(site.making("worker1")).await;
    assert!(receipt.changed);
    let seen = site.machine("worker1").await;
    assert!(matches!(seen.state, NodeState::Pending | NodeState::Running), "{}", seen.state);
    let seen = site.running("worker1").await;
    assert_eq!(receipt.node_id, Some(seen.id));
    assert!(seen.started_at.is_some());
}

async fn at_once(site: Site) {
    site.done(site.frame()).await;
    let names = ["head", "worker1", "worker2", "worker3"];
    let mut tasks = tokio::task::JoinSet::new();
    for name in names {
        let site = site.clone();
        tasks.spawn(async move { site.done(site.making(name)).await });
    }
    let receipts = tasks.join_all().await;
    let mut ids: Vec<_> = receipts.into_iter().map(|receipt| receipt.node_id.unwrap()).collect();
    ids.sort();
    ids.dedup();
    assert_eq!(ids.len(), names.len());
    for name in names {
        site.running(name).await;
    }
    assert!(site.done(StepKind::SyncMembers).await.changed);
}

async fn complete(site: Site) {
    let site = site.with_nodes(&["worker1"]).await;
    site.done(StepKind::SyncMembers).await;
    assert!(site.done(StepKind::Complete).await.changed);
    assert_eq!(site.record().await.completed, Some(Generation(1)));
    let listed = site.provider.clusters().await.unwrap();
    let found = listed.iter().find(|cluster| cluster.name == site.cluster).unwrap();
    assert_eq!(found.condition, Condition::Complete);
    assert_eq!(found.nodes.get(&NodeState::Running), Some(&1));
    assert_eq!(found.owner, OWNER);
}

async fn no_keys(site: Site) {
    site.done(site.frame()).await;
    let step = site.step(site.making("worker1"));
    let error = site.provider.execute(&site.cluster, &step, None).await.unwrap_err();
    assert_eq!(error.kind, ErrorKind::Invalid);
    assert!(site.look().await.nodes().is_empty());
}

async fn no_frame(site: Site) {
    site.refused(site.making("worker1"), ErrorKind::NotFound).await;
    site.refused(StepKind::SyncMembers, ErrorKind::NotFound).await;
    site.refused(StepKind::Complete, ErrorKind::NotFound).await;
    assert_eq!(site.look().await.record, Known::Seen(None));
}

async fn preflight(site: Site) {
    let problems = site.provider.preflight(&site.spec).await.unwrap();
    assert!(problems.iter().all(|problem| problem.severity != Severity::Error), "{problems:?}");
    assert_eq!(site.look().await.record, Known::Seen(None), "nothing is made");
}

async fn way_in(site: Site) {
    let site = site.with_nodes(&["head", "worker1"]).await;
    let (head, worker) = (site.machine("head").await, site.machine("worker1").await);
    assert!(head.internal_ip.is_some() && worker.internal_ip.is_some());
    assert_ne!(head.internal_ip, worker.internal_ip);
    match site.provider.capabilities().log_in {
        LogIn::Ssh => {
            assert!(head.endpoint.is_some() && worker.endpoint.is_some());
            assert_ne!(head.endpoint, worker.endpoint);
        }
        LogIn::Nothing => assert!(head.endpoint.is_none()),
    }
}
