//! Turns a plan into steps for providers that make machines one by one
//! (`local`, `fake`). Pure. A cloud that hands whole stacks to its own engine
//! lowers by itself and does not use this.
//!
//! The order: the record first, then machines (a replacement after the removal
//! of the machine it replaces), then the members' lists, and the mark that the
//! change was carried through last, unless an earlier one is still unfinished.
//! A delete marks, removes machines, and takes
//! the frame and the record away last, so that an interrupted one still shows.

use std::collections::BTreeMap;
use std::net::Ipv4Addr;

use model::name::NodeName;
use model::node::{Generation, NodeId};
use model::plan::{
    Action, Change, ClusterOrder, Intent, Plan, Reason, Step, StepId, StepKind, Subject, WantedNode,
};

/// The steps of a plan; none for an empty plan.
///
/// Nodes whose change is `Update` get an `EnsureNode` step like new ones: a
/// provider finds the machine with the digest ordered and brings its tags up to
/// date. `owner` is recorded as who orders it, as `user@host`. `subnet` is the
/// members' network, where the provider wants one named.
#[must_use]
pub fn lower_direct(plan: &Plan, owner: &str, subnet: Option<(Ipv4Addr, u8)>) -> Vec<Step> {
    if plan.is_empty() {
        return Vec::new();
    }
    let mut steps = Steps { generation: plan.generation, steps: Vec::new() };
    match plan.intent {
        Intent::Create | Intent::Update | Intent::Terminate(_) => {
            let order = ClusterOrder {
                cluster_id: plan.cluster_id.clone(),
                base: plan.base,
                spec: plan.spec.clone(),
                removed: plan.removed.clone(),
                owner: owner.to_owned(),
                subnet,
            };
            lower_change(plan, order, &mut steps);
        }
        Intent::Delete => lower_delete(plan, &mut steps),
    }
    steps.steps
}

/// The wanted nodes by name.
type Wanted<'a> = BTreeMap<&'a NodeName, &'a WantedNode>;

fn lower_change(plan: &Plan, order: ClusterOrder, steps: &mut Steps) {
    let why = cluster_reason(plan);
    let frame = steps.push(&[], StepKind::EnsureCluster { order }, why);
    let wanted: Wanted<'_> = plan.wanted.iter().map(|node| (&node.name, node)).collect();
    let mut nodes = vec![frame];
    for change in &plan.changes {
        if let Subject::Node { name, id } = &change.subject {
            nodes.extend(lower_node(&wanted, change, (name, id.as_ref()), frame, steps));
        }
    }
    let members = steps.push(
        &nodes,
        StepKind::SyncMembers,
        Reason::new("every node knows the others by name"),
    );
    if plan.completes {
        steps.push(&[members], StepKind::Complete, Reason::new("all that was planned is done"));
    }
}

/// The steps of one node: up to a removal, and a making after it.
fn lower_node(
    wanted: &Wanted<'_>,
    change: &Change,
    (name, id): (&NodeName, Option<&NodeId>),
    frame: StepId,
    steps: &mut Steps,
) -> Vec<StepId> {
    let mut made = Vec::new();
    let mut before = frame;
    if let (Action::Replace | Action::Delete, Some(id)) = (change.action, id) {
        let kind = StepKind::DeleteNode { name: name.clone(), id: id.clone() };
        before = steps.push(&[frame], kind, change.reason.clone());
        made.push(before);
    }
    if let (Action::Create | Action::Update | Action::Replace, Some(node)) =
        (change.action, wanted.get(name).copied())
    {
        let kind = StepKind::EnsureNode { node: node.clone() };
        made.push(steps.push(&[before], kind, change.reason.clone()));
    }
    made
}

fn lower_delete(plan: &Plan, steps: &mut Steps) {
    let mark = steps.push(&[], StepKind::BeginDelete, cluster_reason(plan));
    let mut before = vec![mark];
    for change in &plan.changes {
        if let (Action::Delete, Subject::Node { name, id: Some(id) }) =
            (change.action, &change.subject)
        {
            let kind = StepKind::DeleteNode { name: name.clone(), id: id.clone() };
            before.push(steps.push(&[mark], kind, change.reason.clone()));
        }
    }
    steps.push(&before, StepKind::DeleteCluster, Reason::new("all its machines are removed"));
}

fn cluster_reason(plan: &Plan) -> Reason {
    plan.changes
        .iter()
        .find(|change| change.subject == Subject::Cluster)
        .map_or_else(|| Reason::new("the spec was accepted"), |change| change.reason.clone())
}

/// Steps numbered in the order they are pushed, so that what comes `after` has
/// always the larger number.
struct Steps {
    generation: Generation,
    steps: Vec<Step>,
}

impl Steps {
    fn push(&mut self, after: &[StepId], kind: StepKind, reason: Reason) -> StepId {
        let id = StepId(u32::try_from(self.steps.len()).unwrap_or(u32::MAX));
        self.steps.push(Step {
            id,
            after: after.to_vec(),
            generation: self.generation,
            kind,
            reason,
        });
        id
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use model::plan::{Intent, Plan, Step, StepKind};
    use model::resolved::Resolved;
    use testkit::build::{PoolBuilder, SpecBuilder, cluster, node};
    use testkit::world::World;

    use super::lower_direct;

    fn spec(image: &str, workers: u32) -> Resolved {
        SpecBuilder::new("demo")
            .pool(PoolBuilder::head("head"))
            .pool(PoolBuilder::new("worker").count(workers).first(1).image(image))
            .build()
    }

    /// The plan of an intent in a world where that spec was made.
    fn planned(made: Option<&Resolved>, intent: Intent, spec: Option<&Resolved>) -> Plan {
        let mut world = World::new();
        if let Some(made) = made {
            world.apply(Intent::Create, Some(made), &cluster("demo")).unwrap();
        }
        world.plan(intent, spec, &cluster("demo")).unwrap()
    }

    /// One line per step: number, what, after which.
    fn shown(plan: &Plan) -> Vec<String> {
        let line = |step: &Step| {
            let node = step.kind.node().map(|name| format!(" {name}")).unwrap_or_default();
            let after: Vec<String> = step.after.iter().map(|id| id.0.to_string()).collect();
            format!("{} {}{node} [{}]", step.id.0, step.kind.verb(), after.join(" "))
        };
        lower_direct(plan, "ada@desk", None).iter().map(line).collect()
    }

    #[test]
    fn a_create_records_makes_tells_and_completes() {
        let plan = planned(None, Intent::Create, Some(&spec("a", 2)));
        assert_eq!(
            shown(&plan),
            [
                "0 record cluster []",
                "1 make node head [0]",
                "2 make node worker1 [0]",
                "3 make node worker2 [0]",
                "4 tell members [0 1 2 3]",
                "5 complete change [4]",
            ]
        );
    }

    #[test]
    fn a_replacement_is_made_after_its_removal() {
        let plan = planned(Some(&spec("a", 2)), Intent::Update, Some(&spec("b", 1)));
        assert_eq!(
            shown(&plan),
            [
                "0 record cluster []",
                "1 remove node worker1 [0]",
                "2 make node worker1 [1]",
                "3 remove node worker2 [0]",
                "4 tell members [0 1 2 3]",
                "5 complete change [4]",
            ]
        );
    }

    #[test]
    fn a_terminate_records_the_name_before_the_machine_goes() {
        let intent = Intent::Terminate([node("worker2")].into());
        let plan = planned(Some(&spec("a", 2)), intent, None);
        assert_eq!(
            shown(&plan),
            [
                "0 record cluster []",
                "1 remove node worker2 [0]",
                "2 tell members [0 1]",
                "3 complete change [2]",
            ]
        );
        let steps = lower_direct(&plan, "ada@desk", None);
        let Some(StepKind::EnsureCluster { order }) = steps.first().map(|step| &step.kind) else {
            panic!("the record comes first");
        };
        assert_eq!(order.removed, [node("worker2")].into());
        assert_eq!(order.base, plan.base);
    }

    #[test]
    fn a_delete_marks_first_and_takes_the_record_last() {
        let plan = planned(Some(&spec("a", 1)), Intent::Delete, None);
        assert_eq!(
            shown(&plan),
            [
                "0 begin delete []",
                "1 remove node head [0]",
                "2 remove node worker1 [0]",
                "3 remove cluster [0 1 2]",
            ]
        );
    }

    #[test]
    fn an_empty_plan_has_no_steps() {
        let plan = planned(Some(&spec("a", 1)), Intent::Update, Some(&spec("a", 1)));
        assert_eq!(shown(&plan), Vec::<String>::new());
    }

    #[test]
    fn every_step_is_of_the_plans_generation_and_comes_after_smaller_numbers() {
        let plan = planned(Some(&spec("a", 3)), Intent::Update, Some(&spec("b", 4)));
        let steps = lower_direct(&plan, "ada@desk", None);
        let numbers: BTreeMap<_, _> =
            steps.iter().enumerate().map(|(place, step)| (step.id, place)).collect();
        assert_eq!(numbers.len(), steps.len());
        for (place, step) in steps.iter().enumerate() {
            assert_eq!(step.generation, plan.generation);
            assert!(step.after.iter().all(|before| numbers[before] < place));
        }
    }
}
