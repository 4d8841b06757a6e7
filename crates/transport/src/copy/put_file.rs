//! One file of a put: look, send into an unfinished file, verify, rename.

use std::collections::VecDeque;

use super::at_once::all_at_once;
use super::event::{CopyFailure, CopyFailureKind, ItemEnd};
use super::hash::Hash;
use super::node::Trouble;
use super::part::part_path;
use super::put::{Handle, Put, PutFile, changed, is_directory, look, unreadable};
use super::verify::Wanted;
use crate::limits;
use crate::sftp::{Attributes, FileKind, Pending};

/// What was found where a file is to go.
#[derive(Debug, Clone, Copy)]
pub(super) struct Found {
    there: Option<Attributes>,
}

/// A file that lies whole beside its place.
#[derive(Debug)]
pub(super) struct Upload<'a> {
    file: PutFile<'a>,
    part: Vec<u8>,
    hash: Hash,
    /// Bytes of it that an earlier try had sent.
    resumed: u64,
}

impl<'a> Put<'a> {
    /// Looks at the place of a file.
    pub(super) async fn look(&self, file: PutFile<'a>) -> Result<Found, Trouble> {
        let path = self.path(file.entry);
        let there = match self.node.sftp.stat_link(&path).await {
            Ok(there) => Some(there),
            Err(error) if error.is_missing() => None,
            Err(error) => return Err(self.node.explain(error, &path).await),
        };
        match there.map(|there| there.kind()) {
            Some(FileKind::Directory) => Err(is_directory(&path)),
            Some(FileKind::Special) => {
                let text = "is a pipe, socket or device";
                Err(CopyFailure::new(CopyFailureKind::WrongKind, &path, text).into())
            }
            Some(FileKind::File | FileKind::Symlink) | None => Ok(Found { there }),
        }
    }

    /// Which files are there already, and the same: by size and time, or by
    /// hash where that is asked for.
    pub(super) async fn same(&self, files: &[(PutFile<'a>, Found)]) -> Result<Vec<bool>, Trouble> {
        let by_size = |file: &PutFile<'_>, found: &Found| {
            found.there.is_some_and(|there| {
                there.kind() == FileKind::File && there.size == Some(file.source.size)
            })
        };
        let mut same: Vec<bool> = Vec::new();
        if self.node.options.checksum {
            let alike: Vec<_> = files.iter().filter(|(file, found)| by_size(file, found)).collect();
            let wanted: Vec<Wanted> = alike.iter().map(|(file, _)| self.wanted(file)).collect();
            let mut hashes = self.node.hashes(&wanted).await?.into_iter();
            for (file, found) in files {
                let theirs = if by_size(file, found) { hashes.next().flatten() } else { None };
                let ours = match theirs {
                    Some(_) => self.plan.blocks.hash(file.source).await.ok(),
                    None => None,
                };
                same.push(ours.is_some() && ours == theirs);
            }
        } else {
            same.extend(files.iter().map(|(file, found)| {
                let at = found.there.and_then(|there| there.changed_at());
                by_size(file, found) && at == Some(file.source.changed_at)
            }));
        }
        for ((file, found), same) in files.iter().zip(&same) {
            if *same {
                self.keep(*file, *found).await?;
            }
        }
        Ok(same)
    }

    fn wanted(&self, file: &PutFile<'_>) -> Wanted {
        Wanted { path: self.path(file.entry), bytes: file.source.size }
    }

    /// Only what a file looks like may have to be changed.
    async fn keep(&self, file: PutFile<'_>, found: Found) -> Result<(), Trouble> {
        let path = self.path(file.entry);
        let there = found.there.unwrap_or_default();
        let is_alike = there.mode.is_some_and(|mode| mode & 0o7777 == file.entry.mode)
            && there.changed_at() == Some(file.entry.changed_at);
        self.node.meter.add_moved(file.source.size);
        if !is_alike
            && !self.node.options.dry_run
            && let Err(error) = self.node.sftp.set(&path, look(file.entry)).await
        {
            let trouble = self.node.explain(error, &path).await;
            return self.node.settle_trouble(&path, trouble).await;
        }
        self.node.settle(&path, ItemEnd::Unchanged).await;
        Ok(())
    }

    /// Sends a file into its unfinished one; none when nothing is to be sent.
    pub(super) async fn send(
        &self,
        file: PutFile<'a>,
        found: Found,
    ) -> Result<Option<Upload<'a>>, Trouble> {
        if self.node.is_halted() {
            return Ok(None);
        }
        if self.node.options.dry_run {
            let end =
                ItemEnd::WouldCopy { bytes: file.source.size, replaces: found.there.is_some() };
            self.node.settle(&self.path(file.entry), end).await;
            return Ok(None);
        }
        let hash = self.plan.blocks.hash(file.source).await;
        let hash = hash.map_err(|error| unreadable(file.source, &error))?;
        let part = part_path(&self.path(file.entry), &hash.short());
        let (handle, resumed) = self.open_part(file, &part).await?;
        self.upload(file, &part, handle, resumed).await?;
        Ok(Some(Upload { file, part, hash, resumed }))
    }

    /// Opens the unfinished file, a new one or what an earlier try left.
    async fn open_part(&self, file: PutFile<'_>, part: &[u8]) -> Result<(Handle, u64), Trouble> {
        let sftp = &self.node.sftp;
        let path = self.path(file.entry);
        if let Ok(left) = sftp.stat_link(part).await {
            let size = left.size.unwrap_or_default();
            // Anything else of that name is not ours to write into.
            if left.kind() == FileKind::File
                && size <= file.source.size
                && let Ok(handle) = sftp.open_to_write(part).await
            {
                self.node.tally.add_part(part);
                return Ok((handle, size));
            }
            if let Err(error) = sftp.remove(part).await {
                return Err(self.node.explain(error, &path).await);
            }
        }
        match sftp.create(part).await {
            Ok(handle) => {
                self.node.tally.add_part(part);
                Ok((handle, 0))
            }
            Err(error) => Err(self.node.explain(error, &path).await),
        }
    }

    /// Sends what is missing. What fails leaves no unfinished file unless the
    /// next try can go on with it.
    async fn upload(
        &self,
        file: PutFile<'_>,
        part: &[u8],
        handle: Handle,
        from: u64,
    ) -> Result<(), Trouble> {
        self.node.meter.add_moved(from);
        let written = self.write(file, &handle, from).await;
        let synced = match &written {
            Ok(()) => self.node.sftp.sync(&handle).await,
            Err(_) => Ok(()),
        };
        let closed = self.node.sftp.close(handle).await;
        let path = self.path(file.entry);
        let outcome = match (written, synced.and(closed)) {
            (Err(trouble), _) => Err(trouble),
            (Ok(()), Err(error)) => Err(self.node.explain(error, &path).await),
            (Ok(()), Ok(())) => Ok(()),
        };
        if let Err(Trouble::File(_)) = &outcome {
            self.node.discard(part).await;
        }
        outcome
    }

    async fn write(&self, file: PutFile<'_>, handle: &Handle, from: u64) -> Result<(), Trouble> {
        let piece_bytes = usize::try_from(self.node.sftp.write_bytes()).unwrap_or(usize::MAX);
        let mut on_their_way = VecDeque::new();
        let mut at = from;
        while at < file.source.size {
            let begin = at - at % limits::COPY_BLOCK_BYTES;
            let block = self.plan.blocks.get(file.source, begin).await;
            let mut rest = block.map_err(|error| unreadable(file.source, &error))?;
            let _before = rest.split_to(usize::try_from(at - begin).unwrap_or_default());
            while !rest.is_empty() {
                if self.node.is_halted() {
                    return Err(self.no_room(file));
                }
                let piece = rest.split_to(piece_bytes.min(rest.len()));
                let length = piece.len() as u64;
                match self.node.sftp.write(handle, at, piece).await {
                    Ok(pending) => on_their_way.push_back((pending, length)),
                    Err(error) => return Err(Trouble::Lost(error.to_string())),
                }
                at += length;
                self.take_answers(file, &mut on_their_way).await?;
            }
        }
        while let Some((pending, length)) = on_their_way.pop_front() {
            if let Err(error) = pending.done().await {
                return Err(self.node.explain(error, &self.path(file.entry)).await);
            }
            self.count(length);
        }
        Ok(())
    }

    /// Takes the answers that have come.
    async fn take_answers(
        &self,
        file: PutFile<'_>,
        on_their_way: &mut VecDeque<(Pending, u64)>,
    ) -> Result<(), Trouble> {
        while let Some((pending, length)) = on_their_way.front_mut() {
            let length = *length;
            match pending.try_done() {
                None => return Ok(()),
                Some(Ok(())) => self.count(length),
                Some(Err(error)) => {
                    return Err(self.node.explain(error, &self.path(file.entry)).await);
                }
            }
            on_their_way.pop_front();
        }
        Ok(())
    }

    fn count(&self, bytes: u64) {
        self.node.meter.add_moved(bytes);
        self.node.tally.add_bytes(bytes);
    }

    fn no_room(&self, file: PutFile<'_>) -> Trouble {
        let path = self.path(file.entry);
        CopyFailure::new(CopyFailureKind::NoSpace, &path, "another file found no room").into()
    }

    /// Verifies what was sent and puts it into its place.
    pub(super) async fn place(&self, uploads: Vec<Upload<'a>>) -> Result<(), Trouble> {
        let wanted: Vec<Wanted> = uploads
            .iter()
            .map(|upload| Wanted { path: upload.part.clone(), bytes: upload.file.source.size })
            .collect();
        let hashes = self.node.hashes(&wanted).await?;
        let uploads = uploads.into_iter().zip(hashes);
        all_at_once(uploads.map(|(upload, hash)| self.settle_place(upload, hash)).collect()).await
    }

    async fn settle_place(&self, upload: Upload<'a>, hash: Option<Hash>) -> Result<(), Trouble> {
        let path = self.path(upload.file.entry);
        match self.place_one(upload, hash).await {
            Ok(end) => {
                self.node.settle(&path, end).await;
                Ok(())
            }
            Err(trouble) => self.node.settle_trouble(&path, trouble).await,
        }
    }

    async fn place_one(
        &self,
        mut upload: Upload<'a>,
        seen: Option<Hash>,
    ) -> Result<ItemEnd, Trouble> {
        let (file, source) = (upload.file, upload.file.source);
        if seen != Some(upload.hash) {
            if upload.resumed == 0 || source.has_changed() {
                return Err(self.mismatch(&upload).await);
            }
            // What an earlier try left was not what it should be.
            self.send_anew(&mut upload).await?;
        }
        let path = self.path(file.entry);
        let sftp = &self.node.sftp;
        let placed = match sftp.set(&upload.part, look(file.entry)).await {
            Ok(()) => sftp.rename_over(&upload.part, &path).await,
            Err(error) => Err(error),
        };
        if let Err(error) = placed {
            let trouble = self.node.explain(error, &path).await;
            if matches!(trouble, Trouble::File(_)) {
                self.node.discard(&upload.part).await;
            }
            return Err(trouble);
        }
        self.node.tally.drop_part(&upload.part);
        Ok(ItemEnd::Copied { bytes: source.size, resumed: upload.resumed })
    }

    /// Sends the whole file once more.
    async fn send_anew(&self, upload: &mut Upload<'a>) -> Result<(), Trouble> {
        let (file, sftp) = (upload.file, &self.node.sftp);
        let path = self.path(file.entry);
        self.node.discard(&upload.part).await;
        let handle = match sftp.create(&upload.part).await {
            Ok(handle) => handle,
            Err(error) => return Err(self.node.explain(error, &path).await),
        };
        self.node.tally.add_part(&upload.part);
        upload.resumed = 0;
        self.node.meter.add_expected(file.source.size);
        self.upload(file, &upload.part, handle, 0).await?;
        let wanted = Wanted { path: upload.part.clone(), bytes: file.source.size };
        let seen = self.node.hashes(&[wanted]).await?.into_iter().next().flatten();
        if seen == Some(upload.hash) { Ok(()) } else { Err(self.mismatch(upload).await) }
    }

    async fn mismatch(&self, upload: &Upload<'_>) -> Trouble {
        self.node.discard(&upload.part).await;
        if upload.file.source.has_changed() {
            return changed(upload.file.source);
        }
        let text = "what arrived is not what was sent: the hashes differ; it was removed";
        CopyFailure::new(CopyFailureKind::Mismatch, &self.path(upload.file.entry), text).into()
    }
}
