//! What a run prints: lines as they come, outputs folded, blocks by node, files
//! or JSON; one line of progress meanwhile; and at the end where it failed, why,
//! and what to do. Knows nothing of how nodes are reached.

mod args;
mod by_node;
mod diff;
mod diff_text;
mod ending;
mod files;
mod folded;
mod harmless;
mod json;
mod live;
mod output;
mod state;
mod streams;
mod summary;

pub(crate) use args::OutputArgs;
pub(crate) use output::{RunNodes, RunOutput};
pub(crate) use summary::word as unreached_word;
