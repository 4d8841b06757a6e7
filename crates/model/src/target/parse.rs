//! Text to expression. Recovers from errors, so that a half-typed target can
//! be completed and highlighted: there is always an expression, and a list of
//! what is wrong with it.

use std::ops::Range;

use super::expr::{Expr, ExprKind, Op};
use super::lex::{Token, TokenKind, lex};
use super::pattern::Pattern;
use super::term;
use crate::diagnostic::Diagnostic;
use crate::span::{SourceId, Span};

/// Deepest nesting of parentheses; bounds recursion.
const NESTING_MAX: usize = 64;

/// Longest text, in bytes: room for every name of a hundred thousand nodes.
pub const TARGET_BYTES_MAX: usize = 1 << 20;

/// What words mean.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Words {
    /// All that a target may be.
    Targets,
    /// Names and ranges, and nothing else.
    Names,
}

/// Parses a target. The diagnostics' spans are within `source`.
#[must_use]
pub fn parse(source: SourceId, text: &str) -> (Expr, Vec<Diagnostic>) {
    parse_words(source, text, Words::Targets)
}

pub(super) fn parse_words(source: SourceId, text: &str, words: Words) -> (Expr, Vec<Diagnostic>) {
    let mut found = Found { source, list: Vec::new() };
    if text.len() > TARGET_BYTES_MAX {
        let message = format!("a target has at most {TARGET_BYTES_MAX} bytes");
        found.problem(0..text.len(), &message, "name fewer nodes, or use ranges");
        return (Expr { kind: ExprKind::Broken, span: 0..text.len() }, found.list);
    }
    let tokens = lex(text);
    if tokens.is_empty() {
        return (Expr { kind: ExprKind::All, span: 0..text.len() }, found.list);
    }
    let mut parser = Parser { text, words, tokens: &tokens, at: 0, depth: 0, found };
    let mut expr = parser.expression();
    while let Some(token) = parser.peek().cloned() {
        parser.found.problem(
            token.span,
            "unexpected here",
            "join targets with `,`, `!`, `&` or `^`",
        );
        parser.at += 1;
        if parser.peek().is_some() {
            let right = parser.expression();
            expr = chain(expr, vec![(Op::Union, right)]);
        }
    }
    (expr, parser.found.list)
}

/// What is wrong with a text.
pub(super) struct Found {
    source: SourceId,
    list: Vec<Diagnostic>,
}

impl Found {
    pub(super) fn problem(&mut self, span: Range<usize>, message: &str, help: &str) {
        let span = Span::new(self.source, span.start, span.end);
        self.list.push(Diagnostic::error("target-syntax", message).at(span, "").help(help));
    }
}

struct Parser<'a> {
    text: &'a str,
    words: Words,
    tokens: &'a [Token],
    at: usize,
    depth: usize,
    found: Found,
}

impl Parser<'_> {
    fn peek(&self) -> Option<&Token> {
        self.tokens.get(self.at)
    }

    /// Operators have one rank and bind from left to right, as in clush.
    fn expression(&mut self) -> Expr {
        let leading = self.peek().cloned().filter(|token| token.kind == TokenKind::Difference);
        let first = match leading {
            Some(token) => Expr { kind: ExprKind::All, span: token.span.start..token.span.start },
            None => self.atom(),
        };
        let mut rest = Vec::new();
        while let Some(op) = self.operator() {
            rest.push((op, self.atom()));
        }
        chain(first, rest)
    }

    fn operator(&mut self) -> Option<Op> {
        let op = match self.peek()?.kind {
            TokenKind::Union => Op::Union,
            TokenKind::Difference => Op::Difference,
            TokenKind::Intersection => Op::Intersection,
            TokenKind::Xor => Op::Xor,
            TokenKind::Open | TokenKind::Close | TokenKind::Word => return None,
        };
        self.at += 1;
        if op == Op::Union && self.peek().is_some_and(|t| t.kind == TokenKind::Difference) {
            self.at += 1;
            return Some(Op::Difference);
        }
        Some(op)
    }

    fn atom(&mut self) -> Expr {
        let Some(token) = self.peek().cloned() else {
            let end = self.text.len();
            let help = "name nodes, as in `worker[1-8]`";
            self.found.problem(end..end, "a target is missing here", help);
            return Expr { kind: ExprKind::Broken, span: end..end };
        };
        match token.kind {
            TokenKind::Word => {
                self.at += 1;
                self.word(token.span)
            }
            TokenKind::Open => self.group(token.span),
            TokenKind::Union
            | TokenKind::Difference
            | TokenKind::Intersection
            | TokenKind::Xor
            | TokenKind::Close => {
                let at = token.span.start;
                let message = "a target is missing before this";
                self.found.problem(token.span, message, "name nodes here");
                if token.kind == TokenKind::Close && self.depth == 0 {
                    self.at += 1;
                }
                Expr { kind: ExprKind::Broken, span: at..at }
            }
        }
    }

    fn group(&mut self, open: Range<usize>) -> Expr {
        self.at += 1;
        if self.depth >= NESTING_MAX {
            self.found.problem(open, "too many parentheses", "write it flatter");
            self.at = self.tokens.len();
            return Expr { kind: ExprKind::Broken, span: 0..self.text.len() };
        }
        self.depth += 1;
        let inner = self.expression();
        self.depth -= 1;
        match self.peek().cloned() {
            Some(token) if token.kind == TokenKind::Close => {
                self.at += 1;
                Expr { kind: inner.kind, span: open.start..token.span.end }
            }
            _ => {
                self.found.problem(open.clone(), "`(` without `)`", "close the group");
                Expr { kind: inner.kind, span: open.start..inner.span.end }
            }
        }
    }

    /// A word, or a word that ends in a colon and the group that follows it.
    fn word(&mut self, span: Range<usize>) -> Expr {
        let word = self.text.get(span.clone()).unwrap_or_default();
        if self.words == Words::Names {
            return match Pattern::compile(word) {
                _ if term::quote_is_open(word) => term::broken_quote(span, &mut self.found),
                Ok(pattern) if pattern.literal().is_some_and(|name| name.is_empty()) => {
                    let help = "name nodes, as in `worker[1-8]`";
                    self.found.problem(span.clone(), "there is no name in the quotes", help);
                    Expr { kind: ExprKind::Broken, span }
                }
                Ok(pattern) => Expr { kind: ExprKind::Name(pattern), span },
                Err(problem) => term::broken_pattern(&problem, span, &mut self.found),
            };
        }
        let next = self.peek().cloned();
        if let (Some(cluster), Some(open)) = (term::cluster_alone(word), next)
            && open.kind == TokenKind::Open
            && open.span.start == span.end
        {
            let inner = self.group(open.span);
            let span = span.start..inner.span.end;
            let kind = ExprKind::Within { cluster: cluster.to_owned(), inner: Box::new(inner) };
            return Expr { kind, span };
        }
        term::read(word, span, &mut self.found)
    }
}

fn chain(first: Expr, rest: Vec<(Op, Expr)>) -> Expr {
    let Some((_, last)) = rest.last() else {
        return first;
    };
    let span = first.span.start..last.span.end.max(first.span.end);
    Expr { kind: ExprKind::Chain { first: Box::new(first), rest }, span }
}
