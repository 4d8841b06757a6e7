//! What happened to a cluster and what its nodes printed: the timeline that
//! the provider writes joined with the supervisor's, and the console.

use model::event::{EventSource, Level, TimelineEvent, word};
use model::name::{ClusterName, NodeName};

use super::provider::Local;
use super::record;
use super::status::{CONSOLE_FILE, CONSOLE_OLD_FILE, LocalEvent, LocalEventKind};
use super::store::{ClusterDir, NodeDir, StoreError};
use crate::error::{ErrorKind, ProviderError};

/// How the supervisor tells of the end of a script, before its exit code.
const SCRIPT_ENDED: &str = " ended with code ";
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
    // Only the text of a script's event tells its end from its start.
    let has_failed = event.text.contains(SCRIPT_ENDED) && !event.text.ends_with(" 0");
    let (level, what) = match event.kind {
        LocalEventKind::Script if has_failed => (Level::Warning, None),
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
    newest(&dir).map_err(|error| error.at(doing))
}

/// The end of the console; from its older part too when it was just cut.
fn newest(dir: &NodeDir) -> Result<Vec<u8>, StoreError> {
    let fresh = dir.tail(CONSOLE_FILE, CONSOLE_BYTES_MAX)?;
    let missing = CONSOLE_BYTES_MAX.saturating_sub(fresh.len() as u64);
    let mut whole = dir.tail(CONSOLE_OLD_FILE, missing)?;
    whole.extend(fresh);
    Ok(whole)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_console_that_was_just_cut_is_told_from_its_older_part() {
        let home = tempfile::tempdir().unwrap();
        let dir = ClusterDir::new(home.path().to_owned()).node("worker1");
        fs_err::create_dir_all(dir.path()).unwrap();
        fs_err::write(dir.path().join(CONSOLE_OLD_FILE), "old\n").unwrap();
        assert_eq!(newest(&dir).unwrap(), b"old\n");
        fs_err::write(dir.path().join(CONSOLE_FILE), "new\n").unwrap();
        assert_eq!(newest(&dir).unwrap(), b"old\nnew\n");
    }

    #[test]
    fn a_script_that_failed_is_a_warning_in_the_timeline() {
        let cluster = ClusterName::parse("demo").unwrap();
        let level = |text: &str| {
            let event = LocalEvent {
                at: jiff::Timestamp::UNIX_EPOCH,
                node: None,
                kind: LocalEventKind::Script,
                text: text.to_owned(),
            };
            timeline(&cluster, &Default::default(), event).unwrap().level
        };
        assert_eq!(level("script setup started"), Level::Info);
        assert_eq!(level("script setup ended with code 0"), Level::Info);
        assert_eq!(level("script setup ended with code 10"), Level::Warning);
    }

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
