//! Local files that go to many nodes: read and hashed once, in blocks that the
//! nodes share. Bounded: what does not fit is read again, which the system's
//! own cache makes cheap.

use std::collections::{BTreeMap, VecDeque};
use std::fs::File;
use std::io;
use std::os::unix::fs::{FileExt, MetadataExt};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use tokio::sync::OnceCell;

use super::hash::{Hash, Hasher};
use crate::limits;

/// A file to be put, as it was when it was looked at.
#[derive(Debug)]
pub(super) struct Source {
    pub(super) path: PathBuf,
    pub(super) size: u64,
    /// When it was changed, in whole seconds.
    pub(super) changed_at: u32,
    number: usize,
    hash: OnceCell<Hash>,
}

impl Source {
    pub(super) fn new(path: PathBuf, size: u64, changed_at: u32, number: usize) -> Self {
        Self { path, size, changed_at, number, hash: OnceCell::new() }
    }

    /// Whether the file is another one than was looked at.
    pub(super) fn has_changed(&self) -> bool {
        std::fs::metadata(&self.path)
            .map_or(true, |now| now.size() != self.size || seconds(now.mtime()) != self.changed_at)
    }
}

/// Seconds since 1970 as the protocol has them.
pub(super) fn seconds(time: i64) -> u32 {
    u32::try_from(time.max(0)).unwrap_or(u32::MAX)
}

type Block = Arc<OnceCell<Bytes>>;

/// Blocks of all files, the latest of them.
#[derive(Debug, Default)]
pub(super) struct Blocks(Mutex<Held>);

#[derive(Debug, Default)]
struct Held {
    blocks: BTreeMap<(usize, u64), Block>,
    /// Oldest first.
    order: VecDeque<((usize, u64), u64)>,
    bytes: u64,
}

impl Held {
    /// The place of a block, made if need be; old ones give way.
    fn place(&mut self, key: (usize, u64), length: u64) -> Block {
        if let Some(block) = self.blocks.get(&key) {
            return Arc::clone(block);
        }
        let block = Block::default();
        self.blocks.insert(key, Arc::clone(&block));
        self.order.push_back((key, length));
        self.bytes += length;
        while self.bytes > limits::COPY_BLOCKS_BYTES_MAX && self.order.len() > 1 {
            let Some((oldest, length)) = self.order.pop_front() else { break };
            self.blocks.remove(&oldest);
            self.bytes = self.bytes.saturating_sub(length);
        }
        block
    }

    fn forget(&mut self, key: (usize, u64)) {
        self.blocks.remove(&key);
    }
}

impl Blocks {
    fn lock(&self) -> MutexGuard<'_, Held> {
        // At worst a count is off by one block.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The block that begins at `from`, a multiple of
    /// [`limits::COPY_BLOCK_BYTES`]. Read once, however many ask.
    pub(super) async fn get(&self, source: &Source, from: u64) -> io::Result<Bytes> {
        let length = source.size.saturating_sub(from).min(limits::COPY_BLOCK_BYTES);
        let key = (source.number, from / limits::COPY_BLOCK_BYTES);
        let block = self.lock().place(key, length);
        let read = block.get_or_try_init(|| {
            let path = source.path.clone();
            blocking(move || {
                let mut buffer = vec![0; usize::try_from(length).unwrap_or_default()];
                File::open(&path)?.read_exact_at(&mut buffer, from)?;
                Ok(Bytes::from(buffer))
            })
        });
        let read = read.await.cloned();
        if read.is_err() {
            self.lock().forget(key);
        }
        read
    }

    /// The hash of a file, computed once. What is read for it is kept for the
    /// sending, as far as it fits.
    pub(super) async fn hash(&self, source: &Source) -> io::Result<Hash> {
        let hashed = source.hash.get_or_try_init(|| async {
            if source.size > limits::COPY_BLOCKS_BYTES_MAX / 2 {
                let path = source.path.clone();
                let size = source.size;
                return blocking(move || hash_file(&path, size)).await;
            }
            let mut hasher = Hasher::default();
            let mut from = 0;
            while from < source.size {
                let block = self.get(source, from).await?;
                from += block.len() as u64;
                hasher = blocking(move || {
                    hasher.update(&block);
                    Ok(hasher)
                })
                .await?;
            }
            Ok(hasher.finish())
        });
        hashed.await.copied()
    }
}

fn hash_file(path: &Path, size: u64) -> io::Result<Hash> {
    let file = File::open(path)?;
    let mut hasher = Hasher::default();
    let mut buffer = vec![0; usize::try_from(limits::COPY_BLOCK_BYTES).unwrap_or_default()];
    let mut at = 0;
    while at < size {
        let wanted = usize::try_from((size - at).min(limits::COPY_BLOCK_BYTES)).unwrap_or_default();
        let part = buffer.get_mut(..wanted).unwrap_or_default();
        file.read_exact_at(part, at)?;
        hasher.update(part);
        at += part.len() as u64;
    }
    Ok(hasher.finish())
}

/// Runs what waits for a disk where nothing else waits for it.
pub(super) async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> io::Result<T> + Send + 'static,
) -> io::Result<T> {
    tokio::task::spawn_blocking(work).await.unwrap_or_else(|error| Err(io::Error::other(error)))
}

#[cfg(test)]
mod tests {
    use super::{Blocks, Source};
    use crate::copy::hash::Hash;
    use crate::limits;

    #[tokio::test]
    async fn a_file_is_read_once_and_in_bounds() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("f");
        let bytes: Vec<u8> = (0..600_000_u32).map(|n| n.to_le_bytes()[0]).collect();
        std::fs::write(&path, &bytes).unwrap();
        let (blocks, source) = (Blocks::default(), Source::new(path.clone(), 600_000, 0, 0));
        assert_eq!(blocks.hash(&source).await.unwrap(), Hash::of(&bytes));
        std::fs::remove_file(&path).unwrap();
        let mut seen = Vec::new();
        while seen.len() < bytes.len() {
            seen.extend_from_slice(&blocks.get(&source, seen.len() as u64).await.unwrap());
        }
        assert!(seen == bytes, "from memory, as the file is gone");
        assert!(blocks.lock().bytes <= limits::COPY_BLOCKS_BYTES_MAX);
        assert!(source.has_changed());
        let gone = Source::new(path, 1, 0, 1);
        assert!(blocks.get(&gone, 0).await.is_err());
        assert!(blocks.get(&gone, 0).await.is_err(), "a failure is not kept");
    }

    #[tokio::test]
    async fn old_blocks_give_way() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("f");
        let file = std::fs::File::create(&path).unwrap();
        let size = limits::COPY_BLOCKS_BYTES_MAX + 4 * limits::COPY_BLOCK_BYTES;
        file.set_len(size).unwrap();
        let (blocks, source) = (Blocks::default(), Source::new(path, size, 0, 0));
        for from in (0..size).step_by(usize::try_from(limits::COPY_BLOCK_BYTES).unwrap()) {
            blocks.get(&source, from).await.unwrap();
        }
        assert!(blocks.lock().bytes <= limits::COPY_BLOCKS_BYTES_MAX);
    }
}
