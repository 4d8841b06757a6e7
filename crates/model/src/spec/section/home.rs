//! Where a key belongs, for one that was written in another section.

use super::{CLOUD, CLUSTER, POOL, TOP};

/// The section that a key belongs to, when it is in one of the three large
/// ones, for a key that was written elsewhere.
pub(crate) fn home_of(key: &str) -> Option<&'static str> {
    let homes = [&TOP, &CLOUD, &CLUSTER, &POOL];
    let home = homes.into_iter().find(|section| section.keys.iter().any(|about| about.name == key));
    home.map(|section| section.name)
}
