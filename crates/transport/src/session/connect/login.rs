//! Logging in: the identities one after the other, the likeliest first.

use std::fmt;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use russh::client::{AuthResult, Handle};
use russh::keys::{HashAlg, PrivateKeyWithHashAlg};

use super::error::{ConnectError, ConnectStage};
use super::host_keys::Verifier;
use super::plain;
use crate::keys::{
    AgentKey, CertificateSigner, LockedKey, PrivateKey, ProbeSigner, PublicKey, SignError,
    UserCertificate,
};
use crate::limits;

/// Who we are to the node.
#[derive(Debug, Clone)]
pub struct Login {
    /// The user's name there.
    pub user: String,
    /// What may open it, in the order in which it is tried.
    pub identities: Vec<Identity>,
}

impl Login {
    /// One key and nothing else, as for nodes of our own making.
    #[must_use]
    pub fn with_key(user: impl Into<String>, key: PrivateKey) -> Self {
        Self { user: user.into(), identities: vec![Identity::Key(key)] }
    }

    /// Whether a person is being asked for a passphrase, whose time is not the
    /// node's.
    pub(crate) fn is_asking(&self) -> bool {
        self.identities
            .iter()
            .any(|identity| matches!(identity, Identity::Locked(key) if key.is_asking()))
    }
}

/// One way to prove who we are.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub enum Identity {
    /// A private key that is at hand.
    Key(PrivateKey),
    /// A private key that is at hand, vouched for by an authority.
    Certified(PrivateKey, Arc<UserCertificate>),
    /// A key, or a certificate and its key, that an agent holds.
    Agent(AgentKey),
    /// A key file with a passphrase, asked for when a node would take the key.
    Locked(LockedKey),
}

impl Identity {
    /// Whether a certificate goes with the key.
    #[must_use]
    pub fn is_certified(&self) -> bool {
        match self {
            Self::Key(_) => false,
            Self::Certified(..) => true,
            Self::Agent(key) => key.is_certified(),
            Self::Locked(key) => key.certificate().is_some(),
        }
    }

    /// What it is called in errors.
    #[must_use]
    pub fn tried(&self) -> Tried {
        let (source, key) = match self {
            Self::Key(key) => (key.source().to_owned(), key.public()),
            Self::Certified(key, certificate) => (certificate.source().to_owned(), key.public()),
            Self::Agent(key) => (key.source(), key.public()),
            Self::Locked(key) => (key.source(), key.public().clone()),
        };
        Tried { source, fingerprint: key.fingerprint(), problem: None }
    }
}

/// An identity that did not open the node.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tried {
    /// Where it came from: a file, or the agent.
    pub source: String,
    /// Fingerprint of the key.
    pub fingerprint: String,
    /// Why it could not even be offered.
    pub problem: Option<String>,
}

impl fmt::Display for Tried {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({}", self.fingerprint, self.source)?;
        if let Some(problem) = &self.problem {
            write!(f, ": {problem}")?;
        }
        f.write_str(")")
    }
}

/// What became of one identity.
enum Offer {
    Accepted,
    Refused { methods: Vec<String> },
    Unusable(String),
    Lost(String),
}

impl From<AuthResult> for Offer {
    fn from(result: AuthResult) -> Self {
        match result {
            AuthResult::Success => Self::Accepted,
            AuthResult::Failure { remaining_methods, .. } => {
                Self::Refused { methods: remaining_methods.iter().map(String::from).collect() }
            }
        }
    }
}

impl From<russh::Error> for Offer {
    fn from(error: russh::Error) -> Self {
        Self::Lost(plain(&error))
    }
}

impl From<SignError> for Offer {
    fn from(error: SignError) -> Self {
        match error {
            SignError::Gone => Self::Lost("the node closed the connection".to_owned()),
            SignError::Key(text) => Self::Unusable(text),
        }
    }
}

/// Offers the identities one after the other.
pub(super) async fn log_in(
    handle: &mut Handle<Verifier>,
    login: &Login,
    lost: &OnceLock<String>,
) -> Result<(), ConnectError> {
    let user = &login.user;
    let mut tried: Vec<Tried> = Vec::new();
    let mut methods: Vec<String> = Vec::new();
    for identity in &login.identities {
        match Box::pin(offer(handle, user, identity)).await {
            Offer::Accepted => return Ok(()),
            // So russh answers when the node hung up instead.
            Offer::Refused { methods: allowed } if allowed.is_empty() => {
                tried.push(identity.tried());
                let closed = "the node closed the connection".to_owned();
                let said = reason(lost, closed).await;
                return Err(hung_up(user, login.identities.len(), tried, &said));
            }
            Offer::Refused { methods: allowed } => {
                methods = allowed;
                tried.push(identity.tried());
                // A node that takes no keys is not asked again and again.
                if !methods.iter().any(|method| method == "publickey") {
                    break;
                }
            }
            Offer::Unusable(problem) => {
                tried.push(Tried { problem: Some(problem), ..identity.tried() });
            }
            Offer::Lost(text) => {
                tried.push(identity.tried());
                return Err(hung_up(
                    user,
                    login.identities.len(),
                    tried,
                    &reason(lost, text).await,
                ));
            }
        }
    }
    if tried.is_empty() {
        methods = ask_methods(handle, user).await;
    }
    Err(ConnectError::AuthRefused { user: user.clone(), tried, methods })
}

/// What the node would take from somebody without keys.
async fn ask_methods(handle: &mut Handle<Verifier>, user: &str) -> Vec<String> {
    match handle.authenticate_none(user).await {
        Ok(AuthResult::Failure { remaining_methods, .. }) => {
            remaining_methods.iter().map(String::from).collect()
        }
        _ => Vec::new(),
    }
}

/// What the node said when it hung up: russh hands it over a moment after the
/// request has failed.
async fn reason(lost: &OnceLock<String>, text: String) -> String {
    for _ in 0..limits::GOODBYE_LOOKS {
        if let Some(reason) = lost.get() {
            return reason.clone();
        }
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    text
}

fn hung_up(user: &str, count: usize, tried: Vec<Tried>, reason: &str) -> ConnectError {
    if reason.to_lowercase().contains("too many authentication failures") {
        let left = count.saturating_sub(tried.len());
        return ConnectError::TooManyTries { user: user.to_owned(), tried, left };
    }
    ConnectError::Other { doing: ConnectStage::LogIn.doing(), text: reason.to_owned() }
}

async fn offer(handle: &mut Handle<Verifier>, user: &str, identity: &Identity) -> Offer {
    match identity {
        Identity::Key(key) => offer_key(handle, user, key).await,
        Identity::Certified(key, certificate) => {
            offer_certified(handle, user, key, certificate).await
        }
        Identity::Agent(key) => offer_agent(handle, user, key).await,
        Identity::Locked(key) => offer_locked(handle, user, key).await,
    }
}

async fn offer_key(handle: &mut Handle<Verifier>, user: &str, key: &PrivateKey) -> Offer {
    let hash = rsa_hash(handle, &key.public()).await;
    let offered = PrivateKeyWithHashAlg::new(key.shared(), hash);
    match handle.authenticate_publickey(user, offered).await {
        Ok(result) => result.into(),
        Err(error) => error.into(),
    }
}

async fn offer_certified(
    handle: &mut Handle<Verifier>,
    user: &str,
    key: &PrivateKey,
    certificate: &UserCertificate,
) -> Offer {
    let hash = rsa_hash(handle, &key.public()).await;
    let mut signer = CertificateSigner::new(key.clone());
    let certificate = certificate.inner().clone();
    match handle.authenticate_certificate_with(user, certificate, hash, &mut signer).await {
        Ok(result) => result.into(),
        Err(error) => error.into(),
    }
}

async fn offer_agent(handle: &mut Handle<Verifier>, user: &str, key: &AgentKey) -> Offer {
    let hash = rsa_hash(handle, &key.public()).await;
    let mut signer = key.signer();
    let answered = match key.certificate() {
        Some(certificate) => {
            let certificate = certificate.clone();
            handle.authenticate_certificate_with(user, certificate, hash, &mut signer).await
        }
        None => {
            let public = key.public().into_russh();
            handle.authenticate_publickey_with(user, public, hash, &mut signer).await
        }
    };
    match answered {
        Ok(result) => result.into(),
        Err(error) => error.into(),
    }
}

/// Offers the public half first, so that nobody is asked for the passphrase of
/// a key that the node does not want.
async fn offer_locked(handle: &mut Handle<Verifier>, user: &str, locked: &LockedKey) -> Offer {
    if let Some(key) = locked.unlocked() {
        return offer_unlocked(handle, user, locked, &key).await;
    }
    let mut probe = ProbeSigner::default();
    let answered = match locked.certificate() {
        Some(certificate) => {
            let certificate = certificate.inner().clone();
            handle.authenticate_certificate_with(user, certificate, None, &mut probe).await
        }
        None => {
            let public = locked.public().clone().into_russh();
            let hash = rsa_hash(handle, locked.public()).await;
            handle.authenticate_publickey_with(user, public, hash, &mut probe).await
        }
    };
    match answered {
        Ok(result) => return result.into(),
        Err(error) if !probe.is_wanted() => return error.into(),
        Err(_) => {}
    }
    match locked.unlock().await {
        Ok(key) => offer_unlocked(handle, user, locked, &key).await,
        Err(text) => Offer::Unusable(text),
    }
}

async fn offer_unlocked(
    handle: &mut Handle<Verifier>,
    user: &str,
    locked: &LockedKey,
    key: &PrivateKey,
) -> Offer {
    match locked.certificate() {
        Some(certificate) => offer_certified(handle, user, key, certificate).await,
        None => offer_key(handle, user, key).await,
    }
}

/// The hash that an RSA key is to sign with. SHA-1 is never used; a server
/// that does not say what it takes is offered SHA-512.
async fn rsa_hash(handle: &Handle<Verifier>, key: &PublicKey) -> Option<HashAlg> {
    if !key.algorithm().is_rsa() {
        return None;
    }
    match handle.best_supported_rsa_hash().await {
        Ok(Some(Some(hash))) => Some(hash),
        _ => Some(HashAlg::Sha512),
    }
}
