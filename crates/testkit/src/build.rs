//! Accepted specs and what comes with them, built without YAML. They go
//! through the stored form, which keeps the rules of accepted specs.

#![expect(clippy::expect_used, reason = "a test that cannot be set up fails at once")]

use std::collections::BTreeMap;

use jiff::Timestamp;
use model::name::{ClusterName, NodeName, PoolName};
use model::plan::{FirstBootScript, NodeLimits, WantedNode};
use model::resolved::{ProviderKind, Resolved, STORED_VERSION};
use serde_json::{Value, json};

/// A cluster's name.
///
/// # Panics
/// When the text is no name, as with the two below.
#[must_use]
pub fn cluster(text: &str) -> ClusterName {
    ClusterName::parse(text).expect("a cluster's name")
}

/// A node's name.
///
/// # Panics
/// When the text is no name.
#[must_use]
pub fn node(text: &str) -> NodeName {
    NodeName::parse(text).expect("a node's name")
}

/// A pool's name.
///
/// # Panics
/// When the text is no name.
#[must_use]
pub fn pool_name(text: &str) -> PoolName {
    PoolName::parse(text).expect("a pool's name")
}

/// Midday of the day that virtual worlds begin on.
///
/// # Panics
/// Never.
#[must_use]
pub fn epoch() -> Timestamp {
    "2026-01-01T12:00:00Z".parse().expect("a time")
}

/// An accepted spec in the making.
#[derive(Debug, Clone)]
pub struct SpecBuilder {
    cluster: String,
    provider: ProviderKind,
    region: Option<String>,
    on_failure: String,
    tags: BTreeMap<String, String>,
    pools: Vec<PoolBuilder>,
}

/// A pool in the making.
#[derive(Debug, Clone)]
pub struct PoolBuilder {
    name: String,
    role: String,
    min: u32,
    max: u32,
    first: Option<u32>,
    instance_type: String,
    image: String,
    username: String,
    tags: BTreeMap<String, String>,
    first_boot: Vec<FirstBootScript>,
}

impl SpecBuilder {
    /// A spec for the fake provider without any pool yet.
    #[must_use]
    pub fn new(cluster: &str) -> Self {
        Self {
            cluster: cluster.to_owned(),
            provider: ProviderKind::Fake,
            region: None,
            on_failure: "rollback".to_owned(),
            tags: BTreeMap::new(),
            pools: Vec::new(),
        }
    }

    /// For another provider.
    #[must_use]
    pub fn provider(mut self, kind: ProviderKind) -> Self {
        self.provider = kind;
        self
    }

    /// In a region.
    #[must_use]
    pub fn region(mut self, region: &str) -> Self {
        self.region = Some(region.to_owned());
        self
    }

    /// What happens when a change fails, as specs say it.
    #[must_use]
    pub fn on_failure(mut self, word: &str) -> Self {
        word.clone_into(&mut self.on_failure);
        self
    }

    /// With a tag of the whole cluster.
    #[must_use]
    pub fn tag(mut self, key: &str, value: &str) -> Self {
        self.tags.insert(key.to_owned(), value.to_owned());
        self
    }

    /// With one more pool.
    #[must_use]
    pub fn pool(mut self, pool: PoolBuilder) -> Self {
        self.pools.push(pool);
        self
    }

    /// The accepted spec.
    ///
    /// # Panics
    /// When it breaks a rule of accepted specs.
    #[must_use]
    pub fn build(&self) -> Resolved {
        let pools: Vec<Value> = self.pools.iter().map(|pool| pool.to_json(&self.tags)).collect();
        let stored = json!({ "version": STORED_VERSION, "spec": {
            "cluster": self.cluster,
            "provider": self.provider,
            "region": self.region,
            "profile": null,
            "network": {
                "use_placement_group": false,
                "create_vpc": false,
                "vpc_id": null,
                "subnet_id": null,
                "ssh_from": [],
            },
            "on_failure": self.on_failure,
            "expires": null,
            "tags": self.tags,
            "pools": pools,
        }});
        Resolved::from_stored(&stored.to_string()).expect("a spec that keeps the rules")
    }
}

impl PoolBuilder {
    /// A pool of one worker.
    #[must_use]
    pub fn new(name: &str) -> Self {
        Self {
            name: name.to_owned(),
            role: "worker".to_owned(),
            min: 1,
            max: 1,
            first: None,
            instance_type: "small".to_owned(),
            image: "debian-12".to_owned(),
            username: "root".to_owned(),
            tags: BTreeMap::new(),
            first_boot: Vec::new(),
        }
    }

    /// A pool of one head.
    #[must_use]
    pub fn head(name: &str) -> Self {
        Self::new(name).role("head")
    }

    /// With a role.
    #[must_use]
    pub fn role(mut self, role: &str) -> Self {
        role.clone_into(&mut self.role);
        self
    }

    /// With so many nodes.
    #[must_use]
    pub const fn count(self, count: u32) -> Self {
        self.counts(count, count)
    }

    /// With at least and at most so many nodes.
    #[must_use]
    pub const fn counts(mut self, min: u32, max: u32) -> Self {
        self.min = min;
        self.max = max;
        self
    }

    /// Numbered from there.
    #[must_use]
    pub const fn first(mut self, first: u32) -> Self {
        self.first = Some(first);
        self
    }

    /// With an instance type.
    #[must_use]
    pub fn instance_type(mut self, name: &str) -> Self {
        name.clone_into(&mut self.instance_type);
        self
    }

    /// With an image.
    #[must_use]
    pub fn image(mut self, name: &str) -> Self {
        name.clone_into(&mut self.image);
        self
    }

    /// Says which account opens its nodes.
    #[must_use]
    pub fn username(mut self, name: &str) -> Self {
        name.clone_into(&mut self.username);
        self
    }

    /// With a tag.
    #[must_use]
    pub fn tag(mut self, key: &str, value: &str) -> Self {
        self.tags.insert(key.to_owned(), value.to_owned());
        self
    }

    /// With a script of the first boot.
    #[must_use]
    pub fn setup(mut self, text: &str) -> Self {
        self.first_boot.push(FirstBootScript {
            kind: "setup".to_owned(),
            source: "setup.sh".to_owned(),
            text: text.to_owned(),
        });
        self
    }

    fn to_json(&self, cluster_tags: &BTreeMap<String, String>) -> Value {
        let mut tags = cluster_tags.clone();
        tags.extend(self.tags.clone());
        json!({
            "name": self.name,
            "role": self.role,
            "count": { "min": self.min, "max": self.max },
            "first": self.first,
            "instance_type": self.instance_type,
            "image": self.image,
            "limits": NodeLimits::default(),
            "username": self.username,
            "key": "default",
            "spot": false,
            "tags": tags,
            "first_boot": self.first_boot,
        })
    }
}

/// A node as a plan of that spec wants it.
///
/// # Panics
/// When the spec declares no such node.
#[must_use]
pub fn wanted(spec: &Resolved, name: &str) -> WantedNode {
    let place = spec.nodes().find(|place| place.name.as_str() == name).expect("a declared node");
    WantedNode {
        name: place.name,
        pool: place.pool.name.clone(),
        role: place.pool.role.clone(),
        instance_type: place.pool.instance_type.clone(),
        image: place.pool.image.clone(),
        limits: place.pool.limits,
        username: place.pool.username.clone(),
        tags: place.pool.tags.clone(),
        first_boot: place.pool.first_boot.clone(),
        digest: place.pool.digest(),
    }
}
