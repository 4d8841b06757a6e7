//! The ssh server inside local nodes that have none: one user, public keys
//! only, commands and terminals. Runs in a process of its own, started with
//! [`SERVER_ARGUMENT`] before any runtime exists.

mod config;

pub use config::ServerConfig;

/// First argument of a process that is to become a server; the second is the
/// path of its configuration.
pub const SERVER_ARGUMENT: &str = "__sshd";
/// First argument of the short-lived process that gives a shell its terminal.
pub const TERMINAL_ARGUMENT: &str = "__sshd-exec";
