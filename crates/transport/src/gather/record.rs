//! What one node printed, both streams in the order of arrival: frames of one
//! stream each, the older ones on disk. Pure but for the file it is given.

use std::io;

use super::spill::{Extent, Spill};
use crate::fanout::StreamName;

/// A frame begins with the stream and the length of what follows.
const HEADER_BYTES: usize = 5;

/// The output of one node.
#[derive(Debug, Default)]
pub(super) struct Record {
    spilled: Vec<Extent>,
    /// Frames that are not on disk.
    tail: Vec<u8>,
    /// The last frame of the tail, which may grow: its stream and its place.
    open: Option<(StreamName, usize)>,
    /// Bytes that found no place.
    dropped: u64,
}

impl Record {
    /// Bytes in memory.
    pub(super) const fn held(&self) -> usize {
        self.tail.len()
    }

    /// Whether something found no place.
    pub(super) const fn dropped(&self) -> u64 {
        self.dropped
    }

    /// Notes bytes that found no place. Nothing may be added after it.
    pub(super) const fn drop_bytes(&mut self, count: usize) {
        self.dropped = self.dropped.saturating_add(count as u64);
    }

    /// Appends to the last frame if it is of the same stream, else begins one.
    pub(super) fn add(&mut self, stream: StreamName, bytes: &[u8]) {
        if bytes.is_empty() {
            return;
        }
        let at = match self.open {
            Some((open, at)) if open == stream => at,
            _ => {
                let at = self.tail.len();
                self.tail.push(tag(stream));
                self.tail.extend_from_slice(&0_u32.to_le_bytes());
                self.open = Some((stream, at));
                at
            }
        };
        self.tail.extend_from_slice(bytes);
        let length = self.tail.len().saturating_sub(at + HEADER_BYTES);
        // The tail is bounded far below 4 GiB by who owns it.
        let length = u32::try_from(length).unwrap_or(u32::MAX);
        if let Some(place) = self.tail.get_mut(at + 1..at + HEADER_BYTES) {
            place.copy_from_slice(&length.to_le_bytes());
        }
    }

    /// Moves what is in memory to disk; answers whether it could.
    pub(super) fn spill(&mut self, spill: &mut Spill) -> bool {
        if self.tail.is_empty() {
            return true;
        }
        let Some(extent) = spill.append(&self.tail) else { return false };
        match self.spilled.last_mut() {
            Some(last) if last.at + last.length == extent.at => last.length += extent.length,
            _ => self.spilled.push(extent),
        }
        // A node that printed much once need not hold room for ever.
        self.tail = Vec::new();
        self.open = None;
        true
    }

    /// Everything, piece by piece, in the order of arrival.
    pub(super) fn read(
        &self,
        spill: &Spill,
        take: &mut dyn FnMut(StreamName, &[u8]) -> io::Result<()>,
    ) -> io::Result<()> {
        let mut frames = Frames::default();
        for extent in &self.spilled {
            spill.read(*extent, &mut |piece| frames.feed(piece, take))?;
        }
        frames.feed(&self.tail, take)
    }
}

const fn tag(stream: StreamName) -> u8 {
    match stream {
        StreamName::Out => 1,
        StreamName::Err => 2,
    }
}

/// Takes frames apart that come in arbitrary pieces.
#[derive(Debug, Default)]
struct Frames {
    header: Vec<u8>,
    /// The frame we are in, and how much of it is to come.
    within: Option<(StreamName, usize)>,
}

impl Frames {
    fn feed(
        &mut self,
        mut bytes: &[u8],
        take: &mut dyn FnMut(StreamName, &[u8]) -> io::Result<()>,
    ) -> io::Result<()> {
        while !bytes.is_empty() {
            match self.within {
                Some((stream, left)) => {
                    let (piece, rest) = bytes.split_at(left.min(bytes.len()));
                    take(stream, piece)?;
                    let left = left - piece.len();
                    self.within = (left > 0).then_some((stream, left));
                    bytes = rest;
                }
                None => {
                    let missing = HEADER_BYTES - self.header.len();
                    let (piece, rest) = bytes.split_at(missing.min(bytes.len()));
                    self.header.extend_from_slice(piece);
                    bytes = rest;
                    if let [tag, length @ ..] = self.header.as_slice()
                        && let Ok(length) = <[u8; 4]>::try_from(length)
                    {
                        let stream = if *tag == 1 { StreamName::Out } else { StreamName::Err };
                        let length = usize::try_from(u32::from_le_bytes(length));
                        self.within = length.ok().filter(|length| *length > 0).map(|l| (stream, l));
                        self.header.clear();
                    }
                }
            }
        }
        Ok(())
    }
}
