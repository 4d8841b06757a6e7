//! Signing for russh where it cannot do it by itself.

use russh::keys::agent::AgentIdentity;
use russh::keys::ssh_encoding::Encode;
use russh::keys::ssh_key::private::KeypairData;
use russh::keys::{HashAlg, signature};

use super::key::PrivateKey;

/// Why nothing was signed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum SignError {
    /// The connection is gone.
    Gone,
    /// The key could not be used, in words.
    Key(String),
}

impl From<russh::SendError> for SignError {
    fn from(_: russh::SendError) -> Self {
        Self::Gone
    }
}

/// Signs for a certificate with the key in it: russh itself would use SHA-1
/// with RSA.
pub(crate) struct CertificateSigner(PrivateKey);

impl CertificateSigner {
    pub(crate) const fn new(key: PrivateKey) -> Self {
        Self(key)
    }
}

impl russh::Signer for CertificateSigner {
    type Error = SignError;

    async fn auth_sign(
        &mut self,
        _: &AgentIdentity,
        hash: Option<HashAlg>,
        data: Vec<u8>,
    ) -> Result<Vec<u8>, SignError> {
        sign(&self.0, hash, data).map_err(SignError::Key)
    }
}

/// The data with the signature behind it, as the protocol has it.
fn sign(key: &PrivateKey, hash: Option<HashAlg>, mut data: Vec<u8>) -> Result<Vec<u8>, String> {
    let key = key.shared();
    let signed = match key.key_data() {
        KeypairData::Rsa(pair) => signature::Signer::try_sign(&(pair, hash), &data),
        _ => signature::Signer::try_sign(key.as_ref(), &data),
    };
    let signed = signed.map_err(|error| format!("it does not sign: {error}"))?;
    let mut bytes = Vec::new();
    signed
        .encode(&mut bytes)
        .and_then(|()| bytes.encode(&mut data))
        .map_err(|error| format!("its signature cannot be sent: {error}"))?;
    Ok(data)
}

/// Finds out whether a node would take a key, and signs nothing.
#[derive(Default)]
pub(crate) struct ProbeSigner {
    wanted: bool,
}

impl ProbeSigner {
    /// Whether the node asked for a signature.
    pub(crate) const fn is_wanted(&self) -> bool {
        self.wanted
    }
}

impl russh::Signer for ProbeSigner {
    type Error = SignError;

    async fn auth_sign(
        &mut self,
        _: &AgentIdentity,
        _: Option<HashAlg>,
        _: Vec<u8>,
    ) -> Result<Vec<u8>, SignError> {
        self.wanted = true;
        Err(SignError::Key("its passphrase is not known yet".to_owned()))
    }
}
