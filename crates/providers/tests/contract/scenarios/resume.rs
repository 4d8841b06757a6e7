//! A change that was broken off between any two steps is gone on with from
//! another process, by what is observed alone.

use model::inventory::Condition;
use model::plan::StepKind;
use testkit::build::node;

use crate::run::Scenario;
use crate::site::{Site, lasting};

pub(super) const ALL: &[Scenario] = &[
    ("a_create_broken_off_anywhere_is_gone_on_with", |site| Box::pin(create(site))),
    ("a_delete_broken_off_anywhere_is_gone_on_with", |site| Box::pin(delete(site))),
    ("what_one_process_made_another_sees", |site| Box::pin(seen_elsewhere(site))),
    ("a_machine_that_died_by_itself_is_shown_and_can_be_made_again", |site| Box::pin(lost(site))),
];

fn steps_of_create(site: &Site) -> Vec<StepKind> {
    vec![
        site.frame(),
        site.making("head"),
        site.making("worker1"),
        StepKind::SyncMembers,
        StepKind::Complete,
    ]
}

async fn create(first: Site) {
    let count = steps_of_create(&first).len();
    for broken_off in 0..=count {
        let site = first.beside();
        for step in steps_of_create(&site).into_iter().take(broken_off) {
            site.done(step).await;
        }
        let mut site = site.elsewhere();
        if let Some(record) = site.look().await.record() {
            assert_eq!(record.completed.is_some(), broken_off == count);
            site.generation = record.accepted.next();
        }
        for step in steps_of_create(&site) {
            site.done(step).await;
        }
        site.running("head").await;
        site.running("worker1").await;
        let record = site.record().await;
        assert_eq!(record.condition(), Condition::Complete);
        assert_eq!(site.look().await.nodes().len(), 2, "broken off after {broken_off}");
        site.delete().await;
    }
}

async fn delete(first: Site) {
    for broken_off in 0..=4 {
        let mut site = first.beside().with_nodes(&["head", "worker1"]).await;
        site.generation = site.generation.next();
        let mut steps = vec![StepKind::BeginDelete];
        for machine in site.look().await.nodes() {
            let (name, id) = (machine.name.clone(), machine.id.clone());
            steps.push(StepKind::DeleteNode { name, id });
        }
        steps.push(StepKind::DeleteCluster);
        for step in steps.into_iter().take(broken_off) {
            site.done(step).await;
        }
        let mut site = site.elsewhere();
        let Some(record) = site.look().await.record().cloned() else {
            assert_eq!(broken_off, 4);
            continue;
        };
        assert_eq!(record.deleting, broken_off > 0);
        site.generation = record.accepted;
        site.delete().await;
        let left = site.look().await;
        assert!(left.record().is_none() && left.nodes().is_empty());
    }
}

async fn seen_elsewhere(site: Site) {
    let site = site.with_nodes(&["worker1"]).await;
    let (here, there) = (site.look().await, site.elsewhere().look().await);
    assert_eq!(lasting(&here), lasting(&there));
}

async fn lost(site: Site) {
    let mut site = site.with_nodes(&["worker1", "worker2"]).await;
    let old = site.machine("worker1").await;
    if !site.bed.lose(&site.cluster, &node("worker1")).await {
        return;
    }
    site.gone("worker1").await;
    site.next_generation().await;
    site.delete_node("worker1", &old.id).await;
    site.done(site.making("worker1")).await;
    assert_ne!(site.running("worker1").await.id, old.id);
    site.running("worker2").await;
}
