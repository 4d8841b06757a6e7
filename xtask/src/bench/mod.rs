//! Benchmarks. Each shows its command, its commit and the load it ran under.

mod home;
mod local;
mod options;
mod pages;
mod processes;
mod setting;
mod ssh;
mod table;

pub(crate) use local::local;
pub(crate) use ssh::ssh;
