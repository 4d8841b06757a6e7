//! One line of a `known_hosts` file. Pure.

use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;

use super::hashed::HashedName;
use crate::host_pattern::PatternList;
use crate::keys::PublicKey;

/// Where something is written.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    /// The file.
    pub file: Arc<PathBuf>,
    /// The line, from 1.
    pub line: usize,
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.file.display(), self.line)
    }
}

/// What a key is listed for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Marker {
    /// The host may show it.
    None,
    /// It signs the certificates of hosts.
    Authority,
    /// Nobody may show it or be vouched for by it.
    Revoked,
}

/// The hosts that a line is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Names {
    /// Patterns with commas between them.
    Patterns(PatternList),
    /// One name, hashed.
    Hashed(HashedName),
}

/// What a line says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Line {
    pub(crate) marker: Marker,
    pub(crate) names: Names,
    pub(crate) key: PublicKey,
}

/// Reads a line; none for an empty one or a comment.
///
/// # Errors
/// What is wrong with it.
pub(crate) fn parse(text: &str) -> Result<Option<Line>, String> {
    let text = text.trim();
    if text.is_empty() || text.starts_with('#') {
        return Ok(None);
    }
    let mut words = text.split_ascii_whitespace();
    let mut next = |what: &str| words.next().ok_or_else(|| format!("{what} is missing"));
    let mut first = next("the name of the host")?;
    let marker = match first {
        "@cert-authority" => Marker::Authority,
        "@revoked" => Marker::Revoked,
        word if word.starts_with('@') => return Err(format!("`{word}` is no marker")),
        _ => Marker::None,
    };
    if marker != Marker::None {
        first = next("the name of the host")?;
    }
    let names = if HashedName::is_meant(first) {
        Names::Hashed(HashedName::parse(first).ok_or("the hashed name is damaged")?)
    } else {
        Names::Patterns(PatternList::from_commas(first))
    };
    let kind = next("the type of the key")?;
    let body = next("the key")?;
    let key = PublicKey::parse(&format!("{kind} {body}"))
        .map_err(|error| format!("the key cannot be read: {}", error.reason()))?;
    Ok(Some(Line { marker, names, key }))
}

#[cfg(test)]
mod tests {
    use super::{Marker, Names, parse};

    const KEY: &str =
        "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIA2txNUv2AdQnIOYcV2WiKLkOYGZohas3oJr7ec4UYPH";

    #[test]
    fn lines_are_read_with_marker_names_and_key() {
        let table = [
            ("a", Marker::None),
            ("@revoked a", Marker::Revoked),
            ("@cert-authority a", Marker::Authority),
            ("   @revoked\ta  ", Marker::Revoked),
        ];
        for (start, marker) in table {
            for end in ["", " a comment with blanks", "\r"] {
                let line = parse(&format!("{start} {KEY}{end}")).unwrap().unwrap();
                assert_eq!(line.marker, marker, "{start}");
                let Names::Patterns(names) = line.names else { panic!("{start}") };
                assert!(names.matches("a"));
            }
        }
    }

    #[test]
    fn empty_lines_and_comments_say_nothing() {
        for text in ["", "   ", "# a", "  # a", "\r"] {
            assert_eq!(parse(text), Ok(None), "{text:?}");
        }
    }

    #[test]
    fn what_is_wrong_with_a_line_is_said() {
        let table = [
            ("a", "the type of the key is missing"),
            ("@revoked", "the name of the host is missing"),
            ("@other a b c", "`@other` is no marker"),
            ("a ssh-ed25519", "the key is missing"),
            ("|1|x|y ssh-ed25519 AAAA", "the hashed name is damaged"),
            ("a ssh-ed25519 AAAA", "the key cannot be read"),
            ("a 1024 35 1234", "the key cannot be read"),
        ];
        for (text, expected) in table {
            let error = parse(text).unwrap_err();
            assert!(error.contains(expected), "{text}: {error}");
        }
    }
}
