//! Named sets: targets that a user gave a name, written `@name`. Sets may use
//! sets. Knows nothing of the file they are written in.

use std::collections::BTreeMap;

use super::expr::Expr;
use super::parse::parse;
use super::suggest::nearest;
use crate::diagnostic::Diagnostic;
use crate::name::PoolName;
use crate::span::{SourceId, Spanned};

/// The sets there are, by name in small letters.
#[derive(Debug, Clone, Default)]
pub struct Sets {
    sets: BTreeMap<String, NamedSet>,
}

/// One of them.
#[derive(Debug, Clone)]
pub(super) struct NamedSet {
    name: String,
    pub(super) expr: Expr,
}

impl Sets {
    /// Reads definitions: name and target of each. What is wrong with one of
    /// them leaves it out.
    #[must_use]
    pub fn define(definitions: &[(Spanned<String>, Spanned<String>)]) -> (Self, Vec<Diagnostic>) {
        let mut found = Vec::new();
        let mut sets = Self::default();
        for (name, text) in definitions {
            // One rule for all names: what is no name of a pool is none of a set.
            if let Err(error) = PoolName::parse(&name.value) {
                let problem = Diagnostic::error("bad-name", error.to_string()).at(name.span, "");
                found.push(problem);
                continue;
            }
            let (expr, problems) = parse(SourceId::default(), &text.value);
            if problems.is_empty() {
                let set = NamedSet { name: name.value.clone(), expr };
                if sets.sets.insert(name.value.to_ascii_lowercase(), set).is_some() {
                    let message = format!("there are two sets `{}`", name.value);
                    let help = "names of sets differ by more than case";
                    found.push(Diagnostic::error("twice", message).at(name.span, "").help(help));
                }
            }
            found.extend(problems.into_iter().map(|problem| {
                let message = format!("`{}` is no target: {}", text.value, problem.message);
                let problem = Diagnostic { message, labels: Vec::new(), ..problem };
                problem.at(text.span, "")
            }));
        }
        for (name, text) in definitions {
            found.extend(sets.wrong_use(&name.value).map(|problem| problem.at(text.span, "")));
        }
        (sets, found)
    }

    /// The names, as written.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.sets.values().map(|set| set.name.as_str())
    }

    /// The target of a set.
    #[must_use]
    pub fn target(&self, name: &str) -> Option<&Expr> {
        self.get(name).map(|set| &set.expr)
    }

    pub(super) fn get(&self, name: &str) -> Option<&NamedSet> {
        self.sets.get(&name.to_ascii_lowercase())
    }

    /// That there is no such set, with those there are.
    pub(super) fn unknown(&self, name: &str) -> Diagnostic {
        let problem = Diagnostic::error("target-set", format!("there is no set `@{name}`"));
        let names: Vec<&str> = self.names().collect();
        let problem = match nearest(name, names.iter().copied()) {
            Some(near) => problem.help(format!("did you mean `@{near}`?")),
            None => problem,
        };
        if names.is_empty() {
            return problem.help("there are no sets yet");
        }
        let list: Vec<String> = names.iter().map(|name| format!("@{name}")).collect();
        problem.help(format!("sets there are: {}", list.join(", ")))
    }

    /// A set that is used and not there, or a circle.
    fn wrong_use(&self, name: &str) -> Option<Diagnostic> {
        let mut used = Vec::new();
        self.get(name)?.expr.sets(&mut used);
        if let Some(unknown) = used.iter().find(|used| self.get(used).is_none()) {
            return Some(self.unknown(unknown));
        }
        let circle = self.circle(name, &mut vec![name.to_ascii_lowercase()])?;
        let message = format!("the set `@{name}` is made of itself");
        let names: Vec<String> = circle.iter().map(|name| format!("@{name}")).collect();
        Some(Diagnostic::error("target-set", message).help(names.join(" uses ")))
    }

    /// The way from a set back to itself.
    fn circle(&self, from: &str, way: &mut Vec<String>) -> Option<Vec<String>> {
        let mut used = Vec::new();
        self.get(from)?.expr.sets(&mut used);
        for next in used.iter().map(|name| name.to_ascii_lowercase()) {
            if way.first() == Some(&next) {
                way.push(next);
                return Some(way.clone());
            }
            if way.contains(&next) {
                continue;
            }
            way.push(next.clone());
            if let Some(found) = self.circle(&next, way) {
                return Some(found);
            }
            way.pop();
        }
        None
    }
}
