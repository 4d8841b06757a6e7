//! What a single word of a target means: a name, a test of a property, a named
//! set or a result word.

use std::ops::Range;

use super::expr::{Expr, ExprKind, RESULT_WORDS, ResultWord};
use super::matcher::Matcher;
use super::parse::Found;
use super::pattern::{Pattern, PatternProblem};
use super::quantity::{EXPECTED, Quantity};
use super::suggest::nearest;
use super::word::{Body, Comparator, cut};

/// A word and its place in the text.
struct Term<'a> {
    word: &'a str,
    span: Range<usize>,
    found: &'a mut Found,
}

/// The expression of a word.
pub(super) fn read(word: &str, span: Range<usize>, found: &mut Found) -> Expr {
    let parts = cut(word);
    let mut term = Term { word, span: span.clone(), found };
    let inner = match parts.body {
        _ if quote_is_open(word) => return broken_quote(span, found),
        Body::Name(range) if range.is_empty() => {
            let help = "name nodes after the colon, as in `demo:worker*`";
            term.broken(0..word.len(), "a target is missing after the colon", help)
        }
        Body::Name(range) => term.name(range),
        Body::Test { key, comparator, value } => term.test(key, comparator, value),
        Body::Reference { name, argument } => term.reference(name, argument),
    };
    match (parts.cluster, &inner.kind) {
        (None, _) | (_, ExprKind::Broken) => inner,
        (Some(cluster), _) => {
            let cluster = word.get(cluster).unwrap_or_default().to_owned();
            Expr { kind: ExprKind::Within { cluster, inner: Box::new(inner) }, span }
        }
    }
}

/// `CLUSTER` of `CLUSTER:`, when nothing follows it in the word.
pub(super) fn cluster_alone(word: &str) -> Option<&str> {
    let parts = cut(word);
    match parts.body {
        Body::Name(range) if range.is_empty() => word.get(parts.cluster?),
        _ => None,
    }
}

/// Reports that quotes are open at the end of a word.
pub(super) fn broken_quote(span: Range<usize>, found: &mut Found) -> Expr {
    found.problem(span.clone(), "`\"` without a second one", "close the quotes");
    Expr { kind: ExprKind::Broken, span }
}

/// Reports what is wrong with a pattern that stands at `span`.
pub(super) fn broken_pattern(
    problem: &PatternProblem,
    span: Range<usize>,
    found: &mut Found,
) -> Expr {
    let place = span.start + problem.span.start..span.start + problem.span.end;
    found.problem(place, &problem.message, &problem.help);
    Expr { kind: ExprKind::Broken, span }
}

impl Term<'_> {
    fn text(&self, range: &Range<usize>) -> &str {
        self.word.get(range.clone()).unwrap_or_default()
    }

    fn at(&self, range: &Range<usize>) -> Range<usize> {
        self.span.start + range.start..self.span.start + range.end
    }

    fn broken(&mut self, range: Range<usize>, message: &str, help: &str) -> Expr {
        let place = self.at(&range);
        self.found.problem(place, message, help);
        Expr { kind: ExprKind::Broken, span: self.span.clone() }
    }

    fn name(&mut self, range: Range<usize>) -> Expr {
        let span = self.at(&range);
        match Pattern::compile(self.text(&range)) {
            Ok(pattern) if pattern.is_everything() => Expr { kind: ExprKind::All, span },
            Ok(pattern) => Expr { kind: ExprKind::Name(pattern), span },
            Err(problem) => broken_pattern(&problem, span, self.found),
        }
    }

    fn test(
        &mut self,
        key: Range<usize>,
        (comparator, sign): (Comparator, Range<usize>),
        value: Range<usize>,
    ) -> Expr {
        let name = self.text(&key).to_owned();
        let is_key = |character: char| character.is_alphanumeric() || "_.-".contains(character);
        if name.is_empty() {
            return self.broken(sign, "a key is missing before this", "as in `state=running`");
        }
        if let Some((at, wrong)) = name.char_indices().find(|(_, one)| !is_key(*one)) {
            let place = key.start + at..key.start + at + wrong.len_utf8();
            let message = format!("`{wrong}` cannot stand in a key");
            return self.broken(place, &message, "keys are letters, digits and `_.-`");
        }
        let text = self.text(&value);
        if matches!(comparator, Comparator::Is | Comparator::IsNot) && text.starts_with('=') {
            return self.broken(sign.start..sign.end + 1, "there is no `==`", "write one `=`");
        }
        let span = self.span.clone();
        let kind = match comparator {
            Comparator::Is | Comparator::IsNot => match Pattern::compile(text) {
                Ok(pattern) => {
                    let negated = comparator == Comparator::IsNot;
                    ExprKind::Property { key: name, negated, pattern }
                }
                Err(problem) => {
                    let place = self.at(&value);
                    return Expr { span, ..broken_pattern(&problem, place, self.found) };
                }
            },
            Comparator::Like | Comparator::Unlike => match self.matcher(&value) {
                Ok(matcher) => {
                    let negated = comparator == Comparator::Unlike;
                    ExprKind::Like { key: name, negated, matcher }
                }
                Err(broken) => return broken,
            },
            _ => match Quantity::parse(text) {
                Some(value) => ExprKind::Compare { key: name, comparator, value },
                None => {
                    let message = format!("`{text}` has no order");
                    return self.broken(value, &message, &format!("expected {EXPECTED}"));
                }
            },
        };
        Expr { kind, span }
    }

    /// `/regex/` or a bare one.
    fn matcher(&mut self, range: &Range<usize>) -> Result<Matcher, Expr> {
        let text = self.text(range);
        let text = match text.strip_prefix('/') {
            None => inside_slashes(text, false).0,
            Some(rest) => match inside_slashes(rest, true) {
                (inside, Some("")) => inside,
                (_, Some(after)) => {
                    let help = "the regular expression ended at the slash";
                    let place = range.end - after.len()..range.end;
                    return Err(self.broken(place, "unexpected here", help));
                }
                (_, None) => {
                    let help = "end the regular expression with a slash";
                    return Err(self.broken(range.clone(), "`/` without a second one", help));
                }
            },
        };
        if text.is_empty() {
            let help = "between slashes it may hold anything: `name~/a,b/`";
            return Err(self.broken(range.clone(), "a regular expression is missing", help));
        }
        Matcher::compile(&text).map_err(|why| {
            let message = format!("this is no regular expression: {why}");
            self.broken(range.clone(), &message, "between slashes it may hold anything")
        })
    }

    fn reference(&mut self, name: Range<usize>, argument: Option<Range<usize>>) -> Expr {
        let span = self.span.clone();
        let word = self.text(&name).to_ascii_lowercase();
        let kind = match (word.as_str(), argument) {
            ("*", None) => ExprKind::All,
            ("failed", None) => ExprKind::Result(ResultWord::Failed),
            ("ok", None) => ExprKind::Result(ResultWord::Ok),
            ("slow", None) => ExprKind::Result(ResultWord::Slow),
            ("changed", None) => ExprKind::Result(ResultWord::Changed),
            ("waiting", None) => ExprKind::Result(ResultWord::Waiting),
            ("last", None) => ExprKind::Result(ResultWord::Last),
            ("said", Some(range)) => match self.matcher(&range) {
                Ok(matcher) => ExprKind::Result(ResultWord::Said(matcher)),
                Err(broken) => return broken,
            },
            ("group", Some(range)) => match self.text(&range).parse::<u32>() {
                Ok(number) if number > 0 => ExprKind::Result(ResultWord::Group(number)),
                _ => {
                    let help = "write its number, as in `@group:2`";
                    return self.broken(range, "groups are counted from 1", help);
                }
            },
            ("said", None) => {
                let help = "write it after a colon, as in `@said:/5\\.10/`";
                return self.broken(name, "what was said is missing", help);
            }
            ("group", None) => {
                return self.broken(name, "which group is missing", "as in `@group:2`");
            }
            ("", _) => {
                let words: Vec<String> =
                    RESULT_WORDS.iter().map(|(word, _)| format!("@{word}")).collect();
                let help = format!("write a set of yours, or one of {}", words.join(" "));
                return self.broken(0..self.word.len(), "a name is missing after `@`", &help);
            }
            (_, Some(argument)) => {
                let words = RESULT_WORDS.iter().map(|(word, _)| *word);
                let near = nearest(&word, words).unwrap_or("said");
                let help = format!("only @said and @group do; did you mean `@{near}`?");
                let place = argument.start.saturating_sub(1)..argument.end;
                return self.broken(place, &format!("`@{word}` takes nothing after it"), &help);
            }
            (_, None) => return self.set(&name),
        };
        Expr { kind, span }
    }

    fn set(&mut self, name: &Range<usize>) -> Expr {
        let word = self.text(name).to_owned();
        let is_name = |character: char| character.is_alphanumeric() || "_-".contains(character);
        match word.char_indices().find(|(_, one)| !is_name(*one)) {
            Some((at, wrong)) => {
                let place = name.start + at..name.start + at + wrong.len_utf8();
                let message = format!("`{wrong}` cannot stand in the name of a set");
                self.broken(place, &message, "names are letters, digits and dashes")
            }
            None => Expr { kind: ExprKind::Set(word), span: self.span.clone() },
        }
    }
}

/// What stands before the slash that ends an expression, and what follows that
/// slash, if there is one. A backslash before a slash is for us, and not part
/// of the expression; a bare expression is written likewise and ends nowhere.
fn inside_slashes(text: &str, ends: bool) -> (String, Option<&str>) {
    let mut inside = String::new();
    let mut escaped = false;
    for (at, character) in text.char_indices() {
        match character {
            '/' if escaped => {
                inside.pop();
            }
            '/' if ends => return (inside, text.get(at + 1..)),
            _ => {}
        }
        inside.push(character);
        escaped = character == '\\' && !escaped;
    }
    (inside, None)
}

/// Whether a quote is open at the end, outside of regular expressions.
pub(super) fn quote_is_open(word: &str) -> bool {
    let is_regex = word.contains("~/") || word.contains(":/");
    !is_regex && word.matches('"').count() % 2 == 1
}
