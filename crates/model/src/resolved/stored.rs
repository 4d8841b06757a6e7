//! The stored form of an accepted spec, which travels with its cluster: one
//! line of JSON, the same for the same spec, with a version. It holds no key
//! and no password; scripts of the first boot are in it as they are.

use serde::{Deserialize, Serialize};

use super::Resolved;

/// Version of the stored form that this build writes. It rises only when a
/// reader of the old one would misunderstand the new one; new keys that may be
/// left out do not raise it.
pub const STORED_VERSION: u32 = 1;

#[derive(Serialize)]
struct Writing<'a> {
    version: u32,
    spec: &'a Resolved,
}

#[derive(Deserialize)]
struct Version {
    version: u32,
}

#[derive(Deserialize)]
struct Reading {
    spec: Resolved,
}

/// Why a stored spec cannot be read. Reads after "failed to read the stored
/// spec: ".
#[derive(Debug, thiserror::Error)]
pub enum StoredError {
    /// It is not JSON, or not of this form.
    #[error("it is damaged")]
    Damaged(#[source] serde_json::Error),
    /// A newer Squall wrote it.
    #[error("a newer squall wrote it (version {0}, this one reads {STORED_VERSION})")]
    Newer(u32),
    /// It breaks a rule that every accepted spec keeps.
    #[error("it is damaged: {0}")]
    Broken(&'static str),
}

impl Resolved {
    /// The stored form.
    ///
    /// # Errors
    /// Never for a spec that was accepted; serialisation is fallible by type.
    pub fn to_stored(&self) -> Result<String, StoredError> {
        let writing = Writing { version: STORED_VERSION, spec: self };
        serde_json::to_string(&writing).map_err(StoredError::Damaged)
    }

    /// Reads the stored form.
    ///
    /// # Errors
    /// When it is damaged, or a newer Squall wrote it.
    pub fn from_stored(text: &str) -> Result<Self, StoredError> {
        let Version { version } = serde_json::from_str(text).map_err(StoredError::Damaged)?;
        if version > STORED_VERSION {
            return Err(StoredError::Newer(version));
        }
        let Reading { spec } = serde_json::from_str(text).map_err(StoredError::Damaged)?;
        check(&spec).map_err(StoredError::Broken)?;
        Ok(spec)
    }
}

fn check(spec: &Resolved) -> Result<(), &'static str> {
    if spec.pools.is_empty() {
        return Err("it has no pool");
    }
    if spec.pools.iter().any(|pool| pool.count.min > pool.count.max) {
        return Err("a pool's minimum is above its maximum");
    }
    if spec.node_count() > super::CLOUD_NODE_COUNT_MAX {
        return Err("it has too many nodes");
    }
    let mut names: Vec<String> = spec.nodes().map(|node| node.name.slug()).collect();
    names.sort_unstable();
    let count = names.len();
    names.dedup();
    if names.len() < count {
        return Err("two nodes have one name");
    }
    Ok(())
}
