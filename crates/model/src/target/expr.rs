//! A parsed target, and how it is written.

use std::collections::BTreeSet;
use std::fmt;
use std::ops::Range;

use super::matcher::Matcher;
use super::pattern::Pattern;
use super::quantity::Quantity;
use super::sets::Sets;
use super::word::Comparator;

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
    /// A name glob, the name of a cluster, or places in the last listing.
    Name(Pattern),
    /// `key=glob` or `key!=glob`.
    Property {
        /// The key.
        key: String,
        /// Whether `!=` was written.
        negated: bool,
        /// What its value must match.
        pattern: Pattern,
    },
    /// `key~regex` or `key!~regex`.
    Like {
        /// The key.
        key: String,
        /// Whether `!~` was written.
        negated: bool,
        /// What its value must hold a match of.
        matcher: Matcher,
    },
    /// `key>=value` and its like.
    Compare {
        /// The key.
        key: String,
        /// How.
        comparator: Comparator,
        /// With what.
        value: Quantity,
    },
    /// `@name`: a set of the user's settings.
    Set(String),
    /// `@failed` and its like: nodes by what the last run brought.
    Result(ResultWord),
    /// `CLUSTER:EXPR`.
    Within {
        /// The cluster.
        cluster: String,
        /// What is taken from it.
        inner: Box<Expr>,
    },
    /// Targets joined from left to right.
    Chain {
        /// The first one.
        first: Box<Expr>,
        /// The others, and how each is joined.
        rest: Vec<(Op, Expr)>,
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

/// Nodes by what the last run brought.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ResultWord {
    /// The command failed there.
    Failed,
    /// It succeeded.
    Ok,
    /// It took much longer than elsewhere.
    Slow,
    /// Its output differs from that of the run before.
    Changed,
    /// It waits for input.
    Waiting,
    /// Every node of the run.
    Last,
    /// Its output holds a match.
    Said(Matcher),
    /// The nodes of one group of equal output, counted from 1.
    Group(u32),
}

/// The result words and what they mean, in the order of the manual.
pub const RESULT_WORDS: &[(&str, &str)] = &[
    ("failed", "nodes where the last command failed"),
    ("ok", "nodes where it succeeded"),
    ("slow", "nodes where it took much longer than elsewhere"),
    ("changed", "nodes whose output differs from that of the run before"),
    ("waiting", "nodes where it waits for input"),
    ("last", "every node of the last run"),
    ("said", "nodes whose output holds a match, as in @said:/5\\.10/"),
    ("group", "nodes of one group of equal output, as in @group:2"),
];

impl Expr {
    /// Whether it may select nodes outside the cluster that names are taken
    /// from, given the clusters and sets there are.
    #[must_use]
    pub fn reaches_out(&self, clusters: &BTreeSet<String>, sets: &Sets) -> bool {
        match &self.kind {
            ExprKind::All | ExprKind::Broken | ExprKind::Compare { .. } | ExprKind::Result(_) => {
                false
            }
            ExprKind::Name(pattern) => pattern
                .literal()
                .is_some_and(|word| clusters.iter().any(|name| name.eq_ignore_ascii_case(&word))),
            ExprKind::Property { key, .. } | ExprKind::Like { key, .. } => {
                key.eq_ignore_ascii_case("cluster")
            }
            ExprKind::Set(name) => {
                sets.get(name).is_some_and(|set| set.expr.reaches_out(clusters, sets))
            }
            ExprKind::Within { .. } => true,
            ExprKind::Chain { first, rest } => {
                first.reaches_out(clusters, sets)
                    || rest.iter().any(|(_, expr)| expr.reaches_out(clusters, sets))
            }
        }
    }

    /// The sets that it names.
    pub(super) fn sets(&self, names: &mut Vec<String>) {
        match &self.kind {
            ExprKind::Set(name) => names.push(name.clone()),
            ExprKind::Within { inner, .. } => inner.sets(names),
            ExprKind::Chain { first, rest } => {
                first.sets(names);
                rest.iter().for_each(|(_, expr)| expr.sets(names));
            }
            _ => {}
        }
    }
}

impl Op {
    /// As it is written.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Union => ",",
            Self::Difference => "!",
            Self::Intersection => "&",
            Self::Xor => "^",
        }
    }
}

impl fmt::Display for Expr {
    /// As it could have been written: read again, it is the same target.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.kind {
            ExprKind::All => f.write_str("*"),
            ExprKind::Name(pattern) => f.write_str(pattern.text()),
            ExprKind::Property { key, negated, pattern } => {
                write!(f, "{key}{}{}", if *negated { "!=" } else { "=" }, pattern.text())
            }
            ExprKind::Like { key, negated, matcher } => {
                write!(f, "{key}{}{matcher}", if *negated { "!~" } else { "~" })
            }
            ExprKind::Compare { key, comparator, value } => {
                write!(f, "{key}{}{value}", comparator.as_str())
            }
            ExprKind::Set(name) => write!(f, "@{name}"),
            ExprKind::Result(word) => word.fmt(f),
            ExprKind::Within { cluster, inner } => {
                write!(f, "{cluster}:")?;
                match inner.kind {
                    ExprKind::Within { .. } => write!(f, "({inner})"),
                    _ => operand(inner, f),
                }
            }
            ExprKind::Chain { first, rest } => {
                operand(first, f)?;
                rest.iter().try_for_each(|(op, expr)| {
                    f.write_str(op.as_str())?;
                    operand(expr, f)
                })
            }
            ExprKind::Broken => Ok(()),
        }
    }
}

fn operand(expr: &Expr, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    match expr.kind {
        ExprKind::Chain { .. } => write!(f, "({expr})"),
        _ => write!(f, "{expr}"),
    }
}

impl fmt::Display for ResultWord {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Failed => "@failed",
            Self::Ok => "@ok",
            Self::Slow => "@slow",
            Self::Changed => "@changed",
            Self::Waiting => "@waiting",
            Self::Last => "@last",
            Self::Said(matcher) => return write!(f, "@said:{matcher}"),
            Self::Group(number) => return write!(f, "@group:{number}"),
        })
    }
}
