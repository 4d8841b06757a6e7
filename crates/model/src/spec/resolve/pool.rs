//! One pool: its defaults, and what the cluster says for all.

use std::collections::BTreeMap;

use super::Frame;
use crate::diagnostic::Diagnostic;
use crate::resolved::{Count, HEAD_ROLE, KeyChoice, Pool, ProviderKind, WORKER_ROLE};
use crate::span::Spanned;
use crate::spec::read::Field;
use crate::spec::section::{ClusterSpec, PoolSpec};

/// The role of each pool: what it says; without any, the first is the head.
pub(super) fn roles(pools: &[Spanned<PoolSpec>]) -> Vec<String> {
    let any = pools.iter().any(|pool| !pool.value.role.is_absent());
    let role = |(index, pool): (usize, &Spanned<PoolSpec>)| match pool.value.role.value() {
        Some(role) => role.0.clone(),
        None if index == 0 && !any => HEAD_ROLE.to_owned(),
        None => WORKER_ROLE.to_owned(),
    };
    pools.iter().enumerate().map(role).collect()
}

/// The pool's own value, or the one that the cluster gives for all.
pub(super) fn own_or_common<'a, T>(own: &'a Field<T>, common: &'a Field<T>) -> &'a Field<T> {
    if own.is_absent() { common } else { own }
}

impl Frame<'_> {
    /// Resolves one pool; `None` when something of it is wrong, which is
    /// reported.
    pub(super) fn pool(
        &mut self,
        entry: &Spanned<PoolSpec>,
        cluster: &ClusterSpec,
        cluster_tags: &BTreeMap<String, String>,
        role: String,
    ) -> Option<Pool> {
        let pool = &entry.value;
        let image = self.image(pool, cluster);
        let machine = self.instance_type(pool, cluster);
        let username = self.username(pool, cluster);
        let key = self.key(pool, cluster);
        let first_boot = self.scripts(pool);
        let mut tags = cluster_tags.clone();
        tags.extend(pool.tags.value().map(|tags| tags.0.clone()).unwrap_or_default());
        let count = self.count(pool);
        let spot = pool.spot.value().is_some_and(|spot| *spot);
        let (instance_type, limits) = machine?;
        Some(Pool {
            name: pool.nodename.value()?.clone(),
            role,
            count,
            first: pool.first.value().map(|first| first.0),
            instance_type,
            image: image?,
            limits,
            username: username?,
            key,
            spot: spot && self.provider != Some(ProviderKind::Local),
            tags,
            first_boot: first_boot?,
        })
    }

    fn count(&mut self, pool: &PoolSpec) -> Count {
        let Some(count) = pool.count.get() else { return Count { min: 1, max: 1 } };
        if count.value.max > count.value.min {
            let Count { min, max } = count.value;
            let message = format!(
                "this build makes {min} of at most {max} nodes; pools do not grow by themselves yet"
            );
            self.found.push(Diagnostic::note("elastic-later", message).at(count.span, ""));
        }
        count.value
    }

    fn username(&mut self, pool: &PoolSpec, cluster: &ClusterSpec) -> Option<String> {
        let default = match self.provider? {
            ProviderKind::Ec2 => Some("ec2-user"),
            ProviderKind::Local | ProviderKind::Fake => Some("root"),
            // Images of OpenStack clouds agree on nothing.
            ProviderKind::Openstack => None,
        };
        match own_or_common(&pool.username, &cluster.username) {
            Field::Is(name, _) => Some(name.value.0.clone()),
            Field::Bad => None,
            Field::Absent => {
                if default.is_none() {
                    self.missing(
                        pool,
                        "username",
                        "the account that the image has, as in `username: debian`",
                    );
                }
                default.map(ToOwned::to_owned)
            }
        }
    }

    fn key(&mut self, pool: &PoolSpec, cluster: &ClusterSpec) -> KeyChoice {
        let Some(key) = own_or_common(&pool.key, &cluster.key).get() else {
            return KeyChoice::Default;
        };
        match key.value.as_str() {
            "default" => KeyChoice::Default,
            "new" => {
                self.later(Some(key.span), "make a key pair for one cluster");
                KeyChoice::New
            }
            name if self.provider == Some(ProviderKind::Local) => {
                let message = format!(
                    "`key: {name}` has no meaning on local: no cloud keeps key pairs here; your default key opens the nodes"
                );
                self.found.push(Diagnostic::note("no-meaning-here", message).at(key.span, ""));
                KeyChoice::Default
            }
            name => KeyChoice::Named(name.to_owned()),
        }
    }

    /// Reports a key that this provider needs.
    pub(super) fn missing(&mut self, pool: &PoolSpec, key: &str, help: &str) {
        let provider = self.provider.map_or("the provider", ProviderKind::as_str);
        let name = pool.nodename.value().map(|name| format!(" in pool `{name}`"));
        let message =
            format!("`{key}` is missing{}, {provider} needs it", name.unwrap_or_default());
        let problem = Diagnostic::error("missing-key", message).at(pool.span, "");
        self.found.push(problem.help(format!("add {help}")));
    }
}
