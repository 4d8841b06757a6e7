//! One node's side of a put: directories, then files in batches that are
//! verified together, then links, then what directories look like.

use bytes::Bytes;

use super::at_once::{all_at_once, at_once};
use super::event::{CopyFailure, CopyFailureKind, ItemEnd};
use super::node::{Node, Trouble};
use super::part::{join, part_path};
use super::source::Source;
use super::walk::{PutEntry, PutKind, PutPlan};
use crate::limits;
use crate::sftp::{Attributes, FileKind};

/// A directory that is filled must be open to us, whatever it is to be later.
const OPEN_TO_US: u32 = 0o700;

/// Puts everything onto one node.
pub(super) async fn put(node: &Node<'_>, plan: &PutPlan) -> Result<(), Trouble> {
    let base = match base(node, plan).await {
        Ok(base) => base,
        Err(Trouble::File(failure)) => {
            let path = failure.path.clone();
            return node.settle_trouble(&path, failure.into()).await;
        }
        Err(lost) => return Err(lost),
    };
    let put = Put { node, plan, base };
    put.directories().await?;
    let files: Vec<_> = plan.entries.iter().filter_map(as_file).collect();
    for batch in files.chunks(limits::COPY_BATCH_FILES) {
        put.batch(batch).await?;
    }
    put.links().await?;
    put.finish_directories().await
}

pub(super) struct Put<'a> {
    pub(super) node: &'a Node<'a>,
    pub(super) plan: &'a PutPlan,
    /// The directory on the node, absolute.
    base: Vec<u8>,
}

/// A file of a plan.
#[derive(Debug, Clone, Copy)]
pub(super) struct PutFile<'a> {
    pub(super) entry: &'a PutEntry,
    pub(super) source: &'a Source,
}

fn as_file(entry: &PutEntry) -> Option<PutFile<'_>> {
    match &entry.kind {
        PutKind::File(source) => Some(PutFile { entry, source }),
        PutKind::Directory | PutKind::Symlink { .. } => None,
    }
}

/// The directory that everything goes into, made if that is wanted.
async fn base(node: &Node<'_>, plan: &PutPlan) -> Result<Vec<u8>, Trouble> {
    let wanted = match plan.directory.as_deref() {
        None | Some(b"" | b"~" | b"~/") => b".",
        // The subsystem begins in the home.
        Some(path) => path.strip_prefix(b"~/").unwrap_or(path),
    };
    let found = node.sftp.stat(wanted).await;
    match found {
        Ok(found) if found.kind() == FileKind::Directory => {}
        Ok(_) => {
            let text = "is not a directory";
            return Err(CopyFailure::new(CopyFailureKind::WrongKind, wanted, text).into());
        }
        Err(error) if error.is_missing() && plan.make_directory => {
            if node.options.dry_run {
                return Ok(wanted.to_vec());
            }
            make_parents(node, wanted).await?;
        }
        Err(error) if error.is_missing() => {
            let text = "there is no such directory; `--parents` makes it";
            return Err(CopyFailure::new(CopyFailureKind::Missing, wanted, text).into());
        }
        Err(error) => return Err(node.explain(error, wanted).await),
    }
    match node.sftp.real_path(wanted).await {
        Ok(path) => Ok(path.to_vec()),
        Err(error) => Err(node.explain(error, wanted).await),
    }
}

/// Makes a directory and those above it.
async fn make_parents(node: &Node<'_>, path: &[u8]) -> Result<(), Trouble> {
    let ends = path.iter().enumerate().skip(1).filter(|(_, byte)| **byte == b'/').map(|(at, _)| at);
    for end in ends.chain([path.len()]) {
        let above = path.get(..end).unwrap_or(path);
        if above.ends_with(b"/") || node.sftp.stat(above).await.is_ok() {
            continue;
        }
        if let Err(error) = node.sftp.make_directory(above, 0o777).await {
            return Err(node.explain(error, above).await);
        }
    }
    Ok(())
}

impl<'a> Put<'a> {
    pub(super) fn path(&self, entry: &PutEntry) -> Vec<u8> {
        join(&self.base, &entry.path)
    }

    /// Makes the directories, those of one depth at once.
    async fn directories(&self) -> Result<(), Trouble> {
        let entries =
            || self.plan.entries.iter().filter(|entry| matches!(entry.kind, PutKind::Directory));
        let depth = |entry: &PutEntry| entry.path.iter().filter(|byte| **byte == b'/').count();
        let deepest = entries().map(depth).max().unwrap_or_default();
        if self.node.options.dry_run {
            return Ok(());
        }
        for level in 0..=deepest {
            let level = entries().filter(|entry| depth(entry) == level);
            let made = level.map(|entry| self.directory(entry)).collect();
            all_at_once(made).await?;
        }
        Ok(())
    }

    async fn directory(&self, entry: &PutEntry) -> Result<(), Trouble> {
        let path = self.path(entry);
        let Err(error) = self.node.sftp.make_directory(&path, entry.mode | OPEN_TO_US).await else {
            return Ok(());
        };
        let trouble = match self.node.sftp.stat(&path).await {
            Ok(found) if found.kind() == FileKind::Directory => {
                self.open_up(&path, found).await;
                return Ok(());
            }
            Ok(_) => {
                let text = "is not a directory";
                CopyFailure::new(CopyFailureKind::WrongKind, &path, text).into()
            }
            Err(_) => self.node.explain(error, &path).await,
        };
        self.node.settle_trouble(&path, trouble).await
    }

    /// A directory from an earlier put may be closed to writing. It gets its
    /// own mode back at the end. If that is refused, what needs it will say so.
    async fn open_up(&self, path: &[u8], found: Attributes) {
        if let Some(mode) = found.mode
            && mode & OPEN_TO_US != OPEN_TO_US
        {
            let mode = Some((mode | OPEN_TO_US) & 0o7777);
            let _ = self.node.sftp.set(path, Attributes { mode, ..Attributes::default() }).await;
        }
    }

    /// Modes and times of directories, once nothing changes in them any more;
    /// the deepest first.
    async fn finish_directories(&self) -> Result<(), Trouble> {
        if self.node.options.dry_run || self.node.is_halted() {
            return Ok(());
        }
        for entry in self.plan.entries.iter().rev() {
            if !matches!(entry.kind, PutKind::Directory) {
                continue;
            }
            let path = self.path(entry);
            if let Err(error) = self.node.sftp.set(&path, look(entry)).await {
                if error.is_missing() {
                    // That it could not be made was said.
                    continue;
                }
                let trouble = self.node.explain(error, &path).await;
                self.node.settle_trouble(&path, trouble).await?;
            }
        }
        Ok(())
    }

    async fn links(&self) -> Result<(), Trouble> {
        let mut links = Vec::new();
        for entry in &self.plan.entries {
            if let PutKind::Symlink { points_to } = &entry.kind {
                links.push(self.settle_link(entry, points_to));
            }
        }
        all_at_once(links).await
    }

    async fn settle_link(&self, entry: &PutEntry, points_to: &[u8]) -> Result<(), Trouble> {
        if self.node.is_halted() {
            return Ok(());
        }
        let path = self.path(entry);
        match self.link(entry, &path, points_to).await {
            Ok(end) => self.node.settle(&path, end).await,
            Err(trouble) => self.node.settle_trouble(&path, trouble).await?,
        }
        Ok(())
    }

    async fn link(
        &self,
        entry: &PutEntry,
        path: &[u8],
        points_to: &[u8],
    ) -> Result<ItemEnd, Trouble> {
        let sftp = &self.node.sftp;
        let there = sftp.stat_link(path).await.ok();
        let is_link = there.is_some_and(|there| there.kind() == FileKind::Symlink);
        if is_link && sftp.read_link(path).await.is_ok_and(|known| known == points_to) {
            return Ok(ItemEnd::Unchanged);
        }
        if there.is_some_and(|there| there.kind() == FileKind::Directory) {
            return Err(is_directory(path));
        }
        if self.node.options.dry_run {
            return Ok(ItemEnd::WouldCopy { bytes: 0, replaces: there.is_some() });
        }
        let part = part_path(path, "link");
        let _ = sftp.remove(&part).await;
        if let Err(error) = sftp.make_link(points_to, &part).await {
            return Err(self.node.explain(error, path).await);
        }
        let times = Attributes { mode: None, ..look(entry) };
        let _ = sftp.set_link(&part, times).await;
        if let Err(error) = sftp.rename_over(&part, path).await {
            let _ = sftp.remove(&part).await;
            return Err(self.node.explain(error, path).await);
        }
        Ok(ItemEnd::Copied { bytes: 0, resumed: 0 })
    }

    /// Uploads some files, has the node hash them all, and puts those that are
    /// right into their places.
    async fn batch(&self, files: &[PutFile<'a>]) -> Result<(), Trouble> {
        let mut wanted = Vec::new();
        let looked = at_once(files.iter().map(|file| self.look(*file)).collect()).await;
        for (file, look) in files.iter().zip(looked) {
            match look {
                Ok(look) => wanted.push((*file, look)),
                Err(trouble) => self.settle_unsent(*file, trouble).await?,
            }
        }
        let same = self.same(&wanted).await?;
        let mut to_send = Vec::new();
        for ((file, look), same) in wanted.into_iter().zip(same) {
            if !same {
                to_send.push((file, look));
            }
        }
        let sent = to_send.iter().map(|(file, look)| self.send(*file, *look)).collect();
        let mut uploads = Vec::new();
        for ((file, _), sent) in to_send.iter().zip(at_once(sent).await) {
            match sent {
                Ok(upload) => uploads.extend(upload),
                Err(trouble) => self.settle_unsent(*file, trouble).await?,
            }
        }
        self.place(uploads).await
    }

    async fn settle_unsent(&self, file: PutFile<'_>, trouble: Trouble) -> Result<(), Trouble> {
        self.node.settle_trouble(&self.path(file.entry), trouble).await
    }
}

/// What a thing on the node is to look like.
pub(super) fn look(entry: &PutEntry) -> Attributes {
    Attributes {
        mode: Some(entry.mode),
        times: Some((entry.changed_at, entry.changed_at)),
        ..Attributes::default()
    }
}

pub(super) fn is_directory(path: &[u8]) -> Trouble {
    CopyFailure::new(CopyFailureKind::WrongKind, path, "is a directory").into()
}

/// A local file that cannot be read any more.
pub(super) fn unreadable(source: &Source, error: &std::io::Error) -> Trouble {
    use std::os::unix::ffi::OsStrExt;
    let path = source.path.as_os_str().as_bytes();
    if error.kind() == std::io::ErrorKind::UnexpectedEof {
        return changed(source);
    }
    let text = format!("read it here: {}", super::walk::plain(error));
    CopyFailure::new(CopyFailureKind::Other, path, text).into()
}

pub(super) fn changed(source: &Source) -> Trouble {
    use std::os::unix::ffi::OsStrExt;
    let path = source.path.as_os_str().as_bytes();
    let text = "it changed here while it was being copied";
    CopyFailure::new(CopyFailureKind::Mismatch, path, text).into()
}

/// The handle of a file on a node.
pub(super) type Handle = Bytes;
