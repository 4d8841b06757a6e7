//! What should be: which spec counts, which nodes it wants, which names stay
//! away, and whether the intent fits what is there at all.

use std::collections::{BTreeMap, BTreeSet};

use model::diagnostic::Diagnostic;
use model::inventory::ClusterRecord;
use model::name::{NodeName, PoolName};
use model::plan::{Intent, WantedNode};
use model::resolved::{Difference, NodePlace, Resolved, UpdatePolicy, differences};

use super::sight::Sight;

/// What the intent amounts to, given what is there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Mode {
    /// `create`, and there is nothing yet.
    New,
    /// `create` of what was begun and not carried through.
    GoOn,
    /// `create` of what is complete: nothing to do.
    Settled,
    /// `update`.
    Update,
    /// `terminate`.
    Terminate,
    /// `delete`.
    Delete,
}

/// What should be.
pub(super) struct Aim<'a> {
    pub(super) mode: Mode,
    /// The nodes that should be, in the order of the spec.
    pub(super) wanted: Vec<WantedNode>,
    /// All declared nodes, those that stay away included.
    pub(super) declared: BTreeSet<NodeName>,
    /// The nodes that the accepted spec declares.
    pub(super) before: BTreeSet<NodeName>,
    /// Names that stay away.
    pub(super) removed: BTreeSet<NodeName>,
    /// Names that `terminate` was given.
    pub(super) terminated: BTreeSet<NodeName>,
    /// The spec in its stored form; empty when the cluster goes.
    pub(super) stored: String,
    /// The spec that counts.
    pub(super) spec: Option<SpecRef<'a>>,
    /// How the wanted spec differs from the accepted one.
    pub(super) differences: Vec<Difference>,
    /// Whether the cluster is complete afterwards.
    pub(super) completes: bool,
}

/// A spec that was given, or one that was read back from the record.
pub(super) enum SpecRef<'a> {
    /// Given.
    Given(&'a Resolved),
    /// Read back.
    Read(Box<Resolved>),
}

impl SpecRef<'_> {
    pub(super) fn get(&self) -> &Resolved {
        match self {
            Self::Given(spec) => spec,
            Self::Read(spec) => spec,
        }
    }
}

/// Chooses what should be.
pub(super) fn choose<'a>(
    intent: &Intent,
    spec: Option<&'a Resolved>,
    sight: &Sight<'_>,
) -> Result<Aim<'a>, Vec<Diagnostic>> {
    match (intent, sight.record) {
        (Intent::Create, None) => create_new(needed(spec)?),
        (Intent::Create, Some(record)) => create_again(needed(spec)?, record, sight),
        (Intent::Update, Some(record)) => update(needed(spec)?, record),
        (Intent::Terminate(names), Some(record)) => terminate(names, record, sight),
        (Intent::Delete, Some(_)) => Ok(delete()),
        (Intent::Update | Intent::Terminate(_) | Intent::Delete, None) => Err(vec![unknown(sight)]),
    }
}

fn create_new(spec: &Resolved) -> Result<Aim<'_>, Vec<Diagnostic>> {
    aim(Mode::New, SpecRef::Given(spec), BTreeSet::new(), Vec::new())
}

fn create_again<'a>(
    spec: &'a Resolved,
    record: &ClusterRecord,
    sight: &Sight<'_>,
) -> Result<Aim<'a>, Vec<Diagnostic>> {
    let accepted = accepted(record)?;
    refuse_deleting(record)?;
    let differences = differences(&accepted, spec);
    if !differences.is_empty() || !same_machines(&accepted, spec) {
        let error = Diagnostic::error(
            "cluster-exists",
            format!("cluster {} exists already, with another spec", record.name),
        );
        return Err(vec![error.help("`squall update` changes it to what this spec says")]);
    }
    let mode = if sight.is_complete() { Mode::Settled } else { Mode::GoOn };
    let mut aim = aim(mode, SpecRef::Given(spec), record.removed.clone(), differences)?;
    aim.before = accepted.nodes().map(|place| place.name).collect();
    Ok(aim)
}

fn update<'a>(spec: &'a Resolved, record: &ClusterRecord) -> Result<Aim<'a>, Vec<Diagnostic>> {
    let accepted = accepted(record)?;
    refuse_deleting(record)?;
    let differences = differences(&accepted, spec);
    let forbidden: Vec<Diagnostic> = differences
        .iter()
        .filter(|difference| difference.policy == UpdatePolicy::Forbidden)
        .map(|difference| forbidden(record, difference))
        .collect();
    if !forbidden.is_empty() {
        return Err(forbidden);
    }
    let removed = still_removed(&record.removed, spec, &differences);
    let mut aim = aim(Mode::Update, SpecRef::Given(spec), removed, differences)?;
    aim.before = accepted.nodes().map(|place| place.name).collect();
    Ok(aim)
}

/// Names that stay away through an update: those of pools that it does not
/// change. A pool that changes gets all its nodes again.
fn still_removed(
    removed: &BTreeSet<NodeName>,
    spec: &Resolved,
    differences: &[Difference],
) -> BTreeSet<NodeName> {
    if removed.is_empty() {
        return BTreeSet::new();
    }
    let changed: BTreeSet<&PoolName> =
        differences.iter().filter_map(|difference| difference.pool.as_ref()).collect();
    spec.nodes()
        .filter(|place| !changed.contains(&place.pool.name) && removed.contains(&place.name))
        .map(|place| place.name)
        .collect()
}

fn terminate<'a>(
    names: &BTreeSet<NodeName>,
    record: &ClusterRecord,
    sight: &Sight<'_>,
) -> Result<Aim<'a>, Vec<Diagnostic>> {
    let accepted = accepted(record)?;
    refuse_deleting(record)?;
    let mut removed = record.removed.clone();
    removed.extend(names.iter().cloned());
    let mut aim = aim(Mode::Terminate, SpecRef::Read(Box::new(accepted)), removed, Vec::new())?;
    let unknown: Vec<Diagnostic> = names
        .iter()
        .filter(|name| !aim.declared.contains(*name) && !sight.own.contains_key(*name))
        .map(|name| {
            Diagnostic::error("node-unknown", format!("cluster {} has no node {name}", record.name))
        })
        .collect();
    if !unknown.is_empty() {
        return Err(unknown);
    }
    // A machine that the spec no longer declares leaves no name behind.
    aim.removed.retain(|name| aim.declared.contains(name));
    aim.terminated.clone_from(names);
    aim.stored.clone_from(&record.spec);
    aim.completes = sight.is_complete();
    Ok(aim)
}

fn delete<'a>() -> Aim<'a> {
    Aim {
        mode: Mode::Delete,
        wanted: Vec::new(),
        declared: BTreeSet::new(),
        before: BTreeSet::new(),
        removed: BTreeSet::new(),
        terminated: BTreeSet::new(),
        stored: String::new(),
        spec: None,
        differences: Vec::new(),
        completes: false,
    }
}

fn aim(
    mode: Mode,
    spec: SpecRef<'_>,
    removed: BTreeSet<NodeName>,
    differences: Vec<Difference>,
) -> Result<Aim<'_>, Vec<Diagnostic>> {
    let resolved = spec.get();
    let stored = resolved.to_stored().map_err(|error| {
        vec![Diagnostic::error("stored-spec", format!("the spec cannot be stored: {error}"))]
    })?;
    let digests: BTreeMap<&PoolName, String> =
        resolved.pools.iter().map(|pool| (&pool.name, pool.digest())).collect();
    let declared = resolved.nodes().map(|place| place.name).collect();
    let wanted = resolved
        .nodes()
        .filter(|place| !removed.contains(&place.name))
        .map(|place| {
            let digest = digests.get(&place.pool.name).cloned().unwrap_or_default();
            wanted_node(place, digest)
        })
        .collect();
    Ok(Aim {
        mode,
        wanted,
        declared,
        before: BTreeSet::new(),
        removed,
        terminated: BTreeSet::new(),
        stored,
        spec: Some(spec),
        differences,
        completes: true,
    })
}

fn wanted_node(place: NodePlace<'_>, digest: String) -> WantedNode {
    let pool = place.pool;
    WantedNode {
        name: place.name,
        pool: pool.name.clone(),
        role: pool.role.clone(),
        instance_type: pool.instance_type.clone(),
        image: pool.image.clone(),
        limits: pool.limits,
        username: pool.username.clone(),
        tags: pool.tags.clone(),
        first_boot: pool.first_boot.clone(),
        digest,
    }
}

/// Whether two specs make the same machines, whatever their texts say.
fn same_machines(old: &Resolved, new: &Resolved) -> bool {
    new.pools
        .iter()
        .all(|pool| old.pool(&pool.name).is_some_and(|before| before.digest() == pool.digest()))
}

fn needed(spec: Option<&Resolved>) -> Result<&Resolved, Vec<Diagnostic>> {
    spec.ok_or_else(|| vec![Diagnostic::error("spec-missing", "no spec was given")])
}

fn accepted(record: &ClusterRecord) -> Result<Resolved, Vec<Diagnostic>> {
    Resolved::from_stored(&record.spec).map_err(|error| {
        let text = format!("the accepted spec of cluster {} cannot be read: {error}", record.name);
        vec![
            Diagnostic::error("stored-spec", text)
                .help("use the squall that made it, or `squall delete` and make it again"),
        ]
    })
}

fn refuse_deleting(record: &ClusterRecord) -> Result<(), Vec<Diagnostic>> {
    if !record.deleting {
        return Ok(());
    }
    let text = format!("cluster {} is being deleted", record.name);
    Err(vec![
        Diagnostic::error("cluster-deleting", text)
            .help("`squall delete` goes on with it; then it can be made again"),
    ])
}

fn forbidden(record: &ClusterRecord, difference: &Difference) -> Diagnostic {
    let key = match &difference.pool {
        Some(pool) => format!("{} of {pool}", difference.key),
        None => difference.key.to_owned(),
    };
    let text = format!(
        "{key} of cluster {} cannot be changed from {} to {}",
        record.name,
        shown(&difference.from),
        shown(&difference.to)
    );
    Diagnostic::error("update-forbidden", text)
        .help("make another cluster, or delete this one and make it again")
}

fn shown(value: &str) -> &str {
    if value.is_empty() { "nothing" } else { value }
}

fn unknown(sight: &Sight<'_>) -> Diagnostic {
    let inventory = sight.inventory;
    let text = format!(
        "there is no cluster {} on {}",
        inventory.cluster,
        inventory.provider.place(&inventory.region)
    );
    Diagnostic::error("cluster-unknown", text).help("`squall list` shows the clusters there are")
}
