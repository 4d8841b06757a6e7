//! What an output is compared by: its length and a strong hash of it. Outputs
//! may be larger than memory, so they are never compared byte by byte.

use std::io;

use sha2::{Digest as _, Sha256};

/// Length and SHA-256 of an output.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Digest {
    /// Bytes.
    pub length: u64,
    /// SHA-256.
    pub hash: [u8; 32],
}

/// A digest in the making. Also a sink, for what is read back.
#[derive(Debug, Clone, Default)]
pub(super) struct Hashing {
    length: u64,
    newlines: u64,
    last: Option<u8>,
    hash: Sha256,
}

impl Hashing {
    pub(super) fn add(&mut self, bytes: &[u8]) {
        self.length = self.length.saturating_add(bytes.len() as u64);
        let newlines = memchr::memchr_iter(b'\n', bytes).count() as u64;
        self.newlines = self.newlines.saturating_add(newlines);
        self.last = bytes.last().copied().or(self.last);
        self.hash.update(bytes);
    }

    /// Lines, a last one without a newline included. Masking never changes
    /// their number, so outputs of different numbers are never alike.
    pub(super) fn lines(&self) -> u64 {
        let unfinished = self.last.is_some_and(|last| last != b'\n');
        self.newlines.saturating_add(u64::from(unfinished))
    }

    pub(super) const fn length(&self) -> u64 {
        self.length
    }

    /// The digest of everything so far.
    pub(super) fn digest(&self) -> Digest {
        Digest { length: self.length, hash: self.hash.clone().finalize().into() }
    }
}

impl io::Write for Hashing {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.add(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
