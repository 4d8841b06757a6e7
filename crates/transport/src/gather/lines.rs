//! Text that comes in arbitrary pieces, as lines with their newlines. A line
//! that is too long comes in pieces that depend on the text alone. Pure.

use std::io;

use crate::limits::LINE_BYTES_MAX;

/// The line that is not whole yet.
#[derive(Debug, Default)]
pub(super) struct Lines {
    held: Vec<u8>,
}

impl Lines {
    /// Hands on every line that is whole with these bytes.
    pub(super) fn feed(
        &mut self,
        mut bytes: &[u8],
        take: &mut dyn FnMut(&[u8]) -> io::Result<()>,
    ) -> io::Result<()> {
        while !bytes.is_empty() {
            let room = LINE_BYTES_MAX.saturating_sub(self.held.len()).max(1);
            let window = bytes.get(..room).unwrap_or(bytes);
            let end = match memchr::memchr(b'\n', window) {
                Some(newline) => newline + 1,
                None if bytes.len() >= room => room,
                None => {
                    self.held.extend_from_slice(bytes);
                    return Ok(());
                }
            };
            let (line, rest) = bytes.split_at(end);
            if self.held.is_empty() {
                take(line)?;
            } else {
                self.held.extend_from_slice(line);
                take(&self.held)?;
                self.held.clear();
            }
            bytes = rest;
        }
        Ok(())
    }

    /// Hands on what has no newline.
    pub(super) fn finish(self, take: &mut dyn FnMut(&[u8]) -> io::Result<()>) -> io::Result<()> {
        if self.held.is_empty() { Ok(()) } else { take(&self.held) }
    }
}
