//! The user's `known_hosts` files: read once, indexed, and asked which keys a
//! host may show. Own code, since the library's helper reads the file again
//! for every host and knows no wildcards, no `@revoked` and no
//! `@cert-authority`. Knows nothing of connections.

mod hashed;
mod line;
mod name;
mod record;
mod store;
mod verdict;

pub use line::Place;
pub use name::HostName;
pub use record::RecordError;
pub use store::{Known, KnownHosts, KnownKey, Note};
pub(crate) use verdict::judge;
pub use verdict::{CertificateProblem, Shown, Verdict};
