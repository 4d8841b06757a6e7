//! Names of pools and nodes among each other: too many, too long, or two that
//! DNS and Slurm could not tell apart.

use std::collections::BTreeMap;

use crate::diagnostic::Diagnostic;
use crate::name::{NameError, NodeName, PoolName};
use crate::resolved::{CLOUD_NODE_COUNT_MAX, Count, LOCAL_NODE_COUNT_MAX, ProviderKind};
use crate::span::{Span, Spanned};
use crate::spec::section::PoolSpec;

/// A pool's names, as far as they can be known.
struct Names<'a> {
    pool: &'a PoolName,
    span: Span,
    count: Count,
    first: Option<u32>,
}

impl Names<'_> {
    fn is_numbered(&self) -> bool {
        self.first.is_some() || self.count.max > 1
    }

    fn node(&self, rank: u32) -> Result<NodeName, NameError> {
        if self.is_numbered() {
            self.pool.numbered_node(self.first.unwrap_or(1).saturating_add(rank))
        } else {
            Ok(self.pool.bare_node())
        }
    }
}

/// Reports what is wrong with the names of all pools together.
pub(super) fn check(
    pools: &[Spanned<PoolSpec>],
    provider: Option<ProviderKind>,
    found: &mut Vec<Diagnostic>,
) {
    let one = Count { min: 1, max: 1 };
    let names: Vec<Names<'_>> = pools
        .iter()
        .filter_map(|Spanned { value: pool, .. }| {
            let name = pool.nodename.get()?;
            let count = pool.count.value().copied().unwrap_or(one);
            let first = pool.first.value().map(|first| first.0);
            Some(Names { pool: &name.value, span: name.span, count, first })
        })
        .collect();
    if !within_bounds(&names, pools, provider, found) {
        return;
    }
    let mut by_slug: BTreeMap<String, (&Names<'_>, NodeName)> = BTreeMap::new();
    let mut pool_slugs: BTreeMap<String, &Names<'_>> = BTreeMap::new();
    for pool in &names {
        if let Some(other) = pool_slugs.get(&pool.pool.slug()) {
            found.push(collision(pool, other, pool.pool.as_str(), other.pool.as_str(), "pools"));
            continue;
        }
        pool_slugs.insert(pool.pool.slug(), pool);
        if let Err(error) = pool.node(pool.count.max.saturating_sub(1)) {
            let message = format!("the nodes of `{}` cannot be named: {error}", pool.pool);
            found.push(Diagnostic::error("bad-name", message).at(pool.span, ""));
            continue;
        }
        for rank in 0..pool.count.max {
            let Ok(node) = pool.node(rank) else { break };
            if let Some((other, other_node)) = by_slug.get(&node.slug()) {
                found.push(collision(pool, other, node.as_str(), other_node.as_str(), "nodes"));
                break;
            }
            by_slug.insert(node.slug(), (pool, node));
        }
    }
}

fn collision(
    pool: &Names<'_>,
    other: &Names<'_>,
    name: &str,
    other_name: &str,
    what: &str,
) -> Diagnostic {
    let message = if name == other_name {
        format!("two {what} would be called `{name}`")
    } else {
        format!(
            "two {what} would be called `{other_name}` and `{name}`, which DNS and Slurm take for one name"
        )
    };
    let problem = Diagnostic::error("name-collision", message);
    problem.at(pool.span, "").at(other.span, "the other").help("rename one of the pools")
}

fn within_bounds(
    names: &[Names<'_>],
    pools: &[Spanned<PoolSpec>],
    provider: Option<ProviderKind>,
    found: &mut Vec<Diagnostic>,
) -> bool {
    let (most, whose) = match provider {
        Some(ProviderKind::Local) => (LOCAL_NODE_COUNT_MAX, "a cluster on this machine"),
        _ => (CLOUD_NODE_COUNT_MAX, "a cluster"),
    };
    let total = names.iter().map(|pool| pool.count.max).fold(0, u32::saturating_add);
    if total <= most {
        return true;
    }
    let message = format!("{total} nodes, {whose} has at most {most}");
    let counts = pools.iter().filter_map(|pool| pool.value.count.get());
    let largest = counts.max_by_key(|count| count.value.max);
    let problem = Diagnostic::error("too-many-nodes", message);
    found.push(match largest {
        Some(count) => problem.at(count.span, "the largest pool"),
        None => problem,
    });
    false
}
