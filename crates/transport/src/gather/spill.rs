//! The file that gathered output goes to when memory is full: one for all
//! nodes, without a name, so that it is gone with us whatever ends us. The only
//! I/O of gathering.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt as _;
use std::path::PathBuf;

use crate::limits;

/// A piece of the file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Extent {
    pub(super) at: u64,
    pub(super) length: u64,
}

/// The file, made when it is first needed.
#[derive(Debug)]
pub(super) struct Spill {
    /// Where it may be made, best first.
    directories: Vec<PathBuf>,
    file: Option<File>,
    length: u64,
    /// Why nothing more is written, once that is so.
    failed: Option<String>,
}

impl Spill {
    pub(super) const fn new(directories: Vec<PathBuf>) -> Self {
        Self { directories, file: None, length: 0, failed: None }
    }

    /// Why nothing more is written.
    pub(super) fn failed(&self) -> Option<&str> {
        self.failed.as_deref()
    }

    /// Bytes on disk.
    pub(super) const fn length(&self) -> u64 {
        self.length
    }

    /// Appends; none when it cannot, for good.
    pub(super) fn append(&mut self, bytes: &[u8]) -> Option<Extent> {
        if self.failed.is_some() {
            return None;
        }
        let at = self.length;
        match self.open().and_then(|file| file.write_all_at(bytes, at)) {
            Ok(()) => {
                let length = bytes.len() as u64;
                self.length = at.saturating_add(length);
                Some(Extent { at, length })
            }
            Err(error) => {
                // One try: a disk that is full stays so for the while of a
                // run, and a hole in an output helps nobody.
                self.failed = Some(error.to_string());
                None
            }
        }
    }

    /// Unlinked from the beginning, and for its owner only.
    fn open(&mut self) -> io::Result<&File> {
        if self.file.is_none() {
            let mut last = io::Error::from(io::ErrorKind::NotFound);
            for directory in &self.directories {
                match tempfile::tempfile_in(directory) {
                    Ok(file) => {
                        self.file = Some(file);
                        break;
                    }
                    Err(error) => last = error,
                }
            }
            return self.file.as_ref().ok_or(last);
        }
        self.file.as_ref().ok_or_else(|| io::Error::from(io::ErrorKind::NotFound))
    }

    /// Reads an extent piece by piece.
    pub(super) fn read(
        &self,
        extent: Extent,
        take: &mut dyn FnMut(&[u8]) -> io::Result<()>,
    ) -> io::Result<()> {
        let Some(file) = &self.file else { return Err(io::ErrorKind::NotFound.into()) };
        let mut buffer = vec![0_u8; limits::GATHER_READ_BYTES];
        let (mut at, mut left) = (extent.at, extent.length);
        while left > 0 {
            let length = usize::try_from(left).unwrap_or(usize::MAX).min(buffer.len());
            let piece = buffer.get_mut(..length).unwrap_or_default();
            file.read_exact_at(piece, at)?;
            take(piece)?;
            at = at.saturating_add(length as u64);
            left = left.saturating_sub(length as u64);
        }
        Ok(())
    }
}
