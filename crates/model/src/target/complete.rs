//! What may follow where the cursor stands in a target: names, clusters, keys,
//! values, sets, result words. Works on half of a target, and says nothing
//! where it knows nothing.

use std::ops::Range;

use super::expr::RESULT_WORDS;
use super::lex::{TokenKind, lex};
use super::pattern::lower;
use super::scope::{Scope, same};
use super::word::{Body, Comparator, cut};

/// Something that may be written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Candidate {
    /// What stands in the place then.
    pub text: String,
    /// What it is.
    pub kind: CandidateKind,
    /// More about it, in a few words.
    pub help: String,
}

/// What a candidate is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum CandidateKind {
    /// A node.
    Node,
    /// A cluster.
    Cluster,
    /// The key of a property, with its `=`.
    Key,
    /// A value of a property.
    Value,
    /// A named set.
    Set,
    /// A result word.
    Result,
}

/// What may stand where the cursor is: the range of the text that a candidate
/// replaces, and the candidates that begin as it does. A cursor within a
/// character counts as before it.
#[must_use]
pub fn complete_at(text: &str, cursor: usize, scope: &Scope) -> (Range<usize>, Vec<Candidate>) {
    let mut cursor = cursor.min(text.len());
    while !text.is_char_boundary(cursor) {
        cursor -= 1;
    }
    let typed = text.get(..cursor).unwrap_or_default();
    let word_start = match lex(typed).last() {
        Some(token) if token.kind == TokenKind::Word && token.span.end == cursor => {
            token.span.start
        }
        _ => cursor,
    };
    let word = typed.get(word_start..).unwrap_or_default();
    let parts = cut(word);
    let cluster = parts.cluster.and_then(|range| word.get(range));
    let (range, candidates) = match parts.body {
        Body::Reference { name, argument: None } => (name, references(scope)),
        Body::Reference { argument: Some(argument), .. } => (argument, Vec::new()),
        Body::Test { key, comparator, value } => {
            let key = word.get(key).unwrap_or_default();
            let known = match comparator.0 {
                Comparator::Is | Comparator::IsNot => values(scope, key),
                _ => Vec::new(),
            };
            (value, known)
        }
        Body::Name(range) => {
            let found = names(scope, cluster, range.is_empty());
            (range, found)
        }
    };
    let begun = lower(word.get(range.clone()).unwrap_or_default()).into_owned();
    let fits = |candidate: &Candidate| lower(&candidate.text).starts_with(&begun);
    let fitting = candidates.into_iter().filter(fits).collect();
    (word_start + range.start..word_start + range.end, fitting)
}

fn candidate(text: impl Into<String>, kind: CandidateKind, help: impl Into<String>) -> Candidate {
    Candidate { text: text.into(), kind, help: help.into() }
}

fn references(scope: &Scope) -> Vec<Candidate> {
    let sets = scope.sets().names().map(|name| {
        let help = scope.sets().target(name).map(ToString::to_string).unwrap_or_default();
        candidate(name, CandidateKind::Set, help)
    });
    let words = RESULT_WORDS.iter().map(|(word, help)| {
        let text = match *word {
            "said" => "said:/",
            "group" => "group:",
            word => word,
        };
        candidate(text, CandidateKind::Result, *help)
    });
    sets.chain(words).collect()
}

fn values(scope: &Scope, key: &str) -> Vec<Candidate> {
    let members = scope.members();
    let index = scope.index();
    if key.eq_ignore_ascii_case("cluster") {
        return clusters(scope);
    }
    let column = if key.eq_ignore_ascii_case("tags") || key.eq_ignore_ascii_case("tag") {
        index.tags(members)
    } else {
        index.column(members, key)
    };
    match column {
        Some(column) => {
            let mut values: Vec<&str> = column.values.iter().map(String::as_str).collect();
            values.sort_by(|one, other| super::natural_order(one, other));
            values.into_iter().map(|v| candidate(quoted(v), CandidateKind::Value, "")).collect()
        }
        None if key.eq_ignore_ascii_case("name") => nodes(scope, scope.cluster()),
        None => Vec::new(),
    }
}

/// Bare names are for where it is clear whose they are; keys for those who
/// began to write one.
fn names(scope: &Scope, cluster: Option<&str>, is_empty: bool) -> Vec<Candidate> {
    if let Some(cluster) = cluster {
        return nodes(scope, Some(cluster));
    }
    let mut all = Vec::new();
    if scope.cluster().is_some() || scope.clusters().len() < 2 {
        all.extend(nodes(scope, scope.cluster()));
    }
    all.extend(clusters(scope));
    if !is_empty {
        let own = ["cluster", "name", "tags"];
        let known = scope.index().keys(scope.members()).filter(|key| !own.contains(key));
        let mut keys: Vec<&str> = known.chain(own).collect();
        keys.sort_unstable();
        all.extend(
            keys.into_iter()
                .map(|key| candidate(format!("{key}="), CandidateKind::Key, "a property")),
        );
    }
    all
}

fn clusters(scope: &Scope) -> Vec<Candidate> {
    let each = scope.clusters().iter();
    each.map(|name| candidate(name, CandidateKind::Cluster, "cluster")).collect()
}

fn nodes(scope: &Scope, cluster: Option<&str>) -> Vec<Candidate> {
    let index = scope.index();
    let members = scope.members();
    let places = index.in_order(&index.within(cluster));
    let found = places.into_iter().filter_map(|place| members.get(place));
    let found = found.filter(|member| cluster.is_none_or(|name| same(name, &member.cluster)));
    found
        .map(|member| {
            let state = member.fields.get("state").and_then(|states| states.first());
            candidate(&member.name, CandidateKind::Node, state.cloned().unwrap_or_default())
        })
        .collect()
}

/// A value that holds operators or blanks stands in quotes.
fn quoted(value: &str) -> String {
    let is_plain = !value.contains(|c: char| c.is_whitespace() || ",!&^()".contains(c));
    if is_plain { value.to_owned() } else { format!("\"{value}\"") }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::complete_at;
    use crate::span::{SourceId, Span, Spanned};
    use crate::target::{Member, Scope, Sets};

    fn scope(within: Option<&str>) -> Scope {
        let member = |cluster: &str, name: &str| Member {
            cluster: cluster.to_owned(),
            name: name.to_owned(),
            fields: BTreeMap::from([
                ("state".to_owned(), vec!["running".to_owned()]),
                ("image".to_owned(), vec!["my image".to_owned()]),
            ]),
            tags: BTreeMap::from([("aws:stack".to_owned(), "x".to_owned())]),
        };
        let members =
            vec![member("demo", "worker2"), member("demo", "worker10"), member("web", "wiki")];
        let spanned = |text: &str| {
            Spanned::new(text.to_owned(), Span::new(SourceId::default(), 0, text.len()))
        };
        let (sets, _) = Sets::define(&[(spanned("gpu"), spanned("worker[1-4]"))]);
        Scope::new(members, ["demo".to_owned(), "web".to_owned()].into())
            .within(within.map(String::from))
            .with_sets(sets)
    }

    #[test]
    fn what_fits_is_offered_in_its_place() {
        for (within, typed, range, expected) in [
            (Some("demo"), "w", 0..1, "worker2 worker10 web"),
            (Some("demo"), "", 0..0, "worker2 worker10 demo web"),
            (None, "w", 0..1, "web"),
            (None, "demo:w", 5..6, "worker2 worker10"),
            (Some("demo"), "worker2,WEB:", 12..12, "wiki"),
            (Some("demo"), "(worker2 & st", 11..13, "state="),
            (Some("demo"), "state=", 6..6, "running"),
            (Some("demo"), "state!=x", 7..8, ""),
            (Some("demo"), "image=m", 6..7, ""),
            (Some("demo"), "image=", 6..6, "\"my image\""),
            (Some("demo"), "tags=aws:", 5..9, "aws:stack:x"),
            (Some("demo"), "cluster=d", 8..9, "demo"),
            (Some("demo"), "a!@", 3..3, "gpu failed ok slow changed waiting last said:/ group:"),
            (Some("demo"), "@@g", 2..3, "gpu group:"),
            (Some("demo"), "@said:/x", 6..8, ""),
            (Some("demo"), "name~w", 5..6, ""),
        ] {
            let (place, found) = complete_at(typed, typed.len(), &scope(within));
            let texts: Vec<&str> = found.iter().map(|one| one.text.as_str()).collect();
            assert_eq!((place, texts.join(" ").as_str()), (range, expected), "{typed}");
        }
    }

    #[test]
    fn what_follows_the_cursor_is_left_alone() {
        let (place, found) = complete_at("worker2!é", 6, &scope(Some("demo")));
        assert_eq!((place, found.len()), (0..6, 2));
        assert_eq!(complete_at("é", 1, &scope(None)).0, 0..0);
    }
}
