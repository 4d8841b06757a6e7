//! The node store: the directories that *are* the local cloud. Knows where
//! everything lies and how it is read and written; decides nothing and starts
//! nothing.
//!
//! ```text
//! <store>/                       0700
//!   clusters/<slug>/             one cluster; in its place whole or not at all
//!     cluster.json               its record
//!     program                    which copy of the binary its supervisor runs
//!     members                    the list that its nodes were told last
//!     timeline.jsonl             what was made and removed
//!     addresses/<address>        link to the id of the node that has it
//!     nodes/<slug>/node.json     what a node is
//!     nodes/<slug>/order.json    what it is booted from; holds its host key
//!     nodes/<slug>/...           the rest is the supervisor's
//!   locks/<slug>.lock            held while a cluster is being changed
//!   bin/<key>/squall             copies of the binary
//!   staging/ trash/              on their way in and out; swept
//!   store.lock                   held for the moment of a change
//! ```

mod address;
mod cluster_dir;
mod cluster_file;
mod files;
mod lock;
mod node_file;
mod program;
mod trash;

#[cfg(test)]
mod compat_tests;

use std::collections::BTreeSet;
use std::net::Ipv4Addr;
use std::path::{Path, PathBuf};

use fs_err as fs;
use jiff::Timestamp;

pub(crate) use address::{PREFIX_LENGTH, free_subnet};
pub(crate) use cluster_dir::{ClusterDir, NodeDir, NodeEntry, ORDER_FILE};
pub(crate) use cluster_file::{CLUSTER_VERSION, ClusterFile};
pub(crate) use files::StoreError;
pub(crate) use lock::{HeldCluster, HeldStore};
pub(crate) use node_file::{NODE_VERSION, NodeFile, Stage};
pub(crate) use trash::{Placed, Staged};

/// The node store of one user.
#[derive(Debug, Clone)]
pub(crate) struct Store {
    root: PathBuf,
}

/// Room on the file system of the store.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Room {
    /// Bytes that this user may still write.
    pub(crate) bytes: u64,
    /// Files that may still be made; `None` where there is no such limit.
    pub(crate) files: Option<u64>,
}

impl Store {
    /// The store at a directory; nothing is made yet.
    pub(crate) fn new(root: PathBuf) -> Self {
        Self { root }
    }

    /// Where it is.
    pub(crate) fn root(&self) -> &Path {
        &self.root
    }

    /// Makes its directories, where they are not there.
    pub(crate) fn prepare(&self) -> Result<(), StoreError> {
        for name in ["clusters", "locks", "bin", "staging", "trash"] {
            files::make_directory(&self.root.join(name))?;
        }
        Ok(())
    }

    /// The directory of the cluster with a slug, which may not be there.
    pub(crate) fn cluster(&self, slug: &str) -> ClusterDir {
        ClusterDir::new(self.root.join("clusters").join(slug))
    }

    /// The slugs of all clusters, sorted.
    pub(crate) fn slugs(&self) -> Result<Vec<String>, StoreError> {
        let mut slugs = Vec::new();
        let entries = match fs::read_dir(self.root.join("clusters")) {
            Err(cause) if files::is_missing(&cause) => return Ok(slugs),
            other => other?,
        };
        for entry in entries {
            let slug = entry?.file_name().to_string_lossy().into_owned();
            // No slug has a dot: what a teardown was taking away has.
            if !slug.contains('.') {
                slugs.push(slug);
            }
        }
        slugs.sort_unstable();
        Ok(slugs)
    }

    /// Takes a cluster for changing it.
    pub(crate) fn hold_cluster(
        &self,
        slug: &str,
        purpose: &str,
        now: Timestamp,
    ) -> Result<HeldCluster, StoreError> {
        self.prepare()?;
        let path = self.root.join("locks").join(format!("{slug}.lock"));
        lock::hold_cluster(path, self.cluster(slug).path().to_owned(), purpose, now)
    }

    /// Holds the store for the moment of a change of a record.
    pub(crate) fn hold(&self) -> Result<HeldStore, StoreError> {
        self.prepare()?;
        lock::hold_store(&self.root.join("store.lock"))
    }

    /// Begins a directory that will be put in its place whole.
    pub(crate) fn stage(&self) -> Result<Staged, StoreError> {
        Staged::begin(&self.root.join("staging"))
    }

    /// Removes a directory; success when it is gone.
    pub(crate) fn discard(&self, directory: &Path) -> Result<(), StoreError> {
        trash::discard(&self.root.join("trash"), directory)
    }

    /// Removes what interrupted commands left on its way in or out, and copies
    /// of the binary that no cluster uses.
    pub(crate) fn sweep(&self, _held: &HeldStore) -> Result<(), StoreError> {
        trash::sweep(&self.root.join("staging"))?;
        trash::sweep(&self.root.join("trash"))?;
        for entry in fs::read_dir(self.root.join("clusters"))? {
            let path = entry?.path();
            if path.extension().is_some_and(|ending| ending == "trash") {
                trash::remove_tree(&path)?;
            }
        }
        self.sweep_probes()?;
        self.sweep_locks()?;
        let mut used = BTreeSet::new();
        for slug in self.slugs()? {
            used.extend(self.cluster(&slug).program()?);
        }
        program::remove_unused(&self.root.join("bin"), &used)
    }

    /// Removes what lies on its way in or out, if there is anything: for those
    /// who only look, because a making may have been killed before there was a
    /// cluster to delete. What cannot be removed now, a later change sweeps.
    pub(crate) fn sweep_scraps(&self) {
        let has = |name: &str, is_scrap: fn(&std::fs::DirEntry) -> bool| {
            let found = std::fs::read_dir(self.root.join(name));
            found.is_ok_and(|found| found.flatten().any(|entry| is_scrap(&entry)))
        };
        let is_probe = |entry: &std::fs::DirEntry| {
            entry.file_name().as_encoded_bytes().starts_with(b".probe-")
        };
        if !has("staging", |_| true) && !has("trash", |_| true) && !has(".", is_probe) {
            return;
        }
        // Nobody who looks waits for somebody who works.
        let swept = lock::hold_store_if_free(&self.root.join("store.lock"))
            .and_then(|held| held.map_or(Ok(()), |held| self.sweep(&held)));
        if let Err(error) = swept {
            tracing::debug!(error = %error.cause(), "scraps are left");
        }
    }

    /// Removes the scratch directories of probes whose process is gone.
    fn sweep_probes(&self) -> Result<(), StoreError> {
        for entry in fs::read_dir(&self.root)? {
            let entry = entry?;
            let name = entry.file_name().to_string_lossy().into_owned();
            let pid = name.strip_prefix(".probe-").and_then(|rest| rest.split('-').next());
            if pid.is_some_and(|pid| !Path::new("/proc").join(pid).exists()) {
                trash::remove_tree(&entry.path())?;
            }
        }
        Ok(())
    }

    /// Removes the lock files of clusters that are gone.
    fn sweep_locks(&self) -> Result<(), StoreError> {
        for entry in fs::read_dir(self.root.join("locks"))? {
            let path = entry?.path();
            let slug = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
            let cluster = self.cluster(&slug);
            if !cluster.exists() {
                lock::remove_unused(path, cluster.path().to_owned())?;
            }
        }
        Ok(())
    }

    /// The first addresses of the networks of all clusters that can be read.
    pub(crate) fn networks(&self) -> Result<BTreeSet<Ipv4Addr>, StoreError> {
        let mut networks = BTreeSet::new();
        for slug in self.slugs()? {
            if let Ok(Some(file)) = self.cluster(&slug).read() {
                networks.insert(file.network);
            }
        }
        Ok(networks)
    }

    /// Makes a copy of this binary for a cluster's supervisor, and notes that
    /// the cluster uses it.
    pub(crate) fn install_program(
        &self,
        _held: &HeldStore,
        cluster: &ClusterDir,
        program: &Path,
    ) -> Result<PathBuf, StoreError> {
        let key = program::key(program)?;
        cluster.note_program(&key)?;
        program::install(&self.root.join("bin"), &self.root.join("staging"), program, &key)
    }

    /// Bytes that a copy of this binary would take; 0 when it is there.
    pub(crate) fn program_bytes(&self, program: &Path) -> Result<u64, StoreError> {
        let copy = program::path(&self.root.join("bin"), &program::key(program)?);
        if copy.exists() { Ok(0) } else { Ok(fs::metadata(program)?.len()) }
    }

    /// Room on its file system.
    pub(crate) fn room(&self) -> Result<Room, StoreError> {
        self.prepare()?;
        let found =
            rustix::fs::statvfs(&self.root).map_err(|errno| files::with_path(&self.root, errno))?;
        Ok(Room {
            bytes: found.f_bavail.saturating_mul(found.f_frsize),
            files: (found.f_files > 0).then_some(found.f_favail),
        })
    }
}
