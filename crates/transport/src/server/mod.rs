//! The ssh server inside local nodes that have none: one user, public keys
//! only, commands, terminals and sftp. Runs in a process of its own that is
//! started with [`SERVER_ARGUMENT`]; see [`dispatch`]. Forwarding is not offered.

mod channel;
mod command;
mod config;
mod entry;
mod input;
mod listen;
mod login;
mod output;
mod sftp;
mod signal;
mod terminal;

pub use config::ServerConfig;
pub use entry::{SERVER_ARGUMENT, SFTP_ARGUMENT, TERMINAL_ARGUMENT, dispatch};
