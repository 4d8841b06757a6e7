//! The user's files of host keys, each set of them read once.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use transport::KnownHosts;
use transport::ssh_config::Settings;

/// The system's files, where the configuration names none.
const GLOBAL_FILES: [&str; 2] = ["/etc/ssh/ssh_known_hosts", "/etc/ssh/ssh_known_hosts2"];

/// What is read of which files.
#[derive(Debug, Default)]
pub(super) struct KnownFiles {
    read: BTreeMap<(Vec<PathBuf>, Vec<PathBuf>, bool), Arc<KnownHosts>>,
}

impl KnownFiles {
    /// Those that vouch for a host with these settings.
    pub(super) fn of(&mut self, home: &Path, settings: &Settings) -> Arc<KnownHosts> {
        let user = settings.user_known_hosts.clone().unwrap_or_else(|| {
            ["known_hosts", "known_hosts2"].map(|name| home.join(".ssh").join(name)).to_vec()
        });
        let global = settings
            .global_known_hosts
            .clone()
            .unwrap_or_else(|| GLOBAL_FILES.map(PathBuf::from).to_vec());
        let key = (user, global, settings.hash_known_hosts);
        if let Some(known) = self.read.get(&key) {
            return Arc::clone(known);
        }
        let known = KnownHosts::read(&key.0, &key.1).hashing_new(key.2);
        for note in known.notes() {
            tracing::info!("{}: {}", note.place, note.text);
        }
        let known = Arc::new(known);
        self.read.insert(key, Arc::clone(&known));
        known
    }
}
