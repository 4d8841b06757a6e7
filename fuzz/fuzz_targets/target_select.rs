//! Any text over a small scope selects nodes that are there, or says what is
//! wrong with it, within its places; and its complement is the rest.

#![no_main]

use std::collections::BTreeMap;
use std::sync::LazyLock;

use libfuzzer_sys::fuzz_target;
use model::span::{SourceId, Span, Spanned};
use model::target::{Member, Scope, Sets, complete_at, parse, search, select};

static SCOPE: LazyLock<Scope> = LazyLock::new(|| {
    let members = (0..60).map(|at| Member {
        cluster: if at % 3 == 0 { "web" } else { "demo" }.to_owned(),
        name: match at % 4 {
            0 => format!("r{}n{}", at / 8, at % 8),
            _ => format!("worker{at}"),
        },
        fields: BTreeMap::from([
            ("state".to_owned(), vec![if at % 2 == 0 { "running" } else { "stopped" }.to_owned()]),
            ("cores".to_owned(), vec![at.to_string()]),
            ("memory".to_owned(), vec![format!("{at} GiB")]),
            ("launch_time".to_owned(), vec![format!("2016-04-{:02}T10:00:00Z", at % 28 + 1)]),
        ]),
        tags: BTreeMap::from([("aws:stack".to_owned(), at.to_string())]),
    });
    let text = |text: &str| Spanned::new(text.to_owned(), Span::new(SourceId::default(), 0, 0));
    let sets = [(text("gpu"), text("worker[1-4]")), (text("all2"), text("@gpu,web"))];
    Scope::new(members.collect(), ["demo", "web", "empty"].map(String::from).into())
        .within(Some("demo".to_owned()))
        .with_sets(Sets::define(&sets).0)
        .with_listing(vec![3, 1, 2])
});

fuzz_target!(|text: &str| {
    let (expr, problems) = parse(SourceId::default(), text);
    let _ = search(&SCOPE, text);
    for cursor in [text.len(), text.len() / 2] {
        let (range, _) = complete_at(text, cursor, &SCOPE);
        assert!(text.get(range).is_some());
    }
    match select(&expr, SourceId::default(), &SCOPE) {
        Err(problems) => {
            for span in problems.iter().filter_map(model::Diagnostic::span) {
                assert!(text.get(span.start..span.end).is_some(), "{span:?}");
            }
        }
        Ok(selection) if problems.is_empty() => {
            assert!(selection.members.iter().all(|at| *at < SCOPE.members().len()));
            let not = format!("*!({text})");
            let (expr, problems) = parse(SourceId::default(), &not);
            // Only at the outermost level is an empty text everything.
            if problems.is_empty() {
                let rest = select(&expr, SourceId::default(), &SCOPE).expect("it was before");
                assert!(rest.members.iter().all(|at| !selection.members.contains(at)));
            }
        }
        Ok(_) => {}
    }
});
