//! How long a target over ten thousand nodes takes: text to expression to
//! nodes to folded text. Prints medians; `cargo bench -p model --bench targets`.

#![expect(clippy::print_stdout, reason = "a benchmark prints what it measured")]
#![expect(clippy::disallowed_methods, reason = "a benchmark looks at the clock")]

use std::collections::BTreeMap;
use std::hint::black_box;
use std::time::{Duration, Instant};

use model::span::SourceId;
use model::target::{Member, Scope, fold, parse, select};

/// Nodes of the scope.
const NODES: usize = 10_000;

/// Times each thing is done; the median is told.
const ROUNDS: usize = 101;

/// What is selected.
const TARGETS: &[(&str, &str)] = &[
    (
        "compound",
        "(worker[1-8000/2],worker[5000-9000])!worker[7000-7100]&state=running^name~/9$/,r[1-2]n[1-4]&cores>=8",
    ),
    ("names", "worker[1-5000],!worker3"),
    ("glob", "w*r[1-9]?"),
    ("property", "state!=stopped&tags=squall:pool:w*"),
    ("all", "*"),
];

fn main() {
    let members = members();
    let clusters = || ["demo".to_owned()].into();
    println!("{NODES} nodes, medians of {ROUNDS}, in microseconds");
    println!("{:>9} {:>9} {:>9} {:>9} {:>9}", "parse", "select", "fold", "together", "nodes");
    let scope = Scope::new(members.clone(), clusters());
    for (name, text) in TARGETS {
        let mut count = 0;
        let steps = median(|| {
            let start = Instant::now();
            let (expr, problems) = parse(SourceId::default(), text);
            assert!(problems.is_empty(), "{problems:?}");
            let parsed = start.elapsed();
            let selection = select(&expr, SourceId::default(), &scope).unwrap_or_default();
            let selected = start.elapsed();
            count = selection.members.len();
            let names = selection.members.iter().filter_map(|at| scope.members().get(*at));
            black_box(fold(names.map(|member| member.name.as_str())));
            [parsed, selected - parsed, start.elapsed() - selected, start.elapsed()]
        });
        let [parsed, selected, folded, all] = steps.map(|time| time.as_secs_f64() * 1e6);
        println!("{parsed:9.1} {selected:9.1} {folded:9.1} {all:9.1} {count:9}  {name}");
    }
    for (name, text) in TARGETS {
        let [first] = median(|| {
            let scope = Scope::new(members.clone(), clusters());
            let start = Instant::now();
            let (expr, _) = parse(SourceId::default(), text);
            let selection = select(&expr, SourceId::default(), &scope).unwrap_or_default();
            let names = selection.members.iter().filter_map(|at| scope.members().get(*at));
            black_box(fold(names.map(|member| member.name.as_str())));
            [start.elapsed()]
        });
        println!("{:39.1}            {name}, the first one of a scope", first.as_secs_f64() * 1e6);
    }
}

/// Each step's median.
fn median<const N: usize>(mut measure: impl FnMut() -> [Duration; N]) -> [Duration; N] {
    let mut rounds: Vec<[Duration; N]> = (0..ROUNDS).map(|_| measure()).collect();
    std::array::from_fn(|step| {
        rounds.sort_by_key(|steps| steps.get(step).copied());
        rounds.get(ROUNDS / 2).and_then(|steps| steps.get(step)).copied().unwrap_or_default()
    })
}

/// Nodes with about as many properties as those of the local provider.
fn members() -> Vec<Member> {
    let grid = (0..100).map(|at| format!("r{}n{}", at / 10 + 1, at % 10 + 1));
    let workers = (1..=NODES - 100).map(|number| format!("worker{number}"));
    let names = grid.chain(workers);
    names
        .enumerate()
        .map(|(at, name)| {
            let mut fields: BTreeMap<String, Vec<String>> = (0..10)
                .map(|key| (format!("property{key}"), vec![format!("value {key}")]))
                .collect();
            let state = if at % 7 == 0 { "stopped" } else { "running" };
            fields.insert("state".to_owned(), vec![state.to_owned()]);
            fields.insert("cores".to_owned(), vec![(1 << (at % 6)).to_string()]);
            fields.insert("ip".to_owned(), vec![format!("10.0.{}.{}", at / 250, at % 250)]);
            Member {
                cluster: "demo".to_owned(),
                name,
                fields,
                tags: BTreeMap::from([("squall:pool".to_owned(), "worker".to_owned())]),
            }
        })
        .collect()
}
