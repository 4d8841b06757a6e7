//! The whole loop against the fake cloud, in virtual time, and against nodes
//! whose ssh servers are real.

mod changes;
mod interrupt;
mod memory;
mod ssh;
mod support;
mod undo;
mod verbs;
