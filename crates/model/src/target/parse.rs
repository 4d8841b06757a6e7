//! Text to expression. Recovers from errors, so that a half-typed target can
//! be completed and highlighted: there is always an expression, and a list of
//! what is wrong with it.

use std::ops::Range;

use super::lex::{Token, TokenKind, lex};
use super::pattern::{Pattern, PatternProblem};
use crate::diagnostic::Diagnostic;
use crate::span::{SourceId, Span};

/// Deepest nesting of parentheses; bounds recursion.
const NESTING_MAX: usize = 64;

/// A parsed target.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Expr {
    /// What it is.
    pub kind: ExprKind,
    /// Where it stands, in bytes of the text.
    pub span: Range<usize>,
}

/// The forms of a target.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ExprKind {
    /// Every node of the scope: an empty text, `*`, or what stands left of a
    /// leading `!`.
    All,
    /// A name glob, or the name of a cluster.
    Name {
        /// The cluster before the colon, if one is written.
        cluster: Option<String>,
        /// The name.
        pattern: Pattern,
    },
    /// `key=glob` or `key!=glob`.
    Property {
        /// The cluster before the colon, if one is written.
        cluster: Option<String>,
        /// The key.
        key: String,
        /// Whether `!=` was written.
        negated: bool,
        /// What its value must match.
        pattern: Pattern,
    },
    /// Two targets joined.
    Binary {
        /// How.
        op: Op,
        /// The left one.
        left: Box<Expr>,
        /// The right one.
        right: Box<Expr>,
    },
    /// What could not be understood; selects nothing.
    Broken,
}

/// How two targets are joined.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Op {
    /// `A,B`: in either.
    Union,
    /// `A!B`: in the left one, not in the right one.
    Difference,
    /// `A&B`: in both.
    Intersection,
    /// `A^B`: in exactly one.
    Xor,
}

/// Parses a target. The diagnostics' spans are within `source`.
#[must_use]
pub fn parse(source: SourceId, text: &str) -> (Expr, Vec<Diagnostic>) {
    let tokens = lex(text);
    let mut parser = Parser { source, text, tokens: &tokens, at: 0, depth: 0, found: Vec::new() };
    if tokens.is_empty() {
        return (Expr { kind: ExprKind::All, span: 0..text.len() }, Vec::new());
    }
    let mut expr = parser.expression();
    while let Some(token) = parser.peek().cloned() {
        parser.problem(token.span, "unexpected here", "join targets with `,`, `!`, `&` or `^`");
        parser.at += 1;
        if parser.peek().is_some() {
            let right = parser.expression();
            expr = joined(Op::Union, expr, right);
        }
    }
    (expr, parser.found)
}

struct Parser<'a> {
    source: SourceId,
    text: &'a str,
    tokens: &'a [Token],
    at: usize,
    depth: usize,
    found: Vec<Diagnostic>,
}

impl Parser<'_> {
    fn peek(&self) -> Option<&Token> {
        self.tokens.get(self.at)
    }

    fn problem(&mut self, span: Range<usize>, message: &str, help: &str) {
        let span = Span::new(self.source, span.start, span.end);
        self.found.push(Diagnostic::error("target-syntax", message).at(span, "").help(help));
    }

    /// Operators have one rank and bind from left to right, as in clush.
    fn expression(&mut self) -> Expr {
        let leading = self.peek().cloned().filter(|token| token.kind == TokenKind::Difference);
        let mut left = match leading {
            Some(token) => Expr { kind: ExprKind::All, span: token.span.start..token.span.start },
            None => self.atom(),
        };
        while let Some(op) = self.operator() {
            let right = self.atom();
            left = joined(op, left, right);
        }
        left
    }

    fn operator(&mut self) -> Option<Op> {
        let op = match self.peek()?.kind {
            TokenKind::Union => Op::Union,
            TokenKind::Difference => Op::Difference,
            TokenKind::Intersection => Op::Intersection,
            TokenKind::Xor => Op::Xor,
            TokenKind::Open | TokenKind::Close | TokenKind::Word(_) => return None,
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
            self.problem(end..end, "a target is missing here", "name nodes, as in `worker[1-8]`");
            return Expr { kind: ExprKind::Broken, span: end..end };
        };
        match token.kind {
            TokenKind::Word(word) => {
                self.at += 1;
                self.word(&word, token.span)
            }
            TokenKind::Open => self.group(token.span),
            TokenKind::Union
            | TokenKind::Difference
            | TokenKind::Intersection
            | TokenKind::Xor
            | TokenKind::Close => {
                let at = token.span.start;
                self.problem(token.span, "a target is missing before this", "name nodes here");
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
            self.problem(open, "too many parentheses", "write it flatter");
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
                self.problem(open.clone(), "`(` without `)`", "close the group");
                Expr { kind: inner.kind, span: open.start..inner.span.end }
            }
        }
    }

    fn word(&mut self, word: &str, span: Range<usize>) -> Expr {
        let broken = Expr { kind: ExprKind::Broken, span: span.clone() };
        if word.starts_with('@') {
            self.problem(span, "result words work in a shell, after a run", "name the nodes");
            return broken;
        }
        let (cluster, rest, offset) = cluster_prefix(word, span.start);
        if rest.is_empty() {
            let help = "name nodes after the colon, as in `demo:worker*`";
            self.problem(span, "a target is missing after the colon", help);
            return broken;
        }
        if let Some((key, value, negated)) = property(rest) {
            let value_at = offset + rest.len() - value.len();
            return match Pattern::compile(value) {
                Ok(pattern) => {
                    let key = key.to_owned();
                    Expr { kind: ExprKind::Property { cluster, key, negated, pattern }, span }
                }
                Err(problem) => self.broken_pattern(&problem, value_at, span),
            };
        }
        if let Some(at) = rest.find(['<', '>', '~', '=']) {
            let span = offset + at..offset + at + 1;
            let help = "write `key=glob` or `key!=glob`";
            self.problem(span, "this comparison is not understood yet", help);
            return broken;
        }
        match Pattern::compile(rest) {
            Ok(_) if rest == "*" && cluster.is_none() => Expr { kind: ExprKind::All, span },
            Ok(pattern) => Expr { kind: ExprKind::Name { cluster, pattern }, span },
            Err(problem) => self.broken_pattern(&problem, offset, span),
        }
    }

    fn broken_pattern(&mut self, problem: &PatternProblem, at: usize, span: Range<usize>) -> Expr {
        let place = at + problem.span.start..at + problem.span.end;
        self.problem(place, &problem.message, &problem.help);
        Expr { kind: ExprKind::Broken, span }
    }
}

fn joined(op: Op, left: Expr, right: Expr) -> Expr {
    let span = left.span.start..right.span.end;
    Expr { kind: ExprKind::Binary { op, left: Box::new(left), right: Box::new(right) }, span }
}

/// `CLUSTER:REST`. A colon after an equals sign belongs to the value
/// (`tags=k:v`), so only one before it counts.
fn cluster_prefix(word: &str, at: usize) -> (Option<String>, &str, usize) {
    match word.split_once(':') {
        Some((cluster, rest)) if !cluster.is_empty() && !cluster.contains('=') => {
            (Some(cluster.to_owned()), rest, at + cluster.len() + 1)
        }
        _ => (None, word, at),
    }
}

/// `key=value` or `key!=value`; the key is letters, digits and `_.-`.
fn property(word: &str) -> Option<(&str, &str, bool)> {
    let (key, value) = word.split_once('=')?;
    let (key, negated) = key.strip_suffix('!').map_or((key, false), |key| (key, true));
    let legal = |character: char| character.is_alphanumeric() || "_.-".contains(character);
    (!key.is_empty() && key.chars().all(legal)).then_some((key, value, negated))
}
