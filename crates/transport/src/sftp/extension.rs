//! OpenSSH's extensions: what a server offers, and the packets of those we
//! know. Pure.

use std::collections::BTreeMap;

use bytes::Bytes;

use super::attributes::Attributes;
use super::wire::{Reader, WireError, Writer};

const POSIX_RENAME: &str = "posix-rename@openssh.com";
const FSYNC: &str = "fsync@openssh.com";
const HARD_LINK: &str = "hardlink@openssh.com";
const SPACE: &str = "statvfs@openssh.com";
const SPACE_OF_HANDLE: &str = "fstatvfs@openssh.com";
const LIMITS: &str = "limits@openssh.com";
const SET_LINK: &str = "lsetstat@openssh.com";
const EXPAND_PATH: &str = "expand-path@openssh.com";

/// What our server offers, with versions.
pub(crate) const OURS: [(&str, &str); 8] = [
    (POSIX_RENAME, "1"),
    (SPACE, "2"),
    (SPACE_OF_HANDLE, "2"),
    (HARD_LINK, "1"),
    (FSYNC, "1"),
    (SET_LINK, "1"),
    (LIMITS, "1"),
    (EXPAND_PATH, "1"),
];

/// What a server offers.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Offered {
    pub(crate) posix_rename: bool,
    pub(crate) fsync: bool,
    pub(crate) space: bool,
    pub(crate) limits: bool,
    pub(crate) set_link: bool,
}

impl Offered {
    /// Of the names and versions in a server's greeting.
    pub(crate) fn new(names: &BTreeMap<Vec<u8>, Vec<u8>>) -> Self {
        let has = |name: &str, version: &[u8]| {
            names.get(name.as_bytes()).is_some_and(|offered| offered == version)
        };
        Self {
            posix_rename: has(POSIX_RENAME, b"1"),
            fsync: has(FSYNC, b"1"),
            space: has(SPACE, b"2"),
            limits: has(LIMITS, b"1"),
            set_link: has(SET_LINK, b"1"),
        }
    }
}

/// A request of an extension.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Extension {
    PosixRename { from: Bytes, to: Bytes },
    Fsync { handle: Bytes },
    HardLink { from: Bytes, to: Bytes },
    Space { path: Bytes },
    SpaceOfHandle { handle: Bytes },
    Limits,
    SetLink { path: Bytes, attributes: Attributes },
    ExpandPath { path: Bytes },
    Unknown { name: Bytes },
}

impl Extension {
    pub(super) fn read(reader: &mut Reader) -> Result<Self, WireError> {
        let name = reader.string()?;
        let read = match std::str::from_utf8(&name).unwrap_or_default() {
            POSIX_RENAME => Self::PosixRename { from: reader.string()?, to: reader.string()? },
            FSYNC => Self::Fsync { handle: reader.string()? },
            HARD_LINK => Self::HardLink { from: reader.string()?, to: reader.string()? },
            SPACE => Self::Space { path: reader.string()? },
            SPACE_OF_HANDLE => Self::SpaceOfHandle { handle: reader.string()? },
            LIMITS => Self::Limits,
            SET_LINK => {
                Self::SetLink { path: reader.string()?, attributes: Attributes::read(reader)? }
            }
            EXPAND_PATH => Self::ExpandPath { path: reader.string()? },
            _ => {
                let _unknown = reader.rest();
                return Ok(Self::Unknown { name });
            }
        };
        reader.end()?;
        Ok(read)
    }

    pub(super) fn write(&self, writer: &mut Writer) {
        match self {
            Self::PosixRename { from, to } => {
                writer.string(POSIX_RENAME.as_bytes()).string(from).string(to);
            }
            Self::Fsync { handle } => {
                writer.string(FSYNC.as_bytes()).string(handle);
            }
            Self::HardLink { from, to } => {
                writer.string(HARD_LINK.as_bytes()).string(from).string(to);
            }
            Self::Space { path } => {
                writer.string(SPACE.as_bytes()).string(path);
            }
            Self::SpaceOfHandle { handle } => {
                writer.string(SPACE_OF_HANDLE.as_bytes()).string(handle);
            }
            Self::Limits => {
                writer.string(LIMITS.as_bytes());
            }
            Self::SetLink { path, attributes } => {
                attributes.write(writer.string(SET_LINK.as_bytes()).string(path));
            }
            Self::ExpandPath { path } => {
                writer.string(EXPAND_PATH.as_bytes()).string(path);
            }
            Self::Unknown { name } => {
                writer.string(name);
            }
        }
    }
}

/// What a server takes at most; zero means that it does not say.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Limits {
    /// Bytes of one packet.
    pub packet_bytes: u64,
    /// Bytes read with one request.
    pub read_bytes: u64,
    /// Bytes written with one request.
    pub write_bytes: u64,
    /// Files open at once.
    pub handles: u64,
}

impl Limits {
    pub(crate) fn read(body: Bytes) -> Result<Self, WireError> {
        let mut reader = Reader::new(body);
        Ok(Self {
            packet_bytes: reader.u64()?,
            read_bytes: reader.u64()?,
            write_bytes: reader.u64()?,
            handles: reader.u64()?,
        })
    }

    pub(crate) fn numbers(self) -> [u64; 4] {
        [self.packet_bytes, self.read_bytes, self.write_bytes, self.handles]
    }
}

/// The room of a file system.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Space {
    /// Bytes that this user may still write.
    pub free_bytes: u64,
    /// Files that this user may still make.
    pub free_files: u64,
    /// Files there can be; none where they are not counted.
    pub files: u64,
    /// Whether nothing can be written.
    pub read_only: bool,
}

/// Flag of a file system that cannot be written.
pub(crate) const SPACE_READ_ONLY: u64 = 0x1;

impl Space {
    /// From the eleven numbers of the answer.
    pub(crate) fn read(body: Bytes) -> Result<Self, WireError> {
        let mut reader = Reader::new(body);
        let mut numbers = [0_u64; 11];
        for number in &mut numbers {
            *number = reader.u64()?;
        }
        let [_block, unit, _blocks, _free, available, files, _, free_files, _id, flags, _] =
            numbers;
        Ok(Self {
            free_bytes: available.saturating_mul(unit),
            free_files,
            files,
            read_only: flags & SPACE_READ_ONLY != 0,
        })
    }
}
