//! Splits the text of a target into operators and words. Blanks end an
//! expression outside parentheses (the shell's command begins there) and mean
//! nothing inside. What a word means is decided by [`super::word`].

use std::iter::Peekable;
use std::ops::Range;
use std::str::CharIndices;

/// What a token is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum TokenKind {
    Open,
    Close,
    Union,
    Difference,
    Intersection,
    Xor,
    Word,
}

/// A token with its place, in bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Token {
    pub(super) kind: TokenKind,
    pub(super) span: Range<usize>,
}

/// The tokens of a text.
pub(super) fn lex(text: &str) -> Vec<Token> {
    let mut tokens = Vec::new();
    let mut characters = text.char_indices().peekable();
    let last_close = text.rfind(']').unwrap_or(0);
    while let Some(&(at, character)) = characters.peek() {
        let kind = match character {
            '(' => TokenKind::Open,
            ')' => TokenKind::Close,
            ',' => TokenKind::Union,
            '&' => TokenKind::Intersection,
            '^' => TokenKind::Xor,
            '!' => TokenKind::Difference,
            character if character.is_whitespace() => {
                characters.next();
                continue;
            }
            _ => {
                let end = Word { text, start: at, last_close }.end(&mut characters);
                tokens.push(Token { kind: TokenKind::Word, span: at..end });
                continue;
            }
        };
        characters.next();
        tokens.push(Token { kind, span: at..at + character.len_utf8() });
    }
    tokens
}

/// A word being read. Operators are ordinary characters within brackets
/// (`[1,3]`), within quotes, and in regular expressions between slashes; `!`
/// is one before `=` and `~`, and `^` right after `~`.
struct Word<'a> {
    text: &'a str,
    start: usize,
    last_close: usize,
}

impl Word<'_> {
    fn end(&self, characters: &mut Peekable<CharIndices<'_>>) -> usize {
        while let Some(&(at, character)) = characters.peek() {
            let next = self.text.get(at + character.len_utf8()..).unwrap_or_default();
            let before = self.text.get(self.start..at).unwrap_or_default();
            let ends = match character {
                '(' | ')' | ',' | '&' => true,
                '^' => !before.ends_with('~'),
                '!' => !next.starts_with(['=', '~']),
                character => character.is_whitespace(),
            };
            if ends {
                return at;
            }
            characters.next();
            match character {
                '[' if at < self.last_close => skip_past(characters, |one, _| one == ']'),
                '"' => skip_past(characters, |one, _| one == '"'),
                '/' if begins_regex(before) => {
                    skip_past(characters, |one, escaped| one == '/' && !escaped);
                }
                _ => {}
            }
        }
        self.text.len()
    }
}

/// Whether a slash after this begins a regular expression.
pub(super) fn begins_regex(before: &str) -> bool {
    before.ends_with('~')
        || (before.starts_with('@') && before.ends_with(":") && before.len() > 2)
        || before.ends_with(":@said:")
}

/// Skips past the character that ends something, or to the end of the text.
fn skip_past(
    characters: &mut Peekable<CharIndices<'_>>,
    mut is_end: impl FnMut(char, bool) -> bool,
) {
    let mut escaped = false;
    for (_, character) in characters {
        if is_end(character, escaped) {
            return;
        }
        escaped = character == '\\' && !escaped;
    }
}
