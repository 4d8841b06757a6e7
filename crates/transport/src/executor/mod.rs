//! Who owns the sessions: connections to nodes are made a bounded number at
//! once, tried again when that helps, kept for the next command, replaced when
//! they are worn or dead, and ended together. Knows nothing of commands, lines
//! and files.

#[expect(clippy::module_inception, reason = "the main type of the module")]
mod executor;
mod files;
mod lease;
mod pool;
mod retry;
mod slots;

pub use executor::{Executor, ExecutorOptions};
pub use lease::Lease;

pub(crate) use slots::Slots;
