//! Between clients and supervisors.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::Ipv4Addr;
use std::os::fd::AsRawFd;
use std::os::unix::net::UnixStream;
use std::time::Duration;

use providers::local::client::{ClientError, SupervisorClient};
use providers::local::launch::SshServer;
use providers::local::probe::find_sshd;
use providers::local::protocol::{RefusalKind, Welcome};
use providers::local::rung::Rung;

use crate::bed::{Bed, LONG, address, as_ordinary_user, best_rung, can_be_root};

#[test]
fn a_path_too_long_for_a_socket_is_no_problem() {
    let test = "wire::a_path_too_long_for_a_socket_is_no_problem";
    as_ordinary_user(test, || {
        let long = format!("{}/a,b:c\\d e/{}", "x".repeat(200), "y".repeat(100));
        let bed = Bed::at(Rung::UserNamespace, &long);
        let mut client = bed.client();
        client.launch(bed.launch(1)).unwrap();
        assert_eq!(bed.say(1, "hostname"), "n1");
    });
}

#[test]
fn nothing_of_the_caller_is_inherited() {
    let bed = Bed::any();
    let path = bed.base.path().join("private");
    let file = std::fs::File::create(&path).unwrap();
    // `dup` without close-on-exec, as a shell's redirection leaves it.
    let inherited = rustix::io::dup(&file).unwrap();
    let mut client = bed.client();
    let node = client.launch(bed.launch(1)).unwrap().pid.unwrap();
    bed.say(1, "true");
    drop(inherited);
    for pid in [client.welcome().pid, node] {
        for entry in std::fs::read_dir(format!("/proc/{pid}/fd")).unwrap() {
            let target = entry.unwrap().path().read_link().unwrap_or_default();
            assert_ne!(target, path, "{pid}");
        }
        let environment = std::fs::read(format!("/proc/{pid}/environ")).unwrap();
        assert!(environment.is_empty(), "{}", String::from_utf8_lossy(&environment));
    }
    // PID 1 holds its console, its lock, its signals and its supervisor's ear.
    assert_eq!(std::fs::read_dir(format!("/proc/{node}/fd")).unwrap().count(), 7);
}

#[test]
fn a_client_of_another_protocol_is_told_so() {
    let bed = Bed::any();
    drop(bed.client());
    let mut stream = UnixStream::connect(bed.cluster_dir.join("supervisor.sock")).unwrap();
    stream.write_all(b"{\"protocol\":999,\"build\":\"squall of the future\"}\n").unwrap();
    let mut line = String::new();
    BufReader::new(&stream).read_line(&mut line).unwrap();
    let welcome: Welcome = serde_json::from_str(&line).unwrap();
    let refused = welcome.refused.unwrap();
    assert!(
        refused.contains("protocol 1")
            && refused.contains("squall of the future with protocol 999")
    );
    let mut rest = Vec::new();
    stream.read_to_end(&mut rest).unwrap();
    assert!(rest.is_empty());
}

#[test]
fn silent_broken_and_greedy_clients_disturb_nobody() {
    let bed = Bed::any();
    let mut client = bed.client();
    client.launch(bed.launch(1)).unwrap();
    let socket = bed.cluster_dir.join("supervisor.sock");
    let silent: Vec<_> = (0..100).map(|_| UnixStream::connect(&socket).unwrap()).collect();
    let mut broken = UnixStream::connect(&socket).unwrap();
    broken.write_all(b"nonsense\n").unwrap();
    assert_eq!(broken.read(&mut [0; 16]).unwrap(), 0, "hung up on");
    let mut greedy = UnixStream::connect(&socket).unwrap();
    greedy.write_all(b"{\"protocol\":1,\"build\":\"x\"}\n").unwrap();
    greedy.set_write_timeout(Some(LONG)).unwrap();
    let list = b"{\"id\":1,\"request\":\"list\"}\n".repeat(1000);
    // It never reads, so that at some time it is cut off.
    for _ in 0..100 {
        if greedy.write_all(&list).is_err() {
            break;
        }
    }
    let odd = bed.say(1, "hostname");
    assert_eq!(odd, "n1");
    assert_eq!(client.list().unwrap().len(), 1);
    drop(silent);
}

#[test]
fn an_unknown_request_is_refused_and_the_connection_lives() {
    let bed = Bed::any();
    drop(bed.client());
    let mut stream = UnixStream::connect(bed.cluster_dir.join("supervisor.sock")).unwrap();
    stream.write_all(b"{\"protocol\":1,\"build\":\"x\"}\n{\"id\":7,\"request\":{\"fly\":{}}}\n{\"id\":8,\"request\":\"list\"}\n").unwrap();
    let mut lines = BufReader::new(&stream).lines();
    lines.next().unwrap().unwrap();
    let refused = lines.next().unwrap().unwrap();
    assert!(refused.contains("\"id\":7") && refused.contains("does not know"), "{refused}");
    assert!(lines.next().unwrap().unwrap().contains("\"nodes\":[]"));
}

#[test]
fn dials_fail_by_kind_and_block_nobody() {
    let bed = Bed::any();
    let mut client = bed.client();
    client.launch(bed.launch(1)).unwrap();
    bed.say(1, "true");
    let kind = |error: ClientError| match error {
        ClientError::Refused { kind, .. } => kind,
        other => panic!("{other}"),
    };
    let second = Duration::from_millis(300);
    let refused = client.dial(address(1), 4444, LONG, false).unwrap_err();
    assert_eq!(kind(refused), RefusalKind::ConnectionRefused);
    let unreachable = client.dial(Ipv4Addr::new(192, 0, 2, 1), 22, second, false).unwrap_err();
    assert_eq!(kind(unreachable), RefusalKind::Unreachable);
    // Nobody has this address: the question for its hardware address is not
    // answered. Meanwhile others are served.
    let mut other = SupervisorClient::connect(&bed.cluster_dir).unwrap();
    let waiting = std::thread::spawn(move || other.dial(address(99), 22, second, true));
    assert_eq!(bed.say(1, "hostname"), "n1");
    assert_eq!(kind(waiting.join().unwrap().unwrap_err()), RefusalKind::Timeout);
}

#[test]
fn a_second_supervisor_is_never_started_and_a_dead_ones_socket_is_no_hindrance() {
    let bed = Bed::any();
    let starters: Vec<_> = (0..8)
        .map(|_| {
            let (dir, helper) = (bed.cluster_dir.clone(), crate::bed::helper());
            std::thread::spawn(move || {
                SupervisorClient::start_or_connect(&dir, best_rung(), &helper)
                    .unwrap()
                    .welcome()
                    .pid
            })
        })
        .collect();
    let pids: std::collections::BTreeSet<u32> =
        starters.into_iter().map(|starter| starter.join().unwrap()).collect();
    assert_eq!(pids.len(), 1);
    let listing = SupervisorClient::connect(&bed.base.path().join("nowhere")).unwrap_err();
    assert!(matches!(listing, ClientError::NotRunning(_)), "{listing}");
}

#[test]
fn the_hosts_own_sshd_answers_in_a_node_of_root() {
    let Some(program) = find_sshd() else {
        eprintln!("skipped: the_hosts_own_sshd_answers_in_a_node_of_root: no sshd here");
        return;
    };
    if !can_be_root("the_hosts_own_sshd_answers_in_a_node_of_root") {
        return;
    }
    let bed = Bed::new(Rung::Root);
    let mut client = bed.client();
    let mut launch = bed.launch(1);
    launch.ssh_server = SshServer::Real { program };
    let key = bed.base.path().join("key");
    let made = std::process::Command::new("ssh-keygen")
        .args(["-q", "-t", "ed25519", "-N", "", "-f"])
        .arg(&key)
        .status()
        .unwrap();
    assert!(made.success());
    launch.seeds[0].content = std::fs::read_to_string(&key).unwrap();
    client.launch(launch).unwrap();
    let socket = client.dial(address(1), 22, LONG, true).unwrap();
    assert!(socket.as_raw_fd() > 2);
    let stream = std::net::TcpStream::from(socket);
    stream.set_nonblocking(false).unwrap();
    stream.set_read_timeout(Some(LONG)).unwrap();
    let mut line = String::new();
    BufReader::new(stream).read_line(&mut line).unwrap();
    assert!(line.starts_with("SSH-2.0-"), "{line}");
    assert_eq!(client.list().unwrap()[0].ssh_listening, Some(true));
}
