use transport::fanout::{LineEnd, StreamName};
use transport::gather::{FoldMode, Gather, GatherOptions, NodeFacts, Text};

use super::{Style, write};
use crate::run_output::by_node;
use crate::run_output::streams::Face;

fn gathered(outputs: &[(&str, &str)]) -> (Gather, Vec<usize>) {
    let facts = outputs.iter().map(|(name, _)| NodeFacts::new(*name)).collect();
    let mut gather = Gather::new(facts, GatherOptions::new(Text::Out, vec![std::env::temp_dir()]));
    for (node, (_, output)) in outputs.iter().enumerate() {
        for line in output.lines() {
            gather.push(node, StreamName::Out, line.as_bytes(), LineEnd::Newline);
        }
    }
    (gather, (0..outputs.len()).collect())
}

fn folded(outputs: &[(&str, &str)], mode: FoldMode, face: Face) -> String {
    let (gather, nodes) = gathered(outputs);
    let mut sink = Vec::new();
    write(&gather, &nodes, Style { mode, diff: true, face }, &mut sink).unwrap();
    String::from_utf8(sink).unwrap().replace('\x1b', "E")
}

const OUTPUTS: [(&str, &str); 7] = [
    ("worker1", "Linux worker1 6.1.0-17-amd64\nup 3 days"),
    ("worker2", "Linux worker2 6.1.0-17-amd64\nup 3 days"),
    ("worker3", "Linux worker3 6.1.0-17-amd64\nup 4 days"),
    ("worker4", "Linux worker4 6.1.0-18-amd64\nup 3 days"),
    ("worker5", ""),
    ("master", "quite another thing"),
    ("worker10", "Linux worker10 6.1.0-17-amd64\nup 3 days"),
];

#[test]
fn alike_outputs_are_shown_once_and_outliers_by_their_changes() {
    insta::assert_snapshot!(folded(&OUTPUTS, FoldMode::Masked, Face::pipe()), @r"
    ---------------
    worker[1-3,10] (4 nodes, alike but for {node}, {time})
    ---------------
    Linux {node} 6.1.0-17-amd64
    up {time}
    ---------------
    worker4 (1 node, changes from the biggest group)
    ---------------
    Linux worker4 6.1.0-[-17-]{+18+}-amd64
    up 3 days
    ---------------
    master (1 node)
    ---------------
    quite another thing
    ---------------
    worker5 (1 node, printed nothing)
    ---------------
    ");
}

#[test]
fn a_terminal_gets_colours_and_no_control_characters() {
    let outputs = [
        ("n1", "all is \x1b[32mwell\x1b[0m\x07"),
        ("n2", "all is \x1b[32mwell\x1b[0m\x07"),
        ("n3", "all is not well"),
    ];
    insta::assert_snapshot!(folded(&outputs, FoldMode::Masked, Face::terminal()), @r"
    E[2m---------------E[0m
    E[1mn[1-2]E[0m (2 nodes)
    E[2m---------------E[0m
    all is E[32mwellE[0m^GE[0m
    E[2m---------------E[0m
    E[1mn3E[0m (1 node, changes from the biggest group)
    E[2m---------------E[0m
    all is E[32mnot E[0mwellE[31m^GE[0m
    ");
}

#[test]
fn exactly_the_same_is_asked_for_and_got() {
    let text = folded(&OUTPUTS, FoldMode::Exact, Face::pipe());
    assert_eq!(text.matches("(1 node").count(), 7, "{text}");
}

#[test]
fn nothing_printed_shows_nothing() {
    assert_eq!(folded(&[("n1", ""), ("n2", "")], FoldMode::Masked, Face::pipe()), "");
}

#[test]
fn blocks_come_in_natural_order() {
    let (gather, nodes) = gathered(&[("n10", "ten"), ("n9", ""), ("n2", "two\nlines")]);
    let notes = |node: usize| (node != 2).then(|| format!("exit code {node}"));
    let mut sink = Vec::new();
    by_node::write(&gather, &nodes, &notes, Face::pipe(), &mut sink).unwrap();
    insta::assert_snapshot!(String::from_utf8(sink).unwrap(), @r"
    ---------------
    n2
    ---------------
    two
    lines
    ---------------
    n9 (exit code 1, printed nothing)
    ---------------
    ---------------
    n10 (exit code 0)
    ---------------
    ten
    ");
}

#[test]
fn blocks_on_a_terminal_are_coloured_and_harmless() {
    let (gather, nodes) = gathered(&[("n1", "\x1b[31mred\x1b[0m \x1b[H\x07")]);
    let notes = |_| Some("exit code 1".to_owned());
    let mut sink = Vec::new();
    by_node::write(&gather, &nodes, &notes, Face::terminal(), &mut sink).unwrap();
    insta::assert_snapshot!(String::from_utf8(sink).unwrap().replace('\x1b', "E"), @r"
    E[2m---------------E[0m
    E[1mn1E[0m (exit code 1)
    E[2m---------------E[0m
    E[31mredE[0m ^[[H^GE[0m
    ");
}

#[test]
fn output_that_was_cut_off_says_so() {
    let options = GatherOptions { node_bytes_max: 16, ..GatherOptions::new(Text::Out, Vec::new()) };
    let mut gather = Gather::new(vec![NodeFacts::new("n1")], options);
    gather.push(0, StreamName::Out, b"more than fits into memory", LineEnd::Newline);
    let style = Style { mode: FoldMode::Masked, diff: true, face: Face::pipe() };
    let mut sink = Vec::new();
    write(&gather, &[0], style, &mut sink).unwrap();
    insta::assert_snapshot!(String::from_utf8(sink).unwrap(), @r"
    ---------------
    n1 (1 node)
    ---------------
    more than fits i
    [the last 11 bytes are not shown: they could not be kept]
    ");
}
