//! What a client does with files, one method for each request.

use std::sync::Arc;

use bytes::Bytes;
use tokio::sync::OwnedSemaphorePermit;

use super::attributes::Attributes;
use super::client::{Pending, Sftp, bytes, unexpected, units};
use super::error::{SftpError, StatusCode};
use super::extension::{Extension, Space};
use super::reply::{Entry, Reply};
use super::request::{OpenFlags, Request};
use crate::limits;

impl Sftp {
    /// Opens a file to read it.
    ///
    /// # Errors
    /// The node says no, or is gone; so with all that follow.
    pub async fn open_to_read(&self, path: &[u8]) -> Result<Bytes, SftpError> {
        let attributes = Attributes::default();
        self.ask_handle(Request::Open { path: bytes(path), flags: OpenFlags::READ, attributes })
            .await
    }

    /// Makes a file that was not there, open only to us, and opens it to write.
    ///
    /// # Errors
    /// Also when it is there.
    pub async fn create(&self, path: &[u8]) -> Result<Bytes, SftpError> {
        let flags = OpenFlags::WRITE.and(OpenFlags::CREATE).and(OpenFlags::EXCLUSIVE);
        let attributes = Attributes { mode: Some(0o600), ..Attributes::default() };
        self.ask_handle(Request::Open { path: bytes(path), flags, attributes }).await
    }

    /// Opens a file that is there to write into it.
    ///
    /// # Errors
    /// Also when it is not there.
    pub async fn open_to_write(&self, path: &[u8]) -> Result<Bytes, SftpError> {
        let attributes = Attributes::default();
        self.ask_handle(Request::Open { path: bytes(path), flags: OpenFlags::WRITE, attributes })
            .await
    }

    /// Closes a file or directory.
    ///
    /// # Errors
    /// Some file systems tell only now that a write failed.
    pub async fn close(&self, handle: Bytes) -> Result<(), SftpError> {
        self.tell(Request::Close { handle }).await
    }

    /// Asks for bytes of a file. Fewer may come. Whoever holds a [`Pending`]
    /// of another read must not wait here: see [`try_read`](Self::try_read).
    ///
    /// # Errors
    /// The connection is gone; the node's answer is in the [`Pending`].
    pub async fn read(
        &self,
        handle: &Bytes,
        offset: u64,
        length: u32,
    ) -> Result<Pending, SftpError> {
        let place = self.place(usize::try_from(length).unwrap_or(usize::MAX)).await?;
        self.read_in(place, handle, offset, length).await
    }

    /// The same if there is place for one more request; none if there is not.
    ///
    /// # Errors
    /// As [`read`](Self::read).
    pub async fn try_read(
        &self,
        handle: &Bytes,
        offset: u64,
        length: u32,
    ) -> Result<Option<Pending>, SftpError> {
        let units = units(usize::try_from(length).unwrap_or(usize::MAX));
        match Arc::clone(&self.inner.places).try_acquire_many_owned(units) {
            Ok(place) => self.read_in(place, handle, offset, length).await.map(Some),
            Err(_) => Ok(None),
        }
    }

    async fn read_in(
        &self,
        place: OwnedSemaphorePermit,
        handle: &Bytes,
        offset: u64,
        length: u32,
    ) -> Result<Pending, SftpError> {
        let request = Request::Read { handle: handle.clone(), offset, length };
        Ok(Pending { answer: self.send(request, None).await?, _place: Some(place) })
    }

    /// Sends bytes into a file; waits for a place among the requests.
    ///
    /// # Errors
    /// As [`read`](Self::read).
    pub async fn write(
        &self,
        handle: &Bytes,
        offset: u64,
        data: Bytes,
    ) -> Result<Pending, SftpError> {
        let place = self.place(data.len()).await?;
        let request = Request::Write { handle: handle.clone(), offset, data };
        Ok(Pending { answer: self.send(request, Some(place)).await?, _place: None })
    }

    /// What a file is, through links.
    ///
    /// # Errors
    /// Also when there is none.
    pub async fn stat(&self, path: &[u8]) -> Result<Attributes, SftpError> {
        self.ask_attributes(Request::Stat { path: bytes(path) }).await
    }

    /// What a file is; a link is a link.
    ///
    /// # Errors
    /// Also when there is none.
    pub async fn stat_link(&self, path: &[u8]) -> Result<Attributes, SftpError> {
        self.ask_attributes(Request::StatLink { path: bytes(path) }).await
    }

    /// What an open file is.
    ///
    /// # Errors
    /// The node says no, or is gone.
    pub async fn stat_handle(&self, handle: &Bytes) -> Result<Attributes, SftpError> {
        self.ask_attributes(Request::StatHandle { handle: handle.clone() }).await
    }

    /// Changes what a file is.
    ///
    /// # Errors
    /// The node says no, or is gone.
    pub async fn set(&self, path: &[u8], attributes: Attributes) -> Result<(), SftpError> {
        self.tell(Request::Set { path: bytes(path), attributes }).await
    }

    /// Changes what an open file is.
    ///
    /// # Errors
    /// The node says no, or is gone.
    pub async fn set_handle(
        &self,
        handle: &Bytes,
        attributes: Attributes,
    ) -> Result<(), SftpError> {
        self.tell(Request::SetHandle { handle: handle.clone(), attributes }).await
    }

    /// Changes what a link is, not what it points to; servers without the
    /// extension change nothing.
    ///
    /// # Errors
    /// The node says no, or is gone.
    pub async fn set_link(&self, path: &[u8], attributes: Attributes) -> Result<(), SftpError> {
        if !self.inner.offered.set_link {
            return Ok(());
        }
        self.tell(Request::Extended(Extension::SetLink { path: bytes(path), attributes })).await
    }

    /// The names in a directory, without `.` and `..`, in no order.
    ///
    /// # Errors
    /// Also when there are more than [`limits::SFTP_NAMES_MAX`].
    pub async fn list(&self, path: &[u8]) -> Result<Vec<Entry>, SftpError> {
        let handle = self.ask_handle(Request::OpenDirectory { path: bytes(path) }).await?;
        let listed = self.list_handle(&handle).await;
        let _ = self.close(handle).await;
        listed
    }

    async fn list_handle(&self, handle: &Bytes) -> Result<Vec<Entry>, SftpError> {
        let mut entries = Vec::new();
        loop {
            match self.ask(Request::ReadDirectory { handle: handle.clone() }).await {
                Ok(Reply::Names(names)) if names.is_empty() => return Ok(entries),
                Ok(Reply::Names(names)) => entries.extend(names.into_iter().filter(|entry| {
                    entry.name.as_ref() != b".".as_slice() && entry.name.as_ref() != b".."
                })),
                Ok(_) => return Err(unexpected()),
                Err(SftpError::Status { code: StatusCode::Eof, .. }) => return Ok(entries),
                Err(error) => return Err(error),
            }
            if entries.len() > limits::SFTP_NAMES_MAX {
                return Err(SftpError::Nonsense("a directory has too many names".into()));
            }
        }
    }

    /// Makes a directory.
    ///
    /// # Errors
    /// Also when something is there.
    pub async fn make_directory(&self, path: &[u8], mode: u32) -> Result<(), SftpError> {
        let attributes = Attributes { mode: Some(mode), ..Attributes::default() };
        self.tell(Request::MakeDirectory { path: bytes(path), attributes }).await
    }

    /// Removes a file or link.
    ///
    /// # Errors
    /// The node says no, or is gone.
    pub async fn remove(&self, path: &[u8]) -> Result<(), SftpError> {
        self.tell(Request::Remove { path: bytes(path) }).await
    }

    /// The path without links, dots and what is relative.
    ///
    /// # Errors
    /// The node says no, or is gone.
    pub async fn real_path(&self, path: &[u8]) -> Result<Bytes, SftpError> {
        self.ask_name(Request::RealPath { path: bytes(path) }).await
    }

    /// What a link points to.
    ///
    /// # Errors
    /// The node says no, or is gone.
    pub async fn read_link(&self, path: &[u8]) -> Result<Bytes, SftpError> {
        self.ask_name(Request::ReadLink { path: bytes(path) }).await
    }

    /// Makes a link at `path`.
    ///
    /// # Errors
    /// Also when something is there.
    pub async fn make_link(&self, points_to: &[u8], path: &[u8]) -> Result<(), SftpError> {
        self.tell(Request::MakeLink { points_to: bytes(points_to), path: bytes(path) }).await
    }

    /// Renames, taking the place of a file that is there in one step. Servers
    /// that cannot do so have it removed first, which is two steps.
    ///
    /// # Errors
    /// The node says no, or is gone.
    pub async fn rename_over(&self, from: &[u8], to: &[u8]) -> Result<(), SftpError> {
        if self.inner.offered.posix_rename {
            let rename = Extension::PosixRename { from: bytes(from), to: bytes(to) };
            return self.tell(Request::Extended(rename)).await;
        }
        let rename = || Request::Rename { from: bytes(from), to: bytes(to) };
        match self.tell(rename()).await {
            Err(SftpError::Status { code: StatusCode::Failure, .. }) => {
                self.remove(to).await?;
                self.tell(rename()).await
            }
            told => told,
        }
    }

    /// Has an open file's bytes brought to the disk, where the server can.
    ///
    /// # Errors
    /// The node says no, or is gone.
    pub async fn sync(&self, handle: &Bytes) -> Result<(), SftpError> {
        if !self.inner.offered.fsync {
            return Ok(());
        }
        self.tell(Request::Extended(Extension::Fsync { handle: handle.clone() })).await
    }

    /// The room where a path lies, if the server can tell.
    ///
    /// # Errors
    /// The node says no, or is gone.
    pub async fn space(&self, path: &[u8]) -> Result<Option<Space>, SftpError> {
        if !self.inner.offered.space {
            return Ok(None);
        }
        match self.ask(Request::Extended(Extension::Space { path: bytes(path) })).await? {
            Reply::Extended(body) => Ok(Some(Space::read(body)?)),
            _ => Err(unexpected()),
        }
    }
}
