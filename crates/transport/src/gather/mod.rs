//! What many nodes printed: kept in bounded memory (the rest on disk), and
//! folded, so that output that is the same on many nodes is there once. Masks
//! what only names its node (name, address) or its moment (pid, time), so that
//! outputs that differ in nothing else fold too.
//!
//! Only `spill` touches a file; everything else is pure. Knows neither sessions
//! nor how groups are shown.

mod digest;
mod facts;
mod fold;
mod keep;
mod lines;
mod mask;
mod mask_pid;
mod mask_time;
mod normal;
mod record;
mod spill;

pub use digest::Digest;
pub use facts::NodeFacts;
pub use fold::{Alike, FoldMode, Group, Likeness, fold, write_group};
pub use keep::{Gather, GatherOptions, Text};
pub use mask::{Mask, MaskKind, Masked};
