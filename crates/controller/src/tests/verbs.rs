//! Start, stop, reboot; and nodes as ssh targets.

use model::node::NodeVerb;
use providers::ErrorKind;
use providers::fake::{Call, FaultEffect};
use testkit::build::{cluster, node};

use super::support::{World, spec, told};
use crate::FailureKind;

#[tokio::test]
async fn nodes_stop_start_and_reboot() {
    let world = World::new();
    world.create(&spec(2, "debian-12")).await.unwrap();
    world.verb(&["worker1", "worker2"], NodeVerb::Stop).await.unwrap();
    assert_eq!(world.sight().await, "complete 1: head worker1(stopped) worker2(stopped)");
    let again = world.verb(&["worker1"], NodeVerb::Stop).await.unwrap();
    assert_eq!(again.steps_changed, 0);
    let outcome = world.verb(&["worker1", "head"], NodeVerb::Start).await.unwrap();
    assert_eq!((outcome.steps_changed, outcome.ready.len()), (1, 2));
    assert_eq!(world.sight().await, "complete 1: head worker1 worker2(stopped)");
    world.verb(&["worker1"], NodeVerb::Reboot).await.unwrap();
    assert_eq!(world.sight().await, "complete 1: head worker1 worker2(stopped)");
    let story = world.story().await;
    assert!(story.contains(&"worker1: stop asked (by ada@desk)".to_owned()), "{story:?}");
}

#[tokio::test]
async fn a_name_that_is_no_member_stops_everything_before_it_begins() {
    let world = World::new();
    world.create(&spec(1, "debian-12")).await.unwrap();
    let error = world.verb(&["worker1", "worker9"], NodeVerb::Stop).await.unwrap_err();
    assert_eq!(error.kind, FailureKind::NotFound);
    assert!(told(&error).contains("cluster demo has no node worker9"), "{}", told(&error));
    assert_eq!(world.sight().await, "complete 1: head worker1");
}

#[tokio::test]
async fn one_node_that_fails_does_not_hold_the_others_back() {
    let world = World::new();
    world.create(&spec(2, "debian-12")).await.unwrap();
    world.refuse(Call::StopNode, Some("worker1"), ErrorKind::Other);
    let error = world.verb(&["worker1", "worker2"], NodeVerb::Stop).await.unwrap_err();
    let text = told(&error);
    assert!(text.contains("cause: failed to stop node worker1: other (scripted)"), "{text}");
    assert!(text.contains("3 nodes (2 running, 1 stopped)"), "{text}");
    assert_eq!(world.sight().await, "complete 1: head worker1 worker2(stopped)");
}

#[tokio::test]
async fn a_node_that_does_not_come_up_again_is_said_to_be_late() {
    let world = World::new();
    world.create(&spec(1, "debian-12")).await.unwrap();
    world.verb(&["worker1"], NodeVerb::Stop).await.unwrap();
    world.fault(Call::StartNode, None, FaultEffect::NeverBoots, 1);
    let error = world.verb(&["worker1"], NodeVerb::Start).await.unwrap_err();
    let text = told(&error);
    assert!(text.contains("cause: worker1 did not come up within 120 s"), "{text}");
}

#[tokio::test]
async fn what_was_stopped_stays_stopped_through_an_update() {
    let world = World::new();
    world.create(&spec(2, "debian-12")).await.unwrap();
    world.verb(&["worker1"], NodeVerb::Stop).await.unwrap();
    world.update(&spec(3, "debian-12")).await.unwrap();
    assert_eq!(world.sight().await, "complete 2: head worker1(stopped) worker2 worker3");
}

#[tokio::test]
async fn nodes_that_cannot_be_reached_come_with_the_reason() {
    let world = World::new();
    world.create(&spec(2, "debian-12")).await.unwrap();
    world.cloud.power_off(&cluster("demo"), &node("worker1")).unwrap();
    let mut inventory = world.look().await;
    let controller = world.controller();
    let names = [node("worker1"), node("worker2"), node("nobody")];
    let found = controller.ssh_targets(&inventory, &names).await.unwrap();
    let told: Vec<String> = found
        .unreachable
        .iter()
        .map(|node| format!("{} {}; {}", node.name, node.why, node.hint.as_deref().unwrap_or("-")))
        .collect();
    assert_eq!(
        told,
        [
            "worker1 stopped: powered off from inside; `squall start -C demo worker1` brings it up",
            "worker2 nodes on fake let nobody in; -",
            "nobody cluster demo has no such node; `squall show cluster=demo` lists its nodes",
        ]
    );
    assert_eq!(found.targets.len(), 0);

    let host = transport::keys::generate("worker2").unwrap();
    if let model::inventory::Known::Seen(nodes) = &mut inventory.nodes {
        for node in nodes {
            node.endpoint = Some(model::Endpoint::Tcp { address: "127.0.0.1:1".parse().unwrap() });
            node.host_key = Some(host.public.line());
        }
    }
    let found = controller.ssh_targets(&inventory, &names).await.unwrap();
    let targets: Vec<&str> = found.targets.iter().map(|target| &*target.name).collect();
    assert_eq!(targets, ["worker2"]);
    assert_eq!(found.targets[0].login.user, "root");
}
