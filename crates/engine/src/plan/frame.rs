//! What happens to the cluster as a whole: its record and its frame.

use std::collections::BTreeSet;

use model::name::PoolName;
use model::plan::{Action, Change, KeyChange, Reason, Subject};
use model::resolved::Difference;

use super::aim::{Aim, Mode};
use super::sight::Sight;

/// The change of the cluster itself.
pub(super) fn change(aim: &Aim<'_>, sight: &Sight<'_>) -> Change {
    let (action, reason) = decide(aim, sight);
    let shown: BTreeSet<&PoolName> = aim.wanted.iter().map(|node| &node.pool).collect();
    let keys = aim
        .differences
        .iter()
        .filter(|difference| belongs(difference, &shown))
        .map(key_change)
        .collect();
    Change { subject: Subject::Cluster, action, reason: Reason::new(reason), keys }
}

fn decide(aim: &Aim<'_>, sight: &Sight<'_>) -> (Action, String) {
    let Some(record) = sight.record else {
        return (Action::Create, "there is no cluster of that name yet".to_owned());
    };
    let unfinished = format!("generation {} was not carried through", record.accepted);
    match aim.mode {
        Mode::Delete if record.deleting => {
            (Action::Delete, "its delete was begun and not carried through".to_owned())
        }
        Mode::Delete => (Action::Delete, "asked for".to_owned()),
        Mode::New | Mode::GoOn => (Action::Update, unfinished),
        Mode::Update if !aim.differences.is_empty() => {
            (Action::Update, "the spec differs from the accepted one".to_owned())
        }
        Mode::Update if !sight.is_complete() => (Action::Update, unfinished),
        Mode::Update | Mode::Terminate if aim.removed != record.removed => {
            (Action::Update, "remembers which nodes stay away".to_owned())
        }
        Mode::Update | Mode::Terminate | Mode::Settled => {
            (Action::Keep, "the spec is the accepted one".to_owned())
        }
    }
}

/// Keys are told where they take effect: with the nodes, except those of the
/// cluster itself, counts, and pools that have no node to tell them with.
fn belongs(difference: &Difference, shown: &BTreeSet<&PoolName>) -> bool {
    match &difference.pool {
        None => true,
        Some(pool) => difference.key == "count" || !shown.contains(pool),
    }
}

fn key_change(difference: &Difference) -> KeyChange {
    let key = match &difference.pool {
        Some(pool) => format!("{pool}.{}", difference.key),
        None => difference.key.to_owned(),
    };
    KeyChange { key, from: difference.from.clone(), to: difference.to.clone() }
}
