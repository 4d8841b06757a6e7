//! Recording a new host. Processes that record at once take turns by a lock
//! on the file; tasks of one process share one [`KnownHosts`].

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustix::fs::{FlockOperation, flock};

use super::hashed::HashedName;
use super::line::Place;
use super::name::HostName;
use super::store::KnownHosts;
use super::verdict::{Shown, Verdict, judge};
use crate::keys::PublicKey;

/// Why a new host could not be recorded. Reads after "failed to".
#[derive(Debug, thiserror::Error)]
pub enum RecordError {
    /// The system would not.
    #[error("record the host key in {}", .file.display())]
    Io {
        /// The file.
        file: PathBuf,
        /// The system's words.
        #[source]
        source: io::Error,
    },
    /// Somebody else recorded another key for this host just now.
    #[error("record the host key in {}: another one is listed there meanwhile", .0.display())]
    Overtaken(PathBuf),
}

impl KnownHosts {
    /// The file that new hosts are recorded in.
    #[must_use]
    pub fn record_file(&self) -> Option<&Path> {
        self.record_file.as_deref()
    }

    /// Records that `name` shows `key`, in the file and for all who share this
    /// value.
    ///
    /// # Errors
    /// The file cannot be written, or lists another key by now.
    pub fn record(&self, name: &HostName, key: &PublicKey) -> Result<(), RecordError> {
        let Some(path) = &self.record_file else {
            let place = Place { file: Arc::new(PathBuf::from("memory")), line: 0 };
            self.learn(name, key, place);
            return Ok(());
        };
        let fail = |source| RecordError::Io { file: path.clone(), source };
        let mut file = open(path).map_err(fail)?;
        flock(&file, FlockOperation::LockExclusive).map_err(|error| fail(error.into()))?;
        let mut bytes = Vec::new();
        file.read_to_end(&mut bytes).map_err(fail)?;
        let text = String::from_utf8_lossy(&bytes);
        let line = text.lines().count() + 1;
        match listed(&text, path, name, key) {
            Verdict::Accepted => {}
            Verdict::Unknown => self.append(&mut file, &text, name, key).map_err(fail)?,
            _ => return Err(RecordError::Overtaken(path.clone())),
        }
        self.learn(name, key, Place { file: Arc::new(path.clone()), line });
        Ok(())
    }

    fn append(
        &self,
        file: &mut File,
        text: &str,
        name: &HostName,
        key: &PublicKey,
    ) -> io::Result<()> {
        let listed = if self.hash_new {
            let mut salt = [0; 20];
            getrandom::fill(&mut salt).map_err(io::Error::other)?;
            HashedName::new(name.listed(), salt).text()
        } else {
            name.listed().to_owned()
        };
        // The last line may lack its end, and ours must not grow into it.
        let gap = if text.is_empty() || text.ends_with('\n') { "" } else { "\n" };
        let line = format!("{gap}{listed} {}\n", key.bare_line());
        file.seek(SeekFrom::End(0))?;
        file.write_all(line.as_bytes())?;
        // `UserKnownHostsFile /dev/null` is how people say: keep nothing.
        if file.metadata()?.is_file() { file.sync_data() } else { Ok(()) }
    }
}

fn open(path: &Path) -> io::Result<File> {
    if let Some(directory) = path.parent().filter(|directory| !directory.exists()) {
        fs::DirBuilder::new().recursive(true).mode(0o700).create(directory)?;
    }
    OpenOptions::new().read(true).append(true).create(true).mode(0o600).open(path)
}

/// What the file says by now of a host that was unknown when it was read.
fn listed(text: &str, path: &Path, name: &HostName, key: &PublicKey) -> Verdict {
    let known = KnownHosts::parse(text, path).look_up(name);
    judge(&known, name, Shown { key, certificate: None }, 0)
}
