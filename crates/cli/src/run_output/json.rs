//! A run as a stream of JSON documents, one per line. Pure: fills buffers.

use std::io;

use serde::Serialize;
use transport::fanout::{LineEnd, RunEvent, RunEventKind, RunSummary};

use crate::document::{RunEventDocument, RunSummaryDocument};
use crate::reach::Unreached;

/// Appends the documents of one event: one per line of output.
pub(super) fn event(event: &RunEvent, into: &mut Vec<u8>) -> io::Result<()> {
    let RunEventKind::Output { stream, bytes, end } = &event.kind else {
        return document(&RunEventDocument::new(event), into);
    };
    let mut rest = Some(&bytes[..]);
    while let Some(bytes) = rest {
        let (line, after) = match memchr::memchr(b'\n', bytes) {
            Some(newline) => (bytes.get(..newline), bytes.get(newline + 1..)),
            None => (Some(bytes), None),
        };
        // Only the last line may end otherwise than with a newline.
        let end = if after.is_some() { LineEnd::Newline } else { *end };
        let line = line.unwrap_or_default();
        document(&RunEventDocument::line(&event.node, *stream, line, end), into)?;
        rest = after;
    }
    Ok(())
}

/// Appends how the run ended.
pub(super) fn summary(
    summary: &RunSummary,
    unreached: &[Unreached],
    into: &mut Vec<u8>,
) -> io::Result<()> {
    document(&RunSummaryDocument::new(summary, unreached), into)
}

fn document(document: &impl Serialize, into: &mut Vec<u8>) -> io::Result<()> {
    serde_json::to_writer(&mut *into, document).map_err(io::Error::other)?;
    into.push(b'\n');
    Ok(())
}
