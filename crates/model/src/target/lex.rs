//! Splits the text of a target into operators and words. Blanks end an
//! expression outside parentheses (the shell's command begins there) and mean
//! nothing inside.

use std::ops::Range;

/// What a token is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum TokenKind {
    Open,
    Close,
    Union,
    Difference,
    Intersection,
    Xor,
    Word(String),
}

/// A token with its place, in bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Token {
    pub(super) kind: TokenKind,
    pub(super) span: Range<usize>,
}

/// The tokens of a text. Brackets keep their commas: `[1,3]` is one word. A
/// `!` that begins `!=` belongs to its word, and one inside brackets too.
/// A backslash makes the next character an ordinary one, as users who escape
/// globs for their own shell expect.
pub(super) fn lex(text: &str) -> Vec<Token> {
    let mut tokens = Vec::new();
    let mut word = Word::default();
    let mut characters = text.char_indices().peekable();
    let mut in_brackets = false;
    while let Some((at, character)) = characters.next() {
        let next = characters.peek().map(|&(_, next)| next);
        if in_brackets {
            in_brackets = character != ']';
            word.push(at, character);
            continue;
        }
        let kind = match character {
            '(' => TokenKind::Open,
            ')' => TokenKind::Close,
            ',' => TokenKind::Union,
            '&' => TokenKind::Intersection,
            '^' => TokenKind::Xor,
            '!' if next != Some('=') || word.text.is_empty() => TokenKind::Difference,
            '\\' if matches!(next, Some('*' | '?' | '[' | ']')) => continue,
            character if character.is_whitespace() => {
                word.end(&mut tokens);
                continue;
            }
            _ => {
                in_brackets = character == '[' && text.get(at..).is_some_and(|r| r.contains(']'));
                word.push(at, character);
                continue;
            }
        };
        word.end(&mut tokens);
        tokens.push(Token { kind, span: at..at + character.len_utf8() });
    }
    word.end(&mut tokens);
    tokens
}

/// The word being collected.
#[derive(Default)]
struct Word {
    text: String,
    span: Range<usize>,
}

impl Word {
    fn push(&mut self, at: usize, character: char) {
        if self.text.is_empty() {
            self.span.start = at;
        }
        self.text.push(character);
        self.span.end = at + character.len_utf8();
    }

    fn end(&mut self, tokens: &mut Vec<Token>) {
        if !self.text.is_empty() {
            tokens.push(Token {
                kind: TokenKind::Word(std::mem::take(&mut self.text)),
                span: self.span.clone(),
            });
        }
    }
}
