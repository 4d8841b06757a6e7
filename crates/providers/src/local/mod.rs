//! Nodes on this machine: real hosts made from Linux namespaces. The kernel
//! side is below `supervisor`; the provider and its store sit on top of
//! [`client`].
//!
//! What callers use:
//! - `entry::run_if_called(args) -> Option<ExitCode>`: called first thing in
//!   `main`, becomes a supervisor or a probe when told to (`__supervisor`,
//!   `__probe`); an embedded ssh server (`__sshd CONFIG`) is the caller's.
//! - `probe::probe(program) -> Vec<RungProbe>`, `probe::find_sshd()`,
//!   `probe::machine_limits()`, `cgroup::detect(rung) -> CgroupKind`.
//! - [`client::SupervisorClient`], [`launch::NodeLaunch`], [`status::NodeStatus`].
//! - `record::read_statuses(cluster_dir)` without a supervisor,
//!   `record::read_events(cluster_dir)`.
//! - `teardown::teardown(cluster_dir) -> Result<(), TeardownError>`.

pub mod client;
mod connection;
pub mod hosts;
pub mod launch;
pub mod mac;
pub mod protocol;
pub mod rung;
pub mod status;
