//! Hosts that Squall did not make: listed in a file, or named by the user's
//! ssh configuration. From lists to what `transport` connects to.

mod expand;
mod file;
mod identities;
mod known;
mod listed;
mod passphrase;
mod reach;
mod way;

pub(crate) use reach::{HostArgs, reach};
