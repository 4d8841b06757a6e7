//! The sections of the spec: for each its keys, once, and what is read of
//! them. Says nothing of what values mean together; that is `resolve`'s.

mod cloud;
mod cluster;
mod home;
mod pool;
mod service;
mod top;

pub(crate) use cloud::{CLOUD, CloudSpec};
pub(crate) use cluster::{CLUSTER, ClusterSpec};
pub(crate) use home::home_of;
pub(crate) use pool::{POOL, PoolSpec, VOLUME};
pub(crate) use service::{
    CHECK, CheckSpec, SCHEDULER, STORAGE, SchedulerSpec, StorageSpec, USER, UserSpec,
};
pub(crate) use top::{Spec, TOP};
