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
    Action, Change, ClusterOrder, Intent, Plan, Reason, Step, StepId, StepKind, Subject,
    WantedNode,
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
    steps.push(
        &before,
        StepKind::DeleteCluster,
        Reason::new("all its machines are removed"),
    );
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
