//! What there is of a cluster next to what is declared: the observed nodes,
//! and those that its accepted spec has and its provider lacks. Pure.

use std::collections::BTreeMap;

use model::inventory::{ClusterRecord, Condition, Inventory, Known, ObservedNode};
use model::name::{NodeName, PoolName};
use model::resolved::Resolved;
use model::target::{Member, natural_key};
use model::unit::Memory;

/// One cluster, observed.
#[derive(Debug, Clone)]
pub(crate) struct ClusterView {
    /// What was seen.
    pub(crate) inventory: Inventory,
    /// The nodes that should be there and are not, in the order of the spec.
    pub(crate) absent: Vec<Declared>,
}

/// A node as the accepted spec declares it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Declared {
    /// Its name.
    pub(crate) name: NodeName,
    /// Its pool.
    pub(crate) pool: PoolName,
    /// What it is for.
    pub(crate) role: String,
    /// Instance type as resolved for the provider.
    pub(crate) instance_type: String,
    /// Image as resolved for the provider.
    pub(crate) image: String,
}

/// One line of a listing of nodes.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Shown<'a> {
    /// A machine.
    There(&'a ObservedNode),
    /// Declared, and there is none.
    Absent(&'a Declared),
}

impl Shown<'_> {
    /// The node's name.
    pub(crate) const fn name(&self) -> &NodeName {
        match self {
            Self::There(node) => &node.name,
            Self::Absent(declared) => &declared.name,
        }
    }
}

impl ClusterView {
    /// Puts what was seen beside what is declared. Where the nodes or the spec
    /// cannot be read, nothing counts as absent.
    pub(crate) fn new(inventory: Inventory) -> Self {
        let absent = match (&inventory.nodes, inventory.record()) {
            (Known::Seen(_), Some(record)) if !record.deleting => {
                Resolved::from_stored(&record.spec)
                    .map(|spec| absent(&inventory, &spec))
                    .unwrap_or_default()
            }
            _ => Vec::new(),
        };
        Self { inventory, absent }
    }

    /// How the cluster stands; `None` without a record.
    pub(crate) fn condition(&self) -> Option<Condition> {
        self.inventory.record().map(ClusterRecord::condition)
    }

    /// Why part of the cluster could not be seen.
    pub(crate) fn unknown(&self) -> Option<&str> {
        match (&self.inventory.nodes, &self.inventory.record) {
            (Known::Unknown(reason), _) | (_, Known::Unknown(reason)) => Some(reason),
            (Known::Seen(_), Known::Seen(_)) => None,
        }
    }

    /// Everything there is to list, in natural order of names.
    pub(crate) fn shown(&self) -> Vec<Shown<'_>> {
        let mut shown: Vec<Shown<'_>> = self
            .inventory
            .nodes()
            .iter()
            .map(Shown::There)
            .chain(self.absent.iter().map(Shown::Absent))
            .collect();
        shown.sort_by_cached_key(|shown| natural_key(shown.name().as_str()));
        shown
    }

    /// The machine of the cluster's head: the first of its role by name, as
    /// the spec has it where it can be read.
    pub(crate) fn head(&self) -> Option<NodeName> {
        let declared = self
            .inventory
            .record()
            .and_then(|record| Resolved::from_stored(&record.spec).ok())
            .and_then(|spec| spec.head());
        declared.or_else(|| {
            let nodes = self.inventory.nodes().iter();
            nodes
                .filter(|node| node.role == model::resolved::HEAD_ROLE && node.state.exists())
                .min_by_key(|node| natural_key(node.name.as_str()))
                .map(|node| node.name.clone())
        })
    }
}

fn absent(inventory: &Inventory, spec: &Resolved) -> Vec<Declared> {
    let removed = inventory.record().map(|record| &record.removed);
    spec.nodes()
        .filter(|node| !removed.is_some_and(|removed| removed.contains(&node.name)))
        .filter(|node| inventory.nodes().iter().all(|observed| observed.name != node.name))
        .map(|node| Declared {
            name: node.name,
            pool: node.pool.name.clone(),
            role: node.pool.role.clone(),
            instance_type: node.pool.instance_type.clone(),
            image: node.pool.image.clone(),
        })
        .collect()
}

/// A node as targets see it.
pub(crate) fn member(inventory: &Inventory, node: &ObservedNode) -> Member {
    let mut fields: BTreeMap<String, Vec<String>> =
        node.properties.iter().map(|(key, value)| (key.clone(), vec![value.clone()])).collect();
    let mut put = |key: &str, values: Vec<String>| {
        fields.insert(key.to_owned(), values);
    };
    let ips = [&node.external_ip, &node.internal_ip];
    put("ip", ips.into_iter().flatten().cloned().collect());
    put("external_ip", node.external_ip.iter().cloned().collect());
    put("internal_ip", node.internal_ip.iter().cloned().collect());
    put("id", vec![node.id.to_string()]);
    put("state", vec![node.state.to_string()]);
    put("pool", vec![node.pool.to_string()]);
    put("role", vec![node.role.clone()]);
    put("instance_type", vec![node.instance_type.clone()]);
    put("image", vec![node.image.clone()]);
    put("username", vec![node.username.clone()]);
    put("generation", vec![node.generation.to_string()]);
    put("provider", vec![inventory.provider.to_string()]);
    put("region", vec![inventory.region.clone()]);
    put("type", vec![node.instance_type.clone()]);
    put("created_at", vec![node.created_at.to_string()]);
    put("launch_time", vec![node.started_at.unwrap_or(node.created_at).to_string()]);
    let age_s = inventory.observed_at.duration_since(node.created_at).as_secs().max(0);
    put("age", vec![format!("{age_s}s")]);
    // What a provider says in its own words is under these keys everywhere.
    if let Some(cores) = node.properties.get("limit_cores") {
        put("cores", vec![cores.clone()]);
    }
    let bytes = node.properties.get("limit_memory_bytes").and_then(|bytes| bytes.parse().ok());
    if let Some(bytes) = bytes {
        put("memory", vec![Memory { bytes }.to_string()]);
    }
    Member {
        cluster: inventory.cluster.to_string(),
        name: node.name.to_string(),
        fields,
        tags: node.tags.clone(),
    }
}

/// A declared node that is not there, as targets see it.
pub(crate) fn absent_member(inventory: &Inventory, declared: &Declared) -> Member {
    let fields = [
        ("state", "absent".to_owned()),
        ("pool", declared.pool.to_string()),
        ("role", declared.role.clone()),
        ("instance_type", declared.instance_type.clone()),
        ("type", declared.instance_type.clone()),
        ("image", declared.image.clone()),
        ("provider", inventory.provider.to_string()),
        ("region", inventory.region.clone()),
    ];
    Member {
        cluster: inventory.cluster.to_string(),
        name: declared.name.to_string(),
        fields: fields.into_iter().map(|(key, value)| (key.to_owned(), vec![value])).collect(),
        tags: BTreeMap::new(),
    }
}
