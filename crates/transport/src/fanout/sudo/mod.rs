//! Commands as another user, through the node's sudo. `password` holds the one
//! password of a run, `marks` finds sudo's prompt, `refusal` explains what
//! sudo says, and in `attended` the three meet one command.
//!
//! sudo prints a prompt that nobody can guess (`-p`), which is answered at
//! most once: the second time it comes, the password was wrong. The command
//! prints another such word as it begins, so that input is sent to the command
//! and never to sudo. Neither word, nor what sudo says for itself, reaches the
//! user. The password is in no command line and in no variable.

mod attended;
mod marks;
mod password;
mod refusal;

pub(crate) use attended::{Attended, sent_bytes};
pub use password::Sudo;
