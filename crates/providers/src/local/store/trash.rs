//! Directories on their way in and out. What is made is put together in
//! `staging` and renamed into its place; what is removed is renamed into
//! `trash` first. So at any moment a directory is in its place whole or not at
//! all, and what an interruption leaves lies where the next command sweeps.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

use fs_err as fs;

use super::files::{StoreError, is_missing, make_new_directory, sync_directory};
use super::lock::{HeldDirectory, hold_directory};
use crate::local::observe::chain;
use crate::local::teardown::{TeardownError, remove_node_dir};

/// Names tried for a directory on its way.
const NAME_TRIES_MAX: u32 = 1000;

/// Makes names of this process's directories differ.
static COUNTER: AtomicU64 = AtomicU64::new(0);

/// A directory that is being put together; removed unless it is put in place.
#[derive(Debug)]
pub(crate) struct Staged {
    path: PathBuf,
    held: Option<HeldDirectory>,
}

/// What came of putting a staged directory in its place.
#[derive(Debug)]
pub(crate) enum Placed {
    /// It is there, and held until this is dropped.
    Here(Option<HeldDirectory>),
    /// Somebody else's was there before; ours is removed.
    Taken,
}

impl Staged {
    /// Begins a directory in `staging`.
    pub(super) fn begin(staging: &Path) -> Result<Self, StoreError> {
        for _ in 0..NAME_TRIES_MAX {
            let path = staging.join(fresh_name("new"));
            match make_new_directory(&path) {
                Ok(()) => {}
                Err(cause) if cause.kind() == io::ErrorKind::AlreadyExists => continue,
                Err(cause) => return Err(cause.into()),
            }
            // A sweep may have seen it before it was held, and taken it.
            if let Ok(Some(held)) = hold_directory(&path)
                && path.exists()
            {
                return Ok(Self { path, held: Some(held) });
            }
        }
        Err(StoreError::Io(io::Error::other("no name is free for a new directory")))
    }

    /// Where it is now.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// Puts it in its place, unless something is there.
    pub(crate) fn place(mut self, target: &Path) -> Result<Placed, StoreError> {
        sync_directory(&self.path)?;
        match std::fs::rename(&self.path, target) {
            Ok(()) => {}
            Err(cause) if is_taken(&cause) => return Ok(Placed::Taken),
            Err(cause) => {
                let text = format!("put {} in its place: {cause}", target.display());
                return Err(StoreError::Io(io::Error::new(cause.kind(), text)));
            }
        }
        let held = self.held.take();
        sync_directory(target.parent().unwrap_or(target))?;
        Ok(Placed::Here(held))
    }
}

/// Whether a directory could not be renamed because another one is there.
fn is_taken(cause: &io::Error) -> bool {
    matches!(cause.kind(), io::ErrorKind::AlreadyExists | io::ErrorKind::DirectoryNotEmpty)
}

impl Drop for Staged {
    fn drop(&mut self) {
        if self.held.is_some() {
            let _swept_later_otherwise = remove_tree(&self.path);
        }
    }
}

/// Takes a directory out of its place and removes it; success when it is gone.
/// What cannot be removed now lies in `trash` for the next sweep.
pub(super) fn discard(trash: &Path, directory: &Path) -> Result<(), StoreError> {
    for _ in 0..NAME_TRIES_MAX {
        let aside = trash.join(fresh_name("old"));
        match std::fs::rename(directory, &aside) {
            Ok(()) => return remove_tree(&aside),
            Err(cause) if cause.kind() == io::ErrorKind::NotFound => return Ok(()),
            Err(cause) if is_taken(&cause) => {}
            Err(cause) => {
                let text = format!("take {} away: {cause}", directory.display());
                return Err(StoreError::Io(io::Error::new(cause.kind(), text)));
            }
        }
    }
    Err(StoreError::Io(io::Error::other("no name is free in the trash")))
}

/// Removes what interrupted commands left in a directory of this module, but
/// for what somebody is still at work on.
pub(super) fn sweep(directory: &Path) -> Result<(), StoreError> {
    for entry in fs::read_dir(directory)? {
        let path = entry?.path();
        match hold_directory(&path) {
            Ok(Some(_held)) => remove_tree(&path)?,
            // Somebody else is at work on it, or was and it is gone.
            Ok(None) => {}
            Err(StoreError::Io(cause)) if is_missing(&cause) => {}
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

fn fresh_name(kind: &str) -> String {
    let number = COUNTER.fetch_add(1, Ordering::Relaxed);
    format!("{kind}-{}-{number}", std::process::id())
}

/// Removes a directory with all that is in it; success when it is gone. Never
/// follows a link, never enters another file system.
pub(super) fn remove_tree(path: &Path) -> Result<(), StoreError> {
    remove_node_dir(path).map_err(|error| {
        let kind = match &error {
            TeardownError::Step { source, .. } => source.kind(),
            TeardownError::Process { .. } => io::ErrorKind::Other,
        };
        StoreError::Io(io::Error::new(kind, chain(&error)))
    })
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    #[test]
    fn a_staged_directory_is_in_place_whole_or_swept() {
        let dir = tempfile::tempdir().unwrap();
        let staging = dir.path().join("staging");
        fs::create_dir(&staging).unwrap();
        drop(Staged::begin(&staging).unwrap());
        assert_eq!(fs::read_dir(&staging).unwrap().count(), 0);

        let staged = Staged::begin(&staging).unwrap();
        fs::write(staged.path().join("a"), "x").unwrap();
        fs::create_dir(staging.join("left-by-a-kill")).unwrap();
        sweep(&staging).unwrap();
        assert_eq!(fs::read_dir(&staging).unwrap().count(), 1, "the held one stays");
        let target = dir.path().join("node");
        assert!(matches!(staged.place(&target).unwrap(), Placed::Here(_)));
        let late = Staged::begin(&staging).unwrap();
        assert!(matches!(late.place(&target).unwrap(), Placed::Taken));
        assert!(target.join("a").exists());
        assert_eq!(fs::read_dir(&staging).unwrap().count(), 0);
    }

    #[test]
    fn discarding_is_success_when_there_is_nothing() {
        let dir = tempfile::tempdir().unwrap();
        let trash = dir.path().join("trash");
        fs::create_dir(&trash).unwrap();
        discard(&trash, &dir.path().join("nothing")).unwrap();
        let full = dir.path().join("full/work/work");
        fs::create_dir_all(&full).unwrap();
        fs::write(full.join("f"), "").unwrap();
        std::fs::set_permissions(&full, std::fs::Permissions::from_mode(0o000)).unwrap();
        discard(&trash, &dir.path().join("full")).unwrap();
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 1);
        assert_eq!(fs::read_dir(&trash).unwrap().count(), 0);
    }
}
