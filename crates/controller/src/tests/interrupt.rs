//! Commands that die, and commands that are stopped, at every moment that
//! progress tells of.

use model::event::Progress;
use model::inventory::Condition;
use model::plan::{Intent, StepKind};
use model::resolved::Resolved;
use providers::ErrorKind;
use providers::fake::Call;
use testkit::build::cluster;

use super::support::{Watch, World, spec, told};
use crate::{Cancel, CarryOut, FailureKind};

/// More moments than any of these changes has.
const MOMENTS_MAX: usize = 200;

async fn killed(world: &World, intent: Intent, spec: Option<&Resolved>, after: usize) -> bool {
    let watch = Watch { killed_after: Some(after), ..Watch::default() };
    let (answer, _) = world.apply_with(intent, spec, CarryOut::default(), watch).await;
    answer.is_err()
}

async fn assert_is(world: &World, spec: &Resolved, moment: usize) {
    let inventory = world.look().await;
    let mut names: Vec<_> = inventory.nodes().iter().map(|node| node.name.clone()).collect();
    names.sort();
    let wanted: Vec<_> = spec.nodes().map(|place| place.name).collect();
    assert_eq!(names, wanted, "moment {moment}");
    assert_eq!(inventory.record().unwrap().condition(), Condition::Complete, "moment {moment}");
    let planned = world.controller().plan(Intent::Update, Some(spec), &cluster("demo")).await;
    assert!(planned.unwrap().plan.is_empty(), "moment {moment}");
}

#[tokio::test]
async fn a_create_killed_at_any_moment_is_gone_on_with() {
    let spec = spec(2, "debian-12");
    for moment in 0..MOMENTS_MAX {
        let world = World::new();
        let died = killed(&world, Intent::Create, Some(&spec), moment).await;
        world.create(&spec).await.unwrap();
        assert_is(&world, &spec, moment).await;
        if !died {
            assert!(moment > 10, "only {moment} moments were tried");
            return;
        }
    }
    panic!("it never came to its end");
}

#[tokio::test]
async fn a_create_killed_at_any_moment_can_be_deleted() {
    let spec = spec(2, "debian-12");
    for moment in 0..MOMENTS_MAX {
        let world = World::new();
        let died = killed(&world, Intent::Create, Some(&spec), moment).await;
        let answer = world.delete().await;
        let nothing_yet = answer.as_ref().is_err_and(|error| error.kind == FailureKind::NotFound);
        assert!(answer.is_ok() || nothing_yet, "moment {moment}: {answer:?}");
        assert_eq!(world.sight().await, "nothing: ", "moment {moment}");
        if !died {
            return;
        }
    }
    panic!("it never came to its end");
}

#[tokio::test]
async fn a_rollback_killed_at_any_moment_is_finished_by_delete() {
    let spec = spec(2, "debian-12");
    for moment in 0..MOMENTS_MAX {
        let world = World::new();
        world.refuse(Call::SyncMembers, None, ErrorKind::Other);
        let watch = Watch { killed_after: Some(moment), ..Watch::default() };
        let how = CarryOut::default();
        let (_, events) = world.apply_with(Intent::Create, Some(&spec), how, watch).await;
        let answer = world.delete().await;
        assert_eq!(world.sight().await, "nothing: ", "moment {moment}: {answer:?}");
        if events.len() < moment {
            assert!(events.iter().any(|event| matches!(event, Progress::RollingBack { .. })));
            return;
        }
    }
    panic!("it never came to its end");
}

#[tokio::test]
async fn an_update_killed_at_any_moment_is_gone_on_with_or_taken_back() {
    let (old, new) = (spec(2, "debian-12"), spec(3, "rocky-9"));
    for goal in [&old, &new] {
        let mut died = true;
        for moment in 0..MOMENTS_MAX {
            let world = World::new();
            world.create(&old).await.unwrap();
            died = killed(&world, Intent::Update, Some(&new), moment).await;
            world.update(goal).await.unwrap();
            assert_is(&world, goal, moment).await;
            if !died {
                break;
            }
        }
        assert!(!died, "it never came to its end");
    }
}

#[tokio::test]
async fn a_delete_killed_at_any_moment_is_gone_on_with() {
    for moment in 0..MOMENTS_MAX {
        let world = World::new();
        world.create(&spec(2, "debian-12")).await.unwrap();
        let died = killed(&world, Intent::Delete, None, moment).await;
        let answer = world.delete().await;
        assert!(
            answer.is_ok() || world.sight().await == "nothing: ",
            "moment {moment}: {answer:?}"
        );
        assert_eq!(world.sight().await, "nothing: ", "moment {moment}");
        if !died {
            return;
        }
    }
    panic!("it never came to its end");
}

#[tokio::test]
async fn a_stop_at_any_moment_undoes_nothing_and_says_how_to_go_on() {
    let spec = spec(2, "debian-12");
    for moment in 1..MOMENTS_MAX {
        let world = World::new();
        let cancel = Cancel::default();
        let stop = cancel.stop.clone();
        let mut on_event = |number: usize, _: &Progress| {
            if number == moment {
                stop.cancel();
            }
        };
        let watch = Watch { on_event: Some(&mut on_event), killed_after: None, cancel };
        let (answer, events) =
            world.apply_with(Intent::Create, Some(&spec), CarryOut::default(), watch).await;
        let Err(error) = answer else {
            assert!(moment > 10, "only {moment} moments were tried");
            return;
        };
        let text = told(&error);
        assert_eq!(error.kind, FailureKind::Interrupted, "{text}");
        assert!(
            text.contains("hint: `squall create` with the same spec goes on with it"),
            "{text}"
        );
        assert!(text.contains("hint: `squall delete demo` removes everything"), "{text}");
        assert!(text.contains("stands: "), "{text}");
        let begun =
            events.iter().filter(|event| matches!(event, Progress::StepBegun { .. })).count();
        let ended = events
            .iter()
            .filter(|event| {
                matches!(event, Progress::StepDone { .. } | Progress::StepFailed { .. })
            })
            .count();
        assert_eq!(begun, ended, "moment {moment}: what runs is let finish");
        world.create(&spec).await.unwrap();
        assert_is(&world, &spec, moment).await;
    }
    panic!("it never came to its end");
}

#[tokio::test]
async fn a_second_stop_leaves_at_once() {
    let world = World::new();
    let cancel = Cancel::default();
    let (stop, abort) = (cancel.stop.clone(), cancel.abort.clone());
    let mut on_event = |_: usize, event: &Progress| {
        if let Progress::StepBegun { step } = event
            && matches!(step.kind, StepKind::EnsureNode { .. })
        {
            stop.cancel();
            abort.cancel();
        }
    };
    let watch = Watch { on_event: Some(&mut on_event), killed_after: None, cancel };
    let spec = spec(2, "debian-12");
    let (answer, _) =
        world.apply_with(Intent::Create, Some(&spec), CarryOut::default(), watch).await;
    let error = answer.unwrap_err();
    assert_eq!(error.kind, FailureKind::Interrupted);
    assert_eq!(error.stands.as_deref(), Some("`squall show cluster=demo` tells what stands"));
    world.create(&spec).await.unwrap();
    assert_is(&world, &spec, 0).await;
}
