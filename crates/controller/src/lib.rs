//! The loop of Squall: look, decide, act. Observes through a provider, lets
//! `engine` plan, carries plans out, waits until nodes let us in, undoes what
//! failed, and keeps the journal.
//!
//! It must not know any provider's ways (those are steps), and it must not
//! write to the terminal: it answers with values and tells its progress as
//! [`model::event::Progress`].

#![forbid(unsafe_code)]

mod cancel;
mod change;
pub mod clock;
mod controller;
mod error;
mod execute;
mod failure;
mod forget;
pub mod journal;
mod keys;
pub mod local_dial;
mod look;
mod outcome;
mod planned;
pub mod random;
mod ready;
mod retry;
mod rollback;
pub mod schedule;
mod stand;
mod targets;
mod tell;
mod timeline;
mod verb;

#[cfg(test)]
mod tests;

pub use cancel::Cancel;
pub use change::CarryOut;
pub use clock::Clock;
pub use controller::{Controller, Parts, Timing};
pub use error::{ConsoleTail, FailureKind, OperationError};
pub use forget::Forgotten;
pub use journal::Journal;
pub use keys::Keys;
pub use local_dial::NodeDial;
pub use outcome::Outcome;
pub use planned::Planned;
pub use random::Random;
pub use targets::{SshTargets, UnreachableNode};
pub use timeline::Timeline;
