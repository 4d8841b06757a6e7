//! The subsystem `sftp` of the embedded server: version 3 over standard input
//! and output, in a process of its own with the user's rights and umask, as
//! sshd has it. Blocks freely; knows nothing of connections.

mod answer;
mod handles;
mod serve;
mod show;

pub(super) use serve::serve;
