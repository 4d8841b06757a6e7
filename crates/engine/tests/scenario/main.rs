//! Stories of clusters: each `NAME.txt` is a script of commands, and
//! `NAME.snap` what comes of it in the virtual world. Read them like code; to
//! accept a change, run the tests with `INSTA_UPDATE=always` and read the
//! difference.
//!
//! The commands are listed in `script.rs`.

#![forbid(unsafe_code)]
#![expect(clippy::unwrap_used, clippy::panic, reason = "a script that cannot run is a failed test")]

use std::collections::BTreeSet;

mod script;
mod show;

use script::Teller;

const STORIES: [(&str, &str); 8] = [
    ("first_cluster", include_str!("first_cluster.txt")),
    ("broken_off", include_str!("broken_off.txt")),
    ("out_of_capacity", include_str!("out_of_capacity.txt")),
    ("changed_spec", include_str!("changed_spec.txt")),
    ("lost_node", include_str!("lost_node.txt")),
    ("terminate", include_str!("terminate.txt")),
    ("blindness", include_str!("blindness.txt")),
    ("two_admins", include_str!("two_admins.txt")),
];

fn tell(name: &str) -> String {
    let (_, script) = STORIES.iter().find(|(found, _)| *found == name).unwrap();
    Teller::new().tell(script)
}

fn check(name: &str) {
    let mut settings = insta::Settings::clone_current();
    settings.set_snapshot_path(".");
    settings.set_prepend_module_to_snapshot(false);
    settings.set_omit_expression(true);
    settings.bind(|| insta::assert_snapshot!(name, tell(name)));
}

#[test]
fn a_first_cluster_is_made_grown_shrunk_and_deleted() {
    check("first_cluster");
}

#[test]
fn what_was_broken_off_is_gone_on_with() {
    check("broken_off");
}

#[test]
fn one_node_without_room_does_not_keep_the_others() {
    check("out_of_capacity");
}

#[test]
fn a_changed_spec_replaces_only_what_it_must() {
    check("changed_spec");
}

#[test]
fn a_lost_node_is_shown_and_replaced_by_update() {
    check("lost_node");
}

#[test]
fn a_terminated_node_stays_away_until_its_pool_changes() {
    check("terminate");
}

#[test]
fn nothing_is_deleted_that_is_not_seen_to_be_ours() {
    check("blindness");
}

#[test]
fn of_two_admins_one_is_told_to_look_again() {
    check("two_admins");
}

#[test]
fn every_code_of_the_planner_is_documented_and_told_by_some_story() {
    let told: String = STORIES.iter().map(|(name, _)| tell(name)).collect();
    let said: BTreeSet<&str> = told
        .lines()
        .filter_map(|line| line.split_once('[')?.1.split_once("]: ").map(|(code, _)| code))
        .collect();
    let documented: BTreeSet<&str> = engine::CODES.iter().map(|(code, _)| *code).collect();
    for code in &documented {
        // These two need a caller's mistake or damaged data; see `plan_tests`.
        if !["spec-missing", "stored-spec", "inventory-torn", "inventory-old"].contains(code) {
            assert!(said.contains(code), "no story tells {code}");
        }
    }
    let unknown: Vec<_> = said.difference(&documented).filter(|code| **code != "observe").collect();
    assert!(unknown.is_empty(), "{unknown:?}");
}
