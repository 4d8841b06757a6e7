//! The diagnostics that several readers share, so that the same mistake reads
//! the same wherever it is made.

use super::tree::{Node, Scalar, shorten};
use crate::diagnostic::Diagnostic;
use crate::span::Span;

/// Adds the alias through which a value got where it is wrong.
pub(crate) fn at_node(problem: Diagnostic, node: &Node) -> Diagnostic {
    let problem = problem.at(node.span, "");
    match node.via {
        Some(alias) => problem.at(alias, "used through this alias"),
        None => problem,
    }
}

/// Something else than what was expected.
pub(crate) fn wrong_type(node: &Node, expected: &str) -> Diagnostic {
    if node.scalar() == Some(Scalar::Null) {
        let message = format!("nothing is here, expected {expected}");
        return at_node(Diagnostic::error("missing-value", message), node);
    }
    let message = format!("expected {expected}, found {}", node.describe());
    at_node(Diagnostic::error("wrong-type", message), node)
}

/// A value of the right type that cannot be used.
pub(crate) fn bad_value(node: &Node, message: impl Into<String>) -> Diagnostic {
    at_node(Diagnostic::error("bad-value", message), node)
}

/// A key that does not exist, with the nearest that does.
pub(crate) fn unknown_key<'a>(
    key: &str,
    span: Span,
    via: Option<Span>,
    place: &str,
    known: impl Iterator<Item = &'a str> + Clone,
) -> Diagnostic {
    let message = format!("unknown key `{}` in {place}", shorten(key));
    let mut problem = Diagnostic::error("unknown-key", message).at(span, "");
    if let Some(alias) = via {
        problem = problem.at(alias, "used through this alias");
    }
    problem.help(match nearest(key, known.clone()) {
        Some(near) => format!("did you mean `{near}`?"),
        None => format!("known keys: {}", known.collect::<Vec<_>>().join(", ")),
    })
}

/// A key that belongs to another section.
pub(crate) fn misplaced_key(
    key: &str,
    span: Span,
    via: Option<Span>,
    place: &str,
    home: &str,
) -> Diagnostic {
    let message = format!("unknown key `{}` in {place}", shorten(key));
    let mut problem = Diagnostic::error("unknown-key", message).at(span, "");
    if let Some(alias) = via {
        problem = problem.at(alias, "used through this alias");
    }
    problem.help(match home {
        "the spec" => "it belongs at the top of the spec".to_owned(),
        section => format!("it belongs in {section}"),
    })
}

/// The known word that a mistyped one is most likely to be.
pub(crate) fn nearest<'a>(word: &str, known: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    // A third of the characters may differ; similarity alone calls `a` and
    // `as` alike and `instancetype` and `instance_type` barely so.
    let word = word.to_lowercase().replace('-', "_");
    let near =
        |other: &&str| strsim::damerau_levenshtein(&word, &other.to_lowercase().replace('-', "_"));
    let best = known.min_by_key(near)?;
    let distance = near(&best);
    (distance * 3 <= word.chars().count().max(best.chars().count())).then_some(best)
}

#[cfg(test)]
mod tests {
    use super::nearest;

    #[test]
    fn a_suggestion_is_near_or_not_made() {
        let known = ["instance_type", "image", "count", "key", "username"];
        for (word, expected) in [
            ("instancetype", Some("instance_type")),
            ("instance-type", Some("instance_type")),
            ("INSTANCE_TYPE", Some("instance_type")),
            ("imgae", Some("image")),
            ("cuont", Some("count")),
            ("user", None),
            ("zone", None),
            ("", None),
        ] {
            assert_eq!(nearest(word, known.into_iter()), expected, "{word}");
        }
    }
}
