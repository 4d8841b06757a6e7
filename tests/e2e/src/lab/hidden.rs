//! A network namespace that nothing reaches but what runs in it, and a door
//! into it for one address: connections to the door are made anew inside.

use std::fs::File;
use std::io::{Read, Write};
use std::net::{Ipv4Addr, Shutdown, SocketAddr, TcpListener, TcpStream};
use std::os::fd::AsFd;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread::JoinHandle;

use anyhow::{Context, Result};
use rustix::thread::{LinkNameSpaceType, move_into_link_name_space};

/// The namespace, which lives as long as its first process.
#[derive(Debug)]
pub(super) struct Hidden {
    holder: Child,
}

impl Hidden {
    /// Makes one, with its loopback up. Needs root.
    pub(super) fn new() -> Result<Self> {
        let script = "ip link set lo up && echo up && exec cat";
        let mut holder = Command::new("unshare")
            .args(["--net", "--", "sh", "-c", script])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .context("start unshare")?;
        let mut said = [0; 3];
        let out = holder.stdout.as_mut().context("a pipe")?;
        let read = out.read_exact(&mut said);
        let hidden = Self { holder };
        read.context("make a network namespace")?;
        Ok(hidden)
    }

    /// What is put before a command so that it runs inside.
    pub(super) fn enter(&self) -> Vec<String> {
        vec!["nsenter".into(), format!("--net=/proc/{}/ns/net", self.holder.id()), "--".into()]
    }

    fn namespace(&self) -> Result<File> {
        Ok(File::open(format!("/proc/{}/ns/net", self.holder.id()))?)
    }
}

impl Drop for Hidden {
    fn drop(&mut self) {
        let _ = self.holder.kill();
        let _ = self.holder.wait();
    }
}

/// An address of this machine that leads to the same address inside.
#[derive(Debug)]
pub(super) struct Door {
    address: SocketAddr,
    passed: Arc<AtomicUsize>,
    closed: Arc<AtomicBool>,
    porter: Option<JoinHandle<()>>,
}

impl Door {
    pub(super) fn open(hidden: &Hidden, address: Ipv4Addr, port: u16) -> Result<Self> {
        let listener = TcpListener::bind((address, port)).context("open the door")?;
        let address = listener.local_addr()?;
        let namespace = hidden.namespace()?;
        let (passed, closed) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicBool::new(false)));
        let (counter, done) = (Arc::clone(&passed), Arc::clone(&closed));
        let porter = std::thread::spawn(move || {
            // Accepts outside, as the socket was made there; connects inside,
            // as this thread is there from now on.
            let network = Some(LinkNameSpaceType::Network);
            if move_into_link_name_space(namespace.as_fd(), network).is_err() {
                return;
            }
            for outside in listener.incoming() {
                if done.load(Ordering::SeqCst) {
                    return;
                }
                let Ok(outside) = outside else { continue };
                counter.fetch_add(1, Ordering::SeqCst);
                if let Ok(inside) = TcpStream::connect(address) {
                    join(outside, inside);
                }
            }
        });
        Ok(Self { address, passed, closed, porter: Some(porter) })
    }

    /// Connections so far.
    pub(super) fn passed(&self) -> usize {
        self.passed.load(Ordering::SeqCst)
    }
}

impl Drop for Door {
    fn drop(&mut self) {
        self.closed.store(true, Ordering::SeqCst);
        let _ = TcpStream::connect(self.address);
        if let Some(porter) = self.porter.take() {
            let _ = porter.join();
        }
    }
}

/// Copies both ways until both have ended.
fn join(one: TcpStream, other: TcpStream) {
    let pairs = [(one.try_clone(), other.try_clone()), (Ok(other), Ok(one))];
    for (from, to) in pairs {
        let (Ok(from), Ok(to)) = (from, to) else { return };
        let _ = from.set_nodelay(true);
        std::thread::spawn(move || copy(from, to));
    }
}

fn copy(mut from: TcpStream, mut to: TcpStream) {
    let mut buffer = vec![0; 64 * 1024];
    while let Ok(count @ 1..) = from.read(&mut buffer) {
        if to.write_all(buffer.get(..count).unwrap_or_default()).is_err() {
            break;
        }
    }
    let _ = to.shutdown(Shutdown::Write);
    let _ = from.shutdown(Shutdown::Read);
}
