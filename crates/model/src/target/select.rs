//! Takes the members of a scope that an expression selects. Never reaches
//! further than the reader of the expression thinks: an expression that
//! selects nodes of several clusters is told apart by [`Selection::clusters`],
//! and a word that is a node's name and a cluster's at once is an error.

use std::collections::BTreeSet;

use super::natural::natural_key;
use super::parse::{Expr, ExprKind, Op};
use super::pattern::Pattern;
use super::scope::{Member, Scope, same};
use crate::diagnostic::Diagnostic;
use crate::span::{SourceId, Span};

/// What an expression selects.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Selection {
    /// Places in `Scope::members`, by cluster and in natural order of names.
    pub members: Vec<usize>,
    /// The clusters they belong to.
    pub clusters: BTreeSet<String>,
}

/// Takes the members that `expr` selects.
///
/// # Errors
/// Unknown clusters and keys, and words that mean two things.
pub fn select(expr: &Expr, source: SourceId, scope: &Scope) -> Result<Selection, Vec<Diagnostic>> {
    let mut selector = Selector { source, scope, found: Vec::new() };
    let chosen = selector.evaluate(expr);
    if !selector.found.is_empty() {
        return Err(selector.found);
    }
    let mut members: Vec<(usize, &Member)> =
        scope.members.iter().enumerate().filter(|(at, _)| chosen.contains(at)).collect();
    members.sort_by_cached_key(|(_, member)| (member.cluster.clone(), natural_key(&member.name)));
    Ok(Selection {
        clusters: members.iter().map(|(_, member)| member.cluster.clone()).collect(),
        members: members.into_iter().map(|(at, _)| at).collect(),
    })
}

struct Selector<'a> {
    source: SourceId,
    scope: &'a Scope,
    found: Vec<Diagnostic>,
}

impl Selector<'_> {
    fn evaluate(&mut self, expr: &Expr) -> BTreeSet<usize> {
        match &expr.kind {
            ExprKind::Broken => BTreeSet::new(),
            ExprKind::All => self.members(self.scope.within.as_deref(), |_| true),
            ExprKind::Name { cluster, pattern } => self.name(expr, cluster.as_deref(), pattern),
            ExprKind::Property { cluster, key, negated, pattern } => {
                self.property(expr, cluster.as_deref(), key, *negated, pattern)
            }
            ExprKind::Binary { op, left, right } => {
                let left = self.evaluate(left);
                let right = self.evaluate(right);
                match op {
                    Op::Union => &left | &right,
                    Op::Difference => &left - &right,
                    Op::Intersection => &left & &right,
                    Op::Xor => &left ^ &right,
                }
            }
        }
    }

    fn members(&self, within: Option<&str>, keep: impl Fn(&Member) -> bool) -> BTreeSet<usize> {
        self.scope
            .members
            .iter()
            .enumerate()
            .filter(|(_, member)| within.is_none_or(|name| same(name, &member.cluster)))
            .filter(|(_, member)| keep(member))
            .map(|(at, _)| at)
            .collect()
    }

    fn problem(&mut self, expr: &Expr, code: &'static str, message: String, help: String) {
        let span = Span::new(self.source, expr.span.start, expr.span.end);
        self.found.push(Diagnostic::error(code, message).at(span, "").help(help));
    }

    fn name(&mut self, expr: &Expr, cluster: Option<&str>, pattern: &Pattern) -> BTreeSet<usize> {
        if let Some(cluster) = cluster {
            if !self.known(expr, cluster) {
                return BTreeSet::new();
            }
            return self.members(Some(cluster), |member| pattern.matches(&member.name));
        }
        let within = self.scope.within.as_deref();
        let nodes = self.members(within, |member| pattern.matches(&member.name));
        let Some(word) = pattern.literal() else {
            return nodes;
        };
        let Some(cluster) = self.scope.clusters.iter().find(|name| same(name, &word)) else {
            return nodes;
        };
        if nodes.is_empty() {
            return self.members(Some(cluster), |_| true);
        }
        let message = format!("`{word}` is the name of a node and of a cluster");
        let help = format!("write `name={word}` or `cluster={word}`");
        self.problem(expr, "target-ambiguous", message, help);
        BTreeSet::new()
    }

    fn property(
        &mut self,
        expr: &Expr,
        cluster: Option<&str>,
        key: &str,
        negated: bool,
        pattern: &Pattern,
    ) -> BTreeSet<usize> {
        if let Some(cluster) = cluster
            && !self.known(expr, cluster)
        {
            return BTreeSet::new();
        }
        if key == "cluster" {
            return self.by_cluster(expr, cluster, negated, pattern);
        }
        let within = cluster.or(self.scope.within.as_deref());
        if key == "tags" || key == "tag" {
            return self.members(within, |member| {
                member.tags.iter().any(|(k, v)| pattern.matches(&format!("{k}:{v}"))) != negated
            });
        }
        let known = self.scope.members.iter().any(|member| member.fields.contains_key(key));
        if !known && !self.scope.members.is_empty() && key != "name" {
            let message = format!("no node has a property `{key}`");
            let help = self.suggestion(key);
            self.problem(expr, "target-key", message, help);
            return BTreeSet::new();
        }
        self.members(within, |member| {
            let values = member.fields.get(key).map_or(&[][..], Vec::as_slice);
            let named = key == "name" && pattern.matches(&member.name);
            (named || values.iter().any(|value| pattern.matches(value))) != negated
        })
    }

    /// `cluster=x` widens the scope, since it says itself which clusters it
    /// means; `cluster!=x` does not.
    fn by_cluster(
        &mut self,
        expr: &Expr,
        cluster: Option<&str>,
        negated: bool,
        pattern: &Pattern,
    ) -> BTreeSet<usize> {
        if negated {
            let within = cluster.or(self.scope.within.as_deref());
            return self.members(within, |member| !pattern.matches(&member.cluster));
        }
        if let Some(word) = pattern.literal()
            && !self.known(expr, &word)
        {
            return BTreeSet::new();
        }
        self.members(cluster, |member| pattern.matches(&member.cluster))
    }

    fn known(&mut self, expr: &Expr, cluster: &str) -> bool {
        let known = self.scope.clusters.iter().any(|name| same(name, cluster));
        if !known {
            let there: Vec<&str> = self.scope.clusters.iter().map(String::as_str).collect();
            let help = if there.is_empty() {
                "there is no cluster yet".to_owned()
            } else {
                format!("clusters there are: {}", there.join(", "))
            };
            self.problem(expr, "target-cluster", format!("there is no cluster `{cluster}`"), help);
        }
        known
    }

    fn suggestion(&self, key: &str) -> String {
        let keys: BTreeSet<&str> = self
            .scope
            .members
            .iter()
            .flat_map(|member| member.fields.keys().map(String::as_str))
            .chain(["cluster", "name", "tags"])
            .collect();
        keys.iter()
            .map(|known| (strsim::damerau_levenshtein(known, key), known))
            .filter(|(distance, _)| *distance <= 2)
            .min()
            .map_or_else(
                || "`squall show -vv` lists the properties".to_owned(),
                |(_, known)| format!("did you mean `{known}`?"),
            )
    }
}

#[cfg(test)]
mod tests;
