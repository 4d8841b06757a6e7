//! Many machines that squall did not make, and machines that misbehave: every
//! node's output arrives, and what is wrong with one hurts no other.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use std::collections::BTreeSet;
use std::net::Ipv4Addr;
use std::path::Path;

use e2e::lab::{Admits, Lab, Place, Plan, Server, Trust};
use e2e::{Site, until};

/// More memory than this and something is kept that should have passed through.
/// A debug build with one connection has 20 MiB.
const MEMORY_KIB_MAX: u64 = 64 * 1024;

/// Waits until a file is in the homes of these nodes.
fn wait_for(lab: &Lab, nodes: &[usize], name: &str) {
    for node in nodes {
        let path = lab.home(*node).join(name);
        until(&format!("{}", path.display()), || path.exists().then_some(()));
    }
}

/// Lets the commands of these nodes go on.
fn let_go(lab: &Lab, nodes: &[usize]) {
    for node in nodes {
        std::fs::write(lab.home(*node).join("go"), "").unwrap();
    }
}

/// Says that it began and waits until it is let go.
const WAITING: &str = "touch up; while [ ! -e go ]; do sleep 0.05; done; echo done";

#[test]
fn two_hundred_and_fifty_six_nodes_answer_one_command() {
    let name = "two_hundred_and_fifty_six_nodes_answer_one_command";
    let Some(site) = Site::new(name, Plan { homes: false, ..Plan::alike(16, 16) }) else { return };
    let finished = site.squall("run", &["*", "--", "set -- $SSH_CONNECTION; echo $3"]).ok();
    let seen: BTreeSet<(String, Ipv4Addr)> = finished
        .out()
        .lines()
        .map(|line| {
            let (node, address) = line.split_once(": ").unwrap();
            (node.to_owned(), address.parse().unwrap())
        })
        .collect();
    let nodes = site.lab.nodes().iter().map(|node| (node.name.clone(), node.address));
    assert_eq!(seen, nodes.collect());
}

#[test]
fn a_gigabyte_of_one_node_passes_in_bounded_memory() {
    let name = "a_gigabyte_of_one_node_passes_in_bounded_memory";
    let Some(site) = Site::new(name, Plan::alike(1, 1)) else { return };
    let (lines, width) = (1_000_000, 999);
    let flood = format!("yes $(printf '%0{width}d' 7) | head -n {lines}");
    let mut run = site.watch("run", &["n1", "--", &flood]);
    let expected = format!("n1: {:0width$}", 7).into_bytes();
    let (mut count, mut peak_kib) = (0, 0);
    while let Some(line) = run.line() {
        assert!(line == expected, "line {count}: {}", String::from_utf8_lossy(&line));
        count += 1;
        if count % 10_000 == 0 {
            peak_kib = peak_kib.max(run.peak_kib().unwrap_or(0));
        }
    }
    assert_eq!((count, run.finish()), (lines, Some(0)));
    assert!((1..MEMORY_KIB_MAX).contains(&peak_kib), "{peak_kib} KiB");
}

#[test]
fn random_bytes_arrive_as_they_were() {
    let Some(site) = Site::new("random_bytes_arrive_as_they_were", Plan::alike(1, 2)) else {
        return;
    };
    let noise = "head -c 2000000 /dev/urandom | tee noise; echo";
    let printed = site.squall("run", &["*", "--", noise]).ok().stdout;
    for (number, node) in site.lab.nodes().iter().enumerate() {
        let prefix = format!("{}: ", node.name).into_bytes();
        let mut arrived = Vec::new();
        for line in printed.split(|byte| *byte == b'\n') {
            if let Some(rest) = line.strip_prefix(&prefix[..]) {
                arrived.extend_from_slice(rest);
                arrived.push(b'\n');
            }
        }
        let mut sent = std::fs::read(site.lab.home(number).join("noise")).unwrap();
        sent.push(b'\n');
        assert!(arrived == sent, "{}: {} of {} bytes", node.name, arrived.len(), sent.len());
    }
}

#[test]
fn a_character_cut_anywhere_arrives_whole() {
    let Some(site) = Site::new("a_character_cut_anywhere_arrives_whole", Plan::alike(1, 1)) else {
        return;
    };
    // Every byte in a packet of its own: the pause is longer than any of our
    // buffers waits.
    let text = "aä€😀";
    let bytes = text.bytes().map(|byte| format!("printf '\\{byte:o}'; sleep 0.05; "));
    let command = bytes.collect::<String>() + "echo";
    let finished = site.squall("run", &["n1", "--", &command]).ok();
    assert_eq!(finished.out(), format!("n1: {text}\n"));
}

#[test]
fn a_node_that_dies_mid_run_is_told_and_the_others_go_on() {
    let name = "a_node_that_dies_mid_run_is_told_and_the_others_go_on";
    let Some(mut site) = Site::new(name, Plan::alike(3, 1)) else { return };
    let words = site.words("run", &["*", "--", WAITING]);
    let run = site.home.start(&words.iter().map(String::as_str).collect::<Vec<_>>());
    wait_for(&site.lab, &[0, 1, 2], "up");
    site.lab.kill(1);
    let_go(&site.lab, &[0, 2]);
    let finished = run.finish().code(1);
    let mut lines: Vec<String> = finished.out().lines().map(str::to_owned).collect();
    lines.sort();
    assert_eq!(lines, ["n1: done", "n3: done"], "{}", finished.err());
    assert!(finished.err().contains("connection lost: n2"), "{}", finished.err());
}

#[test]
fn a_frozen_node_costs_its_own_time_only() {
    let Some(site) = Site::new("a_frozen_node_costs_its_own_time_only", Plan::alike(3, 1)) else {
        return;
    };
    // Frozen while the command runs.
    let words = site.words("run", &["--timeout", "4s", "*", "--", WAITING]);
    let run = site.home.start(&words.iter().map(String::as_str).collect::<Vec<_>>());
    wait_for(&site.lab, &[0, 1, 2], "up");
    site.lab.freeze(1);
    let_go(&site.lab, &[0, 2]);
    let finished = run.finish().code(1);
    assert_eq!(finished.out().matches(": done").count(), 2, "{}", finished.err());
    assert!(finished.err().contains("(not done after 4 s): n2"), "{}", finished.err());

    // Frozen before: the kernel accepts the connection, nobody answers.
    let words = ["--connect-timeout", "1s", "*", "--", "echo in"];
    let finished = site.squall("run", &words).code(1);
    assert_eq!(finished.out().matches(": in").count(), 2, "{}", finished.err());
    let why = finished.err().lines().find(|line| line.contains("n2:")).map(str::to_owned);
    assert!(why.is_some_and(|why| why.contains("not reached")), "{}", finished.err());
}

/// A small file system, gone when dropped.
struct Mount(std::path::PathBuf);

impl Mount {
    fn new(place: &Path, size: &str) -> Self {
        let options = format!("size={size}");
        let mut mount = std::process::Command::new("mount");
        let status = mount.args(["-t", "tmpfs", "-o", &options, "tmpfs"]).arg(place).status();
        assert!(status.unwrap().success());
        Self(place.to_owned())
    }
}

impl Drop for Mount {
    fn drop(&mut self) {
        let _ = std::process::Command::new("umount").arg("--lazy").arg(&self.0).status();
    }
}

#[test]
fn a_full_disk_is_told_and_leaves_nothing_half() {
    let name = "a_full_disk_is_told_and_leaves_nothing_half";
    if !rustix::process::geteuid().is_root() {
        testkit::skip(name, "mounting needs root");
        return;
    }
    let Some(site) = Site::new(name, Plan::alike(3, 1)) else { return };
    let _small = Mount::new(&site.lab.home(1), "1m");
    let payload: Vec<u8> = (0..4_000_000_u32).map(|number| (number % 251) as u8).collect();
    std::fs::write(site.home.work().join("payload"), &payload).unwrap();
    let finished = site.squall("put", &["payload", "*"]).code(1);
    let said = finished.err() + &String::from_utf8_lossy(&finished.stdout);
    assert!(said.contains("n2"), "{said}");
    assert!(said.to_lowercase().contains("space"), "{said}");
    for node in [0, 2] {
        let arrived = std::fs::read(site.lab.home(node).join("payload")).unwrap();
        assert!(arrived == payload, "{} bytes", arrived.len());
    }
    assert!(!site.lab.home(1).join("payload").exists());
}

#[test]
fn all_nodes_behind_a_bastion_share_one_connection_to_it() {
    let name = "all_nodes_behind_a_bastion_share_one_connection_to_it";
    let hidden = Server { place: Place::BehindBastion, addresses: 16, ..Server::default() };
    let plan = Plan::of(vec![Server::bastion(), hidden.clone(), hidden]);
    let Some(site) = Site::new(name, plan) else { return };
    let words = site.configured("run", &["n*", "--", "echo in"]);
    let finished = site.home.squall(&words.iter().map(String::as_str).collect::<Vec<_>>()).ok();
    assert_eq!(finished.out().matches(": in").count(), 32, "{}", finished.out());
    assert_eq!(site.lab.log(0).matches("Accepted publickey").count(), 1, "{}", site.lab.log(0));
    if let Some(passed) = site.lab.passed_the_door() {
        assert_eq!(passed, 1);
    }
}

#[test]
fn keys_that_changed_or_were_revoked_let_nothing_through() {
    let name = "keys_that_changed_or_were_revoked_let_nothing_through";
    let trusts = [Trust::Known, Trust::Changed, Trust::Revoked, Trust::Certified, Trust::Unknown];
    let mut servers: Vec<Server> = trusts.map(|trust| Server { trust, ..Server::default() }).into();
    servers.push(Server { admits: Admits::Certificate, ..Server::default() });
    servers.push(Server::with(&["AllowUsers nobody"]));
    servers.push(Server::with(&["MaxAuthTries 2"]));
    let Some(site) = Site::new(name, Plan::of(servers)) else { return };
    let finished = site.squall("run", &["*", "--", "touch ran; echo in"]).code(1);
    let mut lines: Vec<String> = finished.out().lines().map(str::to_owned).collect();
    lines.sort();
    let said = finished.err();
    assert_eq!(lines, ["n1: in", "n4: in", "n6: in", "n8: in"], "{said}");
    for (node, words) in [("n2", "key"), ("n3", "revoked"), ("n5", "key"), ("n7", "refused")] {
        let line = said.lines().find(|line| line.contains(node));
        assert!(line.is_some_and(|line| line.contains(words)), "{node}: {words}?\n{said}");
    }
    for node in [1, 2, 4, 6] {
        assert!(!site.lab.home(node).join("ran").exists(), "n{} ran it", node + 1);
    }
}

#[test]
fn a_server_that_hears_too_many_keys_is_told_with_the_keys_that_were_tried() {
    let name = "a_server_that_hears_too_many_keys_is_told_with_the_keys_that_were_tried";
    let servers = vec![Server::default(), Server::with(&["MaxAuthTries 2"])];
    let Some(site) = Site::new(name, Plan::of(servers)) else { return };
    let mut words = site.words("run", &["*", "--", "echo in"]);
    // The key that fits comes after two that do not.
    for key in ["authority", "other"] {
        words.splice(3..3, ["--identity".to_owned(), site.lab.file(key)]);
    }
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    let finished = site.home.squall(&words).code(1);
    assert_eq!(finished.out(), "n1: in\n", "{}", finished.err());
    assert!(finished.err().contains("(too many keys tried): n2"), "{}", finished.err());
    assert!(finished.err().contains("other"), "{}", finished.err());
}
