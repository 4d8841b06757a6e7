//! Benchmarks. Each shows its command, its commit and the load it ran under.

mod home;
mod local;
mod options;
mod processes;
mod table;

pub(crate) use local::local;
