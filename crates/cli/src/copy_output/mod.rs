//! What `put` and `get` share: their options, how their words are told apart,
//! and what they print. Knows nothing of how files are copied.

mod args;
mod failures;
mod items;
mod output;
mod progress;
mod size;
mod words;

pub(crate) use args::CopyArgs;
pub(crate) use output::{CopyOutput, Direction};
pub(crate) use words::{GetWords, get_words, put_words};
