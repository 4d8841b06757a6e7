//! What a server answers. Pure.

use bytes::Bytes;

use super::attributes::Attributes;
use super::error::StatusCode;
use super::wire::{Reader, WireError, Writer};

const STATUS: u8 = 101;
const HANDLE: u8 = 102;
const DATA: u8 = 103;
const NAME: u8 = 104;
const ATTRIBUTES: u8 = 105;
const EXTENDED: u8 = 201;

/// A name in a directory, or a path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// The name: bytes, as the node has them.
    pub name: Bytes,
    /// As `ls -l` shows it.
    pub long: Bytes,
    /// What it is, without following a link.
    pub attributes: Attributes,
}

/// An answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Reply {
    Status { code: StatusCode, text: String },
    Handle(Bytes),
    Data(Bytes),
    Names(Vec<Entry>),
    Attributes(Attributes),
    Extended(Bytes),
}

impl Reply {
    pub(crate) fn decode(packet: Bytes) -> Result<(u32, Self), WireError> {
        let mut reader = Reader::new(packet);
        let kind = reader.u8()?;
        let id = reader.u32()?;
        let reply = match kind {
            STATUS => {
                let code = StatusCode::from_number(reader.u32()?);
                // Old servers leave the text out.
                let text = if reader.is_empty() { String::new() } else { reader.text()? };
                let _language = reader.rest();
                Self::Status { code, text }
            }
            HANDLE => Self::Handle(reader.string()?),
            DATA => Self::Data(reader.string()?),
            NAME => Self::Names(names(&mut reader)?),
            ATTRIBUTES => Self::Attributes(Attributes::read(&mut reader)?),
            EXTENDED => Self::Extended(reader.rest()),
            other => return Err(WireError::Kind(other)),
        };
        Ok((id, reply))
    }

    pub(crate) fn encode(&self, id: u32) -> Bytes {
        let mut writer = Writer::new(match self {
            Self::Status { .. } => STATUS,
            Self::Handle(_) => HANDLE,
            Self::Data(_) => DATA,
            Self::Names(_) => NAME,
            Self::Attributes(_) => ATTRIBUTES,
            Self::Extended(_) => EXTENDED,
        });
        writer.u32(id);
        match self {
            Self::Status { code, text } => {
                writer.u32(code.number()).string(text.as_bytes()).string(b"");
            }
            Self::Handle(bytes) | Self::Data(bytes) => {
                writer.string(bytes);
            }
            Self::Names(entries) => {
                writer.u32(u32::try_from(entries.len()).unwrap_or(u32::MAX));
                for entry in entries {
                    writer.string(&entry.name).string(&entry.long);
                    entry.attributes.write(&mut writer);
                }
            }
            Self::Attributes(attributes) => attributes.write(&mut writer),
            Self::Extended(body) => {
                writer.raw(body);
            }
        }
        writer.finish()
    }
}

fn names(reader: &mut Reader) -> Result<Vec<Entry>, WireError> {
    let count = reader.u32()?;
    let mut entries = Vec::new();
    // The count is the other side's word: memory grows with what comes.
    for _ in 0..count {
        entries.push(Entry {
            name: reader.string()?,
            long: reader.string()?,
            attributes: Attributes::read(reader)?,
        });
    }
    Ok(entries)
}
