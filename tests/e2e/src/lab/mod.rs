//! Machines that squall did not make: real sshd processes on loopback addresses,
//! with keys, lists of hosts and ssh configurations of their own. Knows nothing
//! of squall's own clusters.

mod files;
mod hidden;
mod keys;
mod network;
mod plan;
mod processes;
mod server;
mod whole;

pub use plan::{Admits, Place, Plan, Server, Trust};
pub use whole::{Lab, LabNode};
