//! Globs over names: `*`, `?`, character classes and numeric ranges. Matching
//! ignores case, since two names of a cluster never differ by case alone.

use std::ops::Range;

/// Longest pattern in characters; bounds the cost of a match.
const PATTERN_CHARS_MAX: usize = 1024;

/// Longest number in digits that a range can match: that of `u64::MAX`.
const DIGITS_MAX: usize = 20;

/// A compiled glob.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pattern {
    pieces: Vec<Piece>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Piece {
    Literal(char),
    Any,
    Many,
    Class { negated: bool, members: Vec<(char, char)> },
    Numbers(Vec<Numbers>),
}

/// `first-last/step`, padded with zeros to `width` digits where it was written
/// so.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Numbers {
    first: u64,
    last: u64,
    step: u64,
    width: usize,
}

impl Numbers {
    fn holds(&self, digits: &str) -> bool {
        let Ok(value) = digits.parse::<u64>() else {
            return false;
        };
        let width_fits = if self.width > 0 {
            digits.len() == self.width || (digits.len() > self.width && !digits.starts_with('0'))
        } else {
            digits == "0" || !digits.starts_with('0')
        };
        width_fits
            && (self.first..=self.last).contains(&value)
            && (value - self.first).is_multiple_of(self.step)
    }
}

/// What is wrong with a pattern, and where (bytes within it).
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct PatternProblem {
    pub(super) span: Range<usize>,
    pub(super) message: String,
    pub(super) help: String,
}

impl Pattern {
    /// Compiles a glob.
    pub(super) fn compile(text: &str) -> Result<Self, PatternProblem> {
        if text.chars().count() > PATTERN_CHARS_MAX {
            return Err(PatternProblem {
                span: 0..text.len(),
                message: format!("a pattern has at most {PATTERN_CHARS_MAX} characters"),
                help: "split it with commas".into(),
            });
        }
        let mut pieces = Vec::new();
        let mut rest = text.char_indices();
        while let Some((at, character)) = rest.next() {
            pieces.push(match character {
                '*' => Piece::Many,
                '?' => Piece::Any,
                '[' => {
                    let inside = rest.as_str();
                    let Some(length) = inside.find(']') else {
                        return Err(PatternProblem {
                            span: at..text.len(),
                            message: "`[` without `]`".into(),
                            help: "close the range, as in `worker[1-8]`".into(),
                        });
                    };
                    let body = inside.get(..length).unwrap_or_default();
                    rest = skip(text, at + 1 + length + 1);
                    bracket(body, at + 1)?
                }
                other => Piece::Literal(lower(other)),
            });
        }
        Ok(Self { pieces })
    }

    /// Whether the whole of `text` matches.
    #[must_use]
    pub fn matches(&self, text: &str) -> bool {
        let characters: Vec<char> = text.chars().map(lower).collect();
        covers(&self.pieces, &characters)
    }

    /// The name itself, when the pattern is one: no wildcard, class or range.
    #[must_use]
    pub fn literal(&self) -> Option<String> {
        self.pieces
            .iter()
            .map(|piece| match piece {
                Piece::Literal(character) => Some(*character),
                _ => None,
            })
            .collect()
    }
}

/// The character iterator of `text` from a byte offset on, keeping offsets.
fn skip(text: &str, offset: usize) -> std::str::CharIndices<'_> {
    let mut indices = text.char_indices();
    while indices.offset() < offset {
        if indices.next().is_none() {
            break;
        }
    }
    indices
}

fn lower(character: char) -> char {
    character.to_lowercase().next().unwrap_or(character)
}

/// What stands between brackets: numbers when it looks like numbers, else a
/// class of characters.
fn bracket(body: &str, at: usize) -> Result<Piece, PatternProblem> {
    let numeric = body.chars().any(|character| character.is_ascii_digit())
        && body.chars().all(|character| character.is_ascii_digit() || "-,/".contains(character));
    if numeric {
        return numbers(body, at).map(Piece::Numbers);
    }
    let (negated, body) = body.strip_prefix(['!', '^']).map_or((false, body), |rest| (true, rest));
    let characters: Vec<char> = body.chars().map(lower).collect();
    if characters.is_empty() {
        return Err(PatternProblem {
            span: at.saturating_sub(1)..at + 1,
            message: "empty brackets match nothing".into(),
            help: "write characters or numbers, as in `[abc]` or `[1-8]`".into(),
        });
    }
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
    Ok(Piece::Class { negated, members })
}

/// `1-8`, `01-64`, `1-9/2`, `1,3,7-9`.
fn numbers(body: &str, at: usize) -> Result<Vec<Numbers>, PatternProblem> {
    let mut offset = at;
    let mut all = Vec::new();
    for part in body.split(',') {
        let span = offset..offset + part.len();
        all.push(one_range(part).ok_or_else(|| PatternProblem {
            span,
            message: format!("`{part}` is no range of numbers"),
            help: "write `1-8`, `01-64`, `1-9/2` or `1,3,7-9`, the smaller number first".into(),
        })?);
        offset += part.len() + 1;
    }
    Ok(all)
}

fn one_range(part: &str) -> Option<Numbers> {
    let (range, step) = match part.split_once('/') {
        Some((range, step)) => (range, step.parse().ok()?),
        None => (part, 1),
    };
    let (first, last) = range.split_once('-').unwrap_or((range, range));
    let width = if first.len() > 1 && first.starts_with('0') { first.len() } else { 0 };
    let numbers = Numbers { first: first.parse().ok()?, last: last.parse().ok()?, step, width };
    (step > 0 && numbers.first <= numbers.last).then_some(numbers)
}

/// Whether the pieces cover the whole text. Keeps the set of places in the text
/// that the pieces so far can end at, so the cost is pieces times characters,
/// whatever the pattern.
fn covers(pieces: &[Piece], text: &[char]) -> bool {
    let mut ends: Vec<usize> = vec![0];
    for piece in pieces {
        ends = match piece {
            Piece::Many => ends.first().map_or(Vec::new(), |&first| (first..=text.len()).collect()),
            Piece::Numbers(numbers) => after_numbers(numbers, &ends, text),
            one => ends
                .iter()
                .filter(|&&end| text.get(end).is_some_and(|found| one_matches(one, *found)))
                .map(|end| end + 1)
                .collect(),
        };
        if ends.is_empty() {
            return false;
        }
    }
    ends.last() == Some(&text.len())
}

/// Where a numeric range can end, for each place it can begin at.
fn after_numbers(numbers: &[Numbers], ends: &[usize], text: &[char]) -> Vec<usize> {
    let mut after = Vec::new();
    for &end in ends {
        let mut digits = String::new();
        for digit in text.iter().skip(end).take(DIGITS_MAX).take_while(|c| c.is_ascii_digit()) {
            digits.push(*digit);
            if numbers.iter().any(|range| range.holds(&digits)) {
                after.push(end + digits.len());
            }
        }
    }
    after.sort_unstable();
    after.dedup();
    after
}

fn one_matches(piece: &Piece, character: char) -> bool {
    match piece {
        Piece::Literal(wanted) => *wanted == character,
        Piece::Any => true,
        Piece::Class { negated, members } => {
            members.iter().any(|(low, high)| (*low..=*high).contains(&character)) != *negated
        }
        Piece::Many | Piece::Numbers(_) => false,
    }
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
            ("[abc]x", "bx", true),
            ("[!abc]x", "bx", false),
            ("[a-c]x", "cx", true),
            ("*a*a*a*a*b", "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", false),
            ("*", "", true),
        ] {
            let compiled = Pattern::compile(pattern).unwrap();
            assert_eq!(compiled.matches(name), expected, "{pattern} against {name}");
        }
    }

    #[test]
    fn broken_brackets_are_explained() {
        for pattern in ["worker[1-8", "worker[8-1]", "worker[1-9/0]", "worker[]", "worker[1,,2]"] {
            assert!(Pattern::compile(pattern).is_err(), "{pattern}");
        }
    }
}
