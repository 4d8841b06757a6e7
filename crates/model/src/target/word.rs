//! The parts of one word of a target: `CLUSTER:`, then a reference (`@gpu`), a
//! test (`key>=value`) or a name. Shared by the parser, which gives them a
//! meaning, and by highlighting and completion, which work on half of a word
//! too. All places are bytes within the word.

use std::ops::Range;

/// The comparators, the longer ones first.
const COMPARATORS: &[(&str, Comparator)] = &[
    ("!=", Comparator::IsNot),
    ("!~", Comparator::Unlike),
    (">=", Comparator::AtLeast),
    ("<=", Comparator::AtMost),
    ("=", Comparator::Is),
    ("~", Comparator::Like),
    (">", Comparator::More),
    ("<", Comparator::Less),
];

/// What stands between a key and a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Comparator {
    /// `=`: one of its values matches a glob.
    Is,
    /// `!=`: none does.
    IsNot,
    /// `~`: one of its values holds a match of a regular expression.
    Like,
    /// `!~`: none does.
    Unlike,
    /// `>`.
    More,
    /// `>=`.
    AtLeast,
    /// `<`.
    Less,
    /// `<=`.
    AtMost,
}

impl Comparator {
    /// As it is written.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        COMPARATORS.iter().find(|(_, one)| *one == self).map_or("", |(text, _)| text)
    }
}

/// A word, cut.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Parts {
    /// The cluster before the colon, if one is written.
    pub(super) cluster: Option<Range<usize>>,
    /// The rest.
    pub(super) body: Body,
}

/// What a word is, apart from its cluster.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Body {
    /// `@name`, `@@name`, `@said:/…/`.
    Reference { name: Range<usize>, argument: Option<Range<usize>> },
    /// `key=value` and its like.
    Test { key: Range<usize>, comparator: (Comparator, Range<usize>), value: Range<usize> },
    /// A name or a glob; empty after `CLUSTER:`.
    Name(Range<usize>),
}

/// Cuts a word. A colon after a comparator belongs to the value
/// (`tags=aws:x:y`), so only one before it ends a cluster's name.
pub(super) fn cut(word: &str) -> Parts {
    let mut cluster = None;
    let mut start = 0;
    if word.starts_with('@') {
        return Parts { cluster, body: reference(word, 0) };
    }
    let stop = stop(word, 0);
    if stop > 0 && word.get(stop..).is_some_and(|rest| rest.starts_with(':')) {
        cluster = Some(0..stop);
        start = stop + 1;
        if word.get(start..).is_some_and(|rest| rest.starts_with('@')) {
            return Parts { cluster, body: reference(word, start) };
        }
    }
    let mut at = self::stop(word, start);
    // A second colon is part of a name.
    while word.get(at..).is_some_and(|rest| rest.starts_with(':')) {
        at = self::stop(word, at + 1);
    }
    let rest = word.get(at..).unwrap_or_default();
    let found = COMPARATORS.iter().find(|(text, _)| rest.starts_with(text));
    let body = match found {
        Some((text, comparator)) => {
            let end = at + text.len();
            Body::Test {
                key: start..at,
                comparator: (*comparator, at..end),
                value: end..word.len(),
            }
        }
        None => Body::Name(start..word.len()),
    };
    Parts { cluster, body }
}

/// The first colon or comparator outside brackets and quotes, or the end.
fn stop(word: &str, from: usize) -> usize {
    let mut inside = None;
    let last_close = word.rfind(']').unwrap_or(0);
    for (at, character) in word.char_indices().filter(|(at, _)| *at >= from) {
        match (inside, character) {
            (Some(end), character) if character == end => inside = None,
            (None, '[') if at < last_close => inside = Some(']'),
            (None, '"') => inside = Some('"'),
            (None, ':' | '=' | '~' | '<' | '>') => return at,
            (None, '!') => return at,
            (Some(_) | None, _) => {}
        }
    }
    word.len()
}

fn reference(word: &str, start: usize) -> Body {
    let rest = word.get(start..).unwrap_or_default();
    let signs = if rest.starts_with("@@") { 2 } else { 1 };
    let start = start + signs;
    let rest = word.get(start..).unwrap_or_default();
    match rest.find(':') {
        Some(colon) => Body::Reference {
            name: start..start + colon,
            argument: Some(start + colon + 1..word.len()),
        },
        None => Body::Reference { name: start..word.len(), argument: None },
    }
}
