//! Every flaw is found in a plan that has it, and none in one that does not.

use model::inventory::Inventory;
use model::node::{Generation, NodeId};
use model::plan::{Action, Change, Intent, Plan, Reason, Subject};
use model::resolved::Resolved;
use model::tag;
use testkit::build::{PoolBuilder, SpecBuilder, cluster, node};
use testkit::world::World;

use super::{Flaw, lint};

fn spec() -> Resolved {
    SpecBuilder::new("demo")
        .pool(PoolBuilder::head("head"))
        .pool(PoolBuilder::new("worker").count(2))
        .build()
}

/// A good plan and the inventory it was made on.
fn good(intent: Intent) -> (Plan, Inventory) {
    let mut world = World::new();
    world.apply(Intent::Create, Some(&spec()), &cluster("demo")).unwrap();
    let smaller = SpecBuilder::new("demo")
        .pool(PoolBuilder::head("head"))
        .pool(PoolBuilder::new("worker").counts(1, 2))
        .build();
    let plan = world.plan(intent, Some(&smaller), &cluster("demo")).unwrap();
    let inventory = world.observe(&cluster("demo")).unwrap();
    assert_eq!(lint(&plan, &inventory), []);
    (plan, inventory)
}

fn change(name: &str, id: Option<&str>, action: Action) -> Change {
    Change {
        subject: Subject::Node { name: node(name), id: id.map(|id| NodeId(id.to_owned())) },
        action,
        reason: Reason::new("because"),
        keys: Vec::new(),
    }
}

/// The flaws of a good update after `spoil` had its way with it.
fn spoilt(spoil: impl FnOnce(&mut Plan, &mut Inventory)) -> Vec<Flaw> {
    let (mut plan, mut inventory) = good(Intent::Update);
    spoil(&mut plan, &mut inventory);
    lint(&plan, &inventory)
}

fn machine<'a>(inventory: &'a mut Inventory, name: &str) -> &'a mut model::inventory::ObservedNode {
    let model::inventory::Known::Seen(nodes) = &mut inventory.nodes else { panic!("blind") };
    nodes.iter_mut().find(|found| found.name.as_str() == name).unwrap()
}

#[test]
fn deletes_of_what_is_not_ours_are_found() {
    let id = NodeId("f-000003".to_owned());
    let foreign = spoilt(|_, inventory| {
        machine(inventory, "worker2").tags.remove(tag::CLUSTER_ID);
    });
    assert_eq!(foreign, [Flaw::DeletesForeign(id.clone())]);
    let ahead = spoilt(|_, inventory| machine(inventory, "worker2").generation = Generation(9));
    assert_eq!(ahead, [Flaw::DeletesAhead(id)]);
    let unseen =
        spoilt(|plan, _| plan.changes.push(change("worker9", Some("f-9"), Action::Delete)));
    assert_eq!(unseen, [Flaw::DeletesUnseen(NodeId("f-9".to_owned()))]);
}

#[test]
fn contradictions_about_nodes_are_found() {
    let twice =
        spoilt(|plan, _| plan.changes.push(change("worker2", Some("f-000003"), Action::Keep)));
    assert_eq!(twice, [Flaw::ChangesTwice(NodeId("f-000003".to_owned()))]);
    let beside = spoilt(|plan, _| plan.changes.push(change("head", None, Action::Create)));
    assert_eq!(beside, [Flaw::MakesBeside(node("head"))]);
    let unwanted = spoilt(|plan, _| plan.changes.push(change("extra", None, Action::Create)));
    assert_eq!(unwanted, [Flaw::MakesUnwanted(node("extra"))]);
    let nameless = spoilt(|plan, _| plan.changes.push(change("worker2", None, Action::Keep)));
    assert_eq!(nameless, [Flaw::NoMachine(node("worker2"))]);
    let lost = spoilt(|plan, _| plan.wanted[0].name = node("worker2"));
    assert!(lost.contains(&Flaw::DeletesWanted(node("worker2"))), "{lost:?}");
}

#[test]
fn too_many_nodes_are_found() {
    let twice = spoilt(|plan, _| plan.wanted.push(plan.wanted[0].clone()));
    assert!(twice.contains(&Flaw::WantsTwice(node("head"))), "{twice:?}");
    let pool = model::name::PoolName::parse("head").unwrap();
    assert!(twice.contains(&Flaw::AboveCount { pool, wanted: 2, count: 1 }), "{twice:?}");
    let removed = spoilt(|plan, _| {
        plan.removed.insert(node("head"));
    });
    assert_eq!(removed, [Flaw::WantsRemoved(node("head"))]);
}

#[test]
fn a_plan_that_does_not_stand_on_its_record_is_found() {
    assert_eq!(spoilt(|plan, _| plan.cluster_id = "c-x".to_owned()), [Flaw::OtherId]);
    let base = spoilt(|plan, _| plan.base = None);
    assert!(base.contains(&Flaw::OtherBase), "{base:?}");
    let stands = spoilt(|plan, _| plan.generation = Generation(1));
    assert_eq!(stands, [Flaw::GenerationStands]);
    assert_eq!(spoilt(|plan, _| plan.record_changes = false), [Flaw::FrameDiffers]);
    let stored = spoilt(|plan, _| plan.spec.clear());
    assert!(stored.contains(&Flaw::NoSpec), "{stored:?}");
    let reason = spoilt(|plan, _| plan.changes[0].reason = Reason::new(""));
    assert_eq!(reason, [Flaw::NoReason]);
}

#[test]
fn what_was_not_asked_for_is_found() {
    let (mut plan, inventory) = good(Intent::Terminate([node("worker1")].into()));
    plan.changes.push(change("extra", None, Action::Create));
    let outside = Flaw::OutsideIntent { name: node("extra"), action: Action::Create };
    assert!(lint(&plan, &inventory).contains(&outside));
    let (mut plan, inventory) = good(Intent::Delete);
    plan.changes.retain(|change| change.subject == Subject::Cluster || change.reason.0.is_empty());
    assert_eq!(lint(&plan, &inventory).len(), inventory.nodes().len());
}
