//! What `squall run` does besides showing: the text that each node's shell is
//! given, what the commands read, whom they run as, and following them to the
//! end. How it is shown is [`crate::run_output`]'s, how nodes are reached
//! `transport`'s.

mod ask_sudo;
mod follow;
mod input;
mod script;
mod wording;
mod wrap;

pub(crate) use ask_sudo::SudoArgs;
pub(crate) use follow::{Ways, follow};
pub(crate) use input::{Input, InputArgs};
pub(crate) use wording::CommandArgs;
