//! What holds of every target, over texts and sets that nobody thought of.

use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;

use super::{
    Expr, ExprKind, Member, Op, Pattern, Scope, complete_at, expand, fold, highlight, parse,
    search, select,
};
use crate::span::SourceId;

/// Nodes `n1` to `n40`, `r1c1` to `r3c3`, `master`; odd ones run.
fn scope() -> Scope {
    let grid = (1..=9).map(|at| format!("r{}c{}", (at - 1) / 3 + 1, (at - 1) % 3 + 1));
    let names = (1..=40).map(|number| format!("n{number}")).chain(grid);
    let members = names.chain(["master".to_owned()]).enumerate().map(|(at, name)| {
        let state = if at % 2 == 0 { "running" } else { "stopped" };
        let field = |key: &str, value: &str| (key.to_owned(), vec![value.to_owned()]);
        Member {
            cluster: if at % 3 == 0 { "web" } else { "demo" }.to_owned(),
            name,
            fields: [field("state", state), field("cores", &at.to_string())].into(),
            tags: BTreeMap::from([("a:b".to_owned(), state.to_owned())]),
        }
    });
    Scope::new(members.collect(), ["demo", "web"].map(String::from).into())
}

fn selected(scope: &Scope, text: &str) -> BTreeSet<usize> {
    let (expr, problems) = parse(SourceId::default(), text);
    assert!(problems.is_empty(), "{text}: {problems:?}");
    let selection = select(&expr, SourceId::default(), scope);
    selection
        .unwrap_or_else(|problems| panic!("{text}: {problems:?}"))
        .members
        .into_iter()
        .collect()
}

/// The same expression with its places forgotten.
fn placeless(expr: &Expr) -> Expr {
    let kind = match &expr.kind {
        ExprKind::Within { cluster, inner } => {
            ExprKind::Within { cluster: cluster.clone(), inner: Box::new(placeless(inner)) }
        }
        ExprKind::Chain { first, rest } => ExprKind::Chain {
            first: Box::new(placeless(first)),
            rest: rest.iter().map(|(op, expr)| (*op, placeless(expr))).collect(),
        },
        other => other.clone(),
    };
    Expr { kind, span: 0..0 }
}

/// A word of a target that selects in [`scope`] without complaint.
fn word() -> impl Strategy<Value = String> {
    prop_oneof![
        (1..=40_u32).prop_map(|number| format!("n{number}")),
        (1..=20_u32, 0..=20_u32, 1..4_u32)
            .prop_map(|(first, more, step)| format!("n[{first}-{}/{step}]", first + more)),
        (1..=3_u32, 1..=3_u32).prop_map(|(row, column)| format!("r[{row}-3]c[1-{column}]")),
        Just("master".to_owned()),
        Just("n?".to_owned()),
        Just("*1".to_owned()),
        Just("[mr]*".to_owned()),
        Just("state=running".to_owned()),
        Just("state!=run*".to_owned()),
        Just("name~/^[nr].*[13]$|,/".to_owned()),
        Just("name!~1".to_owned()),
        (0..50_u32).prop_map(|cores| format!("cores>={cores}")),
        Just("tags=a:b:stopped".to_owned()),
        Just("web:n*".to_owned()),
        Just("demo:(n[1-9]!n3)".to_owned()),
        Just("cluster!=demo".to_owned()),
        Just("*".to_owned()),
    ]
}

fn target() -> impl Strategy<Value = String> {
    word().prop_recursive(4, 24, 4, |inner| {
        let op = prop_oneof![Just(","), Just("!"), Just(",!"), Just("&"), Just("^"), Just(" , ")];
        (inner.clone(), prop::collection::vec((op, inner), 1..4)).prop_map(|(first, rest)| {
            let rest: String = rest.into_iter().map(|(op, text)| format!("{op}{text}")).collect();
            format!("({first}{rest})")
        })
    })
}

fn tree() -> impl Strategy<Value = Expr> {
    let leaf = prop_oneof![
        Just(ExprKind::All),
        "[a-zA-Z][a-z0-9:.-]{0,6}(\\[[1-9]-9\\])?\\*?"
            .prop_filter("clusters come apart from names", |text| !text.contains(':'))
            .prop_map(|text| ExprKind::Name(Pattern::compile(&text).unwrap())),
        ("[a-z_.-]{1,5}", any::<bool>(), "[a-z*?:=\"]{0,4}").prop_filter_map(
            "quotes are closed and nothing is equal twice",
            |(key, negated, text)| {
                let wrong = text.matches('"').count() % 2 == 1 || text.starts_with('=');
                let pattern = Pattern::compile(&text).ok().filter(|_| !wrong)?;
                Some(ExprKind::Property { key, negated, pattern })
            }
        ),
        "[a-z]{3}[0-9]".prop_map(ExprKind::Set),
    ];
    let leaf = leaf.prop_map(|kind| Expr { kind, span: 0..0 });
    leaf.prop_recursive(4, 24, 4, |inner| {
        let op = prop_oneof![
            Just(Op::Union),
            Just(Op::Difference),
            Just(Op::Intersection),
            Just(Op::Xor)
        ];
        let chain = (inner.clone(), prop::collection::vec((op, inner.clone()), 1..4));
        prop_oneof![
            chain.prop_map(|(first, rest)| ExprKind::Chain { first: Box::new(first), rest }),
            ("[a-z]{1,4}", inner).prop_map(|(cluster, inner)| {
                ExprKind::Within { cluster, inner: Box::new(inner) }
            }),
        ]
        .prop_map(|kind| Expr { kind, span: 0..0 })
    })
}

fn soup() -> impl Strategy<Value = String> {
    prop_oneof![
        ".{0,80}",
        "[a-z0-9,!&^()*?\\[\\]:=~<>/\"\\\\@é -]{0,60}",
        target(),
        prop::collection::vec(
            prop_oneof![
                word(),
                Just("@said:/".to_owned()),
                Just("@group:".to_owned()),
                Just("~/a,".to_owned()),
                Just("demo:".to_owned()),
                "[,!&^()\\[ \"]",
            ],
            0..8
        )
        .prop_map(|parts| parts.concat()),
    ]
}

/// Names of one to three numbers, some padded.
fn names() -> impl Strategy<Value = BTreeSet<String>> {
    let stem = prop_oneof![Just("n"), Just("web-"), Just("10.0."), Just("Ü"), Just("")];
    let name = (stem, prop::collection::vec((0..12_u64, 0..4_usize), 1..4), 0..3_u8).prop_map(
        |(stem, numbers, end)| {
            let numbers: Vec<String> =
                numbers.iter().map(|(number, width)| format!("{number:0width$}")).collect();
            let end = ["", "x", "-a"][usize::from(end)];
            format!("{stem}{}{end}", numbers.join("c"))
        },
    );
    prop::collection::btree_set(name, 0..60)
}

#[test]
fn seven_workers_are_seven() {
    let member = |number: u32| Member {
        cluster: "demo".to_owned(),
        name: format!("worker{number}"),
        ..Member::default()
    };
    let scope = Scope::new((1..=12).map(member).collect(), ["demo".to_owned()].into());
    for text in ["worker[1-8],!worker3", "worker[1-8]!worker3", "(worker[1-8] , ! worker3)"] {
        assert_eq!(selected(&scope, text).len(), 7, "{text}");
    }
}

proptest! {
    #[test]
    fn whatever_is_typed_is_answered_within_the_text(text in soup(), cursor in 0..90_usize) {
        let scope = scope();
        let (expr, mut problems) = parse(SourceId::default(), &text);
        if let Err(more) = select(&expr, SourceId::default(), &scope) {
            problems.extend(more);
        }
        for problem in &problems {
            let span = problem.span().expect("every problem has its place");
            prop_assert!(span.start <= span.end && span.end <= text.len(), "{problem:?}");
            prop_assert!(text.get(span.start..span.end).is_some(), "{problem:?}");
        }
        let mut before = 0;
        for (range, _) in highlight(&text) {
            prop_assert!(before <= range.start && range.start < range.end);
            prop_assert!(text.get(range.clone()).is_some());
            before = range.end;
        }
        let (range, _) = complete_at(&text, cursor, &scope);
        prop_assert!(text.get(range).is_some());
        let _ = (search(&scope, &text), expand(SourceId::default(), &text));
    }

    #[test]
    fn what_is_understood_is_written_and_read_again(text in soup()) {
        let (expr, problems) = parse(SourceId::default(), &text);
        if problems.is_empty() {
            let written = expr.to_string();
            let (again, problems) = parse(SourceId::default(), &written);
            prop_assert!(problems.is_empty(), "{written}: {problems:?}");
            prop_assert_eq!(placeless(&again), placeless(&expr), "{}", written);
        }
    }

    #[test]
    fn every_expression_is_read_as_it_is_written(expr in tree()) {
        let written = expr.to_string();
        let (again, problems) = parse(SourceId::default(), &written);
        prop_assert!(problems.is_empty(), "{written}: {problems:?}");
        prop_assert_eq!(placeless(&again), expr, "{}", written);
    }

    #[test]
    fn what_is_folded_expands_to_the_same_names(names in names()) {
        let folded = fold(names.iter().map(String::as_str));
        let expanded = expand(SourceId::default(), &folded).unwrap();
        prop_assert_eq!(expanded.len(), names.len(), "{}", folded);
        prop_assert_eq!(expanded.into_iter().collect::<BTreeSet<_>>(), names, "{}", folded);
    }

    #[test]
    fn what_is_folded_selects_the_same_nodes(names in names(), more in names()) {
        let all: Vec<&String> = names.union(&more).collect();
        let members = all.iter().map(|name| Member {
            cluster: "c".to_owned(),
            name: (*name).clone(),
            ..Member::default()
        });
        let scope = Scope::new(members.collect(), ["c".to_owned()].into());
        let folded = fold(names.iter().map(String::as_str));
        prop_assume!(!names.is_empty());
        let found: BTreeSet<String> =
            selected(&scope, &folded).iter().map(|at| all[*at].clone()).collect();
        prop_assert_eq!(found, names, "{}", folded);
    }
}

proptest! {
    // Each case selects twenty times, and compiles regular expressions for it.
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn operators_obey_the_laws_of_sets(a in target(), b in target(), c in target()) {
        let scope = scope();
        let set = |text: String| selected(&scope, &text);
        let all = set(String::new());
        let (one, other) = (set(a.clone()), set(b.clone()));
        prop_assert!(one.is_subset(&all));
        prop_assert_eq!(set(format!("{a},{b}")), &one | &other);
        prop_assert_eq!(set(format!("{b},{a}")), &one | &other);
        prop_assert_eq!(set(format!("{a}&{b}")), &one & &other);
        prop_assert_eq!(set(format!("{b}&{a}")), &one & &other);
        prop_assert_eq!(set(format!("{a}!{b}")), &one - &other);
        prop_assert_eq!(set(format!("{a},!{b}")), &one - &other);
        prop_assert_eq!(set(format!("{a}^{b}")), &one ^ &other);
        prop_assert_eq!(set(format!("!{a}")), &all - &one);
        prop_assert_eq!(set(format!("!({a},{b})")), set(format!("(!{a})&(!{b})")));
        prop_assert_eq!(set(format!("!({a}&{b})")), set(format!("(!{a}),(!{b})")));
        prop_assert_eq!(set(format!("{a},{b}&{c}")), set(format!("({a},{b})&{c}")));
    }
}
