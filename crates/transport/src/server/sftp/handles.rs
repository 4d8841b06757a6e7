//! What a client has open: a bounded number of files and directories.

use std::collections::BTreeMap;
use std::fs::{File, ReadDir};
use std::path::PathBuf;

use bytes::Bytes;

use crate::limits;

/// Something open.
#[derive(Debug)]
pub(super) enum Handle {
    /// A file; whether writes go to its end.
    File {
        file: File,
        appends: bool,
    },
    Directory {
        path: PathBuf,
        names: ReadDir,
    },
}

/// Everything that is open.
#[derive(Debug, Default)]
pub(super) struct Handles {
    last: u32,
    open: BTreeMap<u32, Handle>,
}

impl Handles {
    pub(super) fn is_full(&self) -> bool {
        self.open.len() >= limits::SERVER_SFTP_HANDLES_MAX
    }

    /// Keeps it open; the bytes are its name.
    pub(super) fn add(&mut self, handle: Handle) -> Bytes {
        self.last = self.last.wrapping_add(1);
        self.open.insert(self.last, handle);
        Bytes::copy_from_slice(&self.last.to_be_bytes())
    }

    pub(super) fn get(&mut self, name: &[u8]) -> Option<&mut Handle> {
        self.open.get_mut(&number(name)?)
    }

    pub(super) fn file(&mut self, name: &[u8]) -> Option<&mut File> {
        match self.get(name)? {
            Handle::File { file, .. } => Some(file),
            Handle::Directory { .. } => None,
        }
    }

    pub(super) fn remove(&mut self, name: &[u8]) -> Option<Handle> {
        self.open.remove(&number(name)?)
    }
}

fn number(name: &[u8]) -> Option<u32> {
    <[u8; 4]>::try_from(name).ok().map(u32::from_be_bytes)
}
