//! Where nodes come from: local namespaces and a scripted fake.

pub mod error;
pub mod fake;
pub mod local;
pub mod lower;
pub mod provider;

pub use error::{ErrorKind, ProviderError};
pub use lower::lower_direct;
pub use provider::{Capabilities, ClusterLock, LogIn, NodeMaterial, Provider};
