//! Nodes behind bastions, and servers that turn us away.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use model::Endpoint;
use tokio::io::copy_bidirectional;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;
use transport::jump::{Bastion, JumpDial, Way};
use transport::{ConnectErrorKind, Dial, DirectDial, ExecOptions, Session, Target, Timeouts};

use crate::hosts_login::sshd;
use crate::support::{Server, free_address};

/// Counts the connections that are made to a server.
async fn counted(server: SocketAddr) -> (SocketAddr, Arc<AtomicUsize>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let count = Arc::new(AtomicUsize::new(0));
    let seen = Arc::clone(&count);
    tokio::spawn(async move {
        while let Ok((mut client, _)) = listener.accept().await {
            seen.fetch_add(1, Ordering::SeqCst);
            tokio::spawn(async move {
                let mut server = TcpStream::connect(server).await.unwrap();
                let _ = copy_bidirectional(&mut client, &mut server).await;
            });
        }
    });
    (address, count)
}

fn bastion(name: &str, server: &Server, endpoint: Endpoint) -> Way {
    let target = Target { endpoint, ..server.target(name) };
    Way::Bastion(Box::new(Bastion::new(target, Timeouts::default())))
}

fn through(bastion: &str, server: &Server) -> Endpoint {
    Endpoint::Jump {
        bastion: bastion.into(),
        host: server.address.ip().to_string(),
        port: server.address.port(),
    }
}

fn dial(ways: impl IntoIterator<Item = (&'static str, Way)>) -> Arc<dyn Dial> {
    let ways: BTreeMap<String, Way> =
        ways.into_iter().map(|(name, way)| (name.to_owned(), way)).collect();
    Arc::new(JumpDial::new(Arc::new(DirectDial), ways))
}

async fn says(dial: &dyn Dial, server: &Server, endpoint: &Endpoint, command: &str) -> String {
    let (login, keys) = (server.login(), server.host_keys());
    let times = Timeouts { connect: Duration::from_secs(30), ..Timeouts::default() };
    let session = Session::connect(dial, endpoint, &login, &keys, times).await.unwrap();
    let output = session.output(command, ExecOptions::default()).await.unwrap();
    String::from_utf8(output.stdout.to_vec()).unwrap()
}

#[tokio::test]
async fn fifty_nodes_behind_a_bastion_take_one_connection_to_it() {
    // What Debian has: ten log-ins at once and ten sessions a connection.
    let Some(gate) = sshd("MaxStartups 2:100:2\nMaxSessions 2", |_| {}) else { return };
    let Some(node) = sshd("", |_| {}) else { return };
    let (address, count) = counted(gate.address).await;
    let dial = dial([("gate", bastion("gate", &gate, Endpoint::Tcp { address }))]);
    let node = Arc::new(node);
    let mut tasks = JoinSet::new();
    for number in 0..50 {
        let (dial, node) = (Arc::clone(&dial), Arc::clone(&node));
        tasks.spawn(async move {
            let endpoint = through("gate", &node);
            let said = says(&*dial, &node, &endpoint, &format!("echo {number}")).await;
            assert_eq!(said, format!("{number}\n"));
        });
    }
    while let Some(ended) = tasks.join_next().await {
        ended.unwrap();
    }
    assert_eq!(count.load(Ordering::SeqCst), 1);
}

#[tokio::test]
async fn large_output_comes_through_whole_while_a_neighbour_is_not_read() {
    let Some(gate) = sshd("", |_| {}) else { return };
    let Some(node) = sshd("", |_| {}) else { return };
    let dial = dial([("gate", bastion("gate", &gate, gate.endpoint()))]);
    let endpoint = through("gate", &node);
    let (login, keys) = (node.login(), node.host_keys());
    let times = Timeouts::default();
    let stuck = Session::connect(&*dial, &endpoint, &login, &keys, times).await.unwrap();
    // Begun and never read.
    let unread = stuck.exec("head -c 50000000 /dev/zero", ExecOptions::default()).await.unwrap();
    for _ in 0..2 {
        let session = Session::connect(&*dial, &endpoint, &login, &keys, times).await.unwrap();
        let command = "head -c 9000000 /dev/zero | tr '\\0' x; echo end";
        let exec = session.exec(command, ExecOptions::default()).await.unwrap();
        let output = exec.collect(usize::MAX).await;
        assert_eq!(output.stdout.len(), 9_000_004);
    }
    drop(unread);
}

#[tokio::test]
async fn a_bastion_that_died_is_connected_to_again() {
    let Some(mut gate) = sshd("", |_| {}) else { return };
    let Some(node) = sshd("", |_| {}) else { return };
    let Some(second) = sshd("", |_| {}) else { return };
    // Its place is taken by another one with the same keys in the end, so the
    // bastion's address is one that we move.
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let ways = Arc::new(std::sync::Mutex::new(gate.address));
    let target = Arc::clone(&ways);
    tokio::spawn(async move {
        while let Ok((mut client, _)) = listener.accept().await {
            let server = *target.lock().unwrap();
            tokio::spawn(async move {
                if let Ok(mut server) = TcpStream::connect(server).await {
                    let _ = copy_bidirectional(&mut client, &mut server).await;
                }
            });
        }
    });
    let mut known = gate.target("gate");
    known.host_keys =
        transport::HostKeys::new(vec![gate.host.public.clone(), second.host.public.clone()]);
    known.login.identities.extend(second.login().identities);
    known.endpoint = Endpoint::Tcp { address };
    let way = Way::Bastion(Box::new(Bastion::new(known, Timeouts::default())));
    let dial = dial([("gate", way)]);
    let endpoint = through("gate", &node);
    assert_eq!(says(&*dial, &node, &endpoint, "echo one").await, "one\n");
    *ways.lock().unwrap() = second.address;
    let dead = gate.address;
    gate.kill();
    drop(gate);
    assert!(TcpStream::connect(dead).await.is_err());
    // The death is noticed by then or while dialling; either way the next try
    // finds the new one.
    let (login, keys) = (node.login(), node.host_keys());
    let mut session = None;
    for _ in 0..20 {
        let times = Timeouts::default();
        session = Session::connect(&*dial, &endpoint, &login, &keys, times).await.ok();
        if session.is_some() {
            break;
        }
    }
    let output = session.unwrap().output("echo two", ExecOptions::default()).await.unwrap();
    assert_eq!(output.stdout, "two\n");
}

#[tokio::test]
async fn bastions_may_stand_behind_one_another() {
    let Some(outer) = sshd("", |_| {}) else { return };
    let Some(inner) = sshd("", |_| {}) else { return };
    let Some(node) = sshd("", |_| {}) else { return };
    let ways = [
        ("outer", bastion("outer", &outer, outer.endpoint())),
        ("outer,inner", bastion("outer,inner", &inner, through("outer", &inner))),
    ];
    let dial = dial(ways);
    let endpoint = through("outer,inner", &node);
    assert_eq!(says(&*dial, &node, &endpoint, "echo far").await, "far\n");
}

#[tokio::test]
async fn trouble_at_the_bastion_names_it_and_is_met_once() {
    let Some(node) = sshd("", |_| {}) else { return };
    let Some(closed) = sshd("AllowTcpForwarding no", |_| {}) else { return };
    let Some(open) = sshd("", |_| {}) else { return };
    let nobody = Endpoint::Tcp { address: free_address() };
    let ways = [
        ("closed", bastion("closed", &closed, closed.endpoint())),
        ("open", bastion("open", &open, open.endpoint())),
        ("away", bastion("away", &open, nobody)),
        ("other", bastion("other", &node, open.endpoint())),
    ];
    let dial = dial(ways);
    let nowhere = Endpoint::Jump {
        bastion: "open".into(),
        host: "127.0.0.1".into(),
        port: free_address().port(),
    };
    let table = [
        (through("closed", &node), "does not allow", "AllowTcpForwarding"),
        (nowhere, "does not reach", "from the bastion"),
        (through("away", &node), "the connection was refused", "booting"),
        (through("other", &node), "host key", "do not trust"),
        (through("unheard", &node), "nothing is known of the bastion unheard", "a way to it"),
    ];
    for (endpoint, text, mend) in table {
        let (login, keys) = (node.login(), node.host_keys());
        let times = Timeouts::default();
        let error = Session::connect(&*dial, &endpoint, &login, &keys, times).await.unwrap_err();
        let Endpoint::Jump { bastion, .. } = &endpoint else { unreachable!() };
        assert!(error.text().contains(bastion.as_str()), "{}", error.text());
        assert!(error.text().contains(text), "{} lacks {text}", error.text());
        assert!(error.mend().contains(mend), "{} lacks {mend}", error.mend());
    }
}

#[tokio::test]
async fn a_command_of_the_configuration_may_be_the_connection() {
    let Some(node) = sshd("", |_| {}) else { return };
    // Any program that relays will do; bash has sockets of its own.
    let (ip, port) = (node.address.ip(), node.address.port());
    let line = format!("bash -c 'exec 3<>/dev/tcp/{ip}/{port}; cat <&3 & cat >&3; wait'");
    let ways = [
        ("command", Way::Command { line, place: "config:3".into() }),
        ("broken", Way::Command { line: "exit 1".into(), place: "config:9".into() }),
    ];
    let dial = dial(ways);
    assert_eq!(says(&*dial, &node, &through("command", &node), "echo it").await, "it\n");
    let (login, keys) = (node.login(), node.host_keys());
    let endpoint = through("broken", &node);
    let error =
        Session::connect(&*dial, &endpoint, &login, &keys, Timeouts::default()).await.unwrap_err();
    assert_eq!(error.kind(), ConnectErrorKind::TurnedAway, "{error}");
}

#[tokio::test]
async fn a_server_with_too_many_log_ins_is_told_apart() {
    let Some(server) = sshd("MaxStartups 1:100:1\nLoginGraceTime 60", |_| {}) else { return };
    // Somebody is at the door and does not say who it is.
    let held = TcpStream::connect(server.address).await.unwrap();
    held.readable().await.unwrap();
    let (login, keys) = (server.login(), server.host_keys());
    let times = Timeouts::default();
    let error =
        Session::connect(&DirectDial, &server.endpoint(), &login, &keys, times).await.unwrap_err();
    assert_eq!(error.kind(), ConnectErrorKind::TurnedAway, "{error}");
    assert!(error.is_passing());
    assert!(error.mend().contains("MaxStartups"), "{}", error.mend());
}

#[tokio::test]
async fn a_name_that_means_no_address_is_told() {
    let endpoint = Endpoint::Host { name: "no-such-host.invalid".into(), port: 22 };
    let server = Server::embedded();
    let (login, keys) = (server.login(), server.host_keys());
    let error = Session::connect(&DirectDial, &endpoint, &login, &keys, Timeouts::default())
        .await
        .unwrap_err();
    assert_eq!(error.kind(), ConnectErrorKind::NoSuchName, "{error}");
    let endpoint = Endpoint::Host { name: "localhost".into(), port: server.address.port() };
    Session::connect(&DirectDial, &endpoint, &login, &keys, Timeouts::default()).await.unwrap();
}
