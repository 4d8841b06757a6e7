//! What a provider tells: timelines, consoles, and what it must not tell.

use model::event::word;
use model::node::NodeState;
use model::plan::StepKind;
use providers::ErrorKind;
use testkit::build::node;

use crate::run::Scenario;
use crate::site::Site;

pub(super) const ALL: &[Scenario] = &[
    ("the_timeline_tells_a_nodes_life_in_order", |site| Box::pin(timeline(site))),
    ("a_cluster_nobody_made_has_no_timeline", |site| Box::pin(no_timeline(site))),
    ("a_node_has_a_console", |site| Box::pin(console(site))),
    ("the_console_of_a_node_that_is_not_there_is_not_found", |site| Box::pin(no_console(site))),
    ("secrets_are_told_nowhere", |site| Box::pin(secrets(site))),
    ("a_lost_machine_is_told_of", |site| Box::pin(lost(site))),
];

async fn timeline(site: Site) {
    let site = site.with_nodes(&["worker1", "worker2"]).await;
    let name = node("worker1");
    site.done(StepKind::StopNode { name: name.clone() }).await;
    let machine = site.until("worker1", NodeState::Stopped).await;
    site.done(StepKind::StartNode { name: name.clone() }).await;
    site.running("worker1").await;
    site.delete_node("worker1", &machine.id).await;
    site.gone("worker1").await;
    let events = site.provider.events(&site.cluster).await.unwrap();
    assert!(events.is_sorted_by_key(|event| event.at), "oldest first: {events:#?}");
    assert!(events.iter().all(|event| event.cluster == site.cluster));
    let told: Vec<&str> = events
        .iter()
        .filter(|event| event.node.as_ref() == Some(&name))
        .map(|event| event.what.as_str())
        .collect();
    let expected = [word::MADE, word::STARTED, word::STOPPED, word::STARTED, word::REMOVED];
    let mut rest = told.iter();
    for what in expected {
        assert!(rest.any(|said| *said == what), "{what} is not told in its place: {told:?}");
    }
}

async fn no_timeline(site: Site) {
    assert!(site.provider.events(&site.cluster).await.unwrap().is_empty());
}

async fn console(site: Site) {
    let site = site.with_nodes(&["worker1"]).await;
    site.provider.console(&site.cluster, &node("worker1")).await.unwrap();
    site.done(StepKind::StopNode { name: node("worker1") }).await;
    site.until("worker1", NodeState::Stopped).await;
    site.provider.console(&site.cluster, &node("worker1")).await.unwrap();
}

async fn no_console(site: Site) {
    for site in [site.clone(), site.with_nodes(&["worker1"]).await] {
        let error = site.provider.console(&site.cluster, &node("worker2")).await.unwrap_err();
        assert_eq!(error.kind, ErrorKind::NotFound, "{error}");
    }
}

async fn secrets(site: Site) {
    site.done(site.frame()).await;
    let name = node("worker1");
    let (material, secret) = site.bed.material(&name);
    let step = site.step(site.making("worker1"));
    let receipt = site.provider.execute(&site.cluster, &step, Some(&material)).await.unwrap();
    site.running("worker1").await;
    let told = format!(
        "{:?} {:?} {:?} {:?} {}",
        site.look().await,
        site.provider.events(&site.cluster).await.unwrap(),
        site.provider.clusters().await.unwrap(),
        receipt,
        String::from_utf8_lossy(&site.provider.console(&site.cluster, &name).await.unwrap()),
    );
    assert!(secret.len() > 8 && material.host_key.reveal().contains(&secret));
    assert!(!told.contains(&secret), "a private key is shown");
}

async fn lost(site: Site) {
    let site = site.with_nodes(&["worker1"]).await;
    if !site.bed.lose(&site.cluster, &node("worker1")).await {
        return;
    }
    site.gone("worker1").await;
    let events = site.provider.events(&site.cluster).await.unwrap();
    assert!(events.iter().any(|event| event.what == word::LOST), "{events:?}");
}
