//! What is remembered, what is not, and what happens without it.

use std::path::Path;

use model::event::{EventSource, Progress};
use model::node::NodeVerb;
use model::plan::Intent;
use providers::ErrorKind;
use providers::fake::Call;
use testkit::build::cluster;

use super::support::{Watch, World, spec};
use crate::{CarryOut, FailureKind};

#[tokio::test]
async fn the_timeline_is_one_story_of_both() {
    let world = World::new();
    world.create(&spec(1, "debian-12")).await.unwrap();
    world.verb(&["worker1"], NodeVerb::Stop).await.unwrap();
    let controller = world.controller();
    let timeline = controller.timeline(&cluster("demo"), None).await;
    assert_eq!(timeline.missing, [""; 0]);
    assert!(timeline.events.is_sorted_by_key(|event| event.at));
    for source in [EventSource::Squall, EventSource::Provider] {
        assert!(timeline.events.iter().any(|event| event.source == source), "{source:?}");
    }
    let middle = timeline.events[timeline.events.len() / 2].at;
    let later = controller.timeline(&cluster("demo"), Some(middle)).await;
    assert!(later.events.iter().all(|event| event.at > middle));
    assert!(!later.events.is_empty());

    world.refuse(Call::Events, None, ErrorKind::Auth);
    let partial = controller.timeline(&cluster("demo"), None).await;
    assert_eq!(partial.missing.len(), 1);
    assert!(!partial.events.is_empty());
}

#[tokio::test]
async fn forgetting_removes_memory_and_no_machine() {
    let world = World::new();
    let name = cluster("demo");
    world.create(&spec(1, "debian-12")).await.unwrap();
    let forgotten = world.controller().forget(&name).await.unwrap();
    assert!(forgotten.events > 0);
    assert!(forgotten.still_listed.unwrap().contains("`squall delete demo`"));
    assert_eq!(world.story().await, [""; 0]);
    assert_eq!(world.sight().await, "complete 1: head worker1");

    world.delete().await.unwrap();
    let forgotten = world.controller().forget(&name).await.unwrap();
    assert!(forgotten.events > 0);
    assert_eq!(forgotten.still_listed, None);
    let error = world.controller().forget(&name).await.unwrap_err();
    assert_eq!(error.kind, FailureKind::NotFound);
}

#[tokio::test]
async fn a_journal_that_cannot_be_used_is_a_note_and_no_more() {
    let world = World::new();
    // A directory where the file should be: refused to root as well.
    std::fs::create_dir_all(world.home.path().join("state/journal.sqlite")).unwrap();
    let spec = spec(1, "debian-12");
    let (answer, events) =
        world.apply_with(Intent::Create, Some(&spec), CarryOut::default(), Watch::default()).await;
    answer.unwrap();
    let notes: Vec<&str> = events
        .iter()
        .filter_map(|event| match event {
            Progress::Note { text } => Some(text.as_str()),
            _ => None,
        })
        .collect();
    assert_eq!(notes.len(), 1, "{notes:?}");
    assert!(notes[0].starts_with("nothing is remembered of this: failed to open the journal"));
}

#[tokio::test]
async fn no_secret_is_written_or_told() {
    let world = World::new();
    world.refuse(Call::EnsureNode, Some("worker2"), ErrorKind::Capacity);
    let spec = spec(2, "debian-12");
    let (answer, events) =
        world.apply_with(Intent::Create, Some(&spec), CarryOut::default(), Watch::default()).await;
    let mut shown = format!("{answer:?} {events:?}").into_bytes();
    add_files(&world.home.path().join("state"), &mut shown);
    let key = std::fs::read_to_string(world.home.path().join("data/keys/id_ed25519")).unwrap();
    for secret in key.lines().chain(["PRIVATE KEY", "b3BlbnNzaC1rZXktdjE"]) {
        let found = shown.windows(secret.len()).any(|window| window == secret.as_bytes());
        assert!(!found, "{secret}");
    }
}

fn add_files(directory: &Path, bytes: &mut Vec<u8>) {
    let before = bytes.len();
    for entry in std::fs::read_dir(directory).unwrap() {
        match std::fs::read(entry.unwrap().path()) {
            Ok(text) => bytes.extend(text),
            // What the database keeps beside itself comes and goes.
            Err(error) => assert_eq!(error.kind(), std::io::ErrorKind::NotFound),
        }
    }
    assert!(bytes.len() > before, "nothing was written");
}
