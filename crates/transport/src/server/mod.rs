//! The ssh server inside local nodes that have none: one user, public keys
//! only, commands and terminals. Runs in a process of its own that is started
//! with [`SERVER_ARGUMENT`]; see [`dispatch`]. Forwarding and sftp are not
//! offered.

mod channel;
mod command;
mod config;
mod entry;
mod input;
mod listen;
mod login;
mod output;
mod signal;
mod terminal;

pub use config::ServerConfig;
pub use entry::{SERVER_ARGUMENT, TERMINAL_ARGUMENT, dispatch};
