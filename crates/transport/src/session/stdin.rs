//! What a command reads. Input for many nodes is kept in a file that each of
//! them reads at its own pace: memory stays bounded, a slow node holds up no
//! other, and one that begins later misses nothing.

use std::fs::File;
use std::io::{self, Seek as _};
use std::os::unix::fs::FileExt as _;
use std::sync::Arc;

use bytes::{Bytes, BytesMut};
use tokio::sync::watch;

use crate::limits;

/// Standard input of a command.
#[derive(Debug, Clone, Default)]
#[non_exhaustive]
pub enum Stdin {
    /// It ends at once.
    #[default]
    Empty,
    /// These bytes, then the end.
    Bytes(Bytes),
    /// What was and is being kept for many commands.
    Spool(Arc<Spool>),
    /// Nothing yet, and no end: [`Exec::feed`](super::Exec::feed) says later
    /// what it reads.
    Later,
}

/// How far a spool is written and read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Progress {
    /// Bytes that can be read.
    written: u64,
    /// Bytes that the fastest reader has taken.
    taken: u64,
    end: End,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum End {
    /// More may come.
    Open,
    /// This is all.
    Complete,
    /// More should have come. No reader may take it for complete.
    Broken,
}

/// Input that is kept in a file for many readers.
#[derive(Debug)]
pub struct Spool {
    file: File,
    /// Where the input begins in the file.
    from: u64,
    progress: watch::Sender<Progress>,
}

/// The writing end of a spool. Dropped without [`end`](Self::end), the input
/// is broken off and no command sees its end.
#[derive(Debug)]
pub struct SpoolWriter {
    spool: Arc<Spool>,
    written: u64,
    ended: bool,
}

impl Spool {
    /// A spool in `file`, an empty one that nobody else writes to.
    #[must_use]
    pub fn new(file: File) -> (SpoolWriter, Arc<Self>) {
        let progress = Progress { written: 0, taken: 0, end: End::Open };
        let spool = Arc::new(Self { file, from: 0, progress: watch::Sender::new(progress) });
        (SpoolWriter { spool: Arc::clone(&spool), written: 0, ended: false }, spool)
    }

    /// A regular file, from where it stands: nothing has to be kept of it.
    ///
    /// # Errors
    /// It cannot be read.
    pub fn of_file(mut file: File) -> io::Result<Arc<Self>> {
        let from = file.stream_position()?;
        let progress = Progress { written: u64::MAX, taken: 0, end: End::Open };
        Ok(Arc::new(Self { file, from, progress: watch::Sender::new(progress) }))
    }

    /// A reader at the beginning.
    pub(crate) fn reader(self: &Arc<Self>) -> SpoolReader {
        SpoolReader { spool: Arc::clone(self), at: 0, progress: self.progress.subscribe() }
    }

    fn read_at(&self, at: u64) -> io::Result<Bytes> {
        let mut piece = BytesMut::zeroed(limits::SPOOL_PIECE_BYTES);
        let count = loop {
            match self.file.read_at(&mut piece, self.from.saturating_add(at)) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                read => break read?,
            }
        };
        piece.truncate(count);
        Ok(piece.freeze())
    }
}

impl SpoolWriter {
    /// Copies `input` to its end into the spool. Blocks: it belongs on a
    /// thread of its own. Stays [`limits::SPOOL_AHEAD_BYTES`] ahead of the
    /// fastest reader at most, and ends early once nobody reads any more.
    ///
    /// # Errors
    /// The input cannot be read, or the spool not written; no command is told
    /// that its input is complete then.
    pub fn copy(mut self, mut input: impl io::Read) -> io::Result<()> {
        let mut progress = self.spool.progress.subscribe();
        let mut piece = vec![0_u8; limits::SPOOL_PIECE_BYTES];
        let runtime = tokio::runtime::Builder::new_current_thread().build()?;
        loop {
            let count = match input.read(&mut piece) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                read => read?,
            };
            if count == 0 {
                break;
            }
            let bytes = piece.get(..count).unwrap_or_default();
            self.spool.file.write_all_at(bytes, self.written)?;
            self.written = self.written.saturating_add(count as u64);
            self.spool.progress.send_modify(|progress| progress.written = self.written);
            let written = self.written;
            let near = |progress: &Progress| {
                written.saturating_sub(progress.taken) <= limits::SPOOL_AHEAD_BYTES
            };
            // The sender is ours: this ends only when a reader has come near.
            let _ = runtime.block_on(progress.wait_for(near));
        }
        self.end();
        Ok(())
    }

    /// Says that this was all.
    pub fn end(mut self) {
        self.ended = true;
        self.spool.progress.send_modify(|progress| progress.end = End::Complete);
    }
}

impl Drop for SpoolWriter {
    fn drop(&mut self) {
        if !self.ended {
            self.spool.progress.send_modify(|progress| progress.end = End::Broken);
        }
    }
}

/// One command's way through a spool.
#[derive(Debug)]
pub(crate) struct SpoolReader {
    spool: Arc<Spool>,
    at: u64,
    progress: watch::Receiver<Progress>,
}

impl SpoolReader {
    /// The next piece; none at the end. Input that broke off never ends.
    pub(crate) async fn next(&mut self) -> Option<Bytes> {
        let at = self.at;
        let ready = |progress: &Progress| progress.written > at || progress.end == End::Complete;
        let Ok(progress) = self.progress.wait_for(ready).await.map(|progress| *progress) else {
            return std::future::pending().await;
        };
        if progress.written <= at {
            return None;
        }
        let spool = Arc::clone(&self.spool);
        let read = tokio::task::spawn_blocking(move || spool.read_at(at)).await;
        match read {
            Ok(Ok(piece)) if piece.is_empty() => None,
            Ok(Ok(piece)) => {
                self.at = at.saturating_add(piece.len() as u64);
                let taken = self.at;
                self.spool.progress.send_if_modified(|progress| {
                    let farther = taken > progress.taken;
                    progress.taken = progress.taken.max(taken);
                    farther
                });
                Some(piece)
            }
            Ok(Err(error)) => {
                tracing::warn!(%error, "the kept input cannot be read");
                std::future::pending().await
            }
            Err(_) => std::future::pending().await,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Spool, SpoolReader};
    use bytes::Bytes;
    use std::io::{Read, Seek as _, Write as _};
    use std::time::Duration;

    async fn all(mut reader: SpoolReader) -> Vec<u8> {
        let mut all = Vec::new();
        while let Some(piece) = reader.next().await {
            all.extend_from_slice(&piece);
        }
        all
    }

    #[tokio::test]
    async fn every_reader_gets_everything_whenever_it_begins() {
        let (writer, spool) = Spool::new(tempfile::tempfile().unwrap());
        let input: Vec<u8> = (0..1_000_000_u32).flat_map(u32::to_le_bytes).collect();
        let early = tokio::spawn(all(spool.reader()));
        let copied = input.clone();
        let copying = tokio::task::spawn_blocking(move || writer.copy(copied.as_slice()));
        assert!(early.await.unwrap() == input);
        copying.await.unwrap().unwrap();
        assert!(all(spool.reader()).await == input);
    }

    #[tokio::test]
    async fn input_that_broke_off_has_no_end() {
        struct Broken;
        impl Read for Broken {
            fn read(&mut self, _: &mut [u8]) -> std::io::Result<usize> {
                Err(std::io::Error::other("broken"))
            }
        }
        let (writer, spool) = Spool::new(tempfile::tempfile().unwrap());
        let both = std::io::Cursor::new(b"half").chain(Broken);
        tokio::task::spawn_blocking(move || writer.copy(both)).await.unwrap().unwrap_err();
        let mut reader = spool.reader();
        assert_eq!(reader.next().await, Some(Bytes::from_static(b"half")));
        tokio::time::timeout(Duration::from_millis(20), reader.next()).await.unwrap_err();
    }

    #[tokio::test]
    async fn a_file_is_read_from_where_it_stands() {
        let mut file = tempfile::tempfile().unwrap();
        file.write_all(b"seen unseen").unwrap();
        file.seek(std::io::SeekFrom::Start(5)).unwrap();
        let spool = Spool::of_file(file).unwrap();
        assert_eq!(all(spool.reader()).await, b"unseen");
        assert_eq!(all(spool.reader()).await, b"unseen");
    }
}
