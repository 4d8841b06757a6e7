//! The bytes of a node's file in order, many requests at once.

use std::collections::VecDeque;

use bytes::Bytes;

use super::hash::{Hash, Hasher};
use crate::sftp::{Pending, Sftp, SftpError};

/// Less than this is not asked for, whatever a server once gave.
const PIECE_BYTES_MIN: u32 = 4096;

/// Reads a stretch of an open file.
pub(super) struct Fetch<'a> {
    sftp: &'a Sftp,
    handle: &'a Bytes,
    /// What will be asked for next.
    next: u64,
    end: u64,
    piece: u32,
    /// Where each piece begins, its length, and its bytes to come.
    asked: VecDeque<(u64, u32, Pending)>,
}

impl<'a> Fetch<'a> {
    pub(super) fn new(sftp: &'a Sftp, handle: &'a Bytes, from: u64, end: u64) -> Self {
        let (piece, asked) = (sftp.read_bytes(), VecDeque::new());
        Self { sftp, handle, next: from, end, piece, asked }
    }

    /// The next bytes; none at the end of the stretch or of the file.
    pub(super) async fn next(&mut self) -> Result<Option<Bytes>, SftpError> {
        self.ask().await?;
        let Some((from, length, pending)) = self.asked.pop_front() else { return Ok(None) };
        let bytes = pending.data().await?;
        let got = u32::try_from(bytes.len()).unwrap_or(u32::MAX);
        if got > length {
            return Err(SftpError::Nonsense("it gives more than was asked for".into()));
        }
        if got == 0 {
            // The file is shorter than it was.
            self.asked.clear();
            self.next = self.end;
            return Ok(None);
        }
        if got < length {
            // What was asked for behind the gap is asked again, in pieces that
            // the server gives whole.
            self.asked.clear();
            self.next = from + u64::from(got);
            self.piece = got.max(PIECE_BYTES_MIN);
        }
        Ok(Some(bytes))
    }

    /// Asks ahead as far as there is place. Waits for a place only while
    /// holding none: two who hold some and wait for more would wait for ever.
    async fn ask(&mut self) -> Result<(), SftpError> {
        while self.next < self.end {
            let left = u32::try_from(self.end - self.next).unwrap_or(u32::MAX);
            let length = left.min(self.piece);
            let pending = if self.asked.is_empty() {
                self.sftp.read(self.handle, self.next, length).await?
            } else {
                match self.sftp.try_read(self.handle, self.next, length).await? {
                    Some(pending) => pending,
                    None => return Ok(()),
                }
            };
            self.asked.push_back((self.next, length, pending));
            self.next += u64::from(length);
        }
        Ok(())
    }
}

/// The hash of the first bytes of a node's file, read over the network.
pub(super) async fn read_hash(sftp: &Sftp, path: &[u8], bytes: u64) -> Result<Hash, SftpError> {
    let handle = sftp.open_to_read(path).await?;
    let mut hasher = Hasher::default();
    let mut fetch = Fetch::new(sftp, &handle, 0, bytes);
    let read = async {
        while let Some(bytes) = fetch.next().await? {
            hasher.update(&bytes);
        }
        Ok(hasher.finish())
    };
    let hash = read.await;
    drop(fetch);
    let _ = sftp.close(handle).await;
    hash
}
