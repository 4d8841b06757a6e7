use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;

use super::select;
use crate::span::SourceId;
use crate::target::{Member, Scope, fold, parse};

fn member(cluster: &str, name: &str, state: &str) -> Member {
    Member {
        cluster: cluster.into(),
        name: name.into(),
        fields: BTreeMap::from([
            ("state".to_owned(), vec![state.to_owned()]),
            ("ip".to_owned(), vec!["1.2.3.4".to_owned(), "10.0.0.4".to_owned()]),
        ]),
        tags: BTreeMap::from([("squall:pool".to_owned(), "worker".to_owned())]),
    }
}

fn scope(within: Option<&str>) -> Scope {
    let mut members =
        vec![member("demo", "master", "running"), member("web", "worker1", "stopped")];
    members.extend((1..=12).map(|n| member("demo", &format!("worker{n}"), "running")));
    members.push(member("web", "demo2", "running"));
    let clusters = ["demo", "web", "empty"].map(String::from).into();
    Scope::new(members, clusters).within(within.map(String::from))
}

fn chosen(within: Option<&str>, text: &str) -> String {
    let scope = scope(within);
    let (expr, problems) = parse(SourceId::default(), text);
    if let Some(problem) = problems.first() {
        return format!("syntax: {}", problem.message);
    }
    match select(&expr, SourceId::default(), &scope) {
        Err(problems) => format!("error: {}", problems[0].message),
        Ok(selection) => fold(selection.members.iter().map(|&at| scope.members[at].name.as_str())),
    }
}

#[test]
fn expressions_select_what_their_reader_expects() {
    for (text, expected) in [
        ("", "master,worker[1-12]"),
        ("*", "master,worker[1-12]"),
        ("worker*", "worker[1-12]"),
        (r"worker\*", "worker[1-12]"),
        ("worker[1-8]", "worker[1-8]"),
        ("worker[1-8],!worker3", "worker[1-2,4-8]"),
        ("worker[1-8]!worker3", "worker[1-2,4-8]"),
        ("!master", "worker[1-12]"),
        ("!worker[1-12]", "master"),
        ("worker[1-8]&worker[7-12]", "worker[7-8]"),
        ("worker[1-8]^worker[7-12]", "worker[1-6,9-12]"),
        ("worker1,worker2,master", "master,worker[1-2]"),
        ("(worker1, worker2)!worker1", "worker2"),
        ("worker[1,3]", "worker[1,3]"),
        ("w*&!(worker[2-12])", "syntax: a target is missing before this"),
        ("state=running&worker[1-2]", "worker[1-2]"),
        ("state!=running", ""),
        ("ip=10.0.*&master", "master"),
        ("tags=squall:pool:work*&worker1", "worker1"),
        ("cluster=web", "demo2,worker1"),
        ("web", "demo2,worker1"),
        ("web:worker*", "worker1"),
        ("WEB:WORKER1", "worker1"),
        ("cluster=nope", "error: there is no cluster `nope`"),
        ("nope:worker1", "error: there is no cluster `nope`"),
        ("stat=running", "error: no node has a property `stat`"),
        ("nothing*", ""),
        ("worker1,", "syntax: a target is missing here"),
        (",worker1", "syntax: a target is missing before this"),
        ("(worker1", "syntax: `(` without `)`"),
        ("worker1)", "syntax: unexpected here"),
        ("worker[1-", "syntax: `[` without `]`"),
        ("@failed", "syntax: result words work in a shell, after a run"),
        ("cores>=8", "syntax: this comparison is not understood yet"),
        ("demo:", "syntax: a target is missing after the colon"),
    ] {
        assert_eq!(chosen(Some("demo"), text), expected, "{text}");
    }
}

#[test]
fn without_a_scope_the_clusters_reached_are_told() {
    let scope = scope(None);
    let (expr, _) = parse(SourceId::default(), "worker1");
    let selection = select(&expr, SourceId::default(), &scope).unwrap();
    assert_eq!(selection.clusters, BTreeSet::from(["demo".to_owned(), "web".to_owned()]));
}

#[test]
fn a_word_that_is_a_node_and_a_cluster_is_refused() {
    let mut scope = scope(None);
    scope.members.push(member("web", "demo", "running"));
    let (expr, _) = parse(SourceId::default(), "demo");
    let problems = select(&expr, SourceId::default(), &scope).unwrap_err();
    assert_eq!(problems[0].code, "target-ambiguous");
}

proptest! {
    #[test]
    fn no_text_makes_the_parser_fail_to_answer(text in ".{0,80}") {
        let (expr, _) = parse(SourceId::default(), &text);
        let _ = select(&expr, SourceId::default(), &scope(None));
    }

    #[test]
    fn no_soup_of_operators_makes_it_fail_either(text in "[a-z0-9,!&^()*\\[\\]:= -]{0,60}") {
        let (expr, _) = parse(SourceId::default(), &text);
        let _ = select(&expr, SourceId::default(), &scope(None));
    }

    #[test]
    fn a_folded_set_selects_that_set(numbers in prop::collection::btree_set(0u32..200, 1..40), width in 1usize..4) {
        let members: Vec<Member> = (0..200).map(|n| member("c", &format!("n{n:0width$}"), "running")).collect();
        let names: BTreeSet<String> = numbers.iter().map(|n| format!("n{n:0width$}")).collect();
        let folded = fold(names.iter().map(String::as_str));
        let scope = Scope::new(members, ["c".to_owned()].into());
        let (expr, problems) = parse(SourceId::default(), &folded);
        prop_assert!(problems.is_empty(), "{folded}: {problems:?}");
        let selection = select(&expr, SourceId::default(), &scope).unwrap();
        let selected: BTreeSet<String> = selection.members.iter().map(|&at| scope.members[at].name.clone()).collect();
        prop_assert_eq!(selected, names, "{}", folded);
    }
}
