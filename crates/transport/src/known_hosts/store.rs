//! All lines of a user's files, found by name.

use std::collections::HashMap;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, PoisonError, RwLock};

use super::hashed::HashedName;
use super::line::{Line, Marker, Names, Place, parse};
use super::name::HostName;
use crate::host_pattern::PatternList;
use crate::keys::PublicKey;
use crate::limits;

/// The user's and the system's `known_hosts` files. Sharing it is cheap; what
/// is recorded is seen by all who share it.
#[derive(Debug, Default)]
pub struct KnownHosts {
    /// The file that new hosts are recorded in; none keeps them in memory.
    pub(super) record_file: Option<PathBuf>,
    /// Whether new hosts are hashed.
    pub(super) hash_new: bool,
    index: RwLock<Index>,
    notes: Vec<Note>,
}

/// A line that could not be read, or a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Note {
    /// Where.
    pub place: Place,
    /// What is wrong.
    pub text: String,
}

/// A key and where it is listed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KnownKey {
    /// The key.
    pub key: PublicKey,
    /// Where it is listed.
    pub place: Place,
}

/// What is known of one host.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Known {
    /// Keys that it may show.
    pub keys: Vec<KnownKey>,
    /// Keys that it may show if its port is not ssh's own: those of its name
    /// without the port. Other keys are no reason to distrust it.
    pub bare_keys: Vec<KnownKey>,
    /// Keys that may vouch for it by a certificate.
    pub authorities: Vec<KnownKey>,
    /// Keys that it may neither show nor be vouched for by.
    pub revoked: Vec<KnownKey>,
}

#[derive(Debug, Default)]
struct Index {
    entries: Vec<Entry>,
    /// Entries by each name that means one host.
    plain: HashMap<String, Vec<usize>>,
    /// Entries with wildcards or negation.
    patterns: Vec<(PatternList, usize)>,
    hashed: Vec<(HashedName, usize)>,
}

#[derive(Debug)]
struct Entry {
    marker: Marker,
    known: KnownKey,
}

impl KnownHosts {
    /// Reads the files. Those that are not there say nothing; new hosts are
    /// recorded in the first of `user_files`. What cannot be read is noted.
    #[must_use]
    pub fn read(user_files: &[PathBuf], global_files: &[PathBuf]) -> Self {
        let mut made = Self { record_file: user_files.first().cloned(), ..Self::default() };
        for (at, path) in user_files.iter().chain(global_files).enumerate() {
            match read_file(path) {
                Ok(text) => made.add_text(&text, path, at == 0),
                Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                Err(error) => {
                    let place = Place { file: Arc::new(path.clone()), line: 0 };
                    made.notes.push(Note { place, text: format!("it cannot be read: {error}") });
                }
            }
        }
        made
    }

    /// Reads text as if it were that file; new hosts are kept in memory only.
    #[must_use]
    pub fn parse(text: &str, file: &Path) -> Self {
        let mut made = Self::default();
        made.add_text(text, file, false);
        made
    }

    /// Hashes the names of new hosts whatever the file looks like.
    #[must_use]
    pub const fn hashing_new(mut self, hash_new: bool) -> Self {
        self.hash_new = self.hash_new || hash_new;
        self
    }

    /// Lines that could not be read.
    #[must_use]
    pub fn notes(&self) -> &[Note] {
        &self.notes
    }

    /// What is known of a host.
    #[must_use]
    pub fn look_up(&self, name: &HostName) -> Known {
        let index = self.index.read().unwrap_or_else(PoisonError::into_inner);
        let mut known = Known::default();
        for at in index.places(name.listed()) {
            let Some(entry) = index.entries.get(at) else { continue };
            known.list(entry.marker).push(entry.known.clone());
        }
        let Some(bare) = name.bare() else { return known };
        for at in index.places(bare) {
            let Some(entry) = index.entries.get(at) else { continue };
            let list = match entry.marker {
                Marker::None => &mut known.bare_keys,
                marker => known.list(marker),
            };
            if !list.contains(&entry.known) {
                list.push(entry.known.clone());
            }
        }
        known
    }

    pub(super) fn learn(&self, name: &HostName, key: &PublicKey, place: Place) {
        let names = Names::Patterns(PatternList::new([name.listed()]));
        let line = Line { marker: Marker::None, names, key: key.clone() };
        self.index.write().unwrap_or_else(PoisonError::into_inner).add(line, place);
    }

    fn add_text(&mut self, text: &str, path: &Path, shapes_new: bool) {
        let file = Arc::new(path.to_owned());
        let mut lines = Vec::new();
        for (at, text) in text.lines().enumerate() {
            let place = Place { file: Arc::clone(&file), line: at + 1 };
            match parse(text) {
                Ok(Some(line)) => lines.push((line, place)),
                Ok(None) => {}
                Err(text) => self.notes.push(Note { place, text }),
            }
        }
        if shapes_new {
            self.hash_new = lines.iter().any(|(line, _)| matches!(line.names, Names::Hashed(_)));
        }
        let index = self.index.get_mut().unwrap_or_else(PoisonError::into_inner);
        for (line, place) in lines {
            index.add(line, place);
        }
    }
}

impl Known {
    fn list(&mut self, marker: Marker) -> &mut Vec<KnownKey> {
        match marker {
            Marker::None => &mut self.keys,
            Marker::Authority => &mut self.authorities,
            Marker::Revoked => &mut self.revoked,
        }
    }

    /// Whether no key and no authority is known.
    #[must_use]
    pub fn is_nothing(&self) -> bool {
        self.keys.is_empty() && self.bare_keys.is_empty() && self.authorities.is_empty()
    }
}

impl Index {
    fn add(&mut self, line: Line, place: Place) {
        let at = self.entries.len();
        self.entries.push(Entry { marker: line.marker, known: KnownKey { key: line.key, place } });
        match line.names {
            Names::Hashed(hashed) => self.hashed.push((hashed, at)),
            Names::Patterns(list) if list.is_plain() => {
                for name in list.plain() {
                    self.plain.entry(name.to_owned()).or_default().push(at);
                }
            }
            Names::Patterns(list) => self.patterns.push((list, at)),
        }
    }

    /// The entries about a name, in the order of the files.
    fn places(&self, name: &str) -> Vec<usize> {
        let mut places = self.plain.get(name).cloned().unwrap_or_default();
        let patterns = self.patterns.iter().filter(|(list, _)| list.matches(name));
        places.extend(patterns.map(|(_, at)| at));
        let hashed = self.hashed.iter().filter(|(hashed, _)| hashed.matches(name));
        places.extend(hashed.map(|(_, at)| at));
        places.sort_unstable();
        places.dedup();
        places
    }
}

fn read_file(path: &Path) -> io::Result<String> {
    if fs::metadata(path)?.len() > limits::KNOWN_HOSTS_BYTES_MAX {
        return Err(io::Error::other("it is too large"));
    }
    // A damaged byte spoils its line and no other.
    Ok(String::from_utf8_lossy(&fs::read(path)?).into_owned())
}

#[cfg(test)]
#[path = "store_tests.rs"]
mod tests;
