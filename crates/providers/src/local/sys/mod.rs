//! System calls that no crate wraps safely: clone into namespaces, signals by
//! descriptor, closing descriptors wholesale. The only place with `unsafe`.
//! Knows nothing of nodes.
#![expect(unsafe_code, reason = "clone, signal sets and close_range have no safe wrapper")]

mod process;
mod signal;

pub(super) use process::{
    SingleThreaded, child_of, close_all_except, spawn_in_own_session, title_process,
    unshare_namespaces,
};
pub(super) use signal::{SignalDescriptor, heed_every_signal, signal_every_process};
