//! Nodes behind bastions: one session to each bastion, shared by every node
//! behind it. Knows of no cluster; whoever builds a [`JumpDial`] says which
//! bastions there are.

mod command;
mod dial;
mod forward;

pub use dial::{Bastion, JumpDial, Way};
