//! Runs the examples of the manual's page on targets, over the nodes and sets
//! that the page itself declares.

use std::collections::BTreeMap;

use super::{Member, Scope, expand, fold, parse, select};
use crate::span::SourceId;

const PAGE: &str = include_str!("../../../../docs/src/targets.md");

/// The cells of every row of tables with these headings. A `\|` is a bar.
fn rows(headings: &str) -> Vec<Vec<String>> {
    let mut rows = Vec::new();
    let mut inside = false;
    for line in PAGE.lines() {
        inside = line == headings || (inside && line.starts_with('|'));
        if inside && line != headings && !line.starts_with("|---") {
            let line = line.replace("\\|", "\u{1}");
            let cells = line.trim_matches('|').split('|');
            rows.push(cells.map(|cell| cell.trim().replace('\u{1}', "|")).collect());
        }
    }
    assert!(!rows.is_empty(), "the page has no table {headings}");
    rows
}

fn scope() -> Scope {
    let headings = "| cluster | nodes | state | cores | memory | age | launch_time | tags |";
    let keys: Vec<&str> = headings.trim_matches('|').split('|').map(str::trim).collect();
    let mut members = Vec::new();
    for row in rows(headings) {
        let fields: BTreeMap<String, Vec<String>> = keys
            .iter()
            .zip(&row)
            .filter(|(key, _)| !["cluster", "nodes", "tags"].contains(key))
            .map(|(key, value)| ((*key).to_owned(), vec![value.clone()]))
            .collect();
        let tags = row[7].split(' ').filter_map(|tag| tag.rsplit_once(':'));
        let tags: BTreeMap<String, String> =
            tags.map(|(key, value)| (key.to_owned(), value.to_owned())).collect();
        members.extend(expand(SourceId::default(), &row[1]).unwrap().into_iter().map(|name| {
            Member { cluster: row[0].clone(), name, fields: fields.clone(), tags: tags.clone() }
        }));
    }
    let yaml = PAGE.split("```yaml\n").nth(1).and_then(|rest| rest.split("```").next()).unwrap();
    let settings = crate::spec::settings("config.yaml", yaml.as_bytes()).unwrap();
    Scope::new(members, ["demo", "web"].map(String::from).into())
        .within(Some("demo".to_owned()))
        .with_sets(settings.sets)
}

/// What a target selects, folded, or the first thing that is wrong with it.
fn answer(scope: &Scope, text: &str) -> Result<String, String> {
    let (expr, problems) = parse(SourceId::default(), text);
    if let Some(problem) = problems.first() {
        return Err(problem.message.clone());
    }
    let selection = select(&expr, SourceId::default(), scope);
    let places = selection.map_err(|problems| problems[0].message.clone())?.members;
    Ok(fold(places.iter().map(|at| scope.members()[*at].name.as_str())))
}

#[test]
fn every_example_of_the_page_is_true() {
    let scope = scope();
    for row in rows("| target | selects |") {
        let text = row[0].trim_matches('`');
        assert_eq!(answer(&scope, text), Ok(row[1].clone()), "{text}");
    }
    for row in rows("| target | is refused |") {
        let text = row[0].trim_matches('`');
        assert_eq!(answer(&scope, text), Err(row[1].clone()), "{text}");
    }
}
