use super::{FoldMode, Group, Likeness, fold, write_group};
use crate::fanout::{LineEnd, StreamName};
use crate::gather::{Gather, GatherOptions, NodeFacts, Text};
use proptest::prelude::*;

/// Nodes `n1`, `n2` … with addresses `10.0.0.1` …, and what each printed.
fn gathered(outputs: &[&str], node_bytes_max: usize) -> Gather {
    let facts = (1..=outputs.len())
        .map(|node| NodeFacts::new(format!("n{node}")).called(&format!("10.0.0.{node}")));
    let options = GatherOptions {
        node_bytes_max,
        ..GatherOptions::new(Text::Out, vec![std::env::temp_dir()])
    };
    let mut gather = Gather::new(facts.collect(), options);
    for (node, output) in outputs.iter().enumerate() {
        for line in output.lines() {
            gather.push(node, StreamName::Out, line.as_bytes(), LineEnd::Newline);
        }
    }
    gather
}

fn folded(outputs: &[&str], mode: FoldMode) -> String {
    let gather = gathered(outputs, 1024);
    let nodes: Vec<usize> = (0..outputs.len()).collect();
    let groups = fold(&gather, &nodes, mode).unwrap();
    groups.iter().map(|group| shown(&gather, group)).collect()
}

fn shown(gather: &Gather, group: &Group) -> String {
    let names: Vec<String> = group.nodes.iter().map(|node| format!("n{}", node + 1)).collect();
    let mut text = Vec::new();
    write_group(gather, group, &mut text).unwrap();
    let but_for = match &group.likeness {
        Likeness::Same => String::new(),
        Likeness::Alike(alike) => {
            let kinds: Vec<&str> = alike.kinds.iter().map(|kind| kind.placeholder()).collect();
            format!(" alike but for {}", kinds.join(", "))
        }
    };
    format!("{}{but_for}:\n{}", names.join(","), String::from_utf8_lossy(&text))
}

#[test]
fn identical_outputs_fold_and_the_biggest_group_is_first() {
    insta::assert_snapshot!(folded(&["b", "a", "a", "c", "a", "b"], FoldMode::Masked), @r"
    n2,n3,n5:
    a
    n1,n6:
    b
    n4:
    c
    ");
}

#[test]
fn outputs_that_differ_in_their_node_and_moment_are_alike() {
    let outputs = [
        "n1 10.0.0.1 at 10:00:01\nkernel 6.1 since 3 days",
        "n2 10.0.0.2 at 10:00:01\nkernel 6.1 since 3 days",
        "n3 10.0.0.3 at 10:00:02\nkernel 6.1 since 3 days",
        "n4 10.0.0.4 at 10:00:01\nkernel 6.2 since 3 days",
    ];
    insta::assert_snapshot!(folded(&outputs, FoldMode::Masked), @r"
    n1,n2,n3 alike but for {node}, {ip}, {time}:
    {node} {ip} at {time}
    kernel 6.1 since 3 days
    n4:
    n4 10.0.0.4 at 10:00:01
    kernel 6.2 since 3 days
    ");
    assert_eq!(folded(&outputs, FoldMode::Exact).matches(":\nn").count(), 4);
}

#[test]
fn what_is_masked_and_equal_everywhere_keeps_its_text() {
    insta::assert_snapshot!(
        folded(&["n1 pid 100 at 10:00", "n2 pid 100 at 10:00"], FoldMode::Masked), @r"
    n1,n2 alike but for {node}:
    {node} pid 100 at 10:00
    ");
}

#[test]
fn columns_padded_to_the_name_are_alike() {
    let mut outputs = ["n1  |"; 10].map(String::from);
    for (at, output) in outputs.iter_mut().enumerate() {
        *output = format!("{:<4} up {:>8}", format!("n{}", at + 1), format!("{}:00", at + 1));
    }
    let outputs: Vec<&str> = outputs.iter().map(String::as_str).collect();
    let text = folded(&outputs, FoldMode::Masked);
    assert_eq!(text.matches("alike").count(), 1, "{text}");
}

#[test]
fn a_node_that_says_the_name_of_another_is_not_alike() {
    insta::assert_snapshot!(folded(&["n1", "n3", "n3", "n4"], FoldMode::Masked), @r"
    n1,n4 alike but for {node}:
    {node}
    n2,n3:
    n3
    ");
}

#[test]
fn a_file_that_names_all_nodes_folds_as_it_is() {
    let hosts = "10.0.0.1 n1\n10.0.0.2 n2\n10.0.0.3 n3";
    insta::assert_snapshot!(folded(&[hosts, hosts, "10.0.0.1 n1"], FoldMode::Masked), @r"
    n1,n2:
    10.0.0.1 n1
    10.0.0.2 n2
    10.0.0.3 n3
    n3:
    10.0.0.1 n1
    ");
}

#[test]
fn nodes_that_printed_nothing_are_a_group() {
    assert_eq!(folded(&["", "a", ""], FoldMode::Masked), "n1,n3:\nn2:\na\n");
}

#[test]
fn a_missing_last_newline_is_no_difference_unless_asked_for() {
    let mut gather = gathered(&["", ""], 1024);
    gather.push(0, StreamName::Out, b"a", LineEnd::Newline);
    gather.push(1, StreamName::Out, b"a", LineEnd::Output);
    let groups = |mode| fold(&gather, &[0, 1], mode).unwrap().len();
    assert_eq!((groups(FoldMode::Masked), groups(FoldMode::Exact)), (1, 2));
}

fn line() -> impl Strategy<Value = String> {
    prop_oneof![
        Just("same".to_owned()),
        Just("at 10:00".to_owned()),
        Just("at 10:01".to_owned()),
        Just("n1 here".to_owned()),
        Just("n2 here".to_owned()),
        Just("sshd[4711]: hi".to_owned()),
        Just("sshd[4712]: hi".to_owned()),
        "[ab]{0,2}",
    ]
}

proptest! {
    #[test]
    fn groups_partition_the_nodes_whether_on_disk_or_not(
        outputs in prop::collection::vec(prop::collection::vec(line(), 0..4), 1..12),
        masked in any::<bool>(),
    ) {
        let mode = if masked { FoldMode::Masked } else { FoldMode::Exact };
        let outputs: Vec<String> = outputs.iter().map(|lines| lines.join("\n")).collect();
        let outputs: Vec<&str> = outputs.iter().map(String::as_str).collect();
        let nodes: Vec<usize> = (0..outputs.len()).collect();
        let (memory, disk) = (gathered(&outputs, 1 << 20), gathered(&outputs, 8));
        let groups = fold(&memory, &nodes, mode).unwrap();
        let mut all: Vec<usize> = groups.iter().flat_map(|group| group.nodes.clone()).collect();
        all.sort_unstable();
        prop_assert_eq!(all, nodes.clone());
        let from_disk = fold(&disk, &nodes, mode).unwrap();
        prop_assert_eq!(&groups, &from_disk);
        for group in &groups {
            prop_assert_eq!(shown(&memory, group), shown(&disk, group));
            prop_assert!(group.nodes.contains(&group.representative));
            // Who printed the same is in the same group.
            for (node, output) in outputs.iter().enumerate() {
                let same = outputs[group.representative] == *output;
                prop_assert!(!same || group.nodes.contains(&node));
            }
        }
    }
}
