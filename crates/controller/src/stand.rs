//! What stands, in words: said when an operation did not come to its end.

use std::collections::BTreeMap;

use model::inventory::{Condition, Inventory, Known};
use model::name::{ClusterName, NodeName};
use model::node::NodeState;
use model::plan::Intent;
use model::target::fold;

/// The property in which a provider tells of each first-boot script.
const FIRST_BOOT: &str = "first_boot";

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

/// What the reader should know of the first-boot scripts of nodes that are
/// ready: that lets us in is not that they did what they were to do.
pub(crate) fn first_boot_notes(inventory: &Inventory, ready: &[NodeName]) -> Vec<String> {
    let mut nodes: BTreeMap<&str, Vec<NodeName>> = BTreeMap::new();
    for name in ready {
        let scripts = inventory.node(name).and_then(|node| node.properties.get(FIRST_BOOT));
        if let Some(scripts) = scripts.filter(|told| !told.split(", ").all(is_well)) {
            nodes.entry(scripts).or_default().push(name.clone());
        }
    }
    let note = |(scripts, names): (&str, Vec<NodeName>)| {
        let names = fold(names.iter().map(NodeName::as_str));
        format!("{names}: first boot: {scripts}; `squall console NODE` has the output")
    };
    nodes.into_iter().map(note).collect()
}

fn is_well(script: &str) -> bool {
    script.ends_with(": exit code 0")
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

#[cfg(test)]
mod tests {
    use model::inventory::ObservedNode;
    use model::node::{Generation, NodeId};
    use model::resolved::ProviderKind;
    use testkit::build;

    use super::*;

    fn seen(name: &str, told: &str) -> ObservedNode {
        ObservedNode {
            name: build::node(name),
            pool: build::pool_name("w"),
            role: "worker".to_owned(),
            id: NodeId(format!("l-{name}")),
            state: NodeState::Running,
            state_reason: None,
            instance_type: "host".to_owned(),
            image: "host".to_owned(),
            external_ip: None,
            internal_ip: None,
            endpoint: None,
            username: "root".to_owned(),
            host_key: None,
            generation: Generation(1),
            digest: String::new(),
            created_at: build::epoch(),
            started_at: None,
            tags: BTreeMap::new(),
            properties: BTreeMap::from([(FIRST_BOOT.to_owned(), told.to_owned())]),
        }
    }

    #[test]
    fn a_first_boot_that_did_not_do_well_is_told_once_for_nodes_alike() {
        let nodes = vec![
            seen("w1", "user_data: exit code 7"),
            seen("w2", "user_data: exit code 7"),
            seen("w3", "user_data: exit code 0, setup: exit code 0"),
            seen("w4", "user_data: exit code 0, setup: running"),
        ];
        let inventory = Inventory {
            provider: ProviderKind::Local,
            region: "local".to_owned(),
            cluster: build::cluster("demo"),
            observed_at: build::epoch(),
            record: Known::Seen(None),
            nodes: Known::Seen(nodes),
        };
        let ready: Vec<NodeName> =
            ["w1", "w2", "w3", "w4", "w5"].map(build::node).into_iter().collect();
        assert_eq!(
            first_boot_notes(&inventory, &ready),
            [
                "w4: first boot: user_data: exit code 0, setup: running; `squall console NODE` has \
                 the output",
                "w[1-2]: first boot: user_data: exit code 7; `squall console NODE` has the output",
            ]
        );
        assert!(first_boot_notes(&inventory, &ready[2..3]).is_empty());
    }
}
