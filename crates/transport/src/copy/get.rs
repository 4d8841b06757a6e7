//! One node's side of a get: what the pattern means there, what lies below,
//! and everything into this machine's directory for that node.

use std::collections::BTreeSet;
use std::ffi::OsStr;
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::path::PathBuf;
use std::sync::Arc;

use super::at_once::{all_at_once, at_once};
use super::event::{CopyFailure, CopyFailureKind, ItemEnd};
use super::glob;
use super::local_tree::{self, LocalTree, There};
use super::node::{Node, Trouble};
use super::part::{join, split};
use super::source::blocking;
use crate::limits;
use crate::sftp::{Attributes, FileKind};

/// What to get, and where to.
#[derive(Debug, Clone)]
pub struct GetPlan {
    pub(super) pattern: Vec<u8>,
    pub(super) directory: PathBuf,
}

impl GetPlan {
    /// A file, a tree or a glob over them, which each node expands; relative
    /// to the home of the user. It goes into `directory/NODE/`.
    #[must_use]
    pub fn new(file: &OsStr, directory: PathBuf) -> Self {
        Self { pattern: file.as_bytes().to_vec(), directory }
    }
}

/// One thing on the node.
#[derive(Debug, Clone)]
pub(super) struct Item {
    pub(super) remote: Vec<u8>,
    /// Names below the node's directory here.
    pub(super) local: Vec<Vec<u8>>,
    pub(super) attributes: Attributes,
}

impl Item {
    /// The path here, below the node's directory.
    pub(super) fn shown(&self) -> Vec<u8> {
        self.local.join(&b'/')
    }
}

pub(super) struct Get<'a> {
    pub(super) node: &'a Node<'a>,
    /// None while only looking and nothing is there.
    pub(super) tree: Option<Arc<LocalTree>>,
}

/// Gets everything from one node.
pub(super) async fn get(node: &Node<'_>, plan: &GetPlan) -> Result<(), Trouble> {
    let tops = match tops(node, &plan.pattern).await {
        Ok(tops) => tops,
        Err(trouble) => return node.settle_trouble(&plan.pattern, trouble).await,
    };
    let (directory, name) = (plan.directory.clone(), node.name.to_string());
    let dry_run = node.options.dry_run;
    let opened = blocking(move || match dry_run {
        true => LocalTree::find(&directory, &name),
        false => LocalTree::open(&directory, &name).map(Some),
    });
    let tree = match opened.await {
        Ok(tree) => tree.map(Arc::new),
        Err(error) => {
            let trouble = failed_here(plan.directory.as_os_str().as_bytes(), &error);
            return node.settle_trouble(&plan.pattern, trouble).await;
        }
    };
    let get = Get { node, tree };
    let items = get.walk(tops).await?;
    let of = |kind: FileKind| items.iter().filter(move |item| item.attributes.kind() == kind);
    get.directories(of(FileKind::Directory)).await?;
    let files: Vec<&Item> = of(FileKind::File).collect();
    let bytes = files.iter().map(|item| item.attributes.size.unwrap_or_default()).sum();
    node.meter.add_expected(bytes);
    for batch in files.chunks(limits::COPY_BATCH_FILES) {
        get.batch(batch).await?;
    }
    // Only now: nothing of ours may ever go through a link of theirs.
    get.links(of(FileKind::Symlink)).await?;
    get.finish_directories(of(FileKind::Directory)).await
}

/// What the user's word means on the node.
async fn tops(node: &Node<'_>, pattern: &[u8]) -> Result<Vec<Item>, Trouble> {
    let pattern = match pattern {
        b"~" | b"~/" => b".",
        // The subsystem begins in the home.
        other => other.strip_prefix(b"~/").unwrap_or(other),
    };
    // Absolute: a start-up file may take the shell that hashes elsewhere.
    let home = match node.sftp.real_path(b".").await {
        Ok(home) => home,
        Err(error) => return Err(node.explain(error, pattern).await),
    };
    let absolute = if pattern.starts_with(b"/") { pattern.to_vec() } else { join(&home, pattern) };
    let is_literal = !glob::is_glob(pattern) || node.sftp.stat_link(&absolute).await.is_ok();
    let found = match is_literal {
        true => vec![(absolute.clone(), vec![own_name(node, &absolute).await?])],
        false => expand(node, &home, pattern).await?,
    };
    let mut items = Vec::new();
    for (remote, local) in found {
        match node.sftp.stat(&remote).await {
            Ok(attributes) => items.push(Item { remote, local, attributes }),
            // A glob need not match everywhere.
            Err(error) if error.is_missing() && !is_literal => {}
            Err(error) => return Err(node.explain(error, &remote).await),
        }
    }
    if items.is_empty() {
        return Err(CopyFailure::new(CopyFailureKind::Missing, pattern, "nothing matches").into());
    }
    Ok(items)
}

/// The name that something has, or would have without dots.
async fn own_name(node: &Node<'_>, path: &[u8]) -> Result<Vec<u8>, Trouble> {
    let end = path.iter().rposition(|byte| *byte != b'/').map_or(0, |at| at + 1);
    let (_, name) = split(path.get(..end).unwrap_or_default());
    if local_tree::is_safe(name) {
        return Ok(name.to_vec());
    }
    let real = match node.sftp.real_path(path).await {
        Ok(real) => real,
        Err(error) => return Err(node.explain(error, path).await),
    };
    let (_, name) = split(&real);
    if local_tree::is_safe(name) {
        return Ok(name.to_vec());
    }
    let text = "it has no name to be kept under";
    Err(CopyFailure::new(CopyFailureKind::Name, path, text).into())
}

type Found = (Vec<u8>, Vec<Vec<u8>>);

/// Everything that a glob matches, with the names from its first star on: what
/// matches in different directories keeps apart.
async fn expand(node: &Node<'_>, home: &[u8], pattern: &[u8]) -> Result<Vec<Found>, Trouble> {
    let begin = if pattern.starts_with(b"/") { b"/" } else { home };
    let mut found: Vec<Found> = vec![(begin.to_vec(), Vec::new())];
    let mut is_within = false;
    for part in pattern.split(|byte| *byte == b'/').filter(|part| !part.is_empty()) {
        is_within |= glob::is_glob(part);
        if is_within && !glob::is_glob(part) && !local_tree::is_safe(part) {
            let text = "dots cannot follow a star";
            return Err(CopyFailure::new(CopyFailureKind::Name, pattern, text).into());
        }
        let mut next = Vec::new();
        for (remote, local) in found {
            for name in step(node, &remote, part).await? {
                let mut names = local.clone();
                if is_within {
                    names.push(name.clone());
                }
                next.push((join(&remote, &name), names));
            }
        }
        found = next;
    }
    Ok(found)
}

/// The names that one part of a glob matches in a directory.
async fn step(node: &Node<'_>, directory: &[u8], part: &[u8]) -> Result<Vec<Vec<u8>>, Trouble> {
    if !glob::is_glob(part) {
        return Ok(vec![part.to_vec()]);
    }
    let mut names: Vec<Vec<u8>> = match node.sftp.list(directory).await {
        Ok(entries) => entries.into_iter().map(|entry| entry.name.to_vec()).collect(),
        Err(error) if error.is_final() => return Err(Trouble::Lost(error.to_string())),
        // As in a shell: what is no directory has nothing in it.
        Err(_) => Vec::new(),
    };
    names.retain(|name| local_tree::is_safe(name) && glob::matches(part, name));
    names.sort();
    names.dedup();
    Ok(names)
}

impl<'a> Get<'a> {
    /// Everything below, directories before what is in them.
    async fn walk(&self, tops: Vec<Item>) -> Result<Vec<Item>, Trouble> {
        let mut seen = BTreeSet::new();
        let mut items = Vec::new();
        let mut level = tops;
        for depth in 0.. {
            let mut directories = Vec::new();
            for item in level {
                if let Some(trouble) = self.refuse(&item, &mut seen, items.len(), depth) {
                    self.node.settle_trouble(&item.remote, trouble).await?;
                    continue;
                }
                if item.attributes.kind() == FileKind::Directory {
                    directories.push(item.clone());
                }
                items.push(item);
            }
            if directories.is_empty() {
                break;
            }
            level = self.below(&directories).await?;
        }
        Ok(items)
    }

    /// Why something will not be got.
    fn refuse(
        &self,
        item: &Item,
        seen: &mut BTreeSet<Vec<Vec<u8>>>,
        count: usize,
        depth: usize,
    ) -> Option<Trouble> {
        let refuse = |kind, text: &str| Some(CopyFailure::new(kind, &item.remote, text).into());
        if !item.local.iter().all(|name| local_tree::is_safe(name)) {
            return refuse(CopyFailureKind::Name, "the node gives a name that leads elsewhere");
        }
        if item.attributes.kind() == FileKind::Special {
            let text = "is a pipe, socket or device, which cannot be copied";
            return refuse(CopyFailureKind::WrongKind, text);
        }
        if count >= limits::COPY_ENTRIES_MAX || depth > limits::COPY_DEPTH_MAX {
            return refuse(CopyFailureKind::Other, "the tree is too large or too deep");
        }
        if !seen.insert(item.local.clone()) {
            return refuse(CopyFailureKind::Name, "the node gives the same name twice");
        }
        None
    }

    async fn below(&self, directories: &[Item]) -> Result<Vec<Item>, Trouble> {
        let list = directories.iter().map(|item| self.node.sftp.list(&item.remote)).collect();
        let listed = at_once(list).await;
        let mut below = Vec::new();
        for (item, listed) in directories.iter().zip(listed) {
            match listed {
                Ok(mut entries) => {
                    entries.sort_by(|one, other| one.name.cmp(&other.name));
                    below.extend(entries.into_iter().map(|entry| {
                        let mut local = item.local.clone();
                        local.push(entry.name.to_vec());
                        let remote = join(&item.remote, &entry.name);
                        Item { remote, local, attributes: entry.attributes }
                    }));
                }
                Err(error) => {
                    let trouble = self.node.explain(error, &item.remote).await;
                    self.node.settle_trouble(&item.remote, trouble).await?;
                }
            }
        }
        Ok(below)
    }

    /// Does something to the files here, away from where others wait.
    pub(super) async fn here<T: Send + 'static>(
        &self,
        item: &Item,
        work: impl FnOnce(&LocalTree, &[Vec<u8>]) -> io::Result<T> + Send + 'static,
    ) -> Result<T, Trouble> {
        let (tree, local) = (self.tree.clone(), item.local.clone());
        let done = blocking(move || match tree {
            Some(tree) => work(&tree, &local),
            None => Err(io::ErrorKind::NotFound.into()),
        });
        done.await.map_err(|error| failed_here(&item.shown(), &error))
    }

    /// What is here already.
    pub(super) async fn look(&self, item: &Item) -> Result<There, Trouble> {
        if self.tree.is_none() {
            return Ok(There::Nothing);
        }
        self.here(item, LocalTree::look).await
    }

    async fn directories(&self, items: impl Iterator<Item = &Item>) -> Result<(), Trouble> {
        if self.node.options.dry_run {
            return Ok(());
        }
        for item in items {
            let made = self.here(item, LocalTree::directory_to_fill).await;
            if let Err(trouble) = made {
                self.node.settle_trouble(&item.remote, trouble).await?;
            }
        }
        Ok(())
    }

    async fn finish_directories(
        &self,
        items: impl DoubleEndedIterator<Item = &Item>,
    ) -> Result<(), Trouble> {
        if self.node.options.dry_run || self.node.is_halted() {
            return Ok(());
        }
        for item in items.rev() {
            let mode = item.attributes.mode.unwrap_or(0o755);
            let changed_at = item.attributes.changed_at().unwrap_or_default();
            // One that could not be made was spoken of.
            let _ = self
                .here(item, move |tree, names| {
                    let directory = tree.directory(names)?;
                    local_tree::finish_directory(&directory, mode, changed_at)
                })
                .await;
        }
        Ok(())
    }

    async fn links(&self, items: impl Iterator<Item = &Item>) -> Result<(), Trouble> {
        all_at_once(items.map(|item| self.settle_link(item)).collect()).await
    }

    async fn settle_link(&self, item: &Item) -> Result<(), Trouble> {
        match self.link(item).await {
            Ok(end) => self.node.settle(&self.place(item), end).await,
            Err(trouble) => self.node.settle_trouble(&item.remote, trouble).await?,
        }
        Ok(())
    }

    async fn link(&self, item: &Item) -> Result<ItemEnd, Trouble> {
        let points_to = match self.node.sftp.read_link(&item.remote).await {
            Ok(points_to) => points_to,
            Err(error) => return Err(self.node.explain(error, &item.remote).await),
        };
        if self.node.options.dry_run {
            let replaces = self.look(item).await? != There::Nothing;
            return Ok(ItemEnd::WouldCopy { bytes: 0, replaces });
        }
        self.here(item, move |tree, names| {
            let Some((name, above)) = names.split_last() else { return Ok(()) };
            local_tree::link(&tree.directory(above)?, name, &points_to)
        })
        .await?;
        Ok(ItemEnd::Copied { bytes: 0, resumed: 0 })
    }

    /// Where an item lies here, for people.
    pub(super) fn place(&self, item: &Item) -> Vec<u8> {
        match &self.tree {
            Some(tree) => join(tree.path().as_os_str().as_bytes(), &item.shown()),
            None => item.shown(),
        }
    }
}

/// Something that failed on this machine.
pub(super) fn failed_here(path: &[u8], error: &io::Error) -> Trouble {
    let kind = match error.kind() {
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => CopyFailureKind::NoSpace,
        io::ErrorKind::ReadOnlyFilesystem => CopyFailureKind::ReadOnly,
        io::ErrorKind::PermissionDenied => CopyFailureKind::Denied,
        io::ErrorKind::IsADirectory | io::ErrorKind::NotADirectory => CopyFailureKind::WrongKind,
        _ => CopyFailureKind::Other,
    };
    let text = format!("on this machine: {}", super::walk::plain(error));
    CopyFailure::new(kind, path, text).into()
}
