//! What a file is: size, owner, mode, times. Pure.

use super::wire::{Reader, WireError, Writer};

const SIZE: u32 = 0x1;
const OWNER: u32 = 0x2;
const MODE: u32 = 0x4;
const TIMES: u32 = 0x8;
const EXTENDED: u32 = 0x8000_0000;

/// Bits of a mode that say what kind of file it is.
const KIND_BITS: u32 = 0o170_000;

/// More extended attributes than anybody sends.
const EXTENDED_MAX: u32 = 1024;

/// What is known, or to be changed, of a file.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Attributes {
    /// Bytes.
    pub size: Option<u64>,
    /// Numbers of its user and group.
    pub owner: Option<(u32, u32)>,
    /// Kind and permissions, as in `st_mode`.
    pub mode: Option<u32>,
    /// Last read and last changed, in seconds since 1970.
    pub times: Option<(u32, u32)>,
}

/// The kinds of files.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum FileKind {
    /// A regular file.
    File,
    /// A directory.
    Directory,
    /// A symbolic link.
    Symlink,
    /// A device, pipe, socket or something unheard of.
    Special,
}

impl Attributes {
    /// Its kind; without a mode it is taken for a regular file.
    #[must_use]
    pub const fn kind(&self) -> FileKind {
        let Some(mode) = self.mode else { return FileKind::File };
        match mode & KIND_BITS {
            0 | 0o100_000 => FileKind::File,
            0o040_000 => FileKind::Directory,
            0o120_000 => FileKind::Symlink,
            _ => FileKind::Special,
        }
    }

    /// When it was last changed, in seconds since 1970.
    #[must_use]
    pub const fn changed_at(&self) -> Option<u32> {
        match self.times {
            Some((_, changed)) => Some(changed),
            None => None,
        }
    }

    pub(super) fn read(reader: &mut Reader) -> Result<Self, WireError> {
        let flags = reader.u32()?;
        let mut attributes = Self::default();
        if flags & SIZE != 0 {
            attributes.size = Some(reader.u64()?);
        }
        if flags & OWNER != 0 {
            attributes.owner = Some((reader.u32()?, reader.u32()?));
        }
        if flags & MODE != 0 {
            attributes.mode = Some(reader.u32()?);
        }
        if flags & TIMES != 0 {
            attributes.times = Some((reader.u32()?, reader.u32()?));
        }
        if flags & EXTENDED != 0 {
            for _ in 0..reader.u32()?.min(EXTENDED_MAX) {
                let (_name, _value) = (reader.string()?, reader.string()?);
            }
        }
        Ok(attributes)
    }

    pub(super) fn write(&self, writer: &mut Writer) {
        let flag = |there: bool, bit: u32| if there { bit } else { 0 };
        writer.u32(
            flag(self.size.is_some(), SIZE)
                | flag(self.owner.is_some(), OWNER)
                | flag(self.mode.is_some(), MODE)
                | flag(self.times.is_some(), TIMES),
        );
        if let Some(size) = self.size {
            writer.u64(size);
        }
        if let Some((user, group)) = self.owner {
            writer.u32(user).u32(group);
        }
        if let Some(mode) = self.mode {
            writer.u32(mode);
        }
        if let Some((read, changed)) = self.times {
            writer.u32(read).u32(changed);
        }
    }
}
