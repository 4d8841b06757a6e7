//! What each part of a target is, for colours. Works on half of one too.

use std::ops::Range;

use super::expr::RESULT_WORDS;
use super::lex::{TokenKind, lex};
use super::parse::parse;
use super::word::{Body, cut};
use crate::span::SourceId;

/// What a part of a target is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TokenClass {
    /// `,` `!` `&` `^`, and the colon after a cluster.
    Operator,
    /// `(` and `)`.
    Parenthesis,
    /// A name, or the plain part of a glob.
    Name,
    /// `*`, `?`, `[abc]`.
    Wildcard,
    /// `[1-8]`.
    Range,
    /// The cluster before a colon.
    Cluster,
    /// The key of a property.
    Key,
    /// `=`, `!=`, `~`, `<` and their like.
    Comparator,
    /// What a property is compared with.
    Value,
    /// A regular expression.
    Regex,
    /// `@name`.
    Set,
    /// `@failed` and its like.
    Result,
    /// What cannot be understood.
    Error,
}

/// The parts of a text, in order, none of them empty and no two overlapping.
/// Blanks belong to none.
#[must_use]
pub fn highlight(text: &str) -> Vec<(Range<usize>, TokenClass)> {
    let mut parts = Vec::new();
    for token in lex(text) {
        match token.kind {
            TokenKind::Open | TokenKind::Close => {
                parts.push((token.span, TokenClass::Parenthesis));
            }
            TokenKind::Word => {
                word(text.get(token.span.clone()).unwrap_or_default(), token.span, &mut parts);
            }
            TokenKind::Union | TokenKind::Difference | TokenKind::Intersection | TokenKind::Xor => {
                parts.push((token.span, TokenClass::Operator));
            }
        }
    }
    let (_, problems) = parse(SourceId::default(), text);
    for span in problems.iter().filter_map(crate::Diagnostic::span) {
        parts = marked(parts, &(span.start..span.end));
    }
    parts
}

fn word(word: &str, span: Range<usize>, parts: &mut Vec<(Range<usize>, TokenClass)>) {
    let mut push = |range: Range<usize>, class| {
        if !range.is_empty() {
            parts.push((span.start + range.start..span.start + range.end, class));
        }
    };
    let cut = cut(word);
    if let Some(cluster) = cut.cluster {
        push(cluster.clone(), TokenClass::Cluster);
        push(cluster.end..cluster.end + 1, TokenClass::Operator);
    }
    match cut.body {
        Body::Name(range) => {
            for (part, class) in glob(word.get(range.clone()).unwrap_or_default()) {
                push(range.start + part.start..range.start + part.end, class);
            }
        }
        Body::Test { key, comparator: (comparator, sign), value } => {
            let class = match comparator.as_str() {
                "~" | "!~" => TokenClass::Regex,
                _ => TokenClass::Value,
            };
            push(key, TokenClass::Key);
            push(sign, TokenClass::Comparator);
            push(value, class);
        }
        Body::Reference { name, argument } => {
            let said = word.get(name.clone()).unwrap_or_default();
            let is_result = RESULT_WORDS.iter().any(|(word, _)| word.eq_ignore_ascii_case(said));
            let class = if is_result { TokenClass::Result } else { TokenClass::Set };
            let signs =
                word.get(..name.start).map_or(0, |before| before.trim_end_matches('@').len());
            push(signs..name.end, class);
            if let Some(argument) = argument {
                push(name.end..argument.start, TokenClass::Operator);
                push(argument, TokenClass::Regex);
            }
        }
    }
}

/// The plain parts, wildcards and ranges of a glob.
fn glob(text: &str) -> Vec<(Range<usize>, TokenClass)> {
    let mut parts: Vec<(Range<usize>, TokenClass)> = Vec::new();
    let mut at = 0;
    while let Some(character) = text.get(at..).and_then(|rest| rest.chars().next()) {
        let rest = text.get(at..).unwrap_or_default();
        let (length, class) = match character {
            '*' | '?' => (1, TokenClass::Wildcard),
            '[' => match rest.find(']') {
                Some(end) => {
                    let inside = rest.get(1..end).unwrap_or_default();
                    let is_class =
                        inside.contains(|c: char| !c.is_ascii_digit() && !",-/".contains(c));
                    let class = if is_class { TokenClass::Wildcard } else { TokenClass::Range };
                    (end + 1, class)
                }
                None => (1, TokenClass::Name),
            },
            other => (other.len_utf8(), TokenClass::Name),
        };
        match parts.last_mut() {
            Some((range, last)) if *last == class && class == TokenClass::Name => {
                range.end = at + length;
            }
            _ => parts.push((at..at + length, class)),
        }
        at += length;
    }
    parts
}

/// The parts with what lies within a place marked as wrong.
fn marked(
    parts: Vec<(Range<usize>, TokenClass)>,
    place: &Range<usize>,
) -> Vec<(Range<usize>, TokenClass)> {
    let mut all = Vec::with_capacity(parts.len());
    for (range, class) in parts {
        let start = range.start.max(place.start);
        let end = range.end.min(place.end);
        let cuts = if start < end {
            [(range.start..start, class), (start..end, TokenClass::Error), (end..range.end, class)]
        } else {
            [(range.clone(), class), (0..0, class), (0..0, class)]
        };
        all.extend(cuts.into_iter().filter(|(range, _)| !range.is_empty()));
    }
    all
}

#[cfg(test)]
mod tests {
    use super::highlight;

    #[test]
    fn every_part_has_its_class() {
        for (text, expected) in [
            ("worker[1-8],!w?", "Name worker|Range [1-8]|Operator ,|Operator !|Name w|Wildcard ?"),
            (
                "demo:(a & @gpu)",
                "Cluster demo|Operator :|Parenthesis (|Name a|Operator &|Set @gpu|Parenthesis )",
            ),
            ("state!=run*", "Key state|Comparator !=|Value run*"),
            ("name~/a,b/", "Key name|Comparator ~|Regex /a,b/"),
            ("@said:/x y/^@@ok", "Result @said|Operator :|Regex /x y/|Operator ^|Result @@ok"),
            ("a,wor[1-", "Name a|Operator ,|Name wor|Error [1-"),
            ("cores>=many", "Key cores|Comparator >=|Error many"),
            ("(a", "Error (|Name a"),
            ("", ""),
        ] {
            let parts: Vec<String> = highlight(text)
                .into_iter()
                .map(|(range, class)| format!("{class:?} {}", &text[range]))
                .collect();
            assert_eq!(parts.join("|"), expected, "{text}");
        }
    }
}
