use super::{Mask, MaskKind};
use crate::gather::NodeFacts;
use proptest::prelude::*;

fn worker() -> NodeFacts {
    NodeFacts::new("demo:worker1.example.org").called("10.0.0.7").called("fd00::7")
}

fn masked(mask: &Mask, line: &str) -> String {
    let mut found = Vec::new();
    mask.find(line.as_bytes(), &mut found);
    let mut text = Vec::new();
    super::super::normal::write_masked(line.as_bytes(), &found, |_| false, false, &mut text)
        .unwrap();
    String::from_utf8(text).unwrap()
}

fn check(table: &[(&str, &str)]) {
    let mask = Mask::new([&worker()]);
    for (line, expected) in table {
        assert_eq!(masked(&mask, line), *expected, "{line}");
    }
}

#[test]
fn a_node_is_found_by_its_names_and_addresses_as_whole_words() {
    check(&[
        ("worker1", "{node}"),
        ("worker1.example.org is up", "{node} is up"),
        ("root@worker1:~#", "root@{node}:~#"),
        ("worker1-eth0", "{node}-eth0"),
        ("worker10 worker11 myworker1 worker1_x", "worker10 worker11 myworker1 worker1_x"),
        ("inet 10.0.0.7/24 scope", "inet {ip}/24 scope"),
        ("listen 10.0.0.7:22.", "listen {ip}:22."),
        ("10.0.0.70 1.10.0.0.7 10.0.0.7.1 10.0.0.7.", "10.0.0.70 1.10.0.0.7 10.0.0.7.1 {ip}."),
        ("[fd00::7]:22 fd00::71", "[{ip}]:22 fd00::71"),
    ]);
}

#[test]
fn pids_are_found_where_something_says_that_they_are() {
    check(&[
        ("sshd[1234]: hello", "sshd[{pid}]: hello"),
        ("kernel[77] x", "kernel[{pid}] x"),
        ("list[3]: x", "list[3]: x"),
        ("a [1234] b", "a [1234] b"),
        ("Main PID: 815 (sshd)", "Main PID: {pid} (sshd)"),
        ("pid=815,fd=3", "pid={pid},fd=3"),
        ("MainPID=1", "MainPID={pid}"),
        ("process 4711 ended", "process {pid} ended"),
        ("processes 4711", "processes 4711"),
        ("/proc/4711/fd", "/proc/{pid}/fd"),
        ("  ├─4711 /usr/sbin/sshd", "  ├─{pid} /usr/sbin/sshd"),
        ("pid 12.5", "pid 12.5"),
        ("4711", "4711"),
    ]);
}

#[test]
fn moments_are_found_in_the_forms_that_programs_print() {
    check(&[
        ("2026-11-21", "{time}"),
        ("2026-11-21T14:04:38.123Z x", "{time} x"),
        ("2026-11-21 14:04:38,123 INFO", "{time} INFO"),
        ("at 2026-11-21T14:04:38+01:00.", "at {time}."),
        ("Sat Nov 21 14:04:38 UTC 2026", "{time}"),
        ("Sat Nov  1 14:04:38 CET 2026", "{time}"),
        ("Sat, 21 Nov 2026 14:04:38 +0000", "{time}"),
        ("Sat 2026-11-21 14:04:38 UTC; 3min 2s ago", "{time}; {time} ago"),
        ("Nov 21 14:04:38 host x", "{time} host x"),
        ("Nov 21  2025 file", "{time} file"),
        ("[21/Nov/2026:14:04:38 +0000] GET", "[{time}] GET"),
        ("11/21/2026 21.11.2026", "{time}"),
        ("14:04", "{time}"),
        ("14:04:38: done", "{time}: done"),
        (" 14:04:38 up 3 days,  2:01,  1 user", " {time} up {time},  1 user"),
        ("14:04 PM", "{time}"),
        ("Nov 21, 2026 x", "{time} x"),
        ("[   12.345678] usb 1-1: new", "[   {time}] usb 1-1: new"),
        ("[12.34] 12.345678] 1", "[12.34] 12.345678] 1"),
    ]);
}

#[test]
fn durations_are_found_by_their_units() {
    check(&[
        ("real\t0m0.003s", "real\t{time}"),
        ("took 12.5s", "took {time}"),
        ("time=0.045 ms", "time={time}"),
        ("1h2m3s 200ms", "{time}"),
        ("5min 3.2s", "{time}"),
        ("3 days", "{time}"),
        ("up 2 weeks, 1 day", "up {time}"),
        ("12 seconds (5 µs)", "{time} ({time})"),
        ("1-02:03:04 ps", "{time} ps"),
    ]);
}

#[test]
fn what_only_looks_like_it_is_left_alone() {
    for line in [
        "load average: 0.00, 0.01, 0.05",
        "00:16:3e:12:34:56",
        "fe80::216:3eff:fe12:3456",
        "file.c:12:30: error",
        "version 1.30 1.2.3s 6.1.0-17",
        "100m 5d 12 m 16G 8K 3sd",
        "1700000000 42 2026",
        "Sun Microsystems, Mar 400x, May be, mon 1",
        "25:99 port 22:80",
        "x1:30 v12s _12s",
        "Fedora 12 Mariner 2.0",
        "",
    ] {
        check(&[(line, line)]);
    }
}

#[test]
fn several_nodes_at_once_are_all_found() {
    let nodes = [NodeFacts::new("n1"), NodeFacts::new("n12"), NodeFacts::new("10.0.0.1")];
    let mask = Mask::new(&nodes);
    assert_eq!(masked(&mask, "n1 n12 n2 10.0.0.1"), "{node} {node} n2 {ip}");
}

proptest! {
    #[test]
    fn places_are_in_order_apart_and_within_the_line(
        line in prop::collection::vec(prop_oneof![
            Just(b" ".to_vec()), Just(b"worker1".to_vec()), Just(b"10.0.0.7".to_vec()),
            Just(b"pid ".to_vec()), Just(b"14:04".to_vec()), Just(b"Nov 21".to_vec()),
            Just(b"3 days".to_vec()), Just(b"2026-11-21".to_vec()), Just(b"sshd[12]:".to_vec()),
            Just("ß├─".as_bytes().to_vec()), prop::collection::vec(any::<u8>(), 0..6),
            "[0-9:.,smh -]{0,8}".prop_map(String::into_bytes),
        ], 0..30),
    ) {
        let line = line.concat();
        let mut found = Vec::new();
        Mask::new([&worker()]).find(&line, &mut found);
        let mut at = 0;
        for place in &found {
            prop_assert!(at <= place.start && place.start < place.end && place.end <= line.len());
            at = place.end;
        }
        let kinds = [MaskKind::Node, MaskKind::Ip, MaskKind::Pid, MaskKind::Time];
        prop_assert!(found.iter().all(|place| kinds.contains(&place.kind)));
    }
}
