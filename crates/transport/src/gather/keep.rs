//! The output of all nodes of a run, within bounds: a little of each node in
//! memory, the rest in one file, and when that fails, marked as cut off.

use std::io;
use std::path::PathBuf;

use super::digest::{Digest, Hashing};
use super::facts::NodeFacts;
use super::record::Record;
use super::spill::Spill;
use crate::fanout::{LineEnd, StreamName};
use crate::limits;

/// Which of a node's streams an output is made of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Text {
    /// Standard output.
    Out,
    /// Standard error.
    Err,
    /// Both, in the order of arrival.
    Both,
}

impl Text {
    /// Whether the stream is part of it.
    #[must_use]
    pub fn has(self, stream: StreamName) -> bool {
        match self {
            Self::Out => stream == StreamName::Out,
            Self::Err => stream == StreamName::Err,
            Self::Both => true,
        }
    }
}

/// How output is kept.
#[derive(Debug, Clone)]
pub struct GatherOptions {
    /// What is going to be folded.
    pub text: Text,
    /// Bytes of one node that stay in memory.
    pub node_bytes_max: usize,
    /// Bytes of all nodes that stay in memory.
    pub bytes_max: usize,
    /// Where the file for the rest may be made, best first.
    pub directories: Vec<PathBuf>,
}

impl GatherOptions {
    /// The usual bounds. `directories` as the user's environment says.
    #[must_use]
    pub const fn new(text: Text, directories: Vec<PathBuf>) -> Self {
        let streams = match text {
            Text::Out | Text::Err => 1,
            Text::Both => 2,
        };
        Self {
            text,
            node_bytes_max: limits::GATHER_STREAM_BYTES_MAX * streams,
            bytes_max: limits::GATHER_BYTES_MAX,
            directories,
        }
    }
}

/// What nodes printed. Nodes are known by their place in the list that it was
/// made with.
#[derive(Debug)]
pub struct Gather {
    nodes: Vec<NodeOutput>,
    options: GatherOptions,
    spill: Spill,
    /// Bytes in memory.
    held: usize,
}

#[derive(Debug)]
struct NodeOutput {
    facts: NodeFacts,
    record: Record,
    /// Of the text that is going to be folded, whole even when the record is
    /// cut off.
    hashing: Hashing,
    /// The stream that is in the middle of a line, when both are one text.
    within_line: Option<StreamName>,
}

impl Gather {
    /// Nothing has been printed.
    #[must_use]
    pub fn new(nodes: Vec<NodeFacts>, options: GatherOptions) -> Self {
        let nodes = nodes.into_iter().map(|facts| NodeOutput {
            facts,
            record: Record::default(),
            hashing: Hashing::default(),
            within_line: None,
        });
        let spill = Spill::new(options.directories.clone());
        Self { nodes: nodes.collect(), options, spill, held: 0 }
    }

    /// Takes lines of one node: `bytes` with newlines between them, `end` what
    /// came after. Streams that are not part of the text are passed over.
    pub fn push(&mut self, node: usize, stream: StreamName, bytes: &[u8], end: LineEnd) {
        let Some(output) = self.nodes.get_mut(node) else { return };
        if !self.options.text.has(stream) {
            return;
        }
        // A line of one stream that is not over must not run into the other.
        let begins_late = output.within_line.is_some_and(|open| open != stream);
        if begins_late {
            self.add(node, stream, b"\n");
        }
        self.add(node, stream, bytes);
        if end == LineEnd::Newline {
            self.add(node, stream, b"\n");
        }
        if let Some(output) = self.nodes.get_mut(node) {
            let goes_on = end == LineEnd::Cut || (end == LineEnd::Output && !bytes.is_empty());
            output.within_line = goes_on.then_some(stream);
        }
    }

    fn add(&mut self, node: usize, stream: StreamName, mut bytes: &[u8]) {
        if let Some(output) = self.nodes.get_mut(node) {
            output.hashing.add(bytes);
        }
        while !bytes.is_empty() {
            if self.held >= self.options.bytes_max {
                self.spill_all();
            }
            let Some(output) = self.nodes.get_mut(node) else { return };
            let before = output.record.held();
            if before >= self.options.node_bytes_max && output.record.spill(&mut self.spill) {
                self.held = self.held.saturating_sub(before);
            }
            let Some(output) = self.nodes.get_mut(node) else { return };
            let before = output.record.held();
            let room = self.options.node_bytes_max.saturating_sub(before);
            let room = room.min(self.options.bytes_max.saturating_sub(self.held));
            if room == 0 || output.record.dropped() > 0 {
                output.record.drop_bytes(bytes.len());
                return;
            }
            let (piece, rest) = bytes.split_at(room.min(bytes.len()));
            output.record.add(stream, piece);
            self.held = self.held.saturating_add(output.record.held() - before);
            bytes = rest;
        }
    }

    /// All at once: picking the largest each time would be a search per line.
    fn spill_all(&mut self) {
        for output in &mut self.nodes {
            let before = output.record.held();
            if !output.record.spill(&mut self.spill) {
                return;
            }
            self.held = self.held.saturating_sub(before);
        }
    }

    /// Which streams the text is made of.
    #[must_use]
    pub const fn text(&self) -> Text {
        self.options.text
    }

    /// How many nodes there are.
    #[must_use]
    pub const fn node_count(&self) -> usize {
        self.nodes.len()
    }

    /// What is known of a node.
    #[must_use]
    pub fn facts(&self, node: usize) -> Option<&NodeFacts> {
        self.nodes.get(node).map(|output| &output.facts)
    }

    /// The digest of what a node printed.
    #[must_use]
    pub fn digest(&self, node: usize) -> Option<Digest> {
        self.nodes.get(node).map(|output| output.hashing.digest())
    }

    /// Length of what a node printed, in bytes.
    #[must_use]
    pub fn length(&self, node: usize) -> u64 {
        self.nodes.get(node).map_or(0, |output| output.hashing.length())
    }

    /// Lines that a node printed.
    pub(super) fn lines(&self, node: usize) -> u64 {
        self.nodes.get(node).map_or(0, |output| output.hashing.lines())
    }

    /// Bytes at the end of a node's output that could not be kept.
    #[must_use]
    pub fn dropped(&self, node: usize) -> u64 {
        self.nodes.get(node).map_or(0, |output| output.record.dropped())
    }

    /// Bytes of all nodes in memory.
    #[must_use]
    pub const fn held(&self) -> usize {
        self.held
    }

    /// Bytes of all nodes on disk.
    #[must_use]
    pub const fn spilled(&self) -> u64 {
        self.spill.length()
    }

    /// Why output could not be put on disk, if that was needed.
    #[must_use]
    pub fn trouble(&self) -> Option<&str> {
        self.spill.failed()
    }

    /// Writes what a node printed.
    ///
    /// # Errors
    /// When it cannot be read back, or not be written.
    pub fn write(&self, node: usize, sink: &mut dyn io::Write) -> io::Result<()> {
        self.read(node, self.options.text, &mut |bytes| sink.write_all(bytes))
    }

    /// What a node printed to some of the streams that are kept.
    ///
    /// # Errors
    /// When it cannot be read back, or what `take` answers.
    pub fn read(
        &self,
        node: usize,
        text: Text,
        take: &mut dyn FnMut(&[u8]) -> io::Result<()>,
    ) -> io::Result<()> {
        let Some(output) = self.nodes.get(node) else { return Ok(()) };
        output.record.read(&self.spill, &mut |stream, bytes| {
            if text.has(stream) { take(bytes) } else { Ok(()) }
        })
    }
}

#[cfg(test)]
mod tests;
