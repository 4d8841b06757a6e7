//! One file of a get: look, fetch into an unfinished file, verify by the
//! node's own hash, rename.

use std::fs::File;
use std::io::{self, Seek, SeekFrom, Write};
use std::os::unix::fs::FileExt;

use bytes::Bytes;

use super::at_once::{all_at_once, at_once};
use super::event::{CopyFailure, CopyFailureKind, ItemEnd};
use super::fetch::{Fetch, read_hash};
use super::get::{Get, Item, failed_here};
use super::hash::{Hash, Hasher};
use super::local_tree::{self, There};
use super::node::Trouble;
use super::part::{join, part_name, split};
use super::source::blocking;
use super::verify::Wanted;
use crate::limits;
use crate::sftp::{Attributes, SftpError};

/// A file that lies whole beside its place.
#[derive(Debug)]
struct Download<'a> {
    item: &'a Item,
    /// What it was when it was opened.
    attributes: Attributes,
    part: Vec<u8>,
    hash: Hash,
    bytes: u64,
    resumed: u64,
}

/// The receiving end of a file: what has come is hashed and written in order.
struct Sink {
    file: File,
    hasher: Hasher,
    bytes: u64,
}

impl<'a> Get<'a> {
    /// Fetches some files, has the node hash them all, and puts those that are
    /// right into their places.
    pub(super) async fn batch(&self, items: &[&'a Item]) -> Result<(), Trouble> {
        let mut wanted = Vec::new();
        for item in items {
            match self.look(item).await {
                Ok(There::Directory) => {
                    let text = "there is a directory of that name on this machine";
                    let failure = CopyFailure::new(CopyFailureKind::WrongKind, &item.shown(), text);
                    self.node.settle_trouble(&item.remote, failure.into()).await?;
                }
                Ok(there) => wanted.push((*item, there)),
                Err(trouble) => self.node.settle_trouble(&item.remote, trouble).await?,
            }
        }
        let same = self.same(&wanted).await?;
        let mut to_fetch = Vec::new();
        for ((item, there), same) in wanted.into_iter().zip(same) {
            let bytes = item.attributes.size.unwrap_or_default();
            if same {
                self.node.meter.add_moved(bytes);
                self.node.settle(&self.place(item), ItemEnd::Unchanged).await;
            } else if self.node.options.dry_run {
                let end = ItemEnd::WouldCopy { bytes, replaces: there != There::Nothing };
                self.node.settle(&self.place(item), end).await;
            } else {
                to_fetch.push(item);
            }
        }
        self.fetch_all(to_fetch).await
    }

    async fn fetch_all(&self, items: Vec<&'a Item>) -> Result<(), Trouble> {
        let fetched = at_once(items.iter().map(|item| self.fetch(item)).collect()).await;
        let mut downloads = Vec::new();
        for (item, fetched) in items.into_iter().zip(fetched) {
            match fetched {
                Ok(download) => downloads.extend(download),
                Err(trouble) => self.node.settle_trouble(&item.remote, trouble).await?,
            }
        }
        let wanted: Vec<Wanted> = downloads
            .iter()
            .map(|download| Wanted { path: download.item.remote.clone(), bytes: download.bytes })
            .collect();
        let hashes = self.node.hashes(&wanted).await?;
        let downloads = downloads.into_iter().zip(hashes);
        all_at_once(downloads.map(|(download, seen)| self.settle_place(download, seen)).collect())
            .await
    }

    async fn settle_place(
        &self,
        download: Download<'a>,
        seen: Option<Hash>,
    ) -> Result<(), Trouble> {
        let item = download.item;
        match self.place_one(download, seen).await {
            Ok(end) => {
                self.node.settle(&self.place(item), end).await;
                Ok(())
            }
            Err(trouble) => self.node.settle_trouble(&item.remote, trouble).await,
        }
    }

    /// Which files are here already, and the same.
    async fn same(&self, items: &[(&'a Item, There)]) -> Result<Vec<bool>, Trouble> {
        let by_size = |item: &Item, there: &There| match there {
            There::File { size, .. } => item.attributes.size == Some(*size),
            There::Nothing | There::Directory | There::Other => false,
        };
        if !self.node.options.checksum {
            let is_same = |(item, there): &(&Item, There)| {
                by_size(item, there)
                    && matches!(there, There::File { changed_at, .. }
                        if item.attributes.changed_at() == Some(*changed_at))
            };
            return Ok(items.iter().map(is_same).collect());
        }
        let alike = items.iter().filter(|(item, there)| by_size(item, there));
        let wanted: Vec<Wanted> = alike
            .map(|(item, _)| Wanted {
                path: item.remote.clone(),
                bytes: item.attributes.size.unwrap_or_default(),
            })
            .collect();
        let mut hashes = self.node.hashes(&wanted).await?.into_iter();
        let mut same = Vec::new();
        for (item, there) in items {
            let theirs = if by_size(item, there) { hashes.next().flatten() } else { None };
            let ours = match theirs {
                Some(_) => self.hash_here(item).await.ok(),
                None => None,
            };
            same.push(ours.is_some() && ours == theirs);
        }
        Ok(same)
    }

    async fn hash_here(&self, item: &Item) -> Result<Hash, Trouble> {
        self.here(item, |tree, names| {
            let Some((name, above)) = names.split_last() else {
                return Err(io::ErrorKind::NotFound.into());
            };
            let file = local_tree::open_to_read(&tree.directory(above)?, name)?;
            let size = file.metadata()?.len();
            Ok(hash_prefix(&file, size)?.finish())
        })
        .await
    }

    /// Fetches a file into its unfinished one.
    async fn fetch(&self, item: &'a Item) -> Result<Option<Download<'a>>, Trouble> {
        if self.node.is_halted() {
            return Ok(None);
        }
        let handle = match self.node.sftp.open_to_read(&item.remote).await {
            Ok(handle) => handle,
            Err(error) => return Err(self.node.explain(error, &item.remote).await),
        };
        let fetched = self.fetch_open(item, &handle).await;
        let _ = self.node.sftp.close(handle).await;
        fetched.map(Some)
    }

    async fn fetch_open(&self, item: &'a Item, handle: &Bytes) -> Result<Download<'a>, Trouble> {
        let attributes = match self.node.sftp.stat_handle(handle).await {
            Ok(attributes) => attributes,
            Err(error) => return Err(self.node.explain(error, &item.remote).await),
        };
        let size = match attributes.size.unwrap_or_default() {
            0 => self.hidden_size(item, handle).await?,
            size => size,
        };
        let part = part_of(item, attributes);
        let part_here = self.part_path(item, &part);
        let name = part.clone();
        let (file, resumed) = self
            .here(item, move |tree, names| {
                let above = names.split_last().map_or(&[][..], |(_, above)| above);
                local_tree::open_part(&tree.directory(above)?, &name, size)
            })
            .await?;
        self.node.tally.add_part(&part_here);
        let sink = self.receive(item, handle, file, (resumed, size)).await;
        match sink {
            Ok(sink) => {
                let (hash, bytes) = (sink.hasher.finish(), sink.bytes);
                Ok(Download { item, attributes, part, hash, bytes, resumed })
            }
            Err(trouble) => {
                if matches!(trouble, Trouble::File(_)) {
                    self.discard(item, &part).await;
                }
                Err(trouble)
            }
        }
    }

    /// Files made up by the kernel say that they are empty. What they hold is
    /// read to its end, within bounds.
    async fn hidden_size(&self, item: &Item, handle: &Bytes) -> Result<u64, Trouble> {
        let look = async {
            let asked = self.node.sftp.read(handle, 0, self.node.sftp.read_bytes()).await?;
            asked.data().await
        };
        match look.await {
            Ok(bytes) if bytes.is_empty() => Ok(0),
            Ok(_) => Ok(limits::COPY_UNSIZED_BYTES_MAX),
            Err(error) => Err(self.node.explain(error, &item.remote).await),
        }
    }

    /// Takes what is missing of a file.
    async fn receive(
        &self,
        item: &Item,
        handle: &Bytes,
        file: File,
        (from, size): (u64, u64),
    ) -> Result<Sink, Trouble> {
        let here = |error: io::Error| failed_here(&item.shown(), &error);
        self.node.meter.add_moved(from);
        let mut sink = blocking(move || {
            let hasher = hash_prefix(&file, from)?;
            let mut file = file;
            file.seek(SeekFrom::Start(from))?;
            Ok(Sink { file, hasher, bytes: from })
        })
        .await
        .map_err(here)?;
        let mut fetch = Fetch::new(&self.node.sftp, handle, from, size);
        loop {
            let (pieces, is_end) = match gather(&mut fetch).await {
                Ok(gathered) => gathered,
                Err(error) => return Err(self.node.explain(error, &item.remote).await),
            };
            let bytes: u64 = pieces.iter().map(|piece| piece.len() as u64).sum();
            sink = blocking(move || sink.take(&pieces)).await.map_err(here)?;
            self.node.meter.add_moved(bytes);
            self.node.tally.add_bytes(bytes);
            if is_end {
                break;
            }
        }
        if sink.bytes < size && size != limits::COPY_UNSIZED_BYTES_MAX {
            return Err(changed(item));
        }
        Ok(sink)
    }

    async fn place_one(
        &self,
        mut download: Download<'a>,
        seen: Option<Hash>,
    ) -> Result<ItemEnd, Trouble> {
        if seen != Some(download.hash) {
            download = self.doubt(download).await?;
        }
        let (item, part) = (download.item, download.part.clone());
        let mode = download.attributes.mode.unwrap_or(0o644);
        let changed_at = download.attributes.changed_at().unwrap_or_default();
        let name = part.clone();
        let placed = self
            .here(item, move |tree, names| {
                let Some((own, above)) = names.split_last() else { return Ok(()) };
                local_tree::place(&tree.directory(above)?, &name, own, mode, changed_at)
            })
            .await;
        if let Err(trouble) = placed {
            self.discard(item, &part).await;
            return Err(trouble);
        }
        self.node.tally.drop_part(&self.part_path(item, &part));
        Ok(ItemEnd::Copied { bytes: download.bytes, resumed: download.resumed })
    }

    /// The node's hash is another one: the file changed there, an earlier try
    /// left something wrong, or something is broken.
    async fn doubt(&self, download: Download<'a>) -> Result<Download<'a>, Trouble> {
        let item = download.item;
        let now = match self.node.sftp.stat(&item.remote).await {
            Ok(now) => now,
            Err(error) => {
                self.discard(item, &download.part).await;
                return Err(self.node.explain(error, &item.remote).await);
            }
        };
        let is_as_it_was = (now.size, now.changed_at())
            == (download.attributes.size, download.attributes.changed_at());
        if !is_as_it_was && now.size.is_some_and(|size| size > download.bytes) {
            let begin = read_hash(&self.node.sftp, &item.remote, download.bytes).await;
            if begin.as_ref().is_ok_and(|hash| *hash == download.hash) {
                self.node.tally.note("files that grew meanwhile were copied as they were at first");
                return Ok(download);
            }
            if let Err(error) = begin
                && error.is_final()
            {
                return Err(Trouble::Lost(error.to_string()));
            }
        }
        self.discard(item, &download.part).await;
        if is_as_it_was && download.resumed > 0 {
            self.node.meter.add_expected(download.bytes);
            if let Some(anew) = self.fetch(item).await? {
                let wanted = Wanted { path: item.remote.clone(), bytes: anew.bytes };
                let seen = self.node.hashes(&[wanted]).await?.into_iter().next().flatten();
                if seen == Some(anew.hash) {
                    return Ok(anew);
                }
                self.discard(item, &anew.part).await;
            }
        }
        if is_as_it_was {
            let text = "what arrived is not what was sent: the hashes differ; it was removed";
            return Err(CopyFailure::new(CopyFailureKind::Mismatch, &item.remote, text).into());
        }
        Err(changed(item))
    }

    async fn discard(&self, item: &Item, part: &[u8]) {
        let name = part.to_vec();
        let gone = self
            .here(item, move |tree, names| {
                let above = names.split_last().map_or(&[][..], |(_, above)| above);
                local_tree::discard(&tree.directory(above)?, &name)
            })
            .await;
        if gone.is_ok() {
            self.node.tally.drop_part(&self.part_path(item, part));
        }
    }

    fn part_path(&self, item: &Item, part: &[u8]) -> Vec<u8> {
        let place = self.place(item);
        join(split(&place).0, part)
    }
}

/// The unfinished file of an item: another one when the file has changed.
fn part_of(item: &Item, attributes: Attributes) -> Vec<u8> {
    let (size, at) = (attributes.size.unwrap_or_default(), attributes.changed_at());
    let identity = [&item.remote[..], b"\0", format!("{size} {at:?}").as_bytes()].concat();
    let name = item.local.last().map(Vec::as_slice).unwrap_or_default();
    part_name(name, &Hash::of(&identity).short())
}

fn changed(item: &Item) -> Trouble {
    let text = "it changed on the node while it was being copied";
    CopyFailure::new(CopyFailureKind::Mismatch, &item.remote, text).into()
}

/// Some pieces, and whether they are the last.
async fn gather(fetch: &mut Fetch<'_>) -> Result<(Vec<Bytes>, bool), SftpError> {
    let (mut pieces, mut bytes) = (Vec::new(), 0);
    while bytes < limits::COPY_WRITE_BYTES {
        match fetch.next().await? {
            Some(piece) => {
                bytes += piece.len();
                pieces.push(piece);
            }
            None => return Ok((pieces, true)),
        }
    }
    Ok((pieces, false))
}

impl Sink {
    fn take(mut self, pieces: &[Bytes]) -> io::Result<Self> {
        for piece in pieces {
            self.file.write_all(piece)?;
            self.hasher.update(piece);
            self.bytes += piece.len() as u64;
        }
        Ok(self)
    }
}

/// A hasher that has seen the first bytes of a file.
fn hash_prefix(file: &File, bytes: u64) -> io::Result<Hasher> {
    let mut hasher = Hasher::default();
    let mut buffer = vec![0; limits::COPY_WRITE_BYTES];
    let mut at = 0;
    while at < bytes {
        let wanted = usize::try_from(bytes - at).unwrap_or(usize::MAX).min(buffer.len());
        let piece = buffer.get_mut(..wanted).unwrap_or_default();
        file.read_exact_at(piece, at)?;
        hasher.update(piece);
        at += piece.len() as u64;
    }
    Ok(hasher)
}
