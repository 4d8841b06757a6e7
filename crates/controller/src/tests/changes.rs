//! Changes that go well, and those that must not begin.

use std::collections::BTreeSet;

use model::event::Progress;
use model::name::NodeName;
use model::plan::Intent;
use providers::fake::{Call, FaultEffect};
use providers::{ErrorKind, Provider as _};
use testkit::build::{cluster, node};

use super::support::{Watch, World, carry_out, spec, told};
use crate::{CarryOut, FailureKind};

#[tokio::test]
async fn a_cluster_is_made_changed_and_removed() {
    let world = World::new();
    let outcome = world.create(&spec(2, "debian-12")).await.unwrap();
    assert_eq!(outcome.ready.len(), 3);
    assert_eq!(world.sight().await, "complete 1: head worker1 worker2");

    let again = world.create(&spec(2, "debian-12")).await.unwrap();
    assert_eq!((again.steps_changed, again.ready.len()), (0, 0));

    let outcome = world.update(&spec(3, "rocky-9")).await.unwrap();
    let ready: Vec<&str> = outcome.ready.iter().map(NodeName::as_str).collect();
    assert_eq!(ready, ["worker1", "worker2", "worker3"]);
    assert_eq!(world.sight().await, "complete 2: head worker1 worker2 worker3");

    let names = BTreeSet::from([node("worker2")]);
    world.apply(Intent::Terminate(names), None).await.unwrap();
    assert_eq!(world.sight().await, "complete 3: head worker1 worker3");

    world.delete().await.unwrap();
    assert_eq!(world.sight().await, "nothing: ");
    let told: Vec<String> =
        world.story().await.into_iter().filter(|line| !line.ends_with("ready")).collect();
    assert_eq!(
        told,
        [
            "create asked (by ada@desk)",
            "generation 1 accepted",
            "generation 1 completed",
            "update asked (by ada@desk)",
            "generation 2 accepted",
            "generation 2 completed",
            "terminate asked (by ada@desk)",
            "generation 3 accepted",
            "generation 3 completed",
            "delete asked (by ada@desk)",
            "deleted",
        ]
    );
}

#[tokio::test]
async fn progress_tells_each_step_and_each_node() {
    let world = World::new();
    let spec = spec(1, "debian-12");
    let (answer, events) =
        world.apply_with(Intent::Create, Some(&spec), CarryOut::default(), Watch::default()).await;
    answer.unwrap();
    let mut counts = [0; 5];
    for event in &events {
        match event {
            Progress::Begun { steps } => counts[0] += steps,
            Progress::StepBegun { .. } => counts[1] += 1,
            Progress::StepDone { .. } => counts[2] += 1,
            Progress::NodeReady { .. } => counts[3] += 1,
            Progress::Waiting { names } => counts[4] += usize::from(names.len() == 2),
            other => panic!("{other:?}"),
        }
    }
    // Frame, two nodes, members, completion.
    assert_eq!(counts, [5, 5, 5, 2, 1]);
}

#[tokio::test]
async fn passing_trouble_is_tried_again_until_it_passes_or_has_lasted_too_long() {
    for (times, expected) in [(5, "complete 1: head worker1"), (6, "nothing: ")] {
        let world = World::new();
        let refusal = FaultEffect::Refuse(ErrorKind::Throttled);
        world.fault(Call::EnsureNode, Some("worker1"), refusal, times);
        let answer = world.create(&spec(1, "debian-12")).await;
        assert_eq!(answer.is_ok(), times == 5, "{answer:?}");
        assert_eq!(world.sight().await, expected);
    }
}

#[tokio::test]
async fn an_answer_that_was_lost_does_not_make_a_second_node() {
    let world = World::new();
    world.fault(Call::EnsureNode, None, FaultEffect::LoseAnswer(ErrorKind::Timeout), 2);
    world.fault(Call::EnsureCluster, None, FaultEffect::LoseAnswer(ErrorKind::Timeout), 1);
    world.fault(Call::Complete, None, FaultEffect::LoseAnswer(ErrorKind::Timeout), 1);
    world.create(&spec(2, "debian-12")).await.unwrap();
    assert_eq!(world.sight().await, "complete 1: head worker1 worker2");
}

#[tokio::test]
async fn a_plan_that_is_no_longer_the_one_shown_is_refused() {
    let world = World::new();
    let mine = world.controller();
    let name = cluster("demo");
    let how = CarryOut::default();
    let (small, big) = (spec(1, "debian-12"), spec(2, "debian-12"));

    let create = mine.plan(Intent::Create, Some(&small), &name).await.unwrap();
    world.create(&big).await.unwrap();
    let error = carry_out(&mine, create, how, Watch::default()).await.0.unwrap_err();
    assert_eq!(error.kind, FailureKind::Refused);
    assert!(told(&error).contains("exists already"), "{}", told(&error));

    let update = mine.plan(Intent::Update, Some(&small), &name).await.unwrap();
    world.update(&spec(3, "debian-12")).await.unwrap();
    let error = carry_out(&mine, update, how, Watch::default()).await.0.unwrap_err();
    assert_eq!(
        told(&error),
        "Refused: cluster demo changed meanwhile\n\
         cause: it went from generation 1 to 2\n\
         hint: nothing was done; look at the new plan and decide again"
    );

    let update = mine.plan(Intent::Update, Some(&small), &name).await.unwrap();
    world.cloud.vanish(&name, &node("worker2")).unwrap();
    let error = carry_out(&mine, update, how, Watch::default()).await.0.unwrap_err();
    assert!(told(&error).contains("no longer those of the plan"), "{}", told(&error));

    let delete = mine.plan(Intent::Delete, None, &name).await.unwrap();
    world.delete().await.unwrap();
    let error = carry_out(&mine, delete, how, Watch::default()).await.0.unwrap_err();
    assert!(told(&error).contains("changed meanwhile"), "{}", told(&error));
    assert_eq!(world.sight().await, "nothing: ");
}

#[tokio::test]
async fn a_cluster_that_somebody_changes_is_refused_naming_them() {
    let world = World::new();
    let lock = world.cloud.lock(&cluster("demo"), "create by bob@far").await.unwrap();
    let error = world.create(&spec(1, "debian-12")).await.unwrap_err();
    assert_eq!(error.kind, FailureKind::Refused);
    assert!(told(&error).contains("create by bob@far"), "{}", told(&error));
    assert_eq!(world.sight().await, "nothing: ");
    drop(lock);
    world.create(&spec(1, "debian-12")).await.unwrap();
}

#[tokio::test]
async fn two_creates_at_once_make_one_cluster() {
    let world = World::new();
    let spec = spec(3, "debian-12");
    let (one, two) = tokio::join!(world.create(&spec), world.create(&spec));
    let error = match (one, two) {
        (Ok(_), Err(error)) | (Err(error), Ok(_)) => error,
        other => panic!("{other:?}"),
    };
    assert_eq!(error.kind, FailureKind::Refused);
    // The later one meets the lock, or comes after it was given back.
    let words = told(&error);
    let (met, late) = (words.contains("create by ada@desk"), words.contains("made by somebody"));
    assert!(met || late, "{words}");
    assert_eq!(world.sight().await, "complete 1: head worker1 worker2 worker3");
}

#[tokio::test]
async fn unknown_clusters_and_nodes_are_not_found() {
    let world = World::new();
    world.create(&spec(1, "debian-12")).await.unwrap();
    let controller = world.controller();
    let error = controller.plan(Intent::Delete, None, &cluster("dmeo")).await.unwrap_err();
    assert_eq!(
        told(&error),
        "NotFound: there is no cluster dmeo on fake\n\
         hint: did you mean demo?\n\
         hint: the clusters there are: demo"
    );
    let names = BTreeSet::from([node("nobody")]);
    let error =
        controller.plan(Intent::Terminate(names), None, &cluster("demo")).await.unwrap_err();
    assert_eq!(error.kind, FailureKind::NotFound);
    assert!(told(&error).contains("has no node nobody"), "{}", told(&error));
    let error = controller.console(&cluster("demo"), &node("nobody")).await.unwrap_err();
    assert_eq!(error.kind, FailureKind::NotFound);
}

#[tokio::test]
async fn a_preflight_that_fails_makes_nothing() {
    let world = World::new();
    let spec = spec(1, "debian-12");
    world.refuse(Call::Preflight, None, ErrorKind::Auth);
    let planned = world.controller().plan(Intent::Create, Some(&spec), &cluster("demo")).await;
    assert_eq!(planned.unwrap_err().kind, FailureKind::Unavailable);
    assert_eq!(world.sight().await, "nothing: ");
}
