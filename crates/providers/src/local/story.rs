//! What happened to a cluster and what its nodes printed: the timeline that
//! the provider writes joined with the supervisor's, and the console.

use model::event::{EventSource, Level, TimelineEvent, word};
use model::name::{ClusterName, NodeName};

use super::provider::Local;
use super::record;
use super::status::{CONSOLE_FILE, LocalEvent, LocalEventKind};
use super::store::{ClusterDir, StoreError};
use crate::error::{ErrorKind, ProviderError};

/// Bytes of a console that are told, the newest.
const CONSOLE_BYTES_MAX: u64 = 1024 * 1024;

/// The timeline of a cluster, oldest first; empty when there is none.
pub(super) fn events(
    local: &Local,
    cluster: &ClusterName,
) -> Result<Vec<TimelineEvent>, ProviderError> {
    let doing = || format!("read the timeline of cluster {cluster}");
    let dir = local.store.cluster(&cluster.slug());
    if !dir.exists() {
        return Ok(Vec::new());
    }
    let mut events = dir.timeline().map_err(|error| error.at(doing()))?;
    let names = names(&dir);
    let told = record::read_events(dir.path());
    let told = told.map_err(|cause| StoreError::Io(cause).at(doing()))?;
    events.extend(told.into_iter().filter_map(|event| timeline(cluster, &names, event)));
    events.sort_by_key(|event| event.at);
    Ok(events)
}

/// Names of nodes as users write them, by slug. A node that is gone keeps its
/// slug for a name.
fn names(dir: &ClusterDir) -> std::collections::BTreeMap<String, NodeName> {
    let files = dir.node_files().unwrap_or_default();
    files.into_iter().map(|file| (file.wanted.name.slug(), file.wanted.name)).collect()
}

/// The supervisor's line in the words of all providers; its own comings and
/// goings are nothing to users unless they are alone.
fn timeline(
    cluster: &ClusterName,
    names: &std::collections::BTreeMap<String, NodeName>,
    event: LocalEvent,
) -> Option<TimelineEvent> {
    let (level, what) = match event.kind {
        LocalEventKind::Started => (Level::Info, Some(word::STARTED)),
        LocalEventKind::Stopped => (Level::Info, Some(word::STOPPED)),
        LocalEventKind::Rebooted => (Level::Info, Some(word::REBOOTED)),
        LocalEventKind::Failed => (Level::Error, Some("not started")),
        LocalEventKind::Supervisor | LocalEventKind::Script => (Level::Info, None),
        LocalEventKind::Note | LocalEventKind::Other => (Level::Warning, None),
    };
    let node = event
        .node
        .and_then(|slug| names.get(&slug).cloned().or_else(|| NodeName::parse(&slug).ok()));
    let (what, why) = match what {
        Some(what) => (what.to_owned(), why(what, &event.text)),
        None => (event.text, None),
    };
    Some(TimelineEvent {
        at: event.at,
        cluster: cluster.clone(),
        node,
        source: EventSource::Provider,
        level,
        what,
        why,
    })
}

/// The supervisor's text without what the word says already.
fn why(what: &str, text: &str) -> Option<String> {
    let rest = text.strip_prefix(what).unwrap_or(text).trim();
    let bare = rest.strip_prefix('(').and_then(|rest| rest.strip_suffix(')'));
    let rest = bare.unwrap_or(rest);
    (!rest.is_empty()).then(|| rest.to_owned())
}

/// The newest part of what a node printed.
pub(super) fn console(
    local: &Local,
    cluster: &ClusterName,
    node: &NodeName,
) -> Result<Vec<u8>, ProviderError> {
    let doing = format!("read the console of {node}");
    let dir = local.store.cluster(&cluster.slug()).node(&node.slug());
    match dir.entry() {
        Ok(Some(_)) => {}
        Ok(None) => {
            return Err(ProviderError::new(ErrorKind::NotFound, doing, "there is no such node"));
        }
        Err(error) => return Err(error.at(doing)),
    }
    dir.tail(CONSOLE_FILE, CONSOLE_BYTES_MAX).map_err(|error| error.at(doing))
}

#[cfg(test)]
mod tests {
    use super::why;

    #[test]
    fn a_reason_does_not_repeat_the_word() {
        for (text, expected) in [
            ("started (boot 2)", Some("boot 2")),
            ("started", None),
            ("powered off from inside", Some("powered off from inside")),
        ] {
            assert_eq!(why("started", text).as_deref(), expected);
        }
    }
}
