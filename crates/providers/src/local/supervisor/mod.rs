//! The supervisor of one cluster: the process that lives in the cluster's
//! network namespace, is the parent of every node, and answers on a socket.
//! One thread, one poll loop, no runtime. Knows nothing of specs, plans or
//! providers.

mod clients;
mod consoles;
mod dials;
mod endings;
mod event_loop;
mod hosts_file;
mod nodes;
mod requests;
mod start;

pub(in crate::local) use nodes::NODE_LOCK_FILE;
pub(in crate::local) use start::LOCK_FILE;
pub(in crate::local) use start::enter_namespaces;
pub use start::supervisor_main;
