//! SFTP version 3 (draft-ietf-secsh-filexfer-02, with the extensions of
//! OpenSSH's PROTOCOL file): the packets, for client and server alike, and a
//! client that keeps many requests on their way. Names are bytes, never text.
//! Knows files of nodes and nothing of local ones.

mod attributes;
mod client;
mod error;
mod extension;
mod files;
mod frame;
mod pump;
mod reply;
mod request;
mod wire;

pub use attributes::{Attributes, FileKind};
pub use client::{Pending, Sftp, SftpOptions};
pub use error::{SftpError, StatusCode};
pub use extension::{Limits, Space};
pub use reply::Entry;

pub(crate) use extension::Extension;
pub(crate) use frame::Frames;
pub(crate) use reply::Reply;
#[cfg(test)]
pub(crate) use request::init;
pub(crate) use request::{OpenFlags, Request, version};
