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
//!
//! On top of these stand the node store, which is the local cloud, and
//! [`LocalProvider`]; [`dialer::dial`] reaches nodes for `transport`, and
//! [`doctor`] tells what this machine can do.

mod accounts;
mod boot;
pub mod cgroup;
pub mod client;
mod connection;
pub mod dialer;
pub mod doctor;
pub mod entry;
mod execute;
pub mod hosts;
pub mod launch;
pub mod mac;
mod net;
mod node_init;
mod observe;
mod preflight;
pub mod probe;
pub mod protocol;
mod provider;
pub mod record;
mod report;
mod root_tree;
pub mod rung;
mod seeds;
pub mod status;
mod store;
mod story;
pub mod supervisor;
mod sys;
pub mod teardown;

pub use node_init::SSH_SERVER_ARGUMENT;
pub use preflight::CODES;
pub use provider::{LocalConfig, LocalProvider, REGION, SshChoice};
