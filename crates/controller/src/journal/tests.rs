use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use jiff::Timestamp;
use model::event::{EventSource, Level, TimelineEvent};
use model::name::{ClusterName, NodeName};
use model::resolved::ProviderKind;
use rusqlite::Connection;

use super::super::writer::LINES_PER_CLUSTER_MAX;
use super::{Journal, JournalError, Scope};

fn scope(cluster: &str) -> Scope {
    Scope {
        provider: ProviderKind::Fake,
        region: "fake-1".to_owned(),
        cluster: ClusterName::parse(cluster).unwrap(),
    }
}

fn line(cluster: &str, at_s: i64, what: &str) -> TimelineEvent {
    TimelineEvent {
        at: Timestamp::from_second(at_s).unwrap(),
        cluster: ClusterName::parse(cluster).unwrap(),
        node: Some(NodeName::parse("worker1").unwrap()),
        source: EventSource::Squall,
        level: Level::Warning,
        what: what.to_owned(),
        why: Some("because".to_owned()),
    }
}

#[tokio::test]
async fn lines_come_back_as_they_were_and_by_cluster() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("state/journal.sqlite");
    let journal = Journal::open(&path);
    let lines = [line("demo", 5, "made"), line("demo", 6, "ready")];
    for event in &lines {
        journal.record(&scope("demo"), event.clone());
    }
    journal.record(&scope("other"), line("other", 7, "made"));
    assert_eq!(journal.read(&scope("demo")).await.unwrap(), lines);
    drop(journal);
    let journal = Journal::open(&path);
    assert_eq!(journal.read(&scope("demo")).await.unwrap(), lines);
    assert_eq!(journal.forget(&scope("demo")).await.unwrap(), 2);
    assert_eq!(journal.read(&scope("demo")).await.unwrap(), []);
    assert_eq!(journal.read(&scope("other")).await.unwrap().len(), 1);
    assert_eq!(journal.trouble(), None);
}

#[tokio::test]
async fn only_its_owner_may_read_it() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("a/b/journal.sqlite");
    let journal = Journal::open(&path);
    journal.record(&scope("demo"), line("demo", 5, "made"));
    journal.flush().await;
    let mode = |path: &Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(&dir.path().join("a/b")), 0o700);
    for entry in std::fs::read_dir(dir.path().join("a/b")).unwrap() {
        let path = entry.unwrap().path();
        assert_eq!(mode(&path), 0o600, "{}", path.display());
    }
}

#[tokio::test]
async fn the_oldest_lines_go_when_there_are_too_many() {
    let dir = tempfile::tempdir().unwrap();
    let journal = Journal::open(&dir.path().join("journal.sqlite"));
    let count = i64::from(LINES_PER_CLUSTER_MAX) + 100;
    journal.record(&scope("other"), line("other", 0, "made"));
    for at_s in 0..count {
        journal.record(&scope("demo"), line("demo", at_s, "made"));
        if at_s % 1000 == 0 {
            journal.flush().await;
        }
    }
    let lines = journal.read(&scope("demo")).await.unwrap();
    assert_eq!(lines.len(), LINES_PER_CLUSTER_MAX as usize);
    assert_eq!(lines[0].at.as_second(), 100);
    assert_eq!(journal.read(&scope("other")).await.unwrap().len(), 1);
}

#[tokio::test]
async fn a_very_long_text_is_cut_at_a_character() {
    let dir = tempfile::tempdir().unwrap();
    let journal = Journal::open(&dir.path().join("journal.sqlite"));
    journal.record(&scope("demo"), line("demo", 1, &format!("x{}", "ü".repeat(4000))));
    let lines = journal.read(&scope("demo")).await.unwrap();
    assert_eq!(lines[0].what.len(), 4095);
}

#[tokio::test]
async fn a_file_that_cannot_be_used_is_told_of_and_nothing_more() {
    let dir = tempfile::tempdir().unwrap();
    let garbage = dir.path().join("garbage.sqlite");
    std::fs::write(&garbage, "not a database, and long enough to be read as one".repeat(100))
        .unwrap();
    let newer = dir.path().join("newer.sqlite");
    drop(Journal::open(&newer));
    let connection = Connection::open(&newer).unwrap();
    connection.execute("INSERT INTO migration VALUES (99, 0)", []).unwrap();
    drop(connection);
    let blocked = dir.path().join("garbage.sqlite/journal.sqlite");
    for (path, expected) in [
        (&garbage, "file is not a database"),
        (&newer, "a newer squall wrote it (schema 99, this one knows 1)"),
        (&blocked, "open the journal"),
    ] {
        let journal = Journal::open(path);
        journal.record(&scope("demo"), line("demo", 1, "made"));
        journal.flush().await;
        let error = journal.read(&scope("demo")).await.unwrap_err();
        assert!(error.to_string().contains(expected), "{error}");
        assert_eq!(journal.trouble(), Some(&error));
    }
    assert!(matches!(Journal::open(&newer).trouble(), Some(JournalError::Newer { found: 99, .. })));
}

#[tokio::test]
async fn a_journal_that_is_off_remembers_nothing() {
    let journal = Journal::off();
    journal.record(&scope("demo"), line("demo", 1, "made"));
    journal.flush().await;
    assert_eq!(journal.read(&scope("demo")).await.unwrap(), []);
}

#[tokio::test]
async fn two_processes_write_the_same_file() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("journal.sqlite");
    let (one, two) = (Journal::open(&path), Journal::open(&path));
    for at_s in 0..50 {
        one.record(&scope("demo"), line("demo", at_s, "one"));
        two.record(&scope("demo"), line("demo", at_s, "two"));
    }
    one.flush().await;
    two.flush().await;
    assert_eq!(one.read(&scope("demo")).await.unwrap().len(), 100);
    assert_eq!((one.trouble(), two.trouble()), (None, None));
}
