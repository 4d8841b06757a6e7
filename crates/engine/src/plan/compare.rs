//! Machine by machine: what is done with each, and why.

use std::cmp::Reverse;
use std::collections::BTreeSet;

use model::inventory::ObservedNode;
use model::name::{NodeName, PoolName};
use model::node::NodeState;
use model::plan::{Action, Change, KeyChange, Reason, Subject, WantedNode};
use model::resolved::Difference;

use super::aim::{Aim, Mode};
use super::keys;
use super::sight::Sight;

/// The changes of all nodes: wanted ones in the order of the spec, then those
/// that go, highest numbers first.
pub(super) fn nodes(aim: &Aim<'_>, sight: &Sight<'_>) -> Vec<Change> {
    let mut changes: Vec<Change> =
        aim.wanted.iter().filter_map(|node| wanted(aim, sight, node)).collect();
    changes.extend(unwanted(aim, sight));
    changes
}

/// A node that should be.
fn wanted(aim: &Aim<'_>, sight: &Sight<'_>, node: &WantedNode) -> Option<Change> {
    let changing = matches!(aim.mode, Mode::New | Mode::GoOn | Mode::Update);
    let Some(seen) = sight.machine(&node.name) else {
        return changing
            .then(|| change(&node.name, None, Action::Create, missing(aim, sight, node)));
    };
    if seen.digest != node.digest || seen.pool != node.pool {
        let keys = keys::replaced(&aim.differences, node, seen);
        return Some(if changing {
            let reason = replacement(&keys);
            Change { keys, ..change(&node.name, Some(seen), Action::Replace, reason) }
        } else {
            let reason = "made from another definition; `squall update` replaces it".to_owned();
            change(&node.name, Some(seen), Action::Keep, reason)
        });
    }
    let live = keys::live(node, seen);
    if changing && !live.is_empty() {
        let reason = format!("{} can be changed where it stands", listed(&live));
        return Some(Change {
            keys: live,
            ..change(&node.name, Some(seen), Action::Update, reason)
        });
    }
    Some(change(&node.name, Some(seen), Action::Keep, kept(seen).to_owned()))
}

/// Why a node has to be made.
fn missing(aim: &Aim<'_>, sight: &Sight<'_>, node: &WantedNode) -> String {
    let Some(record) = sight.record else {
        return "declared by the spec".to_owned();
    };
    if record.removed.contains(&node.name) {
        return format!("terminated before; the changed spec of {} brings it back", node.pool);
    }
    if aim.before.contains(&node.name) {
        return if sight.is_complete() {
            "declared, and no machine is there".to_owned()
        } else {
            "not made yet".to_owned()
        };
    }
    match difference(aim, &node.pool, "count") {
        Some(count) if count.from.is_empty() => format!("pool {} is new", node.pool),
        Some(count) => format!("count of {} goes from {} to {}", node.pool, count.from, count.to),
        None => format!("{} is numbered otherwise", node.pool),
    }
}

fn difference<'a>(aim: &'a Aim<'_>, pool: &PoolName, key: &str) -> Option<&'a Difference> {
    aim.differences
        .iter()
        .find(|difference| difference.key == key && difference.pool.as_ref() == Some(pool))
}

fn replacement(keys: &[KeyChange]) -> String {
    if keys.is_empty() {
        "made from another definition".to_owned()
    } else {
        format!("{} cannot be changed on a machine that stands", listed(keys))
    }
}

fn listed(keys: &[KeyChange]) -> String {
    let names: Vec<&str> = keys.iter().map(|key| key.key.as_str()).collect();
    names.join(", ")
}

fn kept(seen: &ObservedNode) -> &'static str {
    match seen.state {
        NodeState::Stopped | NodeState::Stopping => "as declared, and stopped",
        NodeState::Pending => "as declared, and still coming up",
        NodeState::Running | NodeState::Terminating | NodeState::Terminated => "as declared",
    }
}

/// Machines that should not be: those of undeclared names, and all but one of
/// a name.
fn unwanted(aim: &Aim<'_>, sight: &Sight<'_>) -> Vec<Change> {
    let wanted: BTreeSet<&NodeName> = aim.wanted.iter().map(|node| &node.name).collect();
    let mut machines: Vec<(&ObservedNode, bool)> = Vec::new();
    for (name, found) in &sight.own {
        let spare = usize::from(wanted.contains(name));
        machines.extend(found.iter().skip(spare).map(|machine| (*machine, spare == 1)));
    }
    if aim.mode == Mode::Delete {
        machines.extend(sight.leaving.iter().map(|machine| (*machine, false)));
    }
    machines.sort_by_key(|(machine, _)| (&machine.pool, Reverse(number(machine)), &machine.id));
    machines.into_iter().map(|(machine, spare)| surplus(aim, sight, machine, spare)).collect()
}

fn surplus(aim: &Aim<'_>, sight: &Sight<'_>, machine: &ObservedNode, spare: bool) -> Change {
    let name = &machine.name;
    let (action, reason) = match aim.mode {
        Mode::Delete => (Action::Delete, "the cluster is deleted".to_owned()),
        Mode::Terminate if aim.terminated.contains(name) => {
            (Action::Delete, "terminated by name".to_owned())
        }
        Mode::Terminate | Mode::Settled => {
            (Action::Keep, "not declared; `squall update` removes it".to_owned())
        }
        Mode::New | Mode::GoOn | Mode::Update if spare => {
            (Action::Delete, format!("a second machine named {name}"))
        }
        Mode::New | Mode::GoOn | Mode::Update => (Action::Delete, undeclared(aim, sight, machine)),
    };
    change(name, Some(machine), action, reason)
}

/// Why a machine is not wanted any more.
fn undeclared(aim: &Aim<'_>, sight: &Sight<'_>, machine: &ObservedNode) -> String {
    let pool = &machine.pool;
    if aim.removed.contains(&machine.name)
        && sight.record.is_some_and(|record| record.removed.contains(&machine.name))
    {
        return "terminated by name, and still there".to_owned();
    }
    let declared = aim.spec.as_ref().and_then(|spec| spec.get().pool(pool));
    let Some(declared) = declared else {
        return format!("pool {pool} is not declared any more");
    };
    if let Some(count) = difference(aim, pool, "count") {
        let renamed = declared.is_numbered() != (machine.name.as_str() != pool.as_str());
        let names = if renamed { ", and with it the names" } else { "" };
        return format!("count of {pool} goes from {} to {}{names}", count.from, count.to);
    }
    if difference(aim, pool, "first").is_some() {
        return format!("{pool} is numbered otherwise");
    }
    format!("pool {pool} declares no such node")
}

/// The number of a machine in its pool; a bare name counts as the lowest.
fn number(machine: &ObservedNode) -> u32 {
    machine
        .name
        .as_str()
        .strip_prefix(machine.pool.as_str())
        .and_then(|rest| rest.parse().ok())
        .unwrap_or(0)
}

fn change(
    name: &NodeName,
    machine: Option<&ObservedNode>,
    action: Action,
    reason: String,
) -> Change {
    Change {
        subject: Subject::Node {
            name: name.clone(),
            id: machine.map(|machine| machine.id.clone()),
        },
        action,
        reason: Reason::new(reason),
        keys: Vec::new(),
    }
}
