//! From text to a template: where its placeholders are, and in which quotes.
//! Never fails: what is no placeholder is text.

use crate::span::{SourceId, Span};

/// What a text is read as.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Syntax {
    /// A command of a POSIX shell: values are quoted so that the shell sees
    /// them as they are.
    Shell,
    /// A plain value, which whoever uses it quotes as a whole.
    Plain,
}

/// A text with its placeholders found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Template {
    pub(super) source: SourceId,
    pub(super) parts: Vec<Part>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Part {
    Text(String),
    Value(Placeholder),
}

/// One placeholder of a text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Placeholder {
    pub(super) key: Key,
    pub(super) default: Option<String>,
    /// Whether it has no braces, so that programs may mean something by it.
    pub(super) is_short: bool,
    pub(super) quotes: Quotes,
    pub(super) span: Span,
}

/// Which value is asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Key {
    Name,
    Rank,
    Count,
    Cluster,
    Tag(String),
    Property(String),
}

/// What surrounds a placeholder, and so how its value is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Quotes {
    /// No shell reads it.
    Raw,
    Bare,
    Single,
    Double,
    /// Within or after something that this reader of shell does not follow: a
    /// here-document, a command substitution.
    Unclear,
}

impl Template {
    /// Finds the placeholders of `text`, which is `source`.
    #[must_use]
    pub fn new(source: SourceId, text: &str, syntax: Syntax) -> Self {
        let mut scanner = Scanner {
            source,
            text,
            at: 0,
            kept_from: 0,
            quotes: if syntax == Syntax::Shell { Quotes::Bare } else { Quotes::Raw },
            expansions: 0,
            unclear: false,
            parts: Vec::new(),
        };
        scanner.scan();
        Self { source, parts: scanner.parts }
    }

    /// The text as it stands, without looking for placeholders.
    #[must_use]
    pub fn literal(source: SourceId, text: &str) -> Self {
        let text = (!text.is_empty()).then(|| Part::Text(text.to_owned()));
        Self { source, parts: text.into_iter().collect() }
    }

    /// Whether it is the same for every node.
    #[must_use]
    pub fn is_constant(&self) -> bool {
        self.parts.iter().all(|part| matches!(part, Part::Text(_)))
    }

    /// Whether one of its placeholders is a short one: `%h`, `%host`, `%rank`.
    #[must_use]
    pub fn has_short_placeholder(&self) -> bool {
        self.parts.iter().any(|part| match part {
            Part::Text(_) => false,
            Part::Value(value) => value.is_short,
        })
    }
}

struct Scanner<'a> {
    source: SourceId,
    text: &'a str,
    /// The next byte to look at; always the start of a character.
    at: usize,
    /// Text from here on is not in `parts` yet.
    kept_from: usize,
    quotes: Quotes,
    /// How many `${` are open.
    expansions: usize,
    unclear: bool,
    parts: Vec<Part>,
}

impl Scanner<'_> {
    fn scan(&mut self) {
        while let Some(next) = self.rest().chars().next() {
            if next == '%' && self.expansions == 0 {
                self.percents();
            } else if self.quotes == Quotes::Raw {
                self.at += next.len_utf8();
            } else {
                self.shell(next);
            }
        }
        self.keep(self.text.len());
    }

    fn rest(&self) -> &str {
        self.text.get(self.at..).unwrap_or_default()
    }

    /// Moves the text before `end` to the parts.
    fn keep(&mut self, end: usize) {
        let text = self.text.get(self.kept_from..end).unwrap_or_default();
        match self.parts.last_mut() {
            _ if text.is_empty() => {}
            Some(Part::Text(before)) => before.push_str(text),
            _ => self.parts.push(Part::Text(text.to_owned())),
        }
        self.kept_from = end;
    }

    /// A run of percent signs. Before a placeholder two of them are one.
    fn percents(&mut self) {
        let count = self.rest().bytes().take_while(|byte| *byte == b'%').count();
        let last = self.at + count - 1;
        let after = self.text.get(last + 1..).unwrap_or_default();
        let Some((key, default, length)) = placeholder(after) else {
            self.at += count;
            return;
        };
        self.keep(self.at + count / 2);
        let end = last + 1 + length;
        if count % 2 == 1 {
            let span = Span::new(self.source, last, end);
            let quotes = if self.unclear { Quotes::Unclear } else { self.quotes };
            let is_short = !after.starts_with('{');
            self.parts.push(Part::Value(Placeholder { key, default, is_short, quotes, span }));
            self.kept_from = end;
        } else {
            self.kept_from = last + 1;
        }
        self.at = end;
    }

    /// One step of reading shell: what quotes follow. Gives up, for the rest of
    /// the text, where that would need a whole shell.
    fn shell(&mut self, next: char) {
        let rest = self.rest();
        let mut length = next.len_utf8();
        match (self.quotes, next) {
            (Quotes::Single, '\'') => self.quotes = Quotes::Bare,
            (Quotes::Single, _) => {}
            (_, '\\') => length += self.escaped(),
            (Quotes::Double, '"') => self.quotes = Quotes::Bare,
            (_, '$') if rest.starts_with("${") => {
                self.expansions += 1;
                length = 2;
            }
            (_, '}') if self.expansions > 0 => self.expansions -= 1,
            (_, '`') => self.unclear = true,
            (_, '$') if rest.starts_with("$(") => self.unclear = true,
            (Quotes::Double, _) => {}
            (_, '$') if rest.starts_with("$'") => self.unclear = true,
            (_, '<') if rest.starts_with("<<") => self.unclear = true,
            (_, '#') => self.unclear |= self.begins_word(),
            (_, '\'' | '"') if self.expansions > 0 => self.unclear = true,
            (_, '\'') => self.quotes = Quotes::Single,
            (_, '"') => self.quotes = Quotes::Double,
            _ => {}
        }
        self.at += length;
    }

    /// How many bytes the backslash here takes with it.
    fn escaped(&self) -> usize {
        match self.rest().chars().nth(1) {
            Some(next) if self.quotes == Quotes::Double && !"\"\\$`\n".contains(next) => 0,
            Some(next) => next.len_utf8(),
            None => 0,
        }
    }

    fn begins_word(&self) -> bool {
        let before = self.text.get(..self.at).unwrap_or_default();
        before.chars().next_back().is_none_or(|before| " \t\n;&|()".contains(before))
    }
}

/// What follows a percent sign: the value asked for, its default, and how long
/// it is.
fn placeholder(after: &str) -> Option<(Key, Option<String>, usize)> {
    if let Some(inner) = after.strip_prefix('{') {
        let end = inner.find('}')?;
        let (key, default) = braced(inner.get(..end)?)?;
        return Some((key, default, end + 2));
    }
    let is_word = |c: char| c.is_ascii_alphanumeric() || c == '_';
    let word = after.get(..after.find(|c| !is_word(c)).unwrap_or(after.len()))?;
    let key = match word {
        "h" | "host" => Key::Name,
        "rank" => Key::Rank,
        _ => return None,
    };
    Some((key, None, word.len()))
}

/// `KEY` or `KEY:-DEFAULT`; none for what cannot be meant as one.
fn braced(inner: &str) -> Option<(Key, Option<String>)> {
    let (name, default) = match inner.split_once(":-") {
        Some((name, default)) => (name, Some(default.to_owned())),
        None => (inner, None),
    };
    if let Some(tag) = name.strip_prefix("tag:") {
        let is_tag = !tag.is_empty() && !tag.contains('\n');
        return is_tag.then(|| (Key::Tag(tag.to_owned()), default));
    }
    let is_key = |c: char| c.is_ascii_alphanumeric() || "_-.".contains(c);
    let key = match name {
        "h" | "host" | "name" | "node" => Key::Name,
        "rank" => Key::Rank,
        "count" => Key::Count,
        "cluster" => Key::Cluster,
        "" => return None,
        _ if name.chars().all(is_key) => Key::Property(name.to_owned()),
        _ => return None,
    };
    Some((key, default))
}

/// The keys that are no properties, for suggestions.
pub(super) const OWN_KEYS: [&str; 4] = ["name", "rank", "count", "cluster"];
