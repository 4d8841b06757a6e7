//! Rewrites `/etc/hosts` inside a running node. The node's root could have put
//! anything in its place, so every step stays inside the node's root and never
//! opens what is not a plain file.

use std::fs::File;
use std::io::{self, Read, Write};

use rustix::fs::{AtFlags, Mode, OFlags, ResolveFlags, fstat, openat, openat2, renameat, unlinkat};
use rustix::process::Pid;

use crate::local::hosts::{self, HostEntry};

/// Larger files are somebody else's.
const HOSTS_BYTES_MAX: u64 = 4 * 1024 * 1024;
const NAME: &str = "hosts";
const NEW_NAME: &str = ".hosts.squall";

/// Replaces our part of the file in the node of a PID 1.
pub(super) fn rewrite_in(pid: Pid, entries: &[HostEntry]) -> io::Result<()> {
    let path = OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC;
    let root = format!("/proc/{}/root", pid.as_raw_nonzero());
    let root = rustix::fs::open(root, path, Mode::empty())?;
    let inside = ResolveFlags::IN_ROOT | ResolveFlags::NO_MAGICLINKS;
    let directory = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
    let etc = openat2(&root, "etc", directory, Mode::empty(), inside)?;
    let read = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
    let mut old = String::new();
    match openat(&etc, NAME, read, Mode::empty()) {
        Ok(file) => {
            let kind = rustix::fs::FileType::from_raw_mode(fstat(&file)?.st_mode);
            if kind != rustix::fs::FileType::RegularFile {
                return Err(io::Error::other("/etc/hosts is no plain file"));
            }
            let mut bytes = Vec::new();
            File::from(file).take(HOSTS_BYTES_MAX).read_to_end(&mut bytes)?;
            old = String::from_utf8_lossy(&bytes).into_owned();
        }
        Err(rustix::io::Errno::NOENT) => {}
        Err(error) => return Err(error.into()),
    }
    let new = hosts::rewrite(&old, entries);
    if new == old {
        return Ok(());
    }
    let _ = unlinkat(&etc, NEW_NAME, AtFlags::empty());
    let create =
        OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let file = openat(&etc, NEW_NAME, create, Mode::from_raw_mode(0o644))?;
    rustix::fs::fchmod(&file, Mode::from_raw_mode(0o644))?;
    File::from(file).write_all(new.as_bytes())?;
    renameat(&etc, NEW_NAME, &etc, NAME)?;
    Ok(())
}
