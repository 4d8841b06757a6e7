//! Files of the node store: written so that a reader sees the old or the new
//! one and never a part, read with a bound and a check of their version.

use std::io::{self, Read as _, Write as _};
use std::os::unix::fs::DirBuilderExt as _;
use std::path::{Path, PathBuf};

use fs_err as fs;
use fs_err::os::unix::fs::OpenOptionsExt as _;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::error::{ErrorKind, ProviderError};

/// Permission bits of every directory of the store.
const DIRECTORY_MODE: u32 = 0o700;
/// Permission bits of every file of the store: nodes' private keys are there.
const FILE_MODE: u32 = 0o600;
/// Largest file that is read whole, in bytes: a spec with its scripts.
const FILE_BYTES_MAX: u64 = 32 * 1024 * 1024;

/// Why the store could not be read or written. Reads after "failed to".
#[derive(Debug, thiserror::Error)]
pub(crate) enum StoreError {
    /// The system refused; its words name the path.
    #[error("use the node store")]
    Io(#[from] io::Error),
    /// A newer squall wrote it.
    #[error(
        "read {}: a newer squall wrote it (version {found}, this one reads up to {known})",
        .path.display()
    )]
    Newer {
        /// The file.
        path: PathBuf,
        /// Its version.
        found: u32,
        /// The newest version that this build reads.
        known: u32,
    },
    /// It is not what it should be.
    #[error("read {}: it is damaged: {why}", .path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        why: String,
    },
    /// The cluster's network has no address left.
    #[error("find an address: all {0} of the cluster's network are taken")]
    AddressesTaken(usize),
    /// Somebody else is changing the cluster.
    #[error("lock the cluster: {0}")]
    Held(String),
}

impl StoreError {
    /// What kind of failure it is to callers of the provider.
    pub(crate) fn kind(&self) -> ErrorKind {
        match self {
            Self::Io(cause) => match cause.kind() {
                io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => ErrorKind::Capacity,
                io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem => {
                    ErrorKind::Auth
                }
                _ => ErrorKind::Other,
            },
            Self::Newer { .. } => ErrorKind::Invalid,
            Self::Damaged { .. } => ErrorKind::Other,
            Self::AddressesTaken(_) => ErrorKind::Quota,
            Self::Held(_) => ErrorKind::Conflict,
        }
    }

    /// What the user can do about it.
    pub(crate) fn mend(&self) -> Option<String> {
        match self {
            Self::Io(_) if self.kind() == ErrorKind::Capacity => {
                Some("make room there, then repeat the command".to_owned())
            }
            Self::Newer { .. } => Some("use the squall that wrote it, or a newer one".to_owned()),
            Self::Damaged { path, .. } => {
                Some(format!("restore {} from a backup; nothing of it was touched", path.display()))
            }
            Self::Held(_) => Some("wait until that is done".to_owned()),
            Self::Io(_) | Self::AddressesTaken(_) => None,
        }
    }

    /// What went wrong, with the system's words.
    pub(crate) fn cause(&self) -> String {
        match self {
            Self::Io(cause) if self.kind() == ErrorKind::Capacity => {
                format!("no space left on the disk of the node store ({cause})")
            }
            Self::Io(cause) => cause.to_string(),
            Self::Held(holder) => holder.clone(),
            other => other.to_string(),
        }
    }

    /// As a provider's failure at something.
    pub(crate) fn at(self, doing: impl Into<String>) -> ProviderError {
        let error = ProviderError::new(self.kind(), doing, self.cause());
        match self.mend() {
            Some(mend) => error.with_mend(mend),
            None => error,
        }
    }
}

/// An error of a bare system call, with the path it was about.
pub(super) fn with_path(path: &Path, errno: rustix::io::Errno) -> io::Error {
    let cause = io::Error::from(errno);
    io::Error::new(cause.kind(), format!("{}: {cause}", path.display()))
}

/// Makes a directory that only its owner may enter, and those above it.
pub(super) fn make_directory(path: &Path) -> Result<(), StoreError> {
    let mut builder = std::fs::DirBuilder::new();
    builder.recursive(true).mode(DIRECTORY_MODE);
    builder.create(path).map_err(|cause| {
        StoreError::Io(io::Error::new(cause.kind(), format!("make {}: {cause}", path.display())))
    })
}

/// Makes a directory that must not be there yet.
pub(super) fn make_new_directory(path: &Path) -> io::Result<()> {
    std::fs::DirBuilder::new().mode(DIRECTORY_MODE).create(path)
}

/// Writes a file whole: readers see the old text or the new one, also after a
/// loss of power, which may bring the old one back.
pub(super) fn write_whole(path: &Path, text: &[u8]) -> Result<(), StoreError> {
    let fresh = beside(path);
    let mut file = private(&fresh, true)?;
    file.write_all(text)?;
    file.sync_data()?;
    drop(file);
    fs::rename(&fresh, path)?;
    Ok(())
}

/// Writes a value as JSON, whole.
pub(super) fn write_json(path: &Path, value: &impl Serialize) -> Result<(), StoreError> {
    let mut text = serde_json::to_vec_pretty(value)
        .map_err(|cause| StoreError::Damaged { path: path.to_owned(), why: cause.to_string() })?;
    text.push(b'\n');
    write_whole(path, &text)
}

/// Makes what was renamed or made in a directory outlive a loss of power.
pub(super) fn sync_directory(path: &Path) -> Result<(), StoreError> {
    fs::File::open(path)?.sync_all()?;
    Ok(())
}

/// Opens a file for writing, readable by its owner only; made when missing.
pub(super) fn private(path: &Path, truncate: bool) -> io::Result<fs::File> {
    let mut options = fs::OpenOptions::new();
    options.create(true).read(true).write(true).truncate(truncate);
    options.mode(FILE_MODE).open(path)
}

/// Adds a line to a file; the kernel keeps lines of several writers apart.
pub(super) fn append_line(path: &Path, line: &str) -> Result<(), StoreError> {
    let mut options = fs::OpenOptions::new();
    options.create(true).append(true).mode(FILE_MODE);
    let mut file = options.open(path)?;
    file.write_all(format!("{line}\n").as_bytes())?;
    Ok(())
}

/// Reads a file if it is there.
pub(super) fn read_if_any(path: &Path) -> Result<Option<Vec<u8>>, StoreError> {
    let file = match fs::File::open(path) {
        Ok(file) => file,
        Err(cause) if is_missing(&cause) => return Ok(None),
        Err(cause) => return Err(cause.into()),
    };
    let mut bytes = Vec::new();
    file.take(FILE_BYTES_MAX + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > FILE_BYTES_MAX {
        let why = format!("it is larger than {FILE_BYTES_MAX} bytes");
        return Err(StoreError::Damaged { path: path.to_owned(), why });
    }
    Ok(Some(bytes))
}

/// The version that every file of the store begins with.
#[derive(Deserialize)]
struct Version {
    version: u32,
}

/// Reads a versioned JSON file; `known` is the newest version that this build
/// understands. `None`: there is no such file.
pub(super) fn read_versioned<T: DeserializeOwned>(
    path: &Path,
    known: u32,
) -> Result<Option<T>, StoreError> {
    let Some(bytes) = read_if_any(path)? else {
        return Ok(None);
    };
    let damaged = |cause: serde_json::Error| StoreError::Damaged {
        path: path.to_owned(),
        why: cause.to_string(),
    };
    let Version { version: found } = serde_json::from_slice(&bytes).map_err(damaged)?;
    if found > known {
        return Err(StoreError::Newer { path: path.to_owned(), found, known });
    }
    serde_json::from_slice(&bytes).map(Some).map_err(damaged)
}

/// Whether a path, or a directory on the way to it, is not there.
pub(super) fn is_missing(cause: &io::Error) -> bool {
    matches!(cause.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory)
}

/// The path that a new version of a file is first written to.
fn beside(path: &Path) -> PathBuf {
    let mut name = std::ffi::OsString::from(".");
    name.push(path.file_name().unwrap_or_default());
    name.push(".new");
    path.with_file_name(name)
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    #[test]
    fn a_written_file_is_whole_private_and_leaves_nothing_beside_it() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("a.json");
        write_json(&path, &serde_json::json!({"version": 1})).unwrap();
        write_json(&path, &serde_json::json!({"version": 2})).unwrap();
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 1);
        let made = dir.path().join("x/y");
        make_directory(&made).unwrap();
        assert_eq!(fs::metadata(&made).unwrap().permissions().mode() & 0o777, 0o700);
    }

    #[test]
    fn what_cannot_be_read_says_why_and_what_to_do() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("a.json");
        let read = || read_versioned::<serde_json::Value>(&path, 1);
        assert!(read().unwrap().is_none());
        fs::write(&path, "{\"version\": 7}").unwrap();
        let newer = read().unwrap_err();
        assert!(newer.cause().contains("(version 7, this one reads up to 1)"), "{newer}");
        assert_eq!(newer.kind(), ErrorKind::Invalid);
        assert!(newer.mend().is_some_and(|mend| mend.contains("the squall that wrote it")));
        fs::write(&path, "{\"versi").unwrap();
        assert!(matches!(read().unwrap_err(), StoreError::Damaged { .. }));
    }

    #[test]
    fn a_full_disk_is_a_lack_of_capacity() {
        let full = StoreError::from(io::Error::from(io::ErrorKind::StorageFull)).at("make node a");
        assert_eq!(full.kind, ErrorKind::Capacity);
        assert!(full.cause.starts_with("no space left on "), "{}", full.cause);
    }
}
