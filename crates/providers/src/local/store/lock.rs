//! Locks of the store: one per cluster for the length of a change, and one of
//! the whole store for the moment that a record is changed. The kernel lets go
//! of them when their process ends, however it ends.

use std::fs::TryLockError;
use std::io::{Read as _, Seek as _, Write as _};
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use fs_err as fs;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::files::{StoreError, private};
use crate::provider::ClusterLock;

/// How often a lock is tried whose file is replaced under us by deletes.
const TRIES_MAX: usize = 100;

/// How often a held lock is looked at again: it may be held for a moment only,
/// to remove its file.
const LOOKS_MAX: u32 = 3;
/// Pause between two looks.
const LOOK_PAUSE: Duration = Duration::from_millis(10);

/// Who is changing a cluster, as written into its lock file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Holder {
    pid: u32,
    purpose: String,
    since: Timestamp,
}

/// A cluster held for changing it.
#[derive(Debug)]
pub(crate) struct HeldCluster {
    // The lock ends when this is closed.
    _file: fs::File,
    path: PathBuf,
    cluster_dir: PathBuf,
}

impl ClusterLock for HeldCluster {}

impl Drop for HeldCluster {
    fn drop(&mut self) {
        // The file of a cluster that is gone goes too, while it is still ours.
        // Whoever waits for it sees that it is no longer the file at its path.
        if !self.cluster_dir.exists() {
            let _gone_or_not = fs::remove_file(&self.path);
        }
    }
}

/// Takes a cluster for changing it.
pub(super) fn hold_cluster(
    path: PathBuf,
    cluster_dir: PathBuf,
    purpose: &str,
    now: Timestamp,
) -> Result<HeldCluster, StoreError> {
    let mut looks = 0;
    for _ in 0..TRIES_MAX {
        let mut file = private(&path, false)?;
        match file.file().try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) if looks < LOOKS_MAX => {
                looks += 1;
                std::thread::sleep(LOOK_PAUSE);
                continue;
            }
            Err(TryLockError::WouldBlock) => return Err(StoreError::Held(holder(&mut file))),
            Err(TryLockError::Error(cause)) => return Err(cause.into()),
        }
        if !is_at(&file, &path) {
            continue;
        }
        let holder = Holder { pid: std::process::id(), purpose: purpose.to_owned(), since: now };
        file.set_len(0)?;
        file.write_all(serde_json::to_string(&holder).unwrap_or_default().as_bytes())?;
        return Ok(HeldCluster { _file: file, path, cluster_dir });
    }
    Err(StoreError::Held("its lock is taken and given back all the time".to_owned()))
}

/// Removes the lock file of a cluster that is gone, unless it is held.
pub(super) fn remove_unused(path: PathBuf, cluster_dir: PathBuf) -> Result<(), StoreError> {
    let file = private(&path, false)?;
    if file.file().try_lock().is_ok() && is_at(&file, &path) {
        drop(HeldCluster { _file: file, path, cluster_dir });
    }
    Ok(())
}

/// Who holds a lock file, in words.
fn holder(file: &mut fs::File) -> String {
    let mut text = String::new();
    let read = file.rewind().and_then(|()| file.read_to_string(&mut text));
    match read.ok().and_then(|_| serde_json::from_str::<Holder>(&text).ok()) {
        Some(Holder { pid, purpose, since }) => {
            format!("process {pid} is changing it since {}: {purpose}", since.strftime("%F %T UTC"))
        }
        None => "another process is changing it".to_owned(),
    }
}

/// Whether an open file is still the one at its path.
fn is_at(file: &fs::File, path: &Path) -> bool {
    match (file.metadata(), fs::metadata(path)) {
        (Ok(open), Ok(there)) => open.ino() == there.ino() && open.dev() == there.dev(),
        _ => false,
    }
}

/// The whole store held for the moment of a change.
#[derive(Debug)]
pub(crate) struct HeldStore {
    _file: fs::File,
}

/// Waits for the store and holds it.
pub(super) fn hold_store(path: &Path) -> Result<HeldStore, StoreError> {
    let file = private(path, false)?;
    file.file().lock()?;
    Ok(HeldStore { _file: file })
}

/// Holds the store if nobody else does.
pub(super) fn hold_store_if_free(path: &Path) -> Result<Option<HeldStore>, StoreError> {
    let file = private(path, false)?;
    match file.file().try_lock() {
        Ok(()) => Ok(Some(HeldStore { _file: file })),
        Err(TryLockError::WouldBlock) => Ok(None),
        Err(TryLockError::Error(cause)) => Err(cause.into()),
    }
}

/// A directory that somebody is at work on. Others see that with
/// [`is_at_work_on`], and see it end when the process ends.
#[derive(Debug)]
pub(crate) struct HeldDirectory {
    _file: fs::File,
}

/// Holds a directory; `None` when somebody else does.
pub(super) fn hold_directory(path: &Path) -> Result<Option<HeldDirectory>, StoreError> {
    let file = fs::File::open(path)?;
    match file.file().try_lock() {
        Ok(()) => Ok(Some(HeldDirectory { _file: file })),
        Err(TryLockError::WouldBlock) => Ok(None),
        Err(TryLockError::Error(cause)) => Err(cause.into()),
    }
}

/// Whether somebody holds a directory.
pub(super) fn is_at_work_on(path: &Path) -> bool {
    let Ok(file) = fs::File::open(path) else {
        return false;
    };
    matches!(file.file().try_lock_shared(), Err(TryLockError::WouldBlock))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_held_cluster_says_who_holds_it_and_is_free_again_after() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("demo.lock");
        let now: Timestamp = "2026-11-21T10:00:00Z".parse().unwrap();
        let hold = || hold_cluster(path.clone(), dir.path().to_owned(), "create demo", now);
        let held = hold().unwrap();
        let cause = hold().unwrap_err().cause();
        assert_eq!(
            cause,
            format!(
                "process {} is changing it since 2026-11-21 10:00:00 UTC: create demo",
                std::process::id()
            )
        );
        drop(held);
        assert!(hold().is_ok());
        assert!(path.exists());
    }

    #[test]
    fn the_lock_of_a_cluster_that_is_gone_leaves_no_file() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("demo.lock");
        let gone = dir.path().join("clusters/demo");
        drop(hold_cluster(path.clone(), gone, "delete", Timestamp::UNIX_EPOCH).unwrap());
        assert!(!path.exists());
    }

    #[test]
    fn work_on_a_directory_is_seen_until_it_ends() {
        let dir = tempfile::tempdir().unwrap();
        assert!(!is_at_work_on(dir.path()));
        let held = hold_directory(dir.path()).unwrap().unwrap();
        assert!(is_at_work_on(dir.path()));
        assert!(hold_directory(dir.path()).unwrap().is_none());
        drop(held);
        assert!(!is_at_work_on(dir.path()));
    }
}
