//! Where a piece of text stands: a source (a file, a flag of the command line)
//! and a range of bytes in it. Knows nothing of what the text means.

use serde::Serialize;

/// One text among the [`Sources`] of an operation. The default is the first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize)]
#[serde(transparent)]
pub struct SourceId(u32);

/// A range of bytes in a source.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
pub struct Span {
    /// The text it is in.
    pub source: SourceId,
    /// First byte.
    pub start: usize,
    /// Byte after the last one.
    pub end: usize,
}

impl Span {
    /// A span; an end before the start is taken as the start.
    #[must_use]
    pub const fn new(source: SourceId, start: usize, end: usize) -> Self {
        Self { source, start, end: if end < start { start } else { end } }
    }
}

/// A value and where it was written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Spanned<T> {
    /// The value.
    pub value: T,
    /// Where it was written.
    pub span: Span,
}

impl<T> Spanned<T> {
    /// A value with its place.
    pub const fn new(value: T, span: Span) -> Self {
        Self { value, span }
    }

    /// The same place with another value.
    pub fn map<U>(self, change: impl FnOnce(T) -> U) -> Spanned<U> {
        Spanned { value: change(self.value), span: self.span }
    }
}

/// A named text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Source {
    /// What users call it: a path, or a flag as typed.
    pub name: String,
    /// The text.
    pub text: String,
}

/// A place as people count: lines and columns from 1, columns in characters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Place {
    /// Line, from 1.
    pub line: usize,
    /// Column in characters, from 1.
    pub column: usize,
}

impl Source {
    /// The place of a byte; one past the end counts as the end.
    #[must_use]
    pub fn place(&self, byte: usize) -> Place {
        let before = floor(&self.text, byte);
        let line = before.bytes().filter(|&b| b == b'\n').count() + 1;
        let start = before.rfind('\n').map_or(0, |at| at + 1);
        let column = before.get(start..).unwrap_or_default().chars().count() + 1;
        Place { line, column }
    }

    /// The text of a span, shortened to what there is.
    #[must_use]
    pub fn slice(&self, span: Span) -> &str {
        let start = floor(&self.text, span.start).len();
        floor(&self.text, span.end).get(start..).unwrap_or_default()
    }
}

/// The text up to a byte, or to the last character boundary before it.
fn floor(text: &str, byte: usize) -> &str {
    let mut at = byte.min(text.len());
    while !text.is_char_boundary(at) {
        at -= 1;
    }
    text.get(..at).unwrap_or_default()
}

/// Every text that the diagnostics of an operation may point into.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Sources {
    list: Vec<Source>,
}

impl Sources {
    /// Adds a text.
    pub fn add(&mut self, name: impl Into<String>, text: impl Into<String>) -> SourceId {
        let id = SourceId(u32::try_from(self.list.len()).unwrap_or(u32::MAX));
        self.list.push(Source { name: name.into(), text: text.into() });
        id
    }

    /// The text behind an id.
    #[must_use]
    pub fn get(&self, id: SourceId) -> Option<&Source> {
        self.list.get(id.0 as usize)
    }
}

#[cfg(test)]
mod tests {
    use super::{Place, SourceId, Sources, Span};

    #[test]
    fn columns_count_characters_and_never_leave_the_text() {
        let mut sources = Sources::default();
        let id = sources.add("a.yaml", "é: 1\r\nb: ü2");
        let source = sources.get(id).unwrap();
        for (byte, line, column) in
            [(0, 1, 1), (1, 1, 1), (2, 1, 2), (7, 2, 1), (12, 2, 5), (99, 2, 6)]
        {
            assert_eq!(source.place(byte), Place { line, column }, "byte {byte}");
        }
        assert_eq!(source.slice(Span::new(id, 10, 99)), "ü2");
        assert_eq!(source.slice(Span::new(id, 99, 3)), "");
        assert_eq!(sources.get(SourceId(7)), None);
    }
}
