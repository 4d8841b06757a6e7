//! Finds what in a line names its node or its moment: the node's own names and
//! addresses, process ids, dates, times and durations. Pure. Knows one line at
//! a time, and nothing of what is done with the places.

use std::collections::BTreeSet;

use super::facts::NodeFacts;
use super::{mask_pid, mask_time};

/// What a masked place is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum MaskKind {
    /// A name of the node.
    Node,
    /// An address of the node.
    Ip,
    /// The number of a process.
    Pid,
    /// A date, a time, or how long something took.
    Time,
}

impl MaskKind {
    /// What stands in its place.
    #[must_use]
    pub const fn placeholder(self) -> &'static str {
        match self {
            Self::Node => "{node}",
            Self::Ip => "{ip}",
            Self::Pid => "{pid}",
            Self::Time => "{time}",
        }
    }
}

/// A place in a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Masked {
    /// Its first byte.
    pub start: usize,
    /// The byte after it.
    pub end: usize,
    /// What it is.
    pub kind: MaskKind,
}

/// What is masked for one node, or for several.
#[derive(Debug, Clone, Default)]
pub struct Mask {
    names: Words,
    addresses: Words,
}

impl Mask {
    /// The names and addresses of these nodes; times and pids always.
    #[must_use]
    pub fn new<'a>(nodes: impl IntoIterator<Item = &'a NodeFacts>) -> Self {
        let mut mask = Self::default();
        for node in nodes {
            node.aliases.iter().for_each(|name| mask.names.add(name));
            node.addresses.iter().for_each(|address| mask.addresses.add(address));
        }
        mask
    }

    /// Replaces `found` by the places in a line, in order.
    pub fn find(&self, line: &[u8], found: &mut Vec<Masked>) {
        found.clear();
        let mut at = 0;
        let mut before = mask_pid::Before::default();
        while let Some(byte) = line.get(at).copied() {
            if !byte.is_ascii_alphanumeric() {
                // A word may begin with an underscore, a masked place not.
                let rest = line.get(at..).unwrap_or_default();
                at += if byte == b'_' { word_length(rest) } else { 1 };
                continue;
            }
            // Here a word begins: `at` never stops inside one.
            match self.at(line, at, &before) {
                Some((length, kind)) => {
                    found.push(Masked { start: at, end: at + length, kind });
                    at += length;
                    // What follows directly belongs to it: `0.003` of `x0.003`.
                    before = mask_pid::Before::default();
                }
                None => {
                    let length = word_length(line.get(at..).unwrap_or_default());
                    before.word(line, at, length);
                    at += length;
                }
            }
        }
        mask_time::join(line, found);
    }

    fn at(&self, line: &[u8], at: usize, before: &mask_pid::Before) -> Option<(usize, MaskKind)> {
        let rest = line.get(at..)?;
        if let Some(length) = self.names.at(rest) {
            return Some((length, MaskKind::Node));
        }
        if let Some(length) = self.addresses.at(rest).filter(|length| is_apart(line, at, *length)) {
            return Some((length, MaskKind::Ip));
        }
        let first = *rest.first()?;
        if first.is_ascii_digit() {
            if let Some(length) = before.pid(line, at) {
                return Some((length, MaskKind::Pid));
            }
            if let Some(length) = mask_time::since_boot(line, at) {
                return Some((length, MaskKind::Time));
            }
            if is_part_of_number(line, at) {
                return None;
            }
        }
        mask_time::at(rest).map(|length| (length, MaskKind::Time))
    }
}

/// Whether what is before makes this the end of something longer: `1.` of
/// `1.30`, `x:` of `file.c:12:30`.
fn is_part_of_number(line: &[u8], at: usize) -> bool {
    let before = |back: usize| at.checked_sub(back).and_then(|at| line.get(at)).copied();
    matches!(before(1), Some(b'.' | b':'))
        && before(2).is_some_and(|byte| byte.is_ascii_alphanumeric())
}

/// Whether an address is no part of a longer one.
fn is_apart(line: &[u8], at: usize, length: usize) -> bool {
    let begins = !is_part_of_number(line, at);
    let after = |ahead: usize| line.get(at + length + ahead).copied();
    let goes_on = after(0) == Some(b'.') && after(1).is_some_and(|byte| byte.is_ascii_digit());
    begins && !goes_on
}

/// Length of the word at the begin.
pub(super) fn word_length(text: &[u8]) -> usize {
    text.iter().take_while(|byte| is_word(**byte)).count().max(1)
}

/// Whether the byte belongs to a word. Bytes of non-ASCII letters do.
pub(super) const fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_' || byte >= 0x80
}

/// Words to look for, however many, by their few different lengths.
#[derive(Debug, Clone)]
struct Words {
    words: BTreeSet<Vec<u8>>,
    /// Longest first: `n1.example.org` before `n1`.
    lengths: Vec<usize>,
    /// Which bytes words begin with: most words of a text are not even looked
    /// up.
    firsts: [bool; 256],
}

impl Default for Words {
    fn default() -> Self {
        Self { words: BTreeSet::new(), lengths: Vec::new(), firsts: [false; 256] }
    }
}

impl Words {
    fn add(&mut self, word: &str) {
        let first = word.bytes().next().and_then(|first| self.firsts.get_mut(usize::from(first)));
        if let Some(first) = first {
            *first = true;
        }
        if self.words.insert(word.as_bytes().to_vec()) && !self.lengths.contains(&word.len()) {
            self.lengths.push(word.len());
            self.lengths.sort_unstable_by(|one, other| other.cmp(one));
        }
    }

    /// Length of the word that the text begins with.
    fn at(&self, text: &[u8]) -> Option<usize> {
        let first = usize::from(*text.first()?);
        self.firsts.get(first).filter(|known| **known)?;
        self.lengths.iter().copied().find(|length| {
            text.get(*length).is_none_or(|after| !is_word(*after))
                && text.get(..*length).is_some_and(|word| self.words.contains(word))
        })
    }
}

#[cfg(test)]
mod tests;
