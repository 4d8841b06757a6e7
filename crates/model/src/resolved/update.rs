//! What `update` does with each key that may differ between two accepted
//! specs: one table, used by the planner and by the documentation.

use std::collections::BTreeMap;

use super::{Pool, Resolved};
use crate::name::PoolName;
use crate::unit::{Cores, Memory};

/// What changing a key does to what stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum UpdatePolicy {
    /// Changed where it stands; nothing is lost.
    Live,
    /// The nodes concerned are removed and made again.
    Replace,
    /// Refused: make another cluster.
    Forbidden,
}

impl UpdatePolicy {
    /// The word in documentation and plans.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Live => "live",
            Self::Replace => "replaces the nodes",
            Self::Forbidden => "refused",
        }
    }
}

/// A key whose value differs between two accepted specs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Difference {
    /// The pool it is about; none for the cluster as a whole.
    pub pool: Option<PoolName>,
    /// The key, as `instance_type` or `cloud.region`.
    pub key: &'static str,
    /// What it was; empty for nothing.
    pub from: String,
    /// What it becomes; empty for nothing.
    pub to: String,
    /// What the change does.
    pub policy: UpdatePolicy,
}

/// What differs between the spec that a cluster has and the one it should
/// have, pool by pool. Pools that only one of them has are told by their
/// counts: from or to an empty text.
#[must_use]
pub fn differences(old: &Resolved, new: &Resolved) -> Vec<Difference> {
    let mut found = Vec::new();
    compare(&mut found, None, &cluster_keys(old), &cluster_keys(new));
    for pool in &new.pools {
        match old.pool(&pool.name) {
            Some(before) => {
                compare(&mut found, Some(&pool.name), &pool_keys(before), &pool_keys(pool));
            }
            None => found.push(count(&pool.name, String::new(), pool.count.to_string())),
        }
    }
    for pool in old.pools.iter().filter(|pool| new.pool(&pool.name).is_none()) {
        found.push(count(&pool.name, pool.count.to_string(), String::new()));
    }
    found
}

fn count(pool: &PoolName, from: String, to: String) -> Difference {
    Difference { pool: Some(pool.clone()), key: "count", from, to, policy: UpdatePolicy::Live }
}

type KeyValue = (&'static str, UpdatePolicy, String);

fn compare(
    found: &mut Vec<Difference>,
    pool: Option<&PoolName>,
    old: &[KeyValue],
    new: &[KeyValue],
) {
    for ((key, policy, from), (_, _, to)) in old.iter().zip(new) {
        if from != to {
            found.push(Difference {
                pool: pool.cloned(),
                key,
                from: from.clone(),
                to: to.clone(),
                policy: *policy,
            });
        }
    }
}

fn cluster_keys(spec: &Resolved) -> Vec<KeyValue> {
    use UpdatePolicy::{Forbidden, Live};
    let network = &spec.network;
    let yes_no = |value: bool| (if value { "yes" } else { "no" }).to_owned();
    vec![
        ("cluster.name", Forbidden, spec.cluster.to_string()),
        ("cloud.provider", Forbidden, spec.provider.to_string()),
        ("cloud.region", Forbidden, spec.region.clone().unwrap_or_default()),
        ("cloud.profile", Live, spec.profile.clone().unwrap_or_default()),
        ("cluster.use_placement_group", Forbidden, yes_no(network.use_placement_group)),
        ("cluster.create_vpc", Forbidden, yes_no(network.create_vpc)),
        ("cluster.vpc_id", Forbidden, network.vpc_id.clone().unwrap_or_default()),
        ("cluster.subnet_id", Forbidden, network.subnet_id.clone().unwrap_or_default()),
        ("ssh_from", Live, network.ssh_from.join(", ")),
        ("on_failure", Live, spec.on_failure.as_str().to_owned()),
        ("expires", Live, spec.expires.map(|expiry| expiry.to_string()).unwrap_or_default()),
        ("tags", Live, tags(&spec.tags)),
    ]
}

fn pool_keys(pool: &Pool) -> Vec<KeyValue> {
    use UpdatePolicy::{Live, Replace};
    let script = |kind: &str| {
        let script = pool.first_boot.iter().find(|script| script.kind == kind);
        script.map(|script| format!("{} ({})", script.source, script_digest(&script.text)))
    };
    vec![
        ("count", Live, pool.count.to_string()),
        ("first", Replace, pool.first.map(|first| first.to_string()).unwrap_or_default()),
        ("role", Live, pool.role.clone()),
        ("image", Replace, pool.image.clone()),
        ("instance_type", Replace, with_limits(pool)),
        ("username", Replace, pool.username.clone()),
        ("key", Replace, pool.key.to_string()),
        ("spot", Replace, (if pool.spot { "yes" } else { "no" }).to_owned()),
        ("user_data", Replace, script("user_data").unwrap_or_default()),
        ("setup", Replace, script("setup").unwrap_or_default()),
        ("tags", Live, tags(&pool.tags)),
    ]
}

fn with_limits(pool: &Pool) -> String {
    // The limits of a size may change between releases of ours; two values
    // that read alike would make a plan that says `local.nano -> local.nano`.
    let cores = pool.limits.cores_milli.map(|milli| Cores { milli }.to_string());
    let memory = pool.limits.memory_bytes.map(|bytes| Memory { bytes }.to_string());
    let limits = [cores, memory].into_iter().flatten().collect::<Vec<_>>().join(", ");
    // A type by need is called by its limits.
    if limits.is_empty() || limits == pool.instance_type {
        return pool.instance_type.clone();
    }
    format!("{} ({limits})", pool.instance_type)
}

fn script_digest(text: &str) -> String {
    super::digest::of_text(text)
}

fn tags(tags: &BTreeMap<String, String>) -> String {
    let each: Vec<String> = tags.iter().map(|(key, value)| format!("{key}: {value}")).collect();
    each.join(", ")
}
