//! Patterns of host names as ssh writes them in `known_hosts` and in its
//! configuration: `*`, `?`, and `!` before what is left out. Pure.

/// A list of patterns. It matches when one of them does and none of those with
/// `!` does.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct PatternList(Vec<Pattern>);

/// One pattern of a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Pattern {
    /// What is matched, in lower case where case does not matter.
    text: String,
    /// Whether a match leaves the name out.
    negated: bool,
}

impl PatternList {
    /// From words that may begin with `!`. Case does not matter in host names.
    pub(crate) fn new<'a>(words: impl IntoIterator<Item = &'a str>) -> Self {
        Self(words.into_iter().filter(|word| !word.is_empty()).map(Pattern::new).collect())
    }

    /// From words whose case matters, as `Host` and the names of users in a
    /// configuration.
    pub(crate) fn exact<'a>(words: impl IntoIterator<Item = &'a str>) -> Self {
        Self(words.into_iter().filter(|word| !word.is_empty()).map(Pattern::exact).collect())
    }

    /// From words with commas between them.
    pub(crate) fn from_commas(text: &str) -> Self {
        Self::new(text.split(','))
    }

    /// Whether the list selects `name`, which must be in lower case where case
    /// does not matter.
    pub(crate) fn matches(&self, name: &str) -> bool {
        let mut found = false;
        for pattern in &self.0 {
            if matches(&pattern.text, name) {
                if pattern.negated {
                    return false;
                }
                found = true;
            }
        }
        found
    }

    /// The names in it that mean one host each.
    pub(crate) fn plain(&self) -> impl Iterator<Item = &str> {
        self.0.iter().filter(|pattern| pattern.is_plain()).map(|pattern| pattern.text.as_str())
    }

    /// Whether every part of it means one host.
    pub(crate) fn is_plain(&self) -> bool {
        self.0.iter().all(Pattern::is_plain)
    }
}

impl Pattern {
    fn new(word: &str) -> Self {
        let exact = Self::exact(word);
        Self { text: exact.text.to_lowercase(), ..exact }
    }

    fn exact(word: &str) -> Self {
        match word.strip_prefix('!') {
            Some(rest) => Self { text: rest.to_owned(), negated: true },
            None => Self { text: word.to_owned(), negated: false },
        }
    }

    fn is_plain(&self) -> bool {
        !self.negated && !self.text.contains(['*', '?'])
    }
}

/// Whether `pattern` with `*` and `?` describes the whole of `text`. Bytes are
/// compared, as ssh does. Takes time proportional to both lengths at worst.
pub(crate) fn matches(pattern: &str, text: &str) -> bool {
    let (pattern, text) = (pattern.as_bytes(), text.as_bytes());
    let (mut at, mut place) = (0, 0);
    // Where to go on after the last `*` when what follows it does not match.
    let mut retry: Option<(usize, usize)> = None;
    while let Some(&byte) = text.get(place) {
        match pattern.get(at) {
            Some(b'*') => {
                retry = Some((at + 1, place));
                at += 1;
            }
            Some(&wanted) if wanted == b'?' || wanted == byte => {
                at += 1;
                place += 1;
            }
            _ => match retry {
                Some((after, begun)) => {
                    retry = Some((after, begun + 1));
                    at = after;
                    place = begun + 1;
                }
                None => return false,
            },
        }
    }
    pattern.get(at..).unwrap_or_default().iter().all(|&byte| byte == b'*')
}

#[cfg(test)]
mod tests {
    use super::{PatternList, matches};
    use proptest::prelude::*;

    #[test]
    fn patterns_match_as_ssh_has_it() {
        let table = [
            ("a", "a", true),
            ("a", "ab", false),
            ("", "", true),
            ("*", "", true),
            ("*", "anything.at.all", true),
            ("a*c", "abc", true),
            ("a*c", "ac", true),
            ("a*c", "abcd", false),
            ("a*b*c", "aXbYbZc", true),
            ("??", "ab", true),
            ("??", "a", false),
            ("*.example.com", "a.example.com", true),
            ("*.example.com", "example.com", false),
            ("192.168.1.?", "192.168.1.5", true),
            ("192.168.1.?", "192.168.1.50", false),
            ("[*]:2222", "[host]:2222", true),
        ];
        for (pattern, text, expected) in table {
            assert_eq!(matches(pattern, text), expected, "{pattern} {text}");
        }
    }

    #[test]
    fn a_negated_pattern_wins_wherever_it_stands() {
        let table = [
            ("*.a,!b.a", "c.a", true),
            ("*.a,!b.a", "b.a", false),
            ("!b.a,*.a", "b.a", false),
            ("!b.a", "c.a", false),
            ("", "c", false),
            ("A,B", "b", true),
            (",,b", "b", true),
        ];
        for (list, name, expected) in table {
            assert_eq!(PatternList::from_commas(list).matches(name), expected, "{list} {name}");
        }
    }

    /// What the pattern means, said once more and slowly.
    fn naive(pattern: &[u8], text: &[u8]) -> bool {
        match pattern.split_first() {
            None => text.is_empty(),
            Some((b'*', rest)) => (0..=text.len()).any(|from| naive(rest, &text[from..])),
            Some((b'?', rest)) => !text.is_empty() && naive(rest, &text[1..]),
            Some((byte, rest)) => text.first() == Some(byte) && naive(rest, &text[1..]),
        }
    }

    proptest! {
        #[test]
        fn the_matcher_agrees_with_the_meaning(pattern in "[ab*?]{0,8}", text in "[ab]{0,10}") {
            prop_assert_eq!(
                matches(&pattern, &text),
                naive(pattern.as_bytes(), text.as_bytes())
            );
        }
    }
}
