//! The sections of the spec: for each its keys, once, and what is read of
//! them. Says nothing of what values mean together; that is `resolve`'s.

mod cloud;
mod cluster;
mod pool;
mod service;
mod top;

pub(crate) use cloud::{CLOUD, CloudSpec};
pub(crate) use cluster::{CLUSTER, ClusterSpec};
pub(crate) use pool::{POOL, PoolSpec, VOLUME};
pub(crate) use service::{
    CHECK, CheckSpec, SCHEDULER, STORAGE, SchedulerSpec, StorageSpec, USER, UserSpec,
};
pub(crate) use top::{Spec, TOP};

/// The section that a key belongs to, when it is in one of the three large
/// ones, for a key that was written elsewhere.
pub(crate) fn home_of(key: &str) -> Option<&'static str> {
    let homes = [&TOP, &CLOUD, &CLUSTER, &POOL];
    let home = homes.into_iter().find(|section| section.keys.iter().any(|about| about.name == key));
    home.map(|section| section.name)
}
