//! Key pairs in OpenSSH's formats. Private halves never appear in `Debug`, in
//! errors or in logs.

mod default;
mod key;

pub use default::{DefaultKey, ensure_default_key};
pub use key::{KeyError, KeyPair, PrivateKey, PublicKey, generate};
