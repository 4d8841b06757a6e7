use super::{Gather, GatherOptions, Text};
use crate::fanout::{LineEnd, StreamName};
use crate::gather::NodeFacts;
use proptest::prelude::*;

fn gather(nodes: usize, text: Text, node_bytes_max: usize, bytes_max: usize) -> Gather {
    let options = GatherOptions {
        node_bytes_max,
        bytes_max,
        ..GatherOptions::new(text, vec![std::env::temp_dir()])
    };
    Gather::new((0..nodes).map(|node| NodeFacts::new(format!("n{node}"))).collect(), options)
}

fn output(gather: &Gather, node: usize) -> Vec<u8> {
    let mut bytes = Vec::new();
    gather.write(node, &mut bytes).unwrap();
    bytes
}

#[test]
fn both_streams_come_back_in_the_order_of_arrival() {
    let mut kept = gather(1, Text::Both, 1024, 1024);
    kept.push(0, StreamName::Out, b"one\ntwo", LineEnd::Newline);
    kept.push(0, StreamName::Err, b"bad \xff", LineEnd::Newline);
    kept.push(0, StreamName::Out, b"last", LineEnd::Output);
    assert_eq!(output(&kept, 0), b"one\ntwo\nbad \xff\nlast");
    let mut err = Vec::new();
    let mut take = |bytes: &[u8]| std::io::Write::write_all(&mut err, bytes);
    kept.read(0, Text::Err, &mut take).unwrap();
    assert_eq!(err, b"bad \xff\n");
}

#[test]
fn one_stream_alone_passes_the_other_over() {
    let mut kept = gather(1, Text::Out, 1024, 1024);
    kept.push(0, StreamName::Err, b"bad", LineEnd::Newline);
    kept.push(0, StreamName::Out, b"good", LineEnd::Newline);
    assert_eq!(output(&kept, 0), b"good\n");
    assert_eq!(kept.length(0), 5);
}

#[test]
fn a_line_that_is_not_over_does_not_run_into_the_other_stream() {
    let mut kept = gather(1, Text::Both, 1024, 1024);
    kept.push(0, StreamName::Out, b"long ", LineEnd::Cut);
    kept.push(0, StreamName::Err, b"bad", LineEnd::Newline);
    kept.push(0, StreamName::Out, b"line", LineEnd::Newline);
    assert_eq!(output(&kept, 0), b"long \nbad\nline\n");
}

#[test]
fn much_output_goes_to_disk_and_stays_whole() {
    let mut kept = gather(2, Text::Out, 4096, 1 << 20);
    let line = [b'x'; 79];
    for _ in 0..50_000 {
        kept.push(0, StreamName::Out, &line, LineEnd::Newline);
    }
    kept.push(1, StreamName::Out, b"little", LineEnd::Newline);
    assert!(kept.held() < 3 * 4096, "{} bytes in memory", kept.held());
    assert!(kept.spilled() > 3_900_000);
    assert_eq!(output(&kept, 0).len(), 50_000 * 80);
    assert_eq!(output(&kept, 1), b"little\n");
}

#[test]
fn all_nodes_together_stay_within_their_bound() {
    let mut kept = gather(1000, Text::Out, 64 * 1024, 100_000);
    for node in 0..1000 {
        kept.push(node, StreamName::Out, &[b'y'; 500], LineEnd::Newline);
        assert!(kept.held() <= 101_000, "{} bytes in memory", kept.held());
    }
    for node in [0, 500, 999] {
        assert_eq!(output(&kept, node).len(), 501);
    }
}

#[test]
fn a_full_disk_cuts_output_off_and_is_told() {
    let options = GatherOptions {
        node_bytes_max: 100,
        bytes_max: 1000,
        ..GatherOptions::new(Text::Out, vec!["/nowhere/at/all".into()])
    };
    let mut kept = Gather::new(vec![NodeFacts::new("n0"), NodeFacts::new("n1")], options);
    for _ in 0..10 {
        kept.push(0, StreamName::Out, &[b'z'; 29], LineEnd::Newline);
    }
    kept.push(1, StreamName::Out, b"fine", LineEnd::Newline);
    assert!(kept.trouble().is_some());
    assert_eq!(output(&kept, 0).len() as u64 + kept.dropped(0), 300);
    assert!(kept.dropped(0) > 0);
    assert_eq!((output(&kept, 1), kept.dropped(1)), (b"fine\n".to_vec(), 0));
    assert_eq!(kept.length(0), 300);
}

proptest! {
    #[test]
    fn nothing_is_lost_or_mixed_on_disk_or_in_memory(
        pushes in prop::collection::vec(
            (0_usize..4, any::<bool>(), prop::collection::vec(any::<u8>(), 0..60)), 0..80),
        node_bytes_max in 1_usize..300,
        bytes_max in 1_usize..600,
    ) {
        let mut small = gather(4, Text::Both, node_bytes_max, bytes_max);
        let mut large = gather(4, Text::Both, 1 << 20, 1 << 22);
        let mut expected = vec![Vec::new(); 4];
        for (node, is_error, bytes) in &pushes {
            let stream = if *is_error { StreamName::Err } else { StreamName::Out };
            small.push(*node, stream, bytes, LineEnd::Newline);
            large.push(*node, stream, bytes, LineEnd::Newline);
            expected[*node].extend_from_slice(bytes);
            expected[*node].push(b'\n');
        }
        prop_assert_eq!(large.spilled(), 0);
        for (node, expected) in expected.iter().enumerate() {
            prop_assert_eq!(&output(&small, node), expected);
            prop_assert_eq!(&output(&large, node), expected);
            prop_assert_eq!(small.digest(node), large.digest(node));
        }
    }
}
