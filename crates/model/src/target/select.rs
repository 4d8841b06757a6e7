//! Takes the members of a scope that an expression selects. Never reaches
//! further than the reader of the expression thinks: an expression that
//! selects nodes of several clusters is told apart by [`Selection::clusters`],
//! a word that is a node's name and a cluster's at once is an error, and so is
//! a name that nothing has, since what is left out by it would be taken.

use std::collections::BTreeSet;

use super::bits::Bits;
use super::expr::{Expr, ExprKind, Op, ResultWord};
use super::index::{Column, Index};
use super::pattern::Pattern;
use super::quantity::Quantity;
use super::scope::{Scope, same};
use super::suggest::nearest;
use super::word::Comparator;
use crate::diagnostic::Diagnostic;
use crate::span::{SourceId, Span};

/// Problems for which what was perhaps meant is looked for: that compares with
/// every name there is, and nobody reads further.
const MEANT_MAX: usize = 20;

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
/// Unknown clusters, names, sets and keys, words that mean two things, and
/// what only a shell knows.
pub fn select(expr: &Expr, source: SourceId, scope: &Scope) -> Result<Selection, Vec<Diagnostic>> {
    let mut selector = Selector { source, scope, index: scope.index(), found: Vec::new() };
    let place = Place { within: scope.cluster(), said: false, set: None };
    let chosen = selector.evaluate(expr, place);
    if !selector.found.is_empty() {
        return Err(selector.found);
    }
    let members = selector.index.in_order(&chosen);
    let mut clusters = BTreeSet::new();
    let mut last = None;
    for cluster in members.iter().filter_map(|at| scope.members().get(*at)).map(|m| &m.cluster) {
        if last != Some(cluster) {
            clusters.insert(cluster.clone());
            last = Some(cluster);
        }
    }
    Ok(Selection { members, clusters })
}

/// Where a part of an expression is evaluated.
#[derive(Debug, Clone, Copy)]
struct Place<'a> {
    /// The cluster that names are taken from.
    within: Option<&'a str>,
    /// Whether the expression itself says so (`CLUSTER:`), and thus means no
    /// other.
    said: bool,
    /// The expression that a set stands in place of: what is wrong with the
    /// set is wrong there.
    set: Option<&'a Expr>,
}

struct Selector<'a> {
    source: SourceId,
    scope: &'a Scope,
    index: &'a Index,
    found: Vec<Diagnostic>,
}

impl<'a> Selector<'a> {
    fn evaluate(&mut self, expr: &Expr, place: Place<'_>) -> Bits {
        match &expr.kind {
            ExprKind::Broken => self.nothing(),
            ExprKind::All => self.index.within(place.within),
            ExprKind::Name(pattern) => self.name(expr, place, pattern),
            ExprKind::Property { key, negated, pattern } => {
                self.property(expr, place, key, *negated, |text| pattern.matches(text))
            }
            ExprKind::Like { key, negated, matcher } => {
                self.property(expr, place, key, *negated, |text| matcher.matches(text))
            }
            ExprKind::Compare { key, comparator, value } => {
                self.compare(expr, place, key, *comparator, value)
            }
            ExprKind::Set(name) => self.set(expr, place, name),
            ExprKind::Result(word) => self.result(expr, place, word),
            ExprKind::Within { cluster, inner } => self.cluster(expr, place, cluster, inner),
            ExprKind::Chain { first, rest } => {
                let mut chosen = self.evaluate(first, place);
                for (op, expr) in rest {
                    let right = self.evaluate(expr, place);
                    chosen.join(&right, |left, right| match op {
                        Op::Union => left | right,
                        Op::Difference => left & !right,
                        Op::Intersection => left & right,
                        Op::Xor => left ^ right,
                    });
                }
                chosen
            }
        }
    }

    fn nothing(&self) -> Bits {
        Bits::none(self.scope.members().len())
    }

    fn problem(
        &mut self,
        expr: &Expr,
        place: Place<'_>,
        code: &'static str,
        message: impl Into<String>,
    ) -> &mut Diagnostic {
        let shown = place.set.unwrap_or(expr);
        let span = Span::new(self.source, shown.span.start, shown.span.end);
        let mut problem = Diagnostic::error(code, message).at(span, "");
        if place.set.is_some() {
            problem = problem.help(format!("it is in the set, as `{expr}`"));
        }
        self.found.push(problem);
        let last = self.found.len() - 1;
        #[expect(clippy::indexing_slicing, reason = "it was pushed on the line before")]
        &mut self.found[last]
    }

    fn cluster(&mut self, expr: &Expr, place: Place<'_>, name: &str, inner: &Expr) -> Bits {
        if !self.scope.clusters().iter().any(|known| same(known, name)) {
            // Names of hosts that are not ours may hold a colon.
            if let ExprKind::Name(rest) = &inner.kind
                && let Ok(whole) = Pattern::compile(&format!("{name}:{}", rest.text()))
            {
                let found = self.index.named(&whole).and(&self.index.within(place.within));
                if !found.is_empty() {
                    return found;
                }
            }
            self.unknown_cluster(expr, place, name);
            return self.nothing();
        }
        let said = Place { within: Some(name), said: true, set: place.set };
        let chosen = self.evaluate(inner, said);
        let mut chosen = chosen.and(&self.index.within(Some(name)));
        if place.said {
            chosen = chosen.and(&self.index.within(place.within));
        }
        chosen
    }

    /// A name may be a node's, a cluster's, or places in the last listing, in
    /// this order.
    fn name(&mut self, expr: &Expr, place: Place<'_>, pattern: &Pattern) -> Bits {
        let nodes = self.index.named(pattern).and(&self.index.within(place.within));
        let literal = pattern.literal();
        let clusters = self.scope.clusters();
        let is_it = |name: &&String| literal.as_ref().is_some_and(|word| same(name, word));
        let cluster = clusters.iter().find(is_it).filter(|_| !place.said);
        match (nodes.is_empty(), cluster) {
            (false, None) => nodes,
            (true, Some(cluster)) => self.index.within(Some(cluster)),
            (false, Some(cluster)) => {
                let message = format!("`{cluster}` is the name of a node and of a cluster");
                let help = format!("write `name={cluster}` or `cluster={cluster}`");
                let problem = self.problem(expr, place, "target-ambiguous", message);
                problem.help.push(help);
                self.nothing()
            }
            (true, None) => match pattern.numbers() {
                Some(numbers) => self.listed(expr, place, &numbers),
                None => {
                    if place.set.is_none() && pattern.combinations().is_some() {
                        self.unknown_name(expr, place, pattern);
                    }
                    nodes
                }
            },
        }
    }

    fn listed(&mut self, expr: &Expr, place: Place<'_>, numbers: &[u64]) -> Bits {
        let mut chosen = self.nothing();
        let Some(listing) = self.scope.listing() else {
            let message = format!("`{expr}` is a place in a listing, and nothing was listed");
            let problem = self.problem(expr, place, "target-listing", message);
            problem.help.push("in a shell, `show` numbers the nodes; here name them".into());
            return chosen;
        };
        for number in numbers {
            let at = usize::try_from(*number).ok().and_then(|number| number.checked_sub(1));
            match at.and_then(|at| listing.get(at)) {
                Some(member) => chosen.insert(*member),
                None => {
                    let message = format!("there is no place {number} in the last listing");
                    let help = format!("it has {} nodes", listing.len());
                    let problem = self.problem(expr, place, "target-listing", message);
                    problem.help.push(help);
                    break;
                }
            }
        }
        chosen
    }

    fn set(&mut self, expr: &Expr, place: Place<'_>, name: &str) -> Bits {
        let Some(set) = self.scope.sets().get(name) else {
            let problem = self.scope.sets().unknown(name);
            let made = self.problem(expr, place, problem.code, problem.message);
            made.help.extend(problem.help);
            return self.nothing();
        };
        let shown = place.set.unwrap_or(expr);
        self.evaluate(&set.expr, Place { set: Some(shown), ..place })
    }

    fn result(&mut self, expr: &Expr, place: Place<'_>, word: &ResultWord) -> Bits {
        let message = format!("`{word}` asks for the last run, and there was none");
        let problem = self.problem(expr, place, "target-result", message);
        problem.help.push("result words work in a shell, after a run; here name the nodes".into());
        self.nothing()
    }

    fn property(
        &mut self,
        expr: &Expr,
        place: Place<'_>,
        key: &str,
        negated: bool,
        matches: impl Fn(&str) -> bool,
    ) -> Bits {
        if key.eq_ignore_ascii_case("cluster") {
            return self.by_cluster(expr, place, negated, matches);
        }
        let chosen = match self.column(key) {
            Values::Names => {
                let members = self.scope.members();
                Bits::of(members.len(), |at| members.get(at).is_some_and(|m| matches(&m.name)))
            }
            Values::Tags(tags, keys) => {
                // A tag by its key alone too.
                let mut chosen = tags.having(&tags.ask(&matches));
                chosen.join(&keys.having(&keys.ask(&matches)), |tag, key| tag | key);
                chosen
            }
            Values::Column(column) => column.having(&column.ask(&matches)),
            Values::Unknown => {
                self.unknown_key(expr, place, key);
                return self.nothing();
            }
        };
        let mut within = self.index.within(place.within);
        within.join(&chosen, |all, chosen| if negated { all & !chosen } else { all & chosen });
        within
    }

    fn compare(
        &mut self,
        expr: &Expr,
        place: Place<'_>,
        key: &str,
        comparator: Comparator,
        value: &Quantity,
    ) -> Bits {
        let column = match self.column(key) {
            Values::Column(column) => column,
            Values::Unknown if !key.eq_ignore_ascii_case("cluster") => {
                self.unknown_key(expr, place, key);
                return self.nothing();
            }
            _ => {
                let problem =
                    self.problem(expr, place, "target-value", format!("`{key}` has no order"));
                problem.help.push(format!("write `{key}=glob` or `{key}~regex`"));
                return self.nothing();
            }
        };
        let held: Vec<Option<bool>> =
            column.values.iter().map(|found| value.holds(comparator, found)).collect();
        if !held.is_empty() && held.iter().all(Option::is_none) {
            let seen = column.values.first().cloned().unwrap_or_default();
            let message = format!("no node's `{key}` is a {}", value.what());
            let problem = self.problem(expr, place, "target-value", message);
            problem.help.push(format!("it is as in `{key}={seen}`"));
            return self.nothing();
        }
        let wanted: Vec<bool> = held.into_iter().map(|held| held == Some(true)).collect();
        column.having(&wanted).and(&self.index.within(place.within))
    }

    fn column(&self, key: &str) -> Values<'a> {
        let members = self.scope.members();
        if key.eq_ignore_ascii_case("tags") || key.eq_ignore_ascii_case("tag") {
            let (tags, keys) = (self.index.tags(members), self.index.tag_keys(members));
            return tags.zip(keys).map_or(Values::Unknown, |(tags, keys)| Values::Tags(tags, keys));
        }
        match self.index.column(members, key) {
            Some(column) => Values::Column(column),
            None if key.eq_ignore_ascii_case("name") => Values::Names,
            None => Values::Unknown,
        }
    }

    /// `cluster=x` widens the scope, since it says itself which clusters it
    /// means; `cluster!=x` does not.
    fn by_cluster(
        &mut self,
        expr: &Expr,
        place: Place<'_>,
        negated: bool,
        matches: impl Fn(&str) -> bool,
    ) -> Bits {
        if let ExprKind::Property { pattern, negated: false, .. } = &expr.kind
            && let Some(word) = pattern.literal()
            && !self.scope.clusters().iter().any(|known| same(known, &word))
        {
            self.unknown_cluster(expr, place, &word);
            return self.nothing();
        }
        let chosen = self.index.of_clusters(|name| matches(name) != negated);
        if negated || place.said { chosen.and(&self.index.within(place.within)) } else { chosen }
    }

    fn unknown_cluster(&mut self, expr: &Expr, place: Place<'_>, name: &str) {
        let clusters = self.scope.clusters();
        let near = nearest(name, clusters.iter().map(String::as_str));
        let list: Vec<&str> = clusters.iter().map(String::as_str).collect();
        let message = format!("there is no cluster `{name}`");
        let problem = self.problem(expr, place, "target-cluster", message);
        problem.help.extend(near.map(|near| format!("did you mean `{near}`?")));
        problem.help.push(match list.is_empty() {
            true => "there is no cluster yet".to_owned(),
            false => format!("clusters there are: {}", list.join(", ")),
        });
    }

    fn unknown_key(&mut self, expr: &Expr, place: Place<'_>, key: &str) {
        if self.scope.members().is_empty() {
            return;
        }
        let keys = self.index.keys(self.scope.members()).chain(["cluster", "name", "tags"]);
        let near = if self.is_read() { nearest(key, keys) } else { None };
        let help = near.map_or_else(
            || "`squall show -vv` lists the properties".to_owned(),
            |near| format!("did you mean `{near}`?"),
        );
        let message = format!("no node has a property `{key}`");
        self.problem(expr, place, "target-key", message).help.push(help);
    }

    fn unknown_name(&mut self, expr: &Expr, place: Place<'_>, pattern: &Pattern) {
        let inside = place.within.map_or_else(String::new, |name| format!(" in cluster {name}"));
        let message = match pattern.literal() {
            Some(_) => format!("there is no node `{}`{inside}", pattern.text()),
            None => format!("no node of `{}` is there{inside}", pattern.text()),
        };
        let help = match self.is_read() {
            true => self.elsewhere(pattern).or_else(|| self.near(place, pattern)),
            false => None,
        };
        self.problem(expr, place, "target-name", message).help.extend(help);
    }

    /// Whether the next problem is among those that somebody reads.
    fn is_read(&self) -> bool {
        self.found.len() < MEANT_MAX
    }

    fn elsewhere(&self, pattern: &Pattern) -> Option<String> {
        let place = self.index.named(pattern).places().next()?;
        let member = self.scope.members().get(place)?;
        Some(format!("cluster {0} has one: `{0}:{1}`", member.cluster, member.name))
    }

    fn near(&self, place: Place<'_>, pattern: &Pattern) -> Option<String> {
        let mut first = None;
        if pattern.literal().is_some() {
            first = Some(pattern.text().to_owned());
        } else if pattern.combinations().is_some_and(|count| count <= 1000) {
            pattern.each_name(false, &mut |name| {
                first.get_or_insert_with(|| name.to_owned());
            });
        }
        let within = self.index.within(place.within);
        let members = self.scope.members();
        let names = within.places().filter_map(|at| members.get(at)).map(|m| m.name.as_str());
        let clusters = self.scope.clusters().iter().map(String::as_str);
        let sets = self.scope.sets();
        let first = first?;
        if let Some(near) = nearest(&first, names.chain(clusters)) {
            return Some(format!("did you mean `{near}`?"));
        }
        sets.get(&first).map(|_| format!("did you mean the set `@{first}`?"))
    }
}

/// The values that a key asks for.
enum Values<'a> {
    Names,
    Tags(&'a Column, &'a Column),
    Column(&'a Column),
    Unknown,
}

#[cfg(test)]
mod tests;
