//! What stands, in words: said when an operation did not come to its end.

use std::collections::BTreeMap;

use model::inventory::{Condition, Inventory, Known};
use model::name::ClusterName;
use model::node::NodeState;
use model::plan::Intent;

/// What an inventory shows, as a sentence without a full stop.
pub(crate) fn standing(inventory: &Inventory) -> String {
    let cluster = &inventory.cluster;
    let record = match &inventory.record {
        Known::Unknown(why) => return format!("what stands of {cluster} is not known: {why}"),
        Known::Seen(None) => return format!("nothing of {cluster} is left"),
        Known::Seen(Some(record)) => record,
    };
    let condition = match record.condition() {
        Condition::Complete => format!("complete at generation {}", record.accepted),
        Condition::Deleting => "being deleted".to_owned(),
        Condition::Incomplete | Condition::Unreadable => {
            format!("at generation {}, which is not complete", record.accepted)
        }
    };
    let nodes = match &inventory.nodes {
        Known::Unknown(why) => format!("its machines cannot be seen: {why}"),
        Known::Seen(nodes) => {
            let mut states: BTreeMap<NodeState, usize> = BTreeMap::new();
            for node in nodes {
                *states.entry(node.state).or_default() += 1;
            }
            counted(nodes.len(), &states)
        }
    };
    format!("{cluster} is {condition}, with {nodes}")
}

fn counted(count: usize, states: &BTreeMap<NodeState, usize>) -> String {
    let each: Vec<String> =
        states.iter().map(|(state, count)| format!("{count} {state}")).collect();
    match count {
        0 => "no node".to_owned(),
        1 => format!("one node ({})", each.join(", ")),
        _ => format!("{count} nodes ({})", each.join(", ")),
    }
}

/// How to go on after a change that was not carried through.
pub(crate) fn ways_on(intent: &Intent, cluster: &ClusterName) -> Vec<String> {
    let remove = format!("`squall delete {cluster}` removes everything");
    match intent {
        Intent::Create => {
            vec!["`squall create` with the same spec goes on with it".to_owned(), remove]
        }
        Intent::Update => {
            vec!["`squall update` with the same spec goes on with it".to_owned(), remove]
        }
        Intent::Terminate(_) => vec!["the same `squall terminate` goes on with it".to_owned()],
        Intent::Delete => vec![format!("`squall delete {cluster}` goes on with it")],
    }
}

/// The word of the command line for an intent.
pub(crate) const fn word(intent: &Intent) -> &'static str {
    match intent {
        Intent::Create => "create",
        Intent::Update => "update",
        Intent::Terminate(_) => "terminate",
        Intent::Delete => "delete",
    }
}

/// "cluster demo was not …", as an error says it.
pub(crate) const fn not_done(intent: &Intent) -> &'static str {
    match intent {
        Intent::Create => "created",
        Intent::Update => "updated",
        Intent::Terminate(_) => "changed as asked",
        Intent::Delete => "deleted",
    }
}
