//! Which keys made a machine other than it should be, as the reader knows them.

use model::inventory::ObservedNode;
use model::plan::{KeyChange, WantedNode};
use model::resolved::{Difference, UpdatePolicy};
use model::tag;

/// The keys for which a machine must be replaced. By the specs where they
/// differ; else by the machine itself, as after an interrupted update.
pub(super) fn replaced(
    differences: &[Difference],
    wanted: &WantedNode,
    seen: &ObservedNode,
) -> Vec<KeyChange> {
    let by_spec: Vec<KeyChange> = differences
        .iter()
        .filter(|difference| {
            difference.pool.as_ref() == Some(&wanted.pool)
                && difference.policy == UpdatePolicy::Replace
        })
        .map(|difference| KeyChange {
            key: difference.key.to_owned(),
            from: difference.from.clone(),
            to: difference.to.clone(),
        })
        .collect();
    if by_spec.is_empty() { by_machine(wanted, seen) } else { by_spec }
}

fn by_machine(wanted: &WantedNode, seen: &ObservedNode) -> Vec<KeyChange> {
    [
        ("nodename", seen.pool.as_str(), wanted.pool.as_str()),
        ("image", &seen.image, &wanted.image),
        ("instance_type", &seen.instance_type, &wanted.instance_type),
        ("username", &seen.username, &wanted.username),
    ]
    .into_iter()
    .filter(|(_, from, to)| from != to)
    .map(|(key, from, to)| KeyChange {
        key: key.to_owned(),
        from: from.to_owned(),
        to: to.to_owned(),
    })
    .collect()
}

/// The keys that can be changed on the machine where it stands.
pub(super) fn live(wanted: &WantedNode, seen: &ObservedNode) -> Vec<KeyChange> {
    let mut keys = Vec::new();
    if seen.role != wanted.role {
        keys.push(KeyChange {
            key: "role".to_owned(),
            from: seen.role.clone(),
            to: wanted.role.clone(),
        });
    }
    let tags = tag::of_user(&seen.tags);
    for key in tags.keys().chain(wanted.tags.keys().filter(|key| !tags.contains_key(*key))) {
        let (from, to) = (tags.get(key), wanted.tags.get(key));
        if from != to {
            keys.push(KeyChange {
                key: format!("tags.{key}"),
                from: from.cloned().unwrap_or_default(),
                to: to.cloned().unwrap_or_default(),
            });
        }
    }
    keys
}
