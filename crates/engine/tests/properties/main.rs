//! What holds for every plan, tried with random specs, random faults and
//! random interruptions in a virtual world.

#![forbid(unsafe_code)]
#![expect(clippy::unwrap_used, clippy::panic, reason = "a failed expectation is a failed test")]

use std::collections::BTreeSet;

use model::inventory::Condition;
use model::name::{ClusterName, NodeName};
use model::node::NodeState;
use model::plan::{Action, Intent, Plan, Subject};
use model::resolved::Resolved;
use model::tag;
use proptest::prelude::*;
use testkit::ErrorKind;
use testkit::build::{PoolBuilder, SpecBuilder, cluster, node};
use testkit::fake::{Call, Fault, FaultEffect};
use testkit::world::World;

/// Rounds after the last fault within which a cluster must be what it should.
const ROUNDS_TO_CONVERGE_MAX: usize = 6;

fn name() -> ClusterName {
    cluster("demo")
}

/// Small specs that often differ in something: counts, images, tags, pools.
fn specs() -> impl Strategy<Value = Resolved> {
    let pool = |name: &'static str| {
        (0_u32..5, 0_u32..3, 0_usize..2, 0_usize..2, prop::option::of(0_u32..2)).prop_map(
            move |(min, more, image, tag, first)| {
                let pool = PoolBuilder::new(name)
                    .counts(min, min + more)
                    .image(["debian-12", "rocky-9"][image])
                    .tag("team", ["blue", "red"][tag]);
                match first {
                    Some(first) => pool.first(first),
                    None => pool,
                }
            },
        )
    };
    let pools = prop::sample::subsequence(vec!["alpha", "beta", "gamma"], 0..=3)
        .prop_flat_map(move |names| names.into_iter().map(pool).collect::<Vec<_>>());
    (pools, prop::bool::ANY).prop_map(|(pools, keep)| {
        let spec = SpecBuilder::new("demo")
            .on_failure(if keep { "keep" } else { "rollback" })
            .pool(PoolBuilder::head("head"));
        pools.into_iter().fold(spec, SpecBuilder::pool).build()
    })
}

/// What somebody does to the cluster, or what happens to it.
#[derive(Debug, Clone)]
enum Event {
    Create(Resolved, Option<usize>),
    Update(Resolved, Option<usize>),
    Terminate(usize, Option<usize>),
    Delete(Option<usize>),
    Vanish(usize),
    PowerOff(usize),
    Fault(Fault),
}

fn events() -> impl Strategy<Value = Event> {
    let stop = || prop::option::of(0_usize..8);
    prop_oneof![
        3 => (specs(), stop()).prop_map(|(spec, stop)| Event::Create(spec, stop)),
        4 => (specs(), stop()).prop_map(|(spec, stop)| Event::Update(spec, stop)),
        2 => (0_usize..8, stop()).prop_map(|(at, stop)| Event::Terminate(at, stop)),
        1 => stop().prop_map(Event::Delete),
        2 => (0_usize..8).prop_map(Event::Vanish),
        1 => (0_usize..8).prop_map(Event::PowerOff),
        4 => faults().prop_map(Event::Fault),
    ]
}

fn faults() -> impl Strategy<Value = Fault> {
    let kinds = [ErrorKind::Throttled, ErrorKind::Timeout, ErrorKind::Capacity, ErrorKind::Other];
    let kind = || prop::sample::select(kinds.to_vec());
    let effect = prop_oneof![
        kind().prop_map(FaultEffect::Refuse),
        kind().prop_map(FaultEffect::LoseAnswer),
        Just(FaultEffect::NeverBoots),
        (1_u32..900).prop_map(|boot_s| FaultEffect::SlowBoot { boot_s }),
        (1_u32..900).prop_map(|gone_s| FaultEffect::Zombie { gone_s }),
        Just(FaultEffect::HideRecord),
        Just(FaultEffect::HideNodes),
    ];
    let mut calls = Call::STEPS.to_vec();
    calls.push(Call::Observe);
    (prop::sample::select(calls), effect, 1_u32..5).prop_map(|(call, effect, times)| Fault {
        call,
        node: None,
        effect,
        times,
    })
}

fn the_node(world: &World, at: usize) -> Option<NodeName> {
    let inventory = world.observe(&name()).ok()?;
    inventory.nodes().get(at).map(|node| node.name.clone())
}

fn happen(world: &mut World, event: &Event) {
    let mut act = |intent: Intent, spec: Option<&Resolved>, stop: Option<usize>| {
        if let Ok(plan) = world.plan(intent, spec, &name()) {
            world.execute(&plan, stop);
        }
    };
    match event {
        Event::Create(spec, stop) => act(Intent::Create, Some(spec), *stop),
        Event::Update(spec, stop) => act(Intent::Update, Some(spec), *stop),
        Event::Delete(stop) => act(Intent::Delete, None, *stop),
        Event::Terminate(at, stop) => {
            if let Some(found) = the_node(world, *at)
                && let Ok(plan) =
                    world.plan(Intent::Terminate(BTreeSet::from([found])), None, &name())
            {
                world.execute(&plan, *stop);
            }
        }
        Event::Vanish(at) => {
            if let Some(found) = the_node(world, *at) {
                world.provider.vanish(&name(), &found).unwrap();
            }
        }
        Event::PowerOff(at) => {
            if let Some(found) = the_node(world, *at) {
                world.provider.power_off(&name(), &found).unwrap();
            }
        }
        Event::Fault(fault) => world.provider.script(fault.clone()).unwrap(),
    }
}

/// Updates (or creates) until there is nothing left to do.
fn converge(world: &mut World, spec: &Resolved) -> Plan {
    for _ in 0..ROUNDS_TO_CONVERGE_MAX {
        // A delete that was begun is finished first, as a user would be told.
        for intent in [Intent::Update, Intent::Create, Intent::Delete] {
            let with = (intent != Intent::Delete).then_some(spec);
            if let Ok((plan, outcome)) = world.apply(intent, with, &name()) {
                if plan.is_empty() && outcome.is_success() {
                    return plan;
                }
                // What never comes up is removed, as `on_failure` has it done;
                // a planner cannot tell it from what was started just now.
                for late in &outcome.not_up {
                    world.provider.vanish(&name(), late).unwrap();
                }
                break;
            }
        }
        // Machines that were on their way, up or out, get there meanwhile.
        world.provider.clock().advance(jiff::SignedDuration::from_secs(1000));
    }
    panic!("{ROUNDS_TO_CONVERGE_MAX} rounds did not suffice for {spec:#?}");
}

fn never_above_counts(world: &World, spec: &Resolved) {
    let inventory = world.observe(&name()).unwrap();
    for pool in &spec.pools {
        let there = inventory
            .nodes()
            .iter()
            .filter(|node| node.pool == pool.name && node.state.exists())
            .count();
        assert!(there <= usize::try_from(pool.count.max).unwrap(), "{there} of {}", pool.name);
    }
}

fn is_complete(world: &World) {
    let inventory = world.observe(&name()).unwrap();
    assert_eq!(inventory.record().unwrap().condition(), Condition::Complete);
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn the_plan_after_a_plan_is_empty(first in specs(), second in specs()) {
        let mut world = World::new();
        for (intent, spec) in [(Intent::Create, &first), (Intent::Update, &second)] {
            let (_, outcome) = world.apply(intent, Some(spec), &name()).unwrap();
            prop_assert!(outcome.is_success(), "{outcome:#?}");
            for again in [Intent::Create, Intent::Update] {
                let plan = world.plan(again, Some(spec), &name()).unwrap();
                prop_assert!(plan.is_empty(), "{plan:#?}");
                prop_assert!(world.execute(&plan, None).steps.is_empty());
            }
            never_above_counts(&world, spec);
        }
    }

    #[test]
    fn a_change_that_was_interrupted_anywhere_is_gone_on_with(
        first in specs(), second in specs(), stop in 0_usize..12,
    ) {
        let mut world = World::new();
        let plan = world.plan(Intent::Create, Some(&first), &name()).unwrap();
        world.execute(&plan, Some(stop));
        // `create` goes on with a create, or begins it.
        let (_, outcome) = world.apply(Intent::Create, Some(&first), &name()).unwrap();
        prop_assert!(outcome.is_success());
        let plan = world.plan(Intent::Update, Some(&second), &name()).unwrap();
        world.execute(&plan, Some(stop));
        let (_, outcome) = world.apply(Intent::Update, Some(&second), &name()).unwrap();
        prop_assert!(outcome.is_success());
        prop_assert!(world.plan(Intent::Update, Some(&second), &name()).unwrap().is_empty());
        is_complete(&world);
        never_above_counts(&world, &second);
        let plan = world.plan(Intent::Delete, None, &name()).unwrap();
        world.execute(&plan, Some(stop));
        if world.observe(&name()).unwrap().record().is_some() {
            let (_, outcome) = world.apply(Intent::Delete, None, &name()).unwrap();
            prop_assert!(outcome.is_success());
        }
        let left = world.observe(&name()).unwrap();
        prop_assert!(left.record().is_none() && left.nodes().is_empty());
    }

    #[test]
    fn any_history_converges_once_the_faults_stop(
        history in prop::collection::vec(events(), 0..14), last in specs(),
    ) {
        let mut world = World::new();
        for event in &history {
            happen(&mut world, event);
        }
        world.provider.clear_faults().unwrap();
        let plan = converge(&mut world, &last);
        is_complete(&world);
        never_above_counts(&world, &last);
        let inventory = world.observe(&name()).unwrap();
        for wanted in &plan.wanted {
            let found = inventory.node(&wanted.name);
            prop_assert!(found.is_some_and(|node| node.digest == wanted.digest), "{}", wanted.name);
        }
    }

    #[test]
    fn nothing_of_others_is_ever_deleted(history in prop::collection::vec(events(), 0..10)) {
        let mut world = World::new();
        let other = SpecBuilder::new("other")
            .pool(PoolBuilder::head("head"))
            .pool(PoolBuilder::new("alpha").count(3))
            .build();
        world.apply(Intent::Create, Some(&other), &other.cluster).unwrap();
        let mut stray = world.observe(&other.cluster).unwrap().nodes()[0].clone();
        stray.id = model::node::NodeId("f-stray".to_owned());
        stray.name = node("alpha1");
        stray.tags.insert(tag::CLUSTER.to_owned(), "demo".to_owned());
        stray.tags.insert(tag::CLUSTER_ID.to_owned(), "c-of-old".to_owned());
        world.provider.place(stray.clone()).unwrap();
        for event in &history {
            happen(&mut world, event);
        }
        world.provider.clear_faults().unwrap();
        if let Ok(plan) = world.plan(Intent::Delete, None, &name()) {
            world.execute(&plan, None);
        }
        let left = world.observe(&name()).unwrap();
        prop_assert!(left.nodes().iter().any(|node| node.id == stray.id));
        let others = world.observe(&other.cluster).unwrap();
        prop_assert_eq!(others.nodes().len(), 4);
    }

    #[test]
    fn machines_live_as_the_clouds_say(history in prop::collection::vec(events(), 0..12)) {
        let mut world = World::new();
        let mut before = world.observe(&name()).unwrap();
        for event in &history {
            happen(&mut world, event);
            let Ok(after) = world.observe(&name()) else { continue };
            if after.nodes.seen().is_none() {
                continue;
            }
            for old in before.nodes() {
                let new = after.nodes().iter().find(|node| node.id == old.id);
                let state = new.map_or(NodeState::Terminated, |node| node.state);
                prop_assert!(
                    old.state == state || old.state.may_become(state),
                    "{} went from {} to {state}", old.name, old.state,
                );
            }
            before = after;
        }
    }

    #[test]
    fn a_terminated_node_stays_away_until_its_pool_changes(spec in specs(), at in 0_usize..8) {
        let mut world = World::new();
        world.apply(Intent::Create, Some(&spec), &name()).unwrap();
        let Some(gone) = the_node(&world, at) else { return Ok(()) };
        let intent = Intent::Terminate(BTreeSet::from([gone.clone()]));
        let (plan, outcome) = world.apply(intent, None, &name()).unwrap();
        prop_assert!(outcome.is_success());
        let deleted = plan.changes.iter().filter(|change| change.action == Action::Delete);
        let subjects: Vec<_> = deleted.map(|change| &change.subject).collect();
        let only = matches!(subjects[..], [Subject::Node { name, .. }] if *name == gone);
        prop_assert!(only, "{subjects:?}");
        let plan = world.plan(Intent::Update, Some(&spec), &name()).unwrap();
        prop_assert!(plan.is_empty());
        prop_assert!(world.observe(&name()).unwrap().node(&gone).is_none());
    }
}
