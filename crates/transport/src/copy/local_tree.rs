//! The directory on this machine that one node's files go into. A node may
//! send what it likes: nothing is ever written outside. Every step goes from
//! an open directory to the next and follows no link.

use std::fs::{self, File};
use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use rustix::fs::{AtFlags, FileType, Mode, OFlags, Stat, Timespec, Timestamps};
use rustix::io::Errno;

/// A directory of which we hold the door.
#[derive(Debug)]
pub(super) struct LocalTree {
    root: OwnedFd,
    path: PathBuf,
}

/// What is there already.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum There {
    Nothing,
    File { size: u64, changed_at: u32 },
    Directory,
    Other,
}

/// Whether a name, from a node, can be one of ours.
pub(super) fn is_safe(name: &[u8]) -> bool {
    !matches!(name, b"" | b"." | b"..") && !name.iter().any(|byte| matches!(byte, b'/' | 0))
}

/// The directory's name for a node. Different for different nodes, and never a
/// way to somewhere else.
pub(super) fn directory_name(node: &str) -> String {
    let escaped = node.replace('%', "%25").replace('/', "%2F").replace('\0', "%00");
    match escaped.as_str() {
        "" => "%".to_owned(),
        "." => "%2E".to_owned(),
        ".." => "%2E%2E".to_owned(),
        _ => escaped,
    }
}

impl LocalTree {
    /// The directory of a node below `directory`, made if need be.
    pub(super) fn open(directory: &Path, node: &str) -> io::Result<Self> {
        fs::create_dir_all(directory)?;
        Self::open_in(directory, node, true)
    }

    /// The same if it is there.
    pub(super) fn find(directory: &Path, node: &str) -> io::Result<Option<Self>> {
        match Self::open_in(directory, node, false) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            found => found.map(Some),
        }
    }

    fn open_in(directory: &Path, node: &str, make: bool) -> io::Result<Self> {
        let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC;
        let above = rustix::fs::open(directory, flags, Mode::empty())?;
        let name = directory_name(node);
        let root = enter(&above, name.as_bytes(), make)?;
        Ok(Self { root, path: directory.join(name) })
    }

    /// Where it is, for messages.
    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// A directory below, by its names; made if need be.
    pub(super) fn directory(&self, names: &[Vec<u8>]) -> io::Result<OwnedFd> {
        self.walk(names, true)
    }

    fn walk(&self, names: &[Vec<u8>], make: bool) -> io::Result<OwnedFd> {
        let mut here = self.root.try_clone()?;
        for name in names {
            here = enter(&here, name, make)?;
        }
        Ok(here)
    }

    /// The same, open to be filled: one from an earlier get may be closed to
    /// writing. It gets its own mode back at the end.
    pub(super) fn directory_to_fill(&self, names: &[Vec<u8>]) -> io::Result<()> {
        let directory = self.walk(names, true)?;
        let mode = Mode::from_raw_mode(rustix::fs::fstat(&directory)?.st_mode & 0o7777);
        if !mode.contains(Mode::RWXU) {
            rustix::fs::fchmod(&directory, mode | Mode::RWXU)?;
        }
        Ok(())
    }

    /// What is at a place; nothing where the way to it is missing.
    pub(super) fn look(&self, names: &[Vec<u8>]) -> io::Result<There> {
        let Some((name, above)) = names.split_last() else { return Ok(There::Directory) };
        let directory = match self.walk(above, false) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(There::Nothing),
            found => found?,
        };
        look_at(&directory, name)
    }
}

/// What a name in a directory is.
pub(super) fn look_at(directory: &OwnedFd, name: &[u8]) -> io::Result<There> {
    checked(name)?;
    match rustix::fs::statat(directory, name, AtFlags::SYMLINK_NOFOLLOW) {
        Err(Errno::NOENT) => Ok(There::Nothing),
        Err(error) => Err(error.into()),
        Ok(stat) => Ok(kind(&stat)),
    }
}

fn kind(stat: &Stat) -> There {
    match FileType::from_raw_mode(stat.st_mode) {
        FileType::RegularFile => There::File {
            size: u64::try_from(stat.st_size).unwrap_or_default(),
            changed_at: u32::try_from(stat.st_mtime.max(0)).unwrap_or(u32::MAX),
        },
        FileType::Directory => There::Directory,
        _ => There::Other,
    }
}

fn checked(name: &[u8]) -> io::Result<()> {
    if is_safe(name) { Ok(()) } else { Err(io::Error::other("the name is not one of a file")) }
}

/// The directory of that name in another, made if need be and if that is
/// wanted. A link in its place is refused.
fn enter(above: &OwnedFd, name: &[u8], make: bool) -> io::Result<OwnedFd> {
    checked(name)?;
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    match rustix::fs::openat(above, name, flags, Mode::empty()) {
        Err(Errno::NOENT) if make => {
            match rustix::fs::mkdirat(above, name, Mode::from_raw_mode(0o777)) {
                Ok(()) | Err(Errno::EXIST) => {}
                Err(error) => return Err(error.into()),
            }
            Ok(rustix::fs::openat(above, name, flags, Mode::empty())?)
        }
        Err(Errno::LOOP | Errno::NOTDIR) => {
            let name = String::from_utf8_lossy(name);
            Err(io::Error::other(format!("{name} is there and no directory; it is not followed")))
        }
        opened => Ok(opened?),
    }
}

/// Opens what an earlier try left, or makes a new file that nobody else sees
/// into.
pub(super) fn open_part(directory: &OwnedFd, name: &[u8], size: u64) -> io::Result<(File, u64)> {
    checked(name)?;
    let flags = OFlags::RDWR | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
    match rustix::fs::openat(directory, name, flags, Mode::empty()) {
        Ok(file) => {
            let file = File::from(file);
            let metadata = file.metadata()?;
            // Another name of the same file may be anywhere.
            if metadata.is_file() && metadata.nlink() == 1 && metadata.size() <= size {
                return Ok((file, metadata.size()));
            }
            rustix::fs::unlinkat(directory, name, AtFlags::empty())?;
        }
        Err(Errno::NOENT) => {}
        Err(_) => rustix::fs::unlinkat(directory, name, AtFlags::empty())?,
    }
    let flags = flags | OFlags::CREATE | OFlags::EXCL;
    let file = rustix::fs::openat(directory, name, flags, Mode::from_raw_mode(0o600))?;
    Ok((File::from(file), 0))
}

/// Opens a regular file to read it.
pub(super) fn open_to_read(directory: &OwnedFd, name: &[u8]) -> io::Result<File> {
    checked(name)?;
    let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
    Ok(File::from(rustix::fs::openat(directory, name, flags, Mode::empty())?))
}

/// Gives a whole file its looks and its place.
pub(super) fn place(
    directory: &OwnedFd,
    part: &[u8],
    name: &[u8],
    mode: u32,
    changed_at: u32,
) -> io::Result<()> {
    checked(name)?;
    let file = open_to_read(directory, part)?;
    rustix::fs::fchmod(&file, permissions(mode))?;
    rustix::fs::futimens(&file, &times(changed_at))?;
    file.sync_all()?;
    if look_at(directory, name)? == There::Directory {
        return Err(Errno::ISDIR.into());
    }
    Ok(rustix::fs::renameat(directory, part, directory, name)?)
}

/// Removes an unfinished file.
pub(super) fn discard(directory: &OwnedFd, part: &[u8]) -> io::Result<()> {
    checked(part)?;
    Ok(rustix::fs::unlinkat(directory, part, AtFlags::empty())?)
}

/// Makes a link; what it points to is as the node has it.
pub(super) fn link(directory: &OwnedFd, name: &[u8], points_to: &[u8]) -> io::Result<()> {
    checked(name)?;
    match rustix::fs::symlinkat(points_to, directory, name) {
        Err(Errno::EXIST) => {
            let there = rustix::fs::readlinkat(directory, name, Vec::new());
            if there.is_ok_and(|there| there.as_bytes() == points_to) {
                return Ok(());
            }
            if look_at(directory, name)? == There::Directory {
                return Err(Errno::ISDIR.into());
            }
            let part = super::part::part_name(name, "link");
            let _ = rustix::fs::unlinkat(directory, &*part, AtFlags::empty());
            rustix::fs::symlinkat(points_to, directory, &*part)?;
            Ok(rustix::fs::renameat(directory, &*part, directory, name)?)
        }
        made => Ok(made?),
    }
}

/// Gives a directory its looks.
pub(super) fn finish_directory(directory: impl AsFd, mode: u32, changed_at: u32) -> io::Result<()> {
    rustix::fs::fchmod(&directory, permissions(mode))?;
    Ok(rustix::fs::futimens(directory, &times(changed_at))?)
}

/// Without the bits that would let others act as us: a node chose them.
fn permissions(mode: u32) -> Mode {
    Mode::from_raw_mode(mode & 0o777)
}

fn times(changed_at: u32) -> Timestamps {
    let at = Timespec { tv_sec: changed_at.into(), tv_nsec: 0 };
    Timestamps { last_access: at, last_modification: at }
}

#[cfg(test)]
#[path = "local_tree_tests.rs"]
mod tests;
