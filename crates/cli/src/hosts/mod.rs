//! Hosts that Squall did not make: listed in a file, or named by the user's
//! ssh configuration. From lists to what `transport` connects to.

mod ansible;
mod file;
mod identities;
mod known;
mod listed;
mod passphrase;
mod reach;
mod way;

pub(crate) use ansible::{Inventory, connection};
pub(crate) use reach::{HostArgs, reach, select};
