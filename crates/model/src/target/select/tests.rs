use std::collections::BTreeSet;

use super::select;
use crate::span::{SourceId, Span, Spanned};
use crate::target::{Member, Scope, Sets, fold, parse};

fn member(cluster: &str, name: &str, state: &str) -> Member {
    let number = name.trim_start_matches(|c: char| !c.is_ascii_digit());
    let fields = [
        ("state", vec![state]),
        ("ip", vec!["1.2.3.4", "10.0.0.4"]),
        ("cores", vec![if number.is_empty() { "16" } else { number }]),
        ("memory", vec![if number == "2" { "32 GiB" } else { "512 MiB" }]),
        ("age", vec![if number == "1" { "5400s" } else { "90000s" }]),
        ("launch_time", vec!["2016-04-30T10:00:00Z"]),
    ];
    let tags = [("squall:pool", "worker"), ("aws:cloudformation:stack-name", cluster)];
    let text = String::from;
    Member {
        cluster: cluster.into(),
        name: name.into(),
        fields: fields
            .map(|(key, values)| (text(key), values.into_iter().map(text).collect()))
            .into(),
        tags: tags.map(|(key, value)| (text(key), text(value))).into(),
    }
}

fn sets() -> Sets {
    let spanned =
        |text: &str| Spanned::new(text.to_owned(), Span::new(SourceId::default(), 0, text.len()));
    let defined = [
        ("gpu", "worker[1-4]"),
        ("Big", "@gpu,worker1[0-2]"),
        ("there", "web:worker*"),
        ("stale", "worker99,worker1"),
        ("wrong", "colour=red"),
    ];
    let (sets, problems) = Sets::define(&defined.map(|(n, t)| (spanned(n), spanned(t))));
    assert!(problems.is_empty(), "{problems:?}");
    sets
}

fn scope(within: Option<&str>) -> Scope {
    let mut members =
        vec![member("demo", "master", "running"), member("web", "worker1", "stopped")];
    members.extend((1..=12).map(|n| member("demo", &format!("worker{n}"), "running")));
    members.push(member("web", "demo2", "running"));
    let clusters = ["demo", "web", "empty"].map(String::from).into();
    Scope::new(members, clusters).within(within.map(String::from)).with_sets(sets())
}

fn chosen_of(scope: &Scope, text: &str) -> String {
    let (expr, problems) = parse(SourceId::default(), text);
    if let Some(problem) = problems.first() {
        return format!("syntax: {}", problem.message);
    }
    match select(&expr, SourceId::default(), scope) {
        Err(problems) => {
            let help: Vec<&str> = problems[0].help.iter().map(String::as_str).collect();
            format!("error: {} ({})", problems[0].message, help.join("; "))
        }
        Ok(selection) => {
            fold(selection.members.iter().map(|&at| scope.members()[at].name.as_str()))
        }
    }
}

fn chosen(within: Option<&str>, text: &str) -> String {
    chosen_of(&scope(within), text)
}

#[test]
fn expressions_select_what_their_reader_expects() {
    for (text, expected) in [
        ("", "master,worker[1-12]"),
        ("*", "master,worker[1-12]"),
        ("worker*", "worker[1-12]"),
        (r"worker\*", "worker[1-12]"),
        (r"worker\[1-3\]", "worker[1-3]"),
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
        ("worker[1-9/4]", "worker[1,5,9]"),
        (
            "worker[135]",
            "error: no node of `worker[135]` is there in cluster demo (did you mean `worker1`?)",
        ),
        ("worker?", "worker[1-9]"),
        ("state=running&worker[1-2]", "worker[1-2]"),
        ("State=RUNNING&worker[1-2]", "worker[1-2]"),
        ("state!=running", ""),
        ("ip=10.0.*&master", "master"),
        ("tags=squall:pool:work*&worker1", "worker1"),
        ("tags=aws:cloudformation:stack-name:demo&worker1", "worker1"),
        ("tags=aws:cloudformation:stack-name&worker1", "worker1"),
        ("tags=aws:cloudformation", ""),
        ("tags=\"aws:cloudformation:*\":demo&worker1", "worker1"),
        ("tags~/stack.*(demo|x)$/&worker1", "worker1"),
        ("cluster=web", "demo2,worker1"),
        ("web", "demo2,worker1"),
        ("web:worker*", "worker1"),
        ("web:(worker1,demo2)!web:demo2", "worker1"),
        ("web:(!demo2)", "worker1"),
        ("web:*", "demo2,worker1"),
        ("WEB:WORKER1", "worker1"),
        ("web:cluster=demo", ""),
    ] {
        assert_eq!(chosen(Some("demo"), text), expected, "{text}");
    }
}

#[test]
fn properties_are_compared_and_searched() {
    for (text, expected) in [
        ("cores>=11", "master,worker[11-12]"),
        ("cores>11", "master,worker12"),
        ("cores<2", "worker1"),
        ("cores<=2", "worker[1-2]"),
        ("memory>=32GiB", "worker2"),
        ("memory<1GiB&worker[1-3]", "worker[1,3]"),
        ("age<2h", "worker1"),
        ("launch_time>=2016-04&master", "master"),
        ("launch_time>2016-04", ""),
        ("launch_time=2016-04*&master", "master"),
        ("name~/^w.*[13]$/", "worker[1,3,11]"),
        ("name~^WORKER1", "worker[1,10-12]"),
        ("name~/(?-i)W/", ""),
        ("name!~/,|er/", ""),
        ("name!~worker", "master"),
        ("name=worker1[0-9]", "worker[10-12]"),
        (
            "memory>=32",
            "error: no node's `memory` is a plain number (it is as in `memory=512 MiB`)",
        ),
        ("state>2h", "error: no node's `state` is a length of time (it is as in `state=running`)"),
        ("name>3", "error: `name` has no order (write `name=glob` or `name~regex`)"),
        ("cores>=many", "syntax: `many` has no order"),
        ("cores>=", "syntax: `` has no order"),
        ("name~/x", "syntax: `/` without a second one"),
        ("name~/x/y", "syntax: unexpected here"),
        ("name~", "syntax: a regular expression is missing"),
        ("name~/(/", "syntax: this is no regular expression: unclosed group"),
        ("state==x", "syntax: there is no `==`"),
        ("=x", "syntax: a key is missing before this"),
        ("st*te=x", "syntax: `*` cannot stand in a key"),
        ("name=\"x", "syntax: `\"` without a second one"),
    ] {
        assert_eq!(chosen(Some("demo"), text), expected, "{text}");
    }
}

#[test]
fn what_is_wrong_is_said_with_what_was_perhaps_meant() {
    for (text, expected) in [
        (
            "cluster=nope",
            "error: there is no cluster `nope` (clusters there are: demo, empty, web)",
        ),
        (
            "dmeo:worker1",
            "error: there is no cluster `dmeo` (did you mean `demo`?; clusters there are: demo, \
             empty, web)",
        ),
        ("stat=running", "error: no node has a property `stat` (did you mean `state`?)"),
        (
            "colour=red",
            "error: no node has a property `colour` (`squall show -vv` lists the properties)",
        ),
        ("nothing*", ""),
        ("wroker3", "error: there is no node `wroker3` in cluster demo (did you mean `worker3`?)"),
        (
            "worker[1-8]!wroker[3-4]",
            "error: no node of `wroker[3-4]` is there in cluster demo (did you mean `worker3`?)",
        ),
        (
            "demo2",
            "error: there is no node `demo2` in cluster demo (cluster web has one: `web:demo2`)",
        ),
        ("gpu", "error: there is no node `gpu` in cluster demo (did you mean the set `@gpu`?)"),
        ("worker1,", "syntax: a target is missing here"),
        (",worker1", "syntax: a target is missing before this"),
        ("(worker1", "syntax: `(` without `)`"),
        ("worker1)", "syntax: unexpected here"),
        ("worker[1-", "syntax: `[` without `]`"),
        ("w*&!(worker[2-12])", "syntax: a target is missing before this"),
        ("demo:", "syntax: a target is missing after the colon"),
        ("worker1 worker2", "syntax: unexpected here"),
    ] {
        assert_eq!(chosen(Some("demo"), text), expected, "{text}");
    }
}

#[test]
fn what_was_perhaps_meant_is_looked_for_as_far_as_anyone_reads() {
    let text: Vec<String> = (0..50).map(|number| format!("wroker{}", number % 3)).collect();
    let (expr, _) = parse(SourceId::default(), &text.join(","));
    let problems = select(&expr, SourceId::default(), &scope(Some("demo"))).unwrap_err();
    let helped = problems.iter().take_while(|problem| !problem.help.is_empty()).count();
    assert_eq!((problems.len(), helped), (50, 20));
    assert!(problems.iter().skip(20).all(|problem| problem.help.is_empty()));
}

#[test]
fn sets_stand_for_their_targets_wherever_they_are_used() {
    for (text, expected) in [
        ("@gpu", "worker[1-4]"),
        ("@@gpu", "worker[1-4]"),
        ("@GPU!worker2", "worker[1,3-4]"),
        ("@big", "worker[1-4,10-12]"),
        ("@*", "master,worker[1-12]"),
        ("web:@gpu", "worker1"),
        ("@there", "worker1"),
        ("@stale", "worker1"),
        (
            "@wrong",
            "error: no node has a property `colour` (it is in the set, as `colour=red`; `squall \
             show -vv` lists the properties)",
        ),
        (
            "@gpus",
            "error: there is no set `@gpus` (did you mean `@gpu`?; sets there are: @Big, @gpu, \
             @stale, @there, @wrong)",
        ),
        ("@", "syntax: a name is missing after `@`"),
        ("@a*b", "syntax: `*` cannot stand in the name of a set"),
        ("@failed:x", "syntax: `@failed` takes nothing after it"),
        ("@group", "syntax: which group is missing"),
        ("@group:0", "syntax: groups are counted from 1"),
        ("@said", "syntax: what was said is missing"),
        (
            "@said:/5\\.10, (x)/",
            "error: `@said:/5\\.10, (x)/` asks for the last run, and there was none (result words \
             work in a shell, after a run; here name the nodes)",
        ),
    ] {
        assert_eq!(chosen(Some("demo"), text), expected, "{text}");
    }
}

#[test]
fn sets_that_cannot_be_are_refused_where_they_are_written() {
    let spanned =
        |text: &str, at| Spanned::new(text.to_owned(), Span::new(SourceId::default(), at, at + 1));
    for (defined, expected) in [
        (
            &[("a", "@b"), ("b", "@c,x"), ("c", "@b")][..],
            "the set `@b` is made of itself|the set `@c` is made of itself",
        ),
        (&[("a", "@A")], "the set `@a` is made of itself"),
        (&[("a", "@none")], "there is no set `@none`"),
        (&[("failed", "x")], "`failed` is a reserved word of targets or DNS"),
        (&[("a b", "x")], "a name holds letters, digits and dashes only, not ' '"),
        (
            &[("a", "x,,")],
            "`x,,` is no target: a target is missing before this|`x,,` is no target: a target is missing here",
        ),
        (&[("a", "x"), ("A", "y")], "there are two sets `A`"),
    ] {
        let defined: Vec<_> = defined.iter().map(|(n, t)| (spanned(n, 0), spanned(t, 9))).collect();
        let (_, problems) = Sets::define(&defined);
        let messages: Vec<&str> = problems.iter().map(|one| one.message.as_str()).collect();
        assert_eq!(messages.join("|"), expected);
    }
    let circle = [("a", "@b"), ("b", "@a")].map(|(n, t)| (spanned(n, 0), spanned(t, 9)));
    let (_, problems) = Sets::define(&circle);
    assert_eq!(problems[0].help, ["@a uses @b uses @a"]);
}

#[test]
fn bare_numbers_count_in_the_last_listing() {
    let listed = scope(Some("demo")).with_listing(vec![3, 0, 1]);
    for (text, expected) in [
        ("1", "worker2"),
        ("2,1", "master,worker2"),
        ("[2-3]", "master,worker1"),
        ("0", "error: there is no place 0 in the last listing (it has 3 nodes)"),
        ("4", "error: there is no place 4 in the last listing (it has 3 nodes)"),
    ] {
        assert_eq!(chosen_of(&listed, text), expected, "{text}");
    }
    assert!(chosen(None, "3").contains("is a place in a listing, and nothing was listed"));
    let mut members = scope(None).members().to_vec();
    members.push(member("web", "3", "running"));
    let named = Scope::new(members, ["web".to_owned()].into()).with_listing(vec![0]);
    assert_eq!(chosen_of(&named, "3"), "3");
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
    let mut members = scope(None).members().to_vec();
    members.push(member("web", "demo", "running"));
    let scope = Scope::new(members, ["demo".to_owned(), "web".to_owned()].into());
    assert!(chosen_of(&scope, "demo").contains("is the name of a node and of a cluster"));
    assert_eq!(chosen_of(&scope, "web:demo"), "demo");
    assert_eq!(chosen_of(&scope, "name=demo"), "demo");
}

#[test]
fn names_of_hosts_may_hold_a_colon() {
    let host = Member { cluster: "hosts".into(), name: "h:22".into(), ..Member::default() };
    let scope = Scope::new(vec![host], ["hosts".to_owned()].into());
    assert_eq!(chosen_of(&scope, "h:22"), "h:22");
    assert_eq!(chosen_of(&scope, "h:2[0-9]"), "h:22");
}

#[test]
fn who_reaches_out_is_told_before_anything_is_observed() {
    let clusters: BTreeSet<String> = ["demo", "web"].map(String::from).into();
    for (text, expected) in [
        ("worker1", false),
        ("*!@gpu", false),
        ("cores>2&state=x", false),
        ("WEB", true),
        ("a,web:b", true),
        ("a,cluster=x", true),
        ("cluster~x", true),
        ("@there", true),
        ("@none", false),
    ] {
        let (expr, _) = parse(SourceId::default(), text);
        assert_eq!(expr.reaches_out(&clusters, &sets()), expected, "{text}");
    }
}

#[test]
fn long_unions_are_no_trouble() {
    let text = vec!["worker1"; 50_000].join(",");
    assert_eq!(chosen(Some("demo"), &text), "worker1");
    let (expr, _) = parse(SourceId::default(), &text);
    assert_eq!(expr.to_string(), text);
    let nested = format!("{}worker1{}", "(".repeat(70), ")".repeat(70));
    assert_eq!(chosen(Some("demo"), &nested), "syntax: too many parentheses");
    let large = "a".repeat(crate::target::TARGET_BYTES_MAX + 1);
    assert!(chosen(Some("demo"), &large).starts_with("syntax: a target has at most"));
}
