//! What stories cannot reach: callers' mistakes, damaged records, torn and old
//! looks, and large clusters.

use jiff::{SignedDuration, Timestamp};
use model::inventory::{ClusterRecord, Inventory, Known, ObservedNode};
use model::node::{Generation, NodeId, NodeState};
use model::plan::{Action, Intent, Plan, Subject, WantedNode};
use model::resolved::{ProviderKind, Resolved};
use model::tag;
use testkit::build::{PoolBuilder, SpecBuilder, cluster, epoch, node, wanted};

use super::{PlanContext, plan};
use crate::lint;

fn context() -> PlanContext {
    PlanContext { now: epoch(), new_cluster_id: "c-new".to_owned() }
}

fn spec(workers: u32) -> Resolved {
    SpecBuilder::new("demo")
        .pool(PoolBuilder::head("head"))
        .pool(PoolBuilder::new("worker").count(workers).first(1))
        .build()
}

fn record(spec: &Resolved) -> ClusterRecord {
    ClusterRecord {
        name: cluster("demo"),
        id: "c-1".to_owned(),
        owner: "ada@desk".to_owned(),
        created_at: epoch(),
        accepted: Generation(3),
        completed: Some(Generation(3)),
        spec: spec.to_stored().unwrap(),
        removed: std::collections::BTreeSet::new(),
        deleting: false,
    }
}

fn machine(node: &WantedNode) -> ObservedNode {
    let ownership = tag::Ownership {
        cluster: &cluster("demo"),
        cluster_id: "c-1",
        pool: &node.pool,
        node: &node.name,
        generation: Generation(3),
        owner: "ada@desk",
    };
    ObservedNode {
        name: node.name.clone(),
        pool: node.pool.clone(),
        role: node.role.clone(),
        id: NodeId(format!("m-{}", node.name)),
        state: NodeState::Running,
        state_reason: None,
        instance_type: node.instance_type.clone(),
        image: node.image.clone(),
        external_ip: None,
        internal_ip: None,
        endpoint: None,
        username: node.username.clone(),
        host_key: None,
        generation: Generation(3),
        digest: node.digest.clone(),
        created_at: epoch(),
        started_at: None,
        tags: ownership.tags(&node.tags),
        properties: std::collections::BTreeMap::new(),
    }
}

/// A complete cluster of a spec, seen at a time.
fn seen(spec: &Resolved, observed_at: Timestamp) -> Inventory {
    let nodes = spec.nodes().map(|place| machine(&wanted(spec, place.name.as_str()))).collect();
    Inventory {
        provider: ProviderKind::Fake,
        region: "fake".to_owned(),
        cluster: cluster("demo"),
        observed_at,
        record: Known::Seen(Some(record(spec))),
        nodes: Known::Seen(nodes),
    }
}

fn codes(answer: Result<Plan, Vec<model::Diagnostic>>) -> Vec<&'static str> {
    answer.unwrap_err().iter().map(|problem| problem.code).collect()
}

#[test]
fn a_spec_is_needed_to_create_and_to_update() {
    let inventory = seen(&spec(2), epoch());
    for intent in [Intent::Create, Intent::Update] {
        assert_eq!(codes(plan(intent, None, &inventory, &context())), ["spec-missing"]);
    }
}

#[test]
fn a_damaged_record_forbids_everything_but_deleting() {
    let wanted = spec(2);
    let mut inventory = seen(&wanted, epoch());
    let mut damaged = record(&wanted);
    damaged.spec = "{".to_owned();
    inventory.record = Known::Seen(Some(damaged));
    for intent in [Intent::Create, Intent::Update, Intent::Terminate([node("worker1")].into())] {
        assert_eq!(codes(plan(intent, Some(&wanted), &inventory, &context())), ["stored-spec"]);
    }
    let plan = plan(Intent::Delete, None, &inventory, &context()).unwrap();
    assert_eq!(plan.counts().get(&Action::Delete), Some(&4));
    assert_eq!(lint(&plan, &inventory), []);
}

#[test]
fn machines_of_a_later_generation_than_the_record_forbid_everything() {
    let wanted = spec(2);
    let mut inventory = seen(&wanted, epoch());
    let mut ahead = machine(&testkit::build::wanted(&wanted, "worker1"));
    ahead.generation = Generation(4);
    inventory.nodes = Known::Seen(vec![ahead]);
    for intent in [Intent::Create, Intent::Update, Intent::Delete] {
        let answer = plan(intent, Some(&wanted), &inventory, &context());
        assert_eq!(codes(answer), ["inventory-torn"]);
    }
}

#[test]
fn nothing_is_deleted_on_an_old_look() {
    let look = |age_s| seen(&spec(2), epoch() - SignedDuration::from_secs(age_s));
    for (age_s, refused) in [(0, false), (600, false), (601, true)] {
        for intent in [Intent::Update, Intent::Delete] {
            let answer = plan(intent, Some(&spec(1)), &look(age_s), &context());
            assert_eq!(answer.is_err(), refused, "{age_s}");
            if refused {
                assert_eq!(codes(answer), ["inventory-old"]);
            }
        }
        let answer = plan(Intent::Update, Some(&spec(3)), &look(age_s), &context());
        assert!(answer.is_ok(), "nothing is deleted when a pool grows");
    }
}

#[test]
fn of_two_machines_with_one_name_the_later_one_stays() {
    let wanted = spec(1);
    let mut inventory = seen(&wanted, epoch());
    let mut double = machine(&testkit::build::wanted(&wanted, "worker1"));
    double.id = NodeId("m-old".to_owned());
    double.generation = Generation(2);
    let mut nodes = inventory.nodes().to_vec();
    nodes.push(double);
    inventory.nodes = Known::Seen(nodes);
    let plan = plan(Intent::Update, Some(&wanted), &inventory, &context()).unwrap();
    let deleted: Vec<_> =
        plan.changes.iter().filter(|change| change.action == Action::Delete).collect();
    let id = Some(NodeId("m-old".to_owned()));
    assert_eq!(deleted.len(), 1);
    assert_eq!(deleted[0].subject, Subject::Node { name: node("worker1"), id });
    assert_eq!(lint(&plan, &inventory), []);
}

#[test]
fn ten_thousand_nodes_are_planned_in_one_go() {
    let (small, large) = (spec(2), spec(9_999));
    let inventory = seen(&small, epoch());
    let grown = plan(Intent::Update, Some(&large), &inventory, &context()).unwrap();
    assert_eq!(grown.counts().get(&Action::Create), Some(&9_997));
    assert_eq!(lint(&grown, &inventory), []);
}
