//! Nodes on this machine: real hosts made from Linux namespaces. The kernel
//! side is below [`supervisor`]; the provider and its store sit on top of
//! [`client`].
//!
//! What callers use:
//! - [`entry::run_if_called`], called first thing in `main`: becomes a
//!   supervisor or a probe when told to. An embedded ssh server
//!   ([`SSH_SERVER_ARGUMENT`] and a path) is the caller's to run.
//! - [`probe::probe`], [`probe::find_sshd`], [`probe::machine_limits`],
//!   [`cgroup::detect`].
//! - [`client::SupervisorClient`], [`launch::NodeLaunch`],
//!   [`status::NodeStatus`].
//! - [`record::read_statuses`] without a supervisor, [`record::read_events`].
//! - [`teardown::teardown`].

mod accounts;
mod boot;
pub mod cgroup;
pub mod client;
mod connection;
pub mod entry;
pub mod hosts;
pub mod launch;
pub mod mac;
mod net;
mod node_init;
pub mod probe;
pub mod protocol;
pub mod record;
mod report;
mod root_tree;
pub mod rung;
mod seeds;
pub mod status;
pub mod supervisor;
mod sys;
pub mod teardown;

pub use node_init::SSH_SERVER_ARGUMENT;
