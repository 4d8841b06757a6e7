//! A regular expression of a target. Written between slashes, in which commas,
//! parentheses and blanks are its own, or bare.

use std::fmt;

use regex::{Regex, RegexBuilder};

/// Most memory of a compiled expression, in bytes.
const COMPILED_BYTES_MAX: usize = 1 << 20;

/// A compiled regular expression. Ignores case, as globs do; `(?-i)` heeds it.
#[derive(Debug, Clone)]
pub struct Matcher {
    text: String,
    regex: Regex,
}

impl Matcher {
    /// Compiles an expression without its slashes.
    ///
    /// # Errors
    /// What is wrong with it, in one line.
    pub(super) fn compile(text: &str) -> Result<Self, String> {
        let built = RegexBuilder::new(text)
            .case_insensitive(true)
            .size_limit(COMPILED_BYTES_MAX)
            .dfa_size_limit(COMPILED_BYTES_MAX)
            .build();
        match built {
            Ok(regex) => Ok(Self { text: text.to_owned(), regex }),
            Err(regex::Error::CompiledTooBig(_)) => Err("it gets too large".to_owned()),
            Err(error) => {
                // The last line says what, those before it draw where.
                let text = error.to_string();
                let last = text.lines().last().unwrap_or_default().trim();
                Err(last.trim_start_matches("error: ").to_owned())
            }
        }
    }

    /// The expression without its slashes.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Whether a text holds a match.
    #[must_use]
    pub fn matches(&self, text: &str) -> bool {
        self.regex.is_match(text)
    }
}

impl PartialEq for Matcher {
    fn eq(&self, other: &Self) -> bool {
        self.text == other.text
    }
}

impl Eq for Matcher {}

impl fmt::Display for Matcher {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "/{}/", self.text.replace('/', "\\/"))
    }
}
