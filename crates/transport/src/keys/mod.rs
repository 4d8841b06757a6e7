//! Keys: the user's default one, the pairs that nodes are made with, and what
//! else may open a host: files with a passphrase, certificates, agents.

mod agent;
mod certificate;
mod default;
mod key;
mod locked;
mod sign;

pub use agent::{Agent, AgentError, AgentKey};
pub use certificate::UserCertificate;
pub use default::{DefaultKey, ensure_default_key};
pub use key::{KeyError, KeyPair, PrivateKey, PublicKey, generate};
pub use locked::{Ask, Asked, KeyFile, LockedKey};
pub(crate) use sign::{CertificateSigner, ProbeSigner, SignError};
