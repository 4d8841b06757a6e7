//! Changes that fail: what is undone, what stands, what is said.

use model::plan::Intent;
use providers::ErrorKind;
use providers::fake::{Call, FaultEffect};
use testkit::build::{cluster, node};

use super::support::{KEEP, Watch, World, on_failure, spec, told};
use crate::{CarryOut, FailureKind};

#[tokio::test]
async fn a_failed_first_create_leaves_nothing() {
    for (call, effect) in [
        (Call::EnsureCluster, FaultEffect::LoseAnswer(ErrorKind::Other)),
        (Call::EnsureNode, FaultEffect::Refuse(ErrorKind::Capacity)),
        (Call::EnsureNode, FaultEffect::LoseAnswer(ErrorKind::Other)),
        (Call::EnsureNode, FaultEffect::NeverBoots),
        (Call::SyncMembers, FaultEffect::Refuse(ErrorKind::Other)),
    ] {
        let world = World::new();
        world.fault(call, None, effect.clone(), 1);
        let error = world.create(&spec(2, "debian-12")).await.unwrap_err();
        let text = told(&error);
        assert_eq!(error.kind, FailureKind::Failed, "{text}");
        assert!(text.contains("cluster demo was not created"), "{text}");
        assert!(text.contains("stands: rolled back: everything"), "{effect:?} {text}");
        assert_eq!(world.sight().await, "nothing: ");
        let story = world.story().await;
        assert!(story.iter().any(|line| line.starts_with("rolling back (")), "{story:?}");
    }
}

#[tokio::test]
async fn a_failure_before_anything_was_made_undoes_nothing() {
    let world = World::new();
    world.refuse(Call::EnsureCluster, None, ErrorKind::Quota);
    let error = world.create(&spec(2, "debian-12")).await.unwrap_err();
    assert_eq!(
        told(&error),
        "Failed: cluster demo was not created\n\
         cause: failed to record cluster: quota (scripted)"
    );
}

#[tokio::test]
async fn with_keep_everything_stands_and_create_goes_on_with_it() {
    let world = World::new();
    world.refuse(Call::EnsureNode, Some("worker2"), ErrorKind::Capacity);
    let keeping = on_failure(2, "debian-12", "keep");
    let error = world.create(&keeping).await.unwrap_err();
    assert_eq!(
        told(&error),
        "Failed: cluster demo was not created\n\
         cause: failed to make node worker2: capacity (scripted)\n\
         stands: demo is at generation 1, which is not complete, with 2 nodes (2 pending)\n\
         hint: on_failure is keep, so nothing was removed\n\
         hint: `squall create` with the same spec goes on with it\n\
         hint: `squall delete demo` removes everything"
    );
    world.create(&keeping).await.unwrap();
    assert_eq!(world.sight().await, "complete 2: head worker1 worker2");
}

#[tokio::test]
async fn the_word_of_the_command_wins_over_that_of_the_spec() {
    let world = World::new();
    world.refuse(Call::EnsureNode, Some("worker1"), ErrorKind::Capacity);
    let spec = spec(1, "debian-12");
    let (answer, _) = world.apply_with(Intent::Create, Some(&spec), KEEP, Watch::default()).await;
    answer.unwrap_err();
    assert!(world.sight().await.starts_with("incomplete 1: head"));
}

#[tokio::test]
async fn a_node_that_does_not_come_up_in_time_fails_the_change() {
    let world = World::new();
    world.fault(Call::EnsureNode, Some("worker1"), FaultEffect::NeverBoots, 1);
    let error = world.create(&spec(2, "debian-12")).await.unwrap_err();
    let text = told(&error);
    assert!(text.contains("cause: worker1 did not come up within 120 s"), "{text}");
    assert!(text.contains("worker1: worker1: booting"), "{text}");
}

#[tokio::test]
async fn a_node_that_stops_fails_the_change_at_once_with_its_own_reason() {
    let world = World::new();
    world.fault(Call::EnsureNode, Some("worker1"), FaultEffect::NeverBoots, 1);
    let spec = spec(1, "debian-12");
    let cloud = world.cloud.clone();
    let begun = cloud.clock().now();
    let mut power_off = |_: usize, event: &model::event::Progress| {
        if matches!(event, model::event::Progress::Waiting { .. }) {
            cloud.power_off(&cluster("demo"), &node("worker1")).unwrap();
        }
    };
    let watch = Watch { on_event: Some(&mut power_off), ..Watch::default() };
    let (answer, _) =
        world.apply_with(Intent::Create, Some(&spec), CarryOut::default(), watch).await;
    let text = told(&answer.unwrap_err());
    assert!(text.contains("cause: worker1 stopped: powered off from inside"), "{text}");
    assert!(text.contains("worker1: worker1: booting|worker1: power down"), "{text}");
    let took_s = world.cloud.clock().now().as_second() - begun.as_second();
    assert!(took_s < 60, "{took_s}");
    assert_eq!(world.sight().await, "nothing: ");
}

#[tokio::test]
async fn a_failed_update_loses_only_what_it_made() {
    for (call, name) in [(Call::EnsureNode, Some("worker4")), (Call::SyncMembers, None)] {
        let world = World::new();
        world.create(&spec(2, "debian-12")).await.unwrap();
        let before = world.look().await;
        world.refuse(call, name, ErrorKind::Capacity);
        let error = world.update(&spec(4, "debian-12")).await.unwrap_err();
        let text = told(&error);
        assert!(text.contains("was not updated"), "{text}");
        assert!(
            text.contains("rolled back: the spec accepted before counts again, worker3"),
            "{text}"
        );
        assert_eq!(world.sight().await, "complete 3: head worker1 worker2");
        let after = world.look().await;
        let ids = |inventory: &model::inventory::Inventory| {
            inventory.nodes().iter().map(|node| node.id.clone()).collect::<Vec<_>>()
        };
        assert_eq!(ids(&before), ids(&after));
        assert_eq!(after.record().unwrap().spec, before.record().unwrap().spec);
        world.update(&spec(4, "debian-12")).await.unwrap();
        assert_eq!(world.sight().await, "complete 4: head worker1 worker2 worker3 worker4");
    }
}

#[tokio::test]
async fn a_machine_that_was_being_replaced_is_said_to_be_gone() {
    let world = World::new();
    world.create(&spec(1, "debian-12")).await.unwrap();
    world.fault(Call::EnsureNode, Some("worker1"), FaultEffect::NeverBoots, 1);
    let error = world.update(&spec(2, "rocky-9")).await.unwrap_err();
    let text = told(&error);
    assert!(text.contains("worker1, worker2 removed; not there any more: worker1"), "{text}");
    assert_eq!(world.sight().await, "incomplete 3: head");
    world.update(&spec(1, "debian-12")).await.unwrap();
    assert_eq!(world.sight().await, "complete 4: head worker1");
}

#[tokio::test]
async fn an_update_of_what_was_kept_removes_only_its_own_nodes() {
    let world = World::new();
    world.refuse(Call::EnsureNode, Some("worker2"), ErrorKind::Capacity);
    world.create(&on_failure(2, "debian-12", "keep")).await.unwrap_err();
    world.refuse(Call::EnsureNode, Some("worker3"), ErrorKind::Capacity);
    world.update(&spec(3, "debian-12")).await.unwrap_err();
    assert!(world.sight().await.starts_with("incomplete 3: head"));
    let names: Vec<String> =
        world.look().await.nodes().iter().map(|node| node.name.to_string()).collect();
    assert_eq!(names, ["head", "worker1"]);
}

#[tokio::test]
async fn a_rollback_that_fails_too_says_what_stands() {
    let world = World::new();
    world.refuse(Call::EnsureNode, Some("worker2"), ErrorKind::Capacity);
    world.refuse(Call::DeleteNode, Some("worker1"), ErrorKind::Other);
    let error = world.create(&spec(2, "debian-12")).await.unwrap_err();
    assert_eq!(
        told(&error),
        "Failed: cluster demo was not created\n\
         cause: failed to make node worker2: capacity (scripted)\n\
         cause: the rollback failed too: failed to remove node worker1: other (scripted)\n\
         stands: demo is being deleted, with one node (1 pending)\n\
         hint: `squall delete demo` goes on with it"
    );
    world.delete().await.unwrap();
    assert_eq!(world.sight().await, "nothing: ");
}

#[tokio::test]
async fn nothing_is_removed_by_a_rollback_that_cannot_see() {
    for effect in [FaultEffect::HideNodes, FaultEffect::HideRecord] {
        let world = World::new();
        world.refuse(Call::SyncMembers, None, ErrorKind::Other);
        let spec = spec(1, "debian-12");
        let cloud = world.cloud.clone();
        let mut blind = |_: usize, event: &model::event::Progress| {
            if matches!(event, model::event::Progress::StepFailed { .. }) {
                let fault = providers::fake::Fault {
                    call: Call::Observe,
                    node: None,
                    effect: effect.clone(),
                    times: 9,
                };
                cloud.script(fault).unwrap();
            }
        };
        let watch = Watch { on_event: Some(&mut blind), ..Watch::default() };
        let (answer, _) =
            world.apply_with(Intent::Create, Some(&spec), CarryOut::default(), watch).await;
        let text = told(&answer.unwrap_err());
        assert!(text.contains("cause: the rollback failed too: "), "{text}");
        assert!(world.sight().await.starts_with("incomplete 1: head"), "{effect:?}");
    }
}

#[tokio::test]
async fn machines_that_take_their_time_to_go_are_waited_for() {
    let world = World::new();
    world.create(&spec(1, "debian-12")).await.unwrap();
    world.fault(Call::DeleteNode, None, FaultEffect::Zombie { gone_s: 30 }, 1);
    world.delete().await.unwrap();
    assert_eq!(world.sight().await, "nothing: ");
}

#[tokio::test]
async fn a_mark_that_cannot_be_set_undoes_nothing() {
    let world = World::new();
    world.refuse(Call::Complete, None, ErrorKind::Other);
    world.create(&spec(1, "debian-12")).await.unwrap_err();
    assert_eq!(world.sight().await, "incomplete 1: head worker1");
    world.create(&spec(1, "debian-12")).await.unwrap();
    assert_eq!(world.sight().await, "complete 2: head worker1");
}
