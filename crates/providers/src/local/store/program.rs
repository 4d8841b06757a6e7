//! Copies of this binary that supervisors run, so that squall can be rebuilt
//! or removed under live nodes. Clusters share a copy; one that no cluster
//! names is removed.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::io;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

use fs_err as fs;
use sha2::{Digest as _, Sha256};

use super::files::{StoreError, sync_directory};
use super::trash::Staged;

/// Name of a copy in its directory.
const PROGRAM_FILE: &str = "squall";
/// Bytes of the hash that names a copy.
const KEY_BYTES: usize = 8;

/// What tells one build from another. Not its text: reading a hundred
/// megabytes for every supervisor would cost more than a node.
pub(super) fn key(program: &Path) -> Result<String, StoreError> {
    let meta = fs::metadata(program)?;
    let mut hash = Sha256::new();
    for part in [meta.dev(), meta.ino(), meta.len()] {
        hash.update(part.to_le_bytes());
    }
    hash.update(meta.mtime().to_le_bytes());
    hash.update(meta.mtime_nsec().to_le_bytes());
    let mut key = String::new();
    for byte in hash.finalize().iter().take(KEY_BYTES) {
        let _infallible = write!(key, "{byte:02x}");
    }
    Ok(key)
}

/// Where the copy with a key lies.
pub(super) fn path(directory: &Path, key: &str) -> PathBuf {
    directory.join(key).join(PROGRAM_FILE)
}

/// Makes the copy unless it is there.
pub(super) fn install(
    directory: &Path,
    staging: &Path,
    program: &Path,
    key: &str,
) -> Result<PathBuf, StoreError> {
    let target = path(directory, key);
    if target.exists() {
        return Ok(target);
    }
    let staged = Staged::begin(staging)?;
    let fresh = staged.path().join(PROGRAM_FILE);
    fs::copy(program, &fresh)?;
    fs::set_permissions(&fresh, std::fs::Permissions::from_mode(0o755))?;
    fs::File::open(&fresh)?.sync_data()?;
    // Taken: it was made a moment ago, from the same build.
    staged.place(&directory.join(key))?;
    Ok(target)
}

/// Removes the copies that nobody uses.
pub(super) fn remove_unused(directory: &Path, used: &BTreeSet<String>) -> Result<(), StoreError> {
    let mut removed = false;
    for entry in fs::read_dir(directory)? {
        let entry = entry?;
        if !entry.file_name().to_str().is_some_and(|key| used.contains(key)) {
            match fs::remove_dir_all(entry.path()) {
                Err(cause) if cause.kind() != io::ErrorKind::NotFound => return Err(cause.into()),
                _ => removed = true,
            }
        }
    }
    if removed { sync_directory(directory) } else { Ok(()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_build_is_copied_once_and_removed_when_nobody_uses_it() {
        let dir = tempfile::tempdir().unwrap();
        let (bin, staging) = (dir.path().join("bin"), dir.path().join("staging"));
        fs::create_dir(&bin).unwrap();
        fs::create_dir(&staging).unwrap();
        let program = dir.path().join("squall");
        fs::write(&program, "one").unwrap();
        let one = key(&program).unwrap();
        assert_eq!(one, key(&program).unwrap());
        let copy = install(&bin, &staging, &program, &one).unwrap();
        assert_eq!(copy, install(&bin, &staging, &program, &one).unwrap());
        assert_eq!(fs::metadata(&copy).unwrap().permissions().mode() & 0o777, 0o755);
        assert_ne!(
            fs::metadata(&copy).unwrap().ino(),
            fs::metadata(&program).unwrap().ino(),
            "writing over the build must not reach the copy"
        );

        fs::write(&program, "three").unwrap();
        let two = key(&program).unwrap();
        assert_ne!(one, two);
        install(&bin, &staging, &program, &two).unwrap();
        remove_unused(&bin, &BTreeSet::from([two.clone()])).unwrap();
        assert!(!copy.exists() && path(&bin, &two).exists());
    }
}
