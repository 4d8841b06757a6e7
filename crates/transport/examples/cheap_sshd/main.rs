//! A cheap ssh server for measuring clients: it lets any key in, answers
//! commands itself and starts nothing, so that what is measured is the client.
//! Speaks for as many addresses of the loopback network as it is told to.
//!
//! `cheap_sshd DIRECTORY NODES [x25519]` writes keys, a `known_hosts`, an ssh
//! configuration and a list of addresses into the directory, says `listening` and
//! serves until its standard input ends. A line on standard input asks for a
//! report: which key exchange and cipher clients chose since the last one, and
//! the processor time it took. With `x25519` it knows no other key exchange.
//!
//! Commands: `flood N` prints N lines of 80 bytes, `sink` swallows its input,
//! `uptime` prints a line, everything else succeeds in silence.

mod answer;
mod choice;
mod fixture;

use std::borrow::Cow;
use std::io::{BufRead, Write};
use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use russh::server::{self, Config};
use russh::{Preferred, compression, kex};
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use tokio::net::{TcpListener, TcpSocket};

use answer::Connection;
use choice::{Choices, Watched};

type Failure = Box<dyn std::error::Error + Send + Sync>;

type Kex = Cow<'static, [kex::Name]>;

/// For comparing with clients that have no hybrid key exchange.
const ONLY_X25519: &[kex::Name] = &[
    kex::CURVE25519,
    kex::CURVE25519_PRE_RFC_8731,
    kex::EXTENSION_SUPPORT_AS_SERVER,
    kex::EXTENSION_OPENSSH_STRICT_KEX_AS_SERVER,
];

/// Connections that wait to be accepted at one address.
const BACKLOG: u32 = 1024;

fn main() -> Result<(), Failure> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let (directory, nodes, kex) = match arguments.as_slice() {
        [directory, nodes] => (directory, nodes, Preferred::DEFAULT.kex),
        [directory, nodes, word] if word == "x25519" => (directory, nodes, ONLY_X25519.into()),
        _ => return Err("usage: cheap_sshd DIRECTORY NODES [x25519]".into()),
    };
    let (directory, nodes) = (PathBuf::from(directory), nodes.parse::<u16>()?);
    // Every connection is an open file.
    let limit = getrlimit(Resource::Nofile);
    setrlimit(Resource::Nofile, Rlimit { current: limit.maximum, ..limit })?;
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    runtime.block_on(serve(directory, nodes, kex))
}

async fn serve(directory: PathBuf, nodes: u16, kex: Kex) -> Result<(), Failure> {
    let listeners = listen(nodes)?;
    let choices = Arc::new(Choices::new(&kex));
    let port = listeners.first().ok_or("no nodes")?.local_addr()?.port();
    let addresses: Vec<Ipv4Addr> = (0..nodes).map(address).collect();
    let host_key = fixture::write(&directory, &addresses, port)?;
    let config = Arc::new(config(host_key, kex));
    for listener in listeners {
        tokio::spawn(accept(listener, Arc::clone(&config), Arc::clone(&choices)));
    }
    say("listening")?;
    tokio::task::spawn_blocking(move || report(&choices)).await?
}

/// The address of a node, counted from zero.
fn address(node: u16) -> Ipv4Addr {
    let [_, low] = (node % 250 + 1).to_be_bytes();
    let [_, high] = (node / 250).to_be_bytes();
    Ipv4Addr::new(127, 2, high, low)
}

/// All addresses on one port, whichever is free on the first.
fn listen(nodes: u16) -> Result<Vec<TcpListener>, Failure> {
    let mut port = 0;
    let mut listeners = Vec::new();
    for node in 0..nodes {
        let socket = TcpSocket::new_v4()?;
        socket.set_reuseaddr(true)?;
        socket.bind(SocketAddr::from((address(node), port)))?;
        let listener = socket.listen(BACKLOG)?;
        port = listener.local_addr()?.port();
        listeners.push(listener);
    }
    Ok(listeners)
}

fn config(host_key: russh::keys::PrivateKey, kex: Kex) -> Config {
    Config {
        keys: vec![host_key],
        inactivity_timeout: None,
        auth_rejection_time: Duration::ZERO,
        auth_rejection_time_initial: Some(Duration::ZERO),
        preferred: Preferred {
            kex,
            compression: vec![compression::NONE].into(),
            ..Preferred::DEFAULT
        },
        nodelay: true,
        ..Config::default()
    }
}

async fn accept(listener: TcpListener, config: Arc<Config>, choices: Arc<Choices>) {
    loop {
        let Ok((stream, _)) = listener.accept().await else {
            // Out of file descriptors; some will be free soon.
            tokio::time::sleep(Duration::from_millis(10)).await;
            continue;
        };
        let _ = stream.set_nodelay(true);
        let stream = Watched::new(stream, Arc::clone(&choices));
        let config = Arc::clone(&config);
        tokio::spawn(async move {
            let greeting = server::run_stream(config, stream, Connection::default());
            if let Ok(running) = Box::pin(greeting).await {
                let _ = running.await;
            }
        });
    }
}

/// A report for every line of standard input, until it ends.
fn report(choices: &Choices) -> Result<(), Failure> {
    for line in std::io::stdin().lock().lines() {
        let _ = line?;
        let document = serde_json::json!({"choices": choices.take(), "cpu_s": fixture::cpu_s()});
        say(&document.to_string())?;
    }
    // The runtime would wait for its connections.
    let mut out = std::io::stdout().lock();
    out.flush()?;
    Ok(())
}

fn say(line: &str) -> Result<(), Failure> {
    let mut out = std::io::stdout().lock();
    writeln!(out, "{line}")?;
    Ok(out.flush()?)
}
