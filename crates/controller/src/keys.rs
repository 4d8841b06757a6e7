//! The user's default key, and the keys that nodes are made with. Private
//! halves of host keys go to the provider and nowhere else.

use std::path::PathBuf;

use jiff::Timestamp;
use model::name::NodeName;
use providers::NodeMaterial;
use transport::keys::{KeyError, ensure_default_key, generate};
use transport::{PrivateKey, PublicKey};

use crate::error::{FailureKind, OperationError};

/// Where the user's default key is, and what it is called when it is made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Keys {
    /// The private half, `<data>/keys/id_ed25519`.
    pub path: PathBuf,
    /// Comment of a new key, `user@host`.
    pub comment: String,
}

impl Keys {
    /// The public half, made with its private one if there is none yet.
    pub(crate) async fn ensure(&self) -> Result<PublicKey, Box<OperationError>> {
        let keys = self.clone();
        blocking(move || ensure_default_key(&keys.path, &keys.comment).map(|key| key.public)).await
    }

    /// The private half. It is never made here: a key made now opens no node
    /// that is there already.
    pub(crate) async fn load(&self) -> Result<PrivateKey, Box<OperationError>> {
        if !self.path.exists() {
            let what = format!("there is no key at {}", self.path.display());
            return Err(OperationError::new(FailureKind::Unavailable, what)
                .hint("nodes let in the key that was there when they were made; put it back"));
        }
        let path = self.path.clone();
        blocking(move || PrivateKey::load(&path)).await
    }
}

/// What a new node gets.
///
/// # Errors
/// When no key could be made.
pub(crate) fn material(
    node: &NodeName,
    authorized: &PublicKey,
    ordered_at: Timestamp,
) -> Result<NodeMaterial, KeyError> {
    let pair = generate(node.as_str())?;
    Ok(NodeMaterial {
        host_key: pair.private_pem,
        host_key_public: pair.public.line(),
        authorized_keys: vec![authorized.line()],
        ordered_at,
    })
}

async fn blocking<T: Send + 'static>(
    act: impl FnOnce() -> Result<T, KeyError> + Send + 'static,
) -> Result<T, Box<OperationError>> {
    match tokio::task::spawn_blocking(act).await {
        Ok(answer) => answer.map_err(|error| failed(&error)),
        Err(error) => {
            let what = "failed to read the key".to_owned();
            Err(OperationError::new(FailureKind::Failed, what).cause(error.to_string()))
        }
    }
}

fn failed(error: &KeyError) -> Box<OperationError> {
    let made = OperationError::new(FailureKind::Failed, format!("failed to {error}"));
    match std::error::Error::source(error) {
        Some(cause) => made.cause(cause.to_string()),
        None => made,
    }
}
