//! Reads a set of names without knowing which there are: what `fold` wrote,
//! and the lists of hosts that clush and pdsh take. No globs, no properties;
//! the algebra is that of targets.

use std::collections::BTreeMap;

use super::expr::{Expr, ExprKind, Op};
use super::parse::{Words, parse_words};
use super::pattern::Pattern;
use crate::diagnostic::Diagnostic;
use crate::span::{SourceId, Span};

/// Most names that a text may stand for.
pub const EXPAND_NAMES_MAX: usize = 100_000;

/// The names that a text stands for, each once, in the order of the text.
///
/// # Errors
/// What cannot be understood, what depends on the names there are, and more
/// than [`EXPAND_NAMES_MAX`] names.
pub fn expand(source: SourceId, text: &str) -> Result<Vec<String>, Vec<Diagnostic>> {
    let (expr, problems) = parse_words(source, text, Words::Names);
    if !problems.is_empty() {
        return Err(problems);
    }
    if text.trim().is_empty() {
        return Ok(Vec::new());
    }
    let mut expander = Expander { source, spelled: 0 };
    expander.names(&expr).map(Names::in_order).map_err(|problem| vec![problem])
}

/// Names, each with its place.
#[derive(Debug, Default)]
struct Names {
    places: BTreeMap<String, usize>,
    next: usize,
}

impl Names {
    fn add(&mut self, name: String) {
        self.places.entry(name).or_insert(self.next);
        self.next += 1;
    }

    fn in_order(self) -> Vec<String> {
        let mut names: Vec<(usize, String)> =
            self.places.into_iter().map(|(name, place)| (place, name)).collect();
        names.sort_unstable();
        names.into_iter().map(|(_, name)| name).collect()
    }

    fn join(&mut self, op: Op, right: Self) {
        match op {
            Op::Union => right.in_order().into_iter().for_each(|name| self.add(name)),
            Op::Difference => {
                for name in right.places.keys() {
                    self.places.remove(name);
                }
            }
            Op::Intersection => self.places.retain(|name, _| right.places.contains_key(name)),
            Op::Xor => {
                for name in right.in_order() {
                    if self.places.remove(&name).is_none() {
                        self.add(name);
                    }
                }
            }
        }
    }
}

struct Expander {
    source: SourceId,
    /// Names spelled so far, in all parts of the text.
    spelled: usize,
}

impl Expander {
    fn names(&mut self, expr: &Expr) -> Result<Names, Diagnostic> {
        match &expr.kind {
            ExprKind::Name(pattern) => self.spell(expr, pattern),
            ExprKind::Chain { first, rest } => {
                let mut names = self.names(first)?;
                for (op, expr) in rest {
                    let right = self.names(expr)?;
                    names.join(*op, right);
                }
                Ok(names)
            }
            _ => Err(self.problem(expr, "this depends on the names there are".to_owned())),
        }
    }

    fn spell(&mut self, expr: &Expr, pattern: &Pattern) -> Result<Names, Diagnostic> {
        let Some(count) = pattern.combinations() else {
            let message = format!("`{}` depends on the names there are", pattern.text());
            return Err(self.problem(expr, message));
        };
        let count = usize::try_from(count).unwrap_or(usize::MAX);
        self.spelled = self.spelled.saturating_add(count);
        if self.spelled > EXPAND_NAMES_MAX {
            let message = format!("more than {EXPAND_NAMES_MAX} names");
            return Err(self.problem(expr, message).help("write smaller ranges"));
        }
        let mut names = Names::default();
        pattern.each_name(false, &mut |name| names.add(name.to_owned()));
        Ok(names)
    }

    fn problem(&self, expr: &Expr, message: String) -> Diagnostic {
        let span = Span::new(self.source, expr.span.start, expr.span.end);
        let problem = Diagnostic::error("target-syntax", message).at(span, "");
        problem.help("write names and ranges, as in `web[01-64]`")
    }
}

#[cfg(test)]
mod tests {
    use super::{EXPAND_NAMES_MAX, expand};
    use crate::span::SourceId;

    #[test]
    fn names_come_in_the_order_of_the_text() {
        for (text, expected) in [
            ("web[01-03]", "web01 web02 web03"),
            ("b,a,b", "b a"),
            ("Web[3,1-2]", "Web3 Web1 Web2"),
            ("r[1-2]n[1-2]", "r1n1 r1n2 r2n1 r2n2"),
            ("n[1-9/4]!n5", "n1 n9"),
            ("n[1-3],!n2", "n1 n3"),
            ("(a,b,c)&(c,b)", "b c"),
            ("a,b^(b,c)", "a c"),
            ("user@host:22,10.0.0.[1-2]", "user@host:22 10.0.0.1 10.0.0.2"),
            ("", ""),
            ("a*", "`a*` depends on the names there are"),
            ("n[abc]", "`n[abc]` depends on the names there are"),
            ("!a", "this depends on the names there are"),
            ("n[1-100001]", "more than 100000 names"),
            ("n[1-99999],n[1-2]", "more than 100000 names"),
            ("a[1-400]b[1-400]", "more than 100000 names"),
            ("a,,b", "a target is missing before this"),
            ("\"", "`\"` without a second one"),
            ("a,\"\"", "there is no name in the quotes"),
            ("\"my node[1-2]\"", "my node1 my node2"),
        ] {
            let found = expand(SourceId::default(), text)
                .map_or_else(|problems| problems[0].message.clone(), |names| names.join(" "));
            assert_eq!(found, expected, "{text}");
        }
        let most = expand(SourceId::default(), &format!("n[1-{EXPAND_NAMES_MAX}]")).unwrap();
        assert_eq!(most.len(), EXPAND_NAMES_MAX);
    }
}
