//! Finding what belongs to a server: its processes, and what its sessions have
//! left behind. All is ended by its pid.

use std::collections::BTreeSet;
use std::fs;
use std::net::Ipv4Addr;

use rustix::process::{Pid, Signal, kill_process};

/// A process and all below it.
pub(super) fn tree(root: u32) -> BTreeSet<u32> {
    let parents: Vec<(u32, u32)> = pids().filter_map(|pid| Some((pid, parent(pid)?))).collect();
    let mut tree = BTreeSet::from([root]);
    loop {
        let before = tree.len();
        let below = parents.iter().filter(|(_, parent)| tree.contains(parent));
        let below: Vec<u32> = below.map(|(pid, _)| *pid).collect();
        tree.extend(below);
        if tree.len() == before {
            return tree;
        }
    }
}

/// What runs in sessions with an address, or was left there; the environment
/// tells.
pub(super) fn of_sessions(address: Ipv4Addr, port: u16) -> Vec<u32> {
    let mark = format!(" {address} {port}");
    let is_there = |pid: &u32| {
        let environment = fs::read(format!("/proc/{pid}/environ")).unwrap_or_default();
        environment
            .split(|byte| *byte == 0)
            .any(|pair| pair.starts_with(b"SSH_CONNECTION=") && pair.ends_with(mark.as_bytes()))
    };
    pids().filter(is_there).collect()
}

/// Ends a process that cannot refuse.
pub(super) fn kill(pid: u32) {
    signal(pid, Signal::KILL);
}

pub(super) fn signal(pid: u32, signal: Signal) {
    if let Some(pid) = i32::try_from(pid).ok().and_then(Pid::from_raw) {
        let _ = kill_process(pid, signal);
    }
}

fn pids() -> impl Iterator<Item = u32> {
    let entries = fs::read_dir("/proc").into_iter().flatten().flatten();
    entries.filter_map(|entry| entry.file_name().to_str()?.parse().ok())
}

fn parent(pid: u32) -> Option<u32> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    let (_, rest) = stat.rsplit_once(')')?;
    rest.split_whitespace().nth(1)?.parse().ok()
}
