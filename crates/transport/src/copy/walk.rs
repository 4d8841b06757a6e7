//! What is to be put: the files and trees that a user names, looked at once
//! for all nodes. All that is wrong with them is found before anything is
//! sent.

use std::collections::BTreeSet;
use std::ffi::OsStr;
use std::fs::{self, Metadata};
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::glob;
use super::part::join;
use super::source::{Blocks, Source, seconds};
use crate::limits;

/// Bits of a mode that are carried over.
const MODE_BITS: u32 = 0o7777;

/// Files and trees to be put into a directory of each node.
#[derive(Debug)]
pub struct PutPlan {
    pub(super) entries: Vec<PutEntry>,
    pub(super) directory: Option<Vec<u8>>,
    pub(super) make_directory: bool,
    pub(super) blocks: Blocks,
}

/// One thing to be put.
#[derive(Debug)]
pub(super) struct PutEntry {
    /// Below the directory on the node.
    pub(super) path: Vec<u8>,
    pub(super) mode: u32,
    pub(super) changed_at: u32,
    pub(super) kind: PutKind,
}

#[derive(Debug)]
pub(super) enum PutKind {
    Directory,
    File(Arc<Source>),
    Symlink { points_to: Vec<u8> },
}

/// What is wrong with something that should be put.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{}: {text}", path.display())]
pub struct PutProblem {
    /// As the user or the tree names it.
    pub path: PathBuf,
    /// What is wrong.
    pub text: String,
}

impl PutPlan {
    /// Looks at everything that `files` name; what is a glob and no file is
    /// expanded. It will be put into `directory`, none being the home of the
    /// user.
    ///
    /// # Errors
    /// All that is wrong, never an empty list.
    pub fn look(files: &[PathBuf], directory: Option<&OsStr>) -> Result<Self, Vec<PutProblem>> {
        let mut walk = Walk::default();
        for file in files {
            for path in walk.expand(file) {
                walk.top(&path);
            }
        }
        if !walk.problems.is_empty() {
            return Err(walk.problems);
        }
        Ok(Self {
            entries: walk.entries,
            directory: directory.map(|directory| directory.as_bytes().to_vec()),
            make_directory: false,
            blocks: Blocks::default(),
        })
    }

    /// Makes the directory on the nodes if it is not there.
    #[must_use]
    pub fn making_directory(self, make_directory: bool) -> Self {
        Self { make_directory, ..self }
    }

    /// Files in it.
    #[must_use]
    pub fn file_count(&self) -> usize {
        self.sources().count()
    }

    /// Bytes of all files.
    #[must_use]
    pub fn bytes(&self) -> u64 {
        self.sources().map(|source| source.size).sum()
    }

    fn sources(&self) -> impl Iterator<Item = &Arc<Source>> {
        self.entries.iter().filter_map(|entry| match &entry.kind {
            PutKind::File(source) => Some(source),
            PutKind::Directory | PutKind::Symlink { .. } => None,
        })
    }
}

#[derive(Debug, Default)]
struct Walk {
    entries: Vec<PutEntry>,
    files: usize,
    tops: BTreeSet<Vec<u8>>,
    problems: Vec<PutProblem>,
}

impl Walk {
    fn problem(&mut self, path: &Path, text: impl Into<String>) {
        self.problems.push(PutProblem { path: path.to_owned(), text: text.into() });
    }

    /// The paths that a user's word means.
    fn expand(&mut self, word: &Path) -> Vec<PathBuf> {
        let bytes = word.as_os_str().as_bytes();
        if !glob::is_glob(bytes) || fs::symlink_metadata(word).is_ok() {
            return vec![word.to_owned()];
        }
        let mut found = match bytes.first() {
            Some(b'/') => vec![PathBuf::from("/")],
            _ => vec![PathBuf::new()],
        };
        for part in bytes.split(|byte| *byte == b'/').filter(|part| !part.is_empty()) {
            found = found.iter().flat_map(|base| step(base, part)).collect();
        }
        if found.is_empty() {
            self.problem(word, "nothing matches");
        }
        found
    }

    /// Something named by the user. A link is what it points to.
    fn top(&mut self, path: &Path) {
        let metadata = match fs::metadata(path) {
            Ok(metadata) => metadata,
            Err(error) => return self.problem(path, plain(&error)),
        };
        // `.` and `a/..` have a name too.
        let named = match path.file_name() {
            Some(name) => Some(name.to_owned()),
            None => fs::canonicalize(path).ok().and_then(|real| Some(real.file_name()?.to_owned())),
        };
        let Some(name) = named else {
            return self.problem(path, "it has no name to be put under");
        };
        let name = name.into_vec();
        if !self.tops.insert(name.clone()) {
            let text = "another of the files has the same name, and would lie in the same place";
            return self.problem(path, text);
        }
        self.add(path, name, &metadata, 0);
    }

    fn add(&mut self, path: &Path, to: Vec<u8>, metadata: &Metadata, depth: usize) {
        let kind = metadata.file_type();
        let (mode, changed_at) = (metadata.mode() & MODE_BITS, seconds(metadata.mtime()));
        if self.entries.len() >= limits::COPY_ENTRIES_MAX || depth > limits::COPY_DEPTH_MAX {
            return self.problem(path, "the tree is too large or too deep");
        }
        if kind.is_dir() {
            self.entries.push(PutEntry {
                path: to.clone(),
                mode,
                changed_at,
                kind: PutKind::Directory,
            });
            self.descend(path, &to, depth);
        } else if kind.is_file() {
            if let Err(error) = fs::File::open(path) {
                return self.problem(path, plain(&error));
            }
            let source = Source::new(path.to_owned(), metadata.size(), changed_at, self.files);
            self.files += 1;
            let kind = PutKind::File(Arc::new(source));
            self.entries.push(PutEntry { path: to, mode, changed_at, kind });
        } else if kind.is_symlink() {
            match fs::read_link(path) {
                Ok(target) => {
                    let points_to = target.into_os_string().into_vec();
                    let kind = PutKind::Symlink { points_to };
                    self.entries.push(PutEntry { path: to, mode, changed_at, kind });
                }
                Err(error) => self.problem(path, plain(&error)),
            }
        } else {
            self.problem(path, "it is a pipe, socket or device, which cannot be copied");
        }
    }

    fn descend(&mut self, path: &Path, to: &[u8], depth: usize) {
        let mut names = match names(path) {
            Ok(names) => names,
            Err(error) => return self.problem(path, plain(&error)),
        };
        names.sort();
        for name in names {
            let below = path.join(OsStr::from_bytes(&name));
            match fs::symlink_metadata(&below) {
                Ok(metadata) => self.add(&below, join(to, &name), &metadata, depth + 1),
                Err(error) => self.problem(&below, plain(&error)),
            }
        }
    }
}

fn names(path: &Path) -> std::io::Result<Vec<Vec<u8>>> {
    fs::read_dir(path)?.map(|entry| Ok(entry?.file_name().into_vec())).collect()
}

/// What one part of a glob matches below a path.
fn step(base: &Path, part: &[u8]) -> Vec<PathBuf> {
    if !glob::is_glob(part) {
        let path = base.join(OsStr::from_bytes(part));
        return if fs::symlink_metadata(&path).is_ok() { vec![path] } else { Vec::new() };
    }
    let here = if base.as_os_str().is_empty() { Path::new(".") } else { base };
    let mut names = names(here).unwrap_or_default();
    names.retain(|name| glob::matches(part, name));
    names.sort();
    names.iter().map(|name| base.join(OsStr::from_bytes(name))).collect()
}

/// An error of the system without its number.
pub(super) fn plain(error: &std::io::Error) -> String {
    let text = error.to_string();
    text.split(" (os error").next().unwrap_or_default().to_lowercase()
}

#[cfg(test)]
#[path = "walk_tests.rs"]
mod tests;
