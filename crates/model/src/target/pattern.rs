//! Globs over names: `*`, `?`, character classes and numeric ranges. Matching
//! ignores case, since two names of a cluster never differ by case alone.

use std::borrow::Cow;
use std::fmt::Write as _;
use std::ops::Range;

use super::numbers::Numbers;

/// Most wildcards, classes and ranges of one pattern; bounds the cost of a
/// match.
const WILDCARDS_MAX: usize = 64;

/// Longest number in digits that a range can match: that of `u64::MAX`.
const DIGITS_MAX: usize = 20;

/// A compiled glob.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pattern {
    text: String,
    pieces: Vec<Piece>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Piece {
    /// Characters as written, and as they are compared.
    Literal {
        written: String,
        lower: String,
    },
    Any,
    Many,
    Class {
        negated: bool,
        members: Vec<(char, char)>,
    },
    Numbers(Numbers),
}

/// What is wrong with a pattern, and where (bytes within it).
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct PatternProblem {
    pub(super) span: Range<usize>,
    pub(super) message: String,
    pub(super) help: String,
}

/// The places a match may stand at, kept between matches so that none of them
/// needs memory of its own.
#[derive(Debug, Default)]
pub(super) struct Scratch {
    ends: Vec<usize>,
    next: Vec<usize>,
}

impl Pattern {
    /// Compiles a glob. Quotes are dropped; a backslash before a wildcard or a
    /// bracket is too, since users escape globs for their own shell.
    pub(super) fn compile(text: &str) -> Result<Self, PatternProblem> {
        let mut pieces: Vec<Piece> = Vec::new();
        let mut rest = text.char_indices().peekable();
        while let Some((at, character)) = rest.next() {
            let next = rest.peek().map(|&(_, next)| next);
            match character {
                '*' if pieces.last() == Some(&Piece::Many) => {}
                '*' => pieces.push(Piece::Many),
                '?' => pieces.push(Piece::Any),
                '[' => {
                    let (piece, end) = bracket(text, at)?;
                    pieces.push(piece);
                    while rest.peek().is_some_and(|(at, _)| *at < end) {
                        rest.next();
                    }
                }
                '\\' if matches!(next, Some('*' | '?' | '[' | ']')) => {}
                '"' => {}
                other => literal(&mut pieces, other),
            }
        }
        let wildcards = pieces.iter().filter(|piece| !matches!(piece, Piece::Literal { .. }));
        if wildcards.count() > WILDCARDS_MAX {
            return Err(PatternProblem {
                span: 0..text.len(),
                message: format!("a pattern has at most {WILDCARDS_MAX} wildcards and ranges"),
                help: "split it with commas".into(),
            });
        }
        Ok(Self { text: text.to_owned(), pieces })
    }

    /// The pattern as written.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Whether the whole of `text` matches.
    #[must_use]
    pub fn matches(&self, text: &str) -> bool {
        self.matches_lower(&lower(text), &mut Scratch::default())
    }

    /// Whether the whole of a text matches that is [`lower`] already.
    pub(super) fn matches_lower(&self, text: &str, scratch: &mut Scratch) -> bool {
        match self.pieces.as_slice() {
            [Piece::Many] => true,
            [] => text.is_empty(),
            [Piece::Literal { lower, .. }] => text == lower,
            [Piece::Literal { lower, .. }, Piece::Many] => text.starts_with(lower.as_str()),
            [Piece::Many, Piece::Literal { lower, .. }] => text.ends_with(lower.as_str()),
            [Piece::Literal { lower, .. }, Piece::Numbers(numbers)] => {
                text.strip_prefix(lower.as_str()).is_some_and(|digits| numbers.holds(digits))
            }
            pieces => covers(pieces, text, scratch),
        }
    }

    /// The name itself in small letters, when the pattern is one: no wildcard,
    /// class or range.
    #[must_use]
    pub fn literal(&self) -> Option<String> {
        match self.pieces.as_slice() {
            [] => Some(String::new()),
            [Piece::Literal { lower, .. }] => Some(lower.clone()),
            _ => None,
        }
    }

    /// Whether it is `*`.
    pub(super) fn is_everything(&self) -> bool {
        self.pieces == [Piece::Many]
    }

    /// The numbers that it stands for, when it is nothing but numbers: places
    /// in a listing.
    pub(super) fn numbers(&self) -> Option<Vec<u64>> {
        const PLACES_MAX: u64 = 100_000;
        match self.pieces.as_slice() {
            [Piece::Literal { written, .. }] => written.parse().ok().map(|number| vec![number]),
            [Piece::Numbers(numbers)] if numbers.count() <= PLACES_MAX => {
                Some(numbers.each().map(|(number, _)| number).collect())
            }
            _ => None,
        }
    }

    /// How many names it stands for; `None` when that depends on the names
    /// there are.
    pub(super) fn combinations(&self) -> Option<u64> {
        self.pieces.iter().try_fold(1_u64, |product, piece| match piece {
            Piece::Literal { .. } => Some(product),
            Piece::Numbers(numbers) => Some(product.saturating_mul(numbers.count())),
            Piece::Any | Piece::Many | Piece::Class { .. } => None,
        })
    }

    /// The names it stands for, as written, or in small letters for comparing.
    /// Nothing when that depends on the names there are; the caller asked
    /// [`Pattern::combinations`] how many there will be.
    pub(super) fn each_name(&self, in_small: bool, name: &mut dyn FnMut(&str)) {
        if self.combinations().is_some() {
            spell(&self.pieces, in_small, &mut String::new(), name);
        }
    }
}

/// The form in which texts are compared.
pub(super) fn lower(text: &str) -> Cow<'_, str> {
    if text.bytes().all(|byte| byte.is_ascii() && !byte.is_ascii_uppercase()) {
        return Cow::Borrowed(text);
    }
    Cow::Owned(text.chars().map(small).collect())
}

fn small(character: char) -> char {
    character.to_lowercase().next().unwrap_or(character)
}

fn literal(pieces: &mut Vec<Piece>, character: char) {
    match pieces.last_mut() {
        Some(Piece::Literal { written, lower }) => {
            written.push(character);
            lower.push(small(character));
        }
        _ => pieces.push(Piece::Literal {
            written: character.to_string(),
            lower: small(character).to_string(),
        }),
    }
}

/// The piece that a bracket begins, and the byte after it: numbers when it
/// looks like numbers, else a class of characters.
fn bracket(text: &str, at: usize) -> Result<(Piece, usize), PatternProblem> {
    let inside = text.get(at + 1..).unwrap_or_default();
    let Some((body, _)) = inside.split_once(']') else {
        return Err(PatternProblem {
            span: at..text.len(),
            message: "`[` without `]`".into(),
            help: "close the range, as in `worker[1-8]`".into(),
        });
    };
    let end = at + 1 + body.len() + 1;
    let body = body.strip_suffix('\\').unwrap_or(body);
    let numeric = body.bytes().any(|byte| byte.is_ascii_digit())
        && body.bytes().all(|byte| byte.is_ascii_digit() || b"-,/".contains(&byte));
    if numeric {
        return Ok((Piece::Numbers(Numbers::parse(body, at + 1)?), end));
    }
    class(body).map(|piece| (piece, end)).ok_or_else(|| PatternProblem {
        span: at..end,
        message: "empty brackets match nothing".into(),
        help: "write characters or numbers, as in `[abc]` or `[1-8]`".into(),
    })
}

fn class(body: &str) -> Option<Piece> {
    let (negated, body) = body.strip_prefix(['!', '^']).map_or((false, body), |rest| (true, rest));
    let characters: Vec<char> = body.chars().map(small).collect();
    let mut members = Vec::new();
    let mut rest = characters.as_slice();
    loop {
        rest = match rest {
            [] => break,
            [low, '-', high, tail @ ..] => {
                members.push((*low, *high));
                tail
            }
            [one, tail @ ..] => {
                members.push((*one, *one));
                tail
            }
        };
    }
    (!members.is_empty()).then_some(Piece::Class { negated, members })
}

/// Whether the pieces cover the whole text. Keeps the set of places in the text
/// that the pieces so far can end at, so the cost is pieces times characters,
/// whatever the pattern.
fn covers(pieces: &[Piece], text: &str, scratch: &mut Scratch) -> bool {
    let Scratch { ends, next } = scratch;
    ends.clear();
    ends.push(0);
    for piece in pieces {
        next.clear();
        match piece {
            Piece::Many => {
                let first = ends.first().copied().unwrap_or(text.len());
                next.extend((first..=text.len()).filter(|at| text.is_char_boundary(*at)));
            }
            Piece::Numbers(numbers) => {
                for &end in ends.iter() {
                    after_numbers(numbers, end, text, next);
                }
                next.sort_unstable();
                next.dedup();
            }
            one => next.extend(ends.iter().filter_map(|&end| after_one(one, end, text))),
        }
        if next.is_empty() {
            return false;
        }
        std::mem::swap(ends, next);
    }
    ends.last() == Some(&text.len())
}

/// Where a numeric range that begins at a place can end.
fn after_numbers(numbers: &Numbers, start: usize, text: &str, after: &mut Vec<usize>) {
    let rest = text.get(start..).unwrap_or_default();
    let run = rest.bytes().take(DIGITS_MAX).take_while(u8::is_ascii_digit).count();
    for length in 1..=run {
        if rest.get(..length).is_some_and(|digits| numbers.holds(digits)) {
            after.push(start + length);
        }
    }
}

fn after_one(piece: &Piece, start: usize, text: &str) -> Option<usize> {
    let rest = text.get(start..)?;
    let character = rest.chars().next();
    match piece {
        Piece::Literal { lower, .. } => {
            rest.starts_with(lower.as_str()).then_some(start + lower.len())
        }
        Piece::Any => Some(start + character?.len_utf8()),
        Piece::Class { negated, members } => {
            let character = character?;
            let is_member = members.iter().any(|(low, high)| (*low..=*high).contains(&character));
            (is_member != *negated).then_some(start + character.len_utf8())
        }
        Piece::Many | Piece::Numbers(_) => None,
    }
}

fn spell(pieces: &[Piece], in_small: bool, begun: &mut String, name: &mut dyn FnMut(&str)) {
    let before = begun.len();
    match pieces.split_first() {
        None => name(begun),
        Some((Piece::Literal { written, lower }, rest)) => {
            begun.push_str(if in_small { lower } else { written });
            spell(rest, in_small, begun, name);
        }
        Some((Piece::Numbers(numbers), rest)) => {
            for (value, width) in numbers.each() {
                // Writing to memory cannot fail.
                let _ = write!(begun, "{value:0width$}");
                spell(rest, in_small, begun, name);
                begun.truncate(before);
            }
        }
        Some((Piece::Any | Piece::Many | Piece::Class { .. }, _)) => {}
    }
    begun.truncate(before);
}

#[cfg(test)]
mod tests {
    use super::Pattern;

    #[test]
    fn globs_classes_and_numbers_match_whole_names() {
        for (pattern, name, expected) in [
            ("worker*", "worker1", true),
            ("worker*", "myworker1", false),
            ("WORKER?", "worker1", true),
            ("worker[1-8]", "worker8", true),
            ("worker[1-8]", "worker9", false),
            ("worker[1-8]", "worker10", false),
            ("worker[1-8]", "WORKER7", true),
            (r"worker\[1-8\]", "worker8", true),
            (r"worker\*", "worker8", true),
            ("worker[3-15]", "worker15", true),
            ("worker[3-15]", "worker2", false),
            ("worker[1,3]", "worker3", true),
            ("worker[1,3]", "worker2", false),
            ("worker[1-9/2]", "worker7", true),
            ("worker[1-9/2]", "worker8", false),
            ("n[01-64]", "n07", true),
            ("n[01-64]", "n7", false),
            ("n[1-64]", "n07", false),
            ("n[098-101]", "n100", true),
            ("n1[0-9]", "n15", true),
            ("r[1-2]n[1-2]", "r2n1", true),
            ("r[1-2]n[1-2]", "r2n3", false),
            ("*r[1-3]", "worker2", true),
            ("*r[1-3]", "worker4", false),
            ("[abc]x", "bx", true),
            ("[!abc]x", "bx", false),
            ("[a-c]x", "CX", true),
            ("[é-ü]x", "Éx", true),
            ("?x", "éx", true),
            ("*1", "worker1", true),
            ("*a*a*a*a*b", "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", false),
            ("*", "", true),
            ("", "", true),
            ("", "a", false),
            ("\"my node\"*", "My Node 1", true),
        ] {
            let compiled = Pattern::compile(pattern).unwrap();
            assert_eq!(compiled.matches(name), expected, "{pattern} against {name}");
        }
    }

    #[test]
    fn broken_brackets_are_explained() {
        let many = "?a".repeat(65);
        for pattern in
            ["worker[1-8", "worker[8-1]", "worker[1-9/0]", "worker[]", "worker[1,,2]", &many]
        {
            assert!(Pattern::compile(pattern).is_err(), "{pattern}");
        }
    }

    #[test]
    fn the_names_that_a_range_stands_for_keep_case_and_padding() {
        for (pattern, count, expected) in [
            ("Web", Some(1), "Web"),
            ("DC[1-2]n[08-10/2]", Some(4), "DC1n08 DC1n10 DC2n08 DC2n10"),
            ("a*", None, ""),
        ] {
            let compiled = Pattern::compile(pattern).unwrap();
            let mut names = Vec::new();
            compiled.each_name(false, &mut |name| names.push(name.to_owned()));
            assert_eq!(compiled.combinations(), count);
            assert_eq!(names.join(" "), expected);
            assert!(names.iter().all(|name| compiled.matches(name)));
        }
    }
}
