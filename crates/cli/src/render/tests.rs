use jiff::tz::TimeZone;

use super::sample;
use super::{Detail, clusters, drift, nodes, plan, standing, tally, timeline};
use crate::document::{
    ClustersDocument, EventDocument, NodesDocument, PlanDocument, StatusDocument,
};
use crate::paint::{Colour, Paint, StreamFacts};
use model::span::Sources;

fn text(lines: &[String]) -> String {
    lines.join("\n")
}

fn json(document: &impl serde::Serialize) -> String {
    serde_json::to_string_pretty(document).unwrap()
}

#[test]
fn clusters_are_listed_by_provider_region_and_name() {
    let lines = clusters(&sample::summaries(), sample::at(3600), Paint::off());
    insta::assert_snapshot!(text(&lines));
}

#[test]
fn nodes_are_listed_under_their_cluster() {
    let view = sample::view();
    let shown = [(&view, view.shown())];
    for (name, detail) in [
        ("line", Detail::Line),
        ("long_line", Detail::LongLine),
        ("everything", Detail::Everything),
    ] {
        let lines = nodes(&shown, detail, sample::at(120), Paint::off());
        insta::assert_snapshot!(name, text(&lines));
    }
}

#[test]
fn plans_say_what_and_why() {
    let (create, sources) = sample::create_plan();
    insta::assert_snapshot!("create", text(&plan(&create, &sources, Paint::off())));
    let update = sample::update_plan();
    insta::assert_snapshot!("update", text(&plan(&update, &Sources::default(), Paint::off())));
}

#[test]
fn an_empty_plan_says_so() {
    let mut update = sample::update_plan();
    update.record_changes = false;
    update.changes.retain(|change| change.action == model::plan::Action::Keep);
    assert_eq!(tally(&update), "Nothing to do: the cluster is as it should be.");
}

#[test]
fn a_status_tells_how_it_came_to_this() {
    let view = sample::view();
    let mut lines = standing(&view, sample::at(120), Paint::off());
    lines.extend(drift(&sample::update_plan()));
    lines.extend(timeline(&sample::events(), &TimeZone::UTC, Paint::off()));
    insta::assert_snapshot!(text(&lines));
}

#[test]
fn a_change_that_is_not_through_is_told() {
    let told = |completed: Option<u64>, deleting| {
        let mut view = sample::view();
        if let model::inventory::Known::Seen(Some(record)) = &mut view.inventory.record {
            record.completed = completed.map(model::node::Generation);
            record.accepted = model::node::Generation(2);
            record.deleting = deleting;
        }
        text(&standing(&view, sample::at(120), Paint::off()))
    };
    assert!(told(None, false).contains("`squall create` goes on"));
    assert!(told(Some(1), false).contains("from generation 1 to 2"));
    assert!(told(Some(2), true).contains("`squall delete` goes on"));
    assert!(!told(Some(2), false).contains("goes on"));
}

#[test]
fn colours_change_nothing_but_colours() {
    let on = Paint::new(Colour::Always, StreamFacts { is_terminal: false, is_plain: false });
    let (create, sources) = sample::create_plan();
    let coloured = text(&plan(&create, &sources, on));
    let plain = text(&plan(&create, &sources, Paint::off()));
    assert_ne!(coloured, plain);
    assert_eq!(anstream::adapter::strip_str(&coloured).to_string(), plain);
}

#[test]
fn documents_keep_their_form() {
    let failed = vec![(model::resolved::ProviderKind::Fake, "it sleeps".to_owned())];
    let summaries = sample::summaries();
    insta::assert_snapshot!("json_clusters", json(&ClustersDocument::new(&summaries, failed)));
    let view = sample::view();
    insta::assert_snapshot!("json_nodes", json(&NodesDocument::new(&[(&view, view.shown())])));
    let (create, sources) = sample::create_plan();
    insta::assert_snapshot!("json_plan", json(&PlanDocument::new(&create, &sources)));
    let events = sample::events();
    let status = StatusDocument::new(&view, Some(&sample::update_plan()), &events);
    insta::assert_snapshot!("json_status", json(&status));
    let event = events.last().unwrap();
    insta::assert_snapshot!("json_event", json(&EventDocument::new(event)));
}
