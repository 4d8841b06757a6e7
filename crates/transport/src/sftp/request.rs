//! What a client asks. Pure.

use std::collections::BTreeMap;

use bytes::Bytes;

use super::attributes::Attributes;
use super::extension::{Extension, OURS};
use super::wire::{Reader, WireError, Writer};

const INIT: u8 = 1;
const VERSION: u8 = 2;

/// The version of the protocol that everybody speaks.
const VERSION_NUMBER: u32 = 3;

/// How a file is to be opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct OpenFlags(pub(crate) u32);

impl OpenFlags {
    pub(crate) const READ: Self = Self(0x1);
    pub(crate) const WRITE: Self = Self(0x2);
    pub(crate) const APPEND: Self = Self(0x4);
    pub(crate) const CREATE: Self = Self(0x8);
    pub(crate) const TRUNCATE: Self = Self(0x10);
    pub(crate) const EXCLUSIVE: Self = Self(0x20);

    pub(crate) const fn and(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    pub(crate) const fn has(self, other: Self) -> bool {
        self.0 & other.0 != 0
    }
}

/// A request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Request {
    Open {
        path: Bytes,
        flags: OpenFlags,
        attributes: Attributes,
    },
    Close {
        handle: Bytes,
    },
    Read {
        handle: Bytes,
        offset: u64,
        length: u32,
    },
    Write {
        handle: Bytes,
        offset: u64,
        data: Bytes,
    },
    StatLink {
        path: Bytes,
    },
    StatHandle {
        handle: Bytes,
    },
    Set {
        path: Bytes,
        attributes: Attributes,
    },
    SetHandle {
        handle: Bytes,
        attributes: Attributes,
    },
    OpenDirectory {
        path: Bytes,
    },
    ReadDirectory {
        handle: Bytes,
    },
    Remove {
        path: Bytes,
    },
    MakeDirectory {
        path: Bytes,
        attributes: Attributes,
    },
    RemoveDirectory {
        path: Bytes,
    },
    RealPath {
        path: Bytes,
    },
    Stat {
        path: Bytes,
    },
    Rename {
        from: Bytes,
        to: Bytes,
    },
    ReadLink {
        path: Bytes,
    },
    /// OpenSSH's order of the two, which is not the draft's.
    MakeLink {
        points_to: Bytes,
        path: Bytes,
    },
    Extended(Extension),
}

impl Request {
    const fn kind(&self) -> u8 {
        match self {
            Self::Open { .. } => 3,
            Self::Close { .. } => 4,
            Self::Read { .. } => 5,
            Self::Write { .. } => 6,
            Self::StatLink { .. } => 7,
            Self::StatHandle { .. } => 8,
            Self::Set { .. } => 9,
            Self::SetHandle { .. } => 10,
            Self::OpenDirectory { .. } => 11,
            Self::ReadDirectory { .. } => 12,
            Self::Remove { .. } => 13,
            Self::MakeDirectory { .. } => 14,
            Self::RemoveDirectory { .. } => 15,
            Self::RealPath { .. } => 16,
            Self::Stat { .. } => 17,
            Self::Rename { .. } => 18,
            Self::ReadLink { .. } => 19,
            Self::MakeLink { .. } => 20,
            Self::Extended(_) => 200,
        }
    }

    /// The packet, and the bytes to send right behind it: data to be written
    /// is not copied for every node.
    pub(crate) fn encode(self, id: u32) -> (Bytes, Bytes) {
        let mut writer = Writer::new(self.kind());
        writer.u32(id);
        match &self {
            Self::Open { path, flags, attributes } => {
                attributes.write(writer.string(path).u32(flags.0));
            }
            Self::Close { handle }
            | Self::StatHandle { handle }
            | Self::ReadDirectory { handle } => {
                writer.string(handle);
            }
            Self::Read { handle, offset, length } => {
                writer.string(handle).u64(*offset).u32(*length);
            }
            Self::Write { handle, offset, data } => {
                let length = u32::try_from(data.len()).unwrap_or(u32::MAX);
                writer.string(handle).u64(*offset).u32(length);
                return (writer.finish_before(data.len()), data.clone());
            }
            Self::StatLink { path }
            | Self::OpenDirectory { path }
            | Self::Remove { path }
            | Self::RemoveDirectory { path }
            | Self::RealPath { path }
            | Self::Stat { path }
            | Self::ReadLink { path } => {
                writer.string(path);
            }
            Self::Set { path, attributes } | Self::MakeDirectory { path, attributes } => {
                attributes.write(writer.string(path));
            }
            Self::SetHandle { handle, attributes } => attributes.write(writer.string(handle)),
            Self::Rename { from, to } => {
                writer.string(from).string(to);
            }
            Self::MakeLink { points_to, path } => {
                writer.string(points_to).string(path);
            }
            Self::Extended(extension) => extension.write(&mut writer),
        }
        (writer.finish(), Bytes::new())
    }

    /// Id and request of a packet without its length.
    pub(crate) fn decode(packet: Bytes) -> Result<(u32, Self), WireError> {
        let mut reader = Reader::new(packet);
        let kind = reader.u8()?;
        let id = reader.u32()?;
        let request = match kind {
            3 => Self::Open {
                path: reader.string()?,
                flags: OpenFlags(reader.u32()?),
                attributes: Attributes::read(&mut reader)?,
            },
            4 => Self::Close { handle: reader.string()? },
            5 => Self::Read {
                handle: reader.string()?,
                offset: reader.u64()?,
                length: reader.u32()?,
            },
            6 => Self::Write {
                handle: reader.string()?,
                offset: reader.u64()?,
                data: reader.string()?,
            },
            7 => Self::StatLink { path: reader.string()? },
            8 => Self::StatHandle { handle: reader.string()? },
            9 => Self::Set { path: reader.string()?, attributes: Attributes::read(&mut reader)? },
            10 => Self::SetHandle {
                handle: reader.string()?,
                attributes: Attributes::read(&mut reader)?,
            },
            11 => Self::OpenDirectory { path: reader.string()? },
            12 => Self::ReadDirectory { handle: reader.string()? },
            13 => Self::Remove { path: reader.string()? },
            14 => Self::MakeDirectory {
                path: reader.string()?,
                attributes: Attributes::read(&mut reader)?,
            },
            15 => Self::RemoveDirectory { path: reader.string()? },
            16 => Self::RealPath { path: reader.string()? },
            17 => Self::Stat { path: reader.string()? },
            18 => Self::Rename { from: reader.string()?, to: reader.string()? },
            19 => Self::ReadLink { path: reader.string()? },
            20 => Self::MakeLink { points_to: reader.string()?, path: reader.string()? },
            200 => Self::Extended(Extension::read(&mut reader)?),
            other => return Err(WireError::Kind(other)),
        };
        reader.end()?;
        Ok((id, request))
    }
}

/// The client's first packet.
pub(crate) fn init() -> Bytes {
    let mut writer = Writer::new(INIT);
    writer.u32(VERSION_NUMBER);
    writer.finish()
}

/// The server's answer to it: its version and what it offers.
pub(crate) mod version {
    use super::{BTreeMap, Bytes, INIT, OURS, Reader, VERSION, VERSION_NUMBER, WireError, Writer};

    /// Ours.
    pub(crate) fn ours() -> Bytes {
        let mut writer = Writer::new(VERSION);
        writer.u32(VERSION_NUMBER);
        for (name, version) in OURS {
            writer.string(name.as_bytes()).string(version.as_bytes());
        }
        writer.finish()
    }

    /// Whether a packet is the client's first one.
    pub(crate) fn is_init(packet: &Bytes) -> bool {
        packet.first() == Some(&INIT)
    }

    /// Names of extensions and their versions.
    pub(crate) type Names = BTreeMap<Vec<u8>, Vec<u8>>;

    /// Number and extensions of a server's answer.
    pub(crate) fn decode(packet: Bytes) -> Result<(u32, Names), WireError> {
        let mut reader = Reader::new(packet);
        let kind = reader.u8()?;
        if kind != VERSION {
            return Err(WireError::Kind(kind));
        }
        let number = reader.u32()?;
        let mut offered = BTreeMap::new();
        while !reader.is_empty() {
            let (name, version) = (reader.string()?, reader.string()?);
            offered.insert(name.to_vec(), version.to_vec());
        }
        Ok((number, offered))
    }
}

#[cfg(test)]
#[path = "codec_tests.rs"]
mod codec_tests;
