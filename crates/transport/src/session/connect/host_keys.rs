//! What a node may show to prove who it is, and the judge that russh asks.

use std::sync::{Arc, OnceLock};

use russh::client;
use russh::keys::{Algorithm, PublicKeyOrCertificate};

use super::error::{ConnectError, HostKeyProblem, Untrusted};
use super::plain;
use crate::keys::{KeyError, PublicKey};
use crate::known_hosts::{HostName, Known, KnownHosts, Shown, Verdict, judge};

/// The host keys that a node may show. Always verified; with none, no node is
/// accepted.
#[derive(Debug, Clone)]
pub struct HostKeys(Kind);

#[derive(Debug, Clone)]
enum Kind {
    Pinned(Arc<[PublicKey]>),
    Listed(Arc<Listed>),
}

/// A host that the user's `known_hosts` files vouch for.
#[derive(Clone)]
pub struct Listed {
    /// The files.
    pub known_hosts: Arc<KnownHosts>,
    /// The name to look up.
    pub name: HostName,
    /// What becomes of a host of which nothing is known.
    pub unknown: UnknownHosts,
    /// The time, in seconds of Unix time, for certificates.
    pub now_s: u64,
}

impl std::fmt::Debug for Listed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Listed").field("name", &self.name).finish_non_exhaustive()
    }
}

/// What becomes of a host of which nothing is known.
#[derive(Clone)]
pub enum UnknownHosts {
    /// It is refused.
    Refuse,
    /// Its key is recorded, and told to the function: accepting must not
    /// happen in silence.
    Accept(Arc<dyn Fn(NewHost) + Send + Sync>),
}

/// A host that was recorded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewHost {
    /// The name under which it is known now.
    pub name: String,
    /// Type and fingerprint of its key.
    pub key: String,
}

impl Default for HostKeys {
    fn default() -> Self {
        Self::new(Vec::new())
    }
}

impl HostKeys {
    /// These and no others.
    #[must_use]
    pub fn new(keys: Vec<PublicKey>) -> Self {
        Self(Kind::Pinned(keys.into()))
    }

    /// Those that the user's files list.
    #[must_use]
    pub fn listed(listed: Listed) -> Self {
        Self(Kind::Listed(Arc::new(listed)))
    }

    /// From public key lines, as nodes' records keep them.
    ///
    /// # Errors
    /// A line that is no public key.
    pub fn parse<S: AsRef<str>>(lines: &[S]) -> Result<Self, KeyError> {
        let keys: Result<Vec<_>, _> =
            lines.iter().map(|line| PublicKey::parse(line.as_ref())).collect();
        keys.map(Self::new)
    }

    /// Whether both would accept the same host, so that a connection made for
    /// one of them is good for the other.
    pub(crate) fn is_same(&self, other: &Self) -> bool {
        match (&self.0, &other.0) {
            (Kind::Pinned(mine), Kind::Pinned(theirs)) => mine == theirs,
            (Kind::Listed(mine), Kind::Listed(theirs)) => {
                Arc::ptr_eq(&mine.known_hosts, &theirs.known_hosts) && mine.name == theirs.name
            }
            _ => false,
        }
    }

    /// What is expected, looked up once for a connection.
    pub(crate) fn expected(&self) -> Expected {
        match &self.0 {
            Kind::Pinned(keys) => Expected::Pinned(Arc::clone(keys)),
            Kind::Listed(listed) => {
                let known = listed.known_hosts.look_up(&listed.name);
                Expected::Listed { listed: Arc::clone(listed), known }
            }
        }
    }
}

/// The keys that one connection expects.
pub(crate) enum Expected {
    Pinned(Arc<[PublicKey]>),
    Listed { listed: Arc<Listed>, known: Known },
}

impl Expected {
    /// The algorithms of keys that are known; they go first in the exchange,
    /// or a server with several keys would show one that we do not know.
    pub(crate) fn algorithms(&self) -> Vec<Algorithm> {
        let mut found = Vec::new();
        let keys: Vec<&PublicKey> = match self {
            Self::Pinned(keys) => keys.iter().collect(),
            Self::Listed { known, .. } => {
                known.keys.iter().chain(&known.bare_keys).map(|known| &known.key).collect()
            }
        };
        for algorithm in keys.into_iter().flat_map(|key| exchange_algorithms(&key.algorithm())) {
            if !found.contains(&algorithm) {
                found.push(algorithm);
            }
        }
        found
    }

    /// Whether an authority may vouch for the host, so that certificates are
    /// asked for.
    pub(crate) fn takes_certificates(&self) -> bool {
        matches!(self, Self::Listed { known, .. } if !known.authorities.is_empty())
    }

    /// Judges what the server shows.
    pub(crate) async fn judge(
        &self,
        address: &str,
        shown: &PublicKeyOrCertificate,
    ) -> Result<(), ConnectError> {
        let key = PublicKey::from_russh(shown.public_key());
        match self {
            Self::Pinned(keys) if keys.contains(&key) => Ok(()),
            Self::Pinned(keys) => Err(ConnectError::HostKeyChanged {
                address: address.to_owned(),
                expected: fingerprints(keys),
                seen: key.fingerprint(),
            }),
            Self::Listed { listed, known } => {
                let shown = Shown { key: &key, certificate: shown.certificate() };
                listed.judge(known, shown).await.map_err(|problem| {
                    ConnectError::Untrusted(Box::new(Untrusted {
                        name: listed.name.to_string(),
                        record_file: listed.known_hosts.record_file().map(ToOwned::to_owned),
                        problem,
                    }))
                })
            }
        }
    }
}

impl Listed {
    async fn judge(&self, known: &Known, shown: Shown<'_>) -> Result<(), HostKeyProblem> {
        let seen = format!("{} {}", shown.key.kind(), shown.key.fingerprint());
        match judge(known, &self.name, shown, self.now_s) {
            Verdict::Accepted => Ok(()),
            Verdict::Changed { expected } => {
                Err(HostKeyProblem::Changed { seen, listed: expected })
            }
            Verdict::Revoked { at } => Err(HostKeyProblem::Revoked { seen, at }),
            Verdict::BadCertificate(problem) => Err(HostKeyProblem::Certificate(problem)),
            Verdict::Unknown => match &self.unknown {
                UnknownHosts::Refuse => Err(HostKeyProblem::Unknown { seen }),
                UnknownHosts::Accept(tell) => {
                    self.record(shown.key.clone()).await?;
                    tell(NewHost { name: self.name.to_string(), key: seen });
                    Ok(())
                }
            },
        }
    }

    async fn record(&self, key: PublicKey) -> Result<(), HostKeyProblem> {
        let (known_hosts, name) = (Arc::clone(&self.known_hosts), self.name.clone());
        let recording = tokio::task::spawn_blocking(move || known_hosts.record(&name, &key));
        match recording.await {
            Ok(Ok(())) => Ok(()),
            Ok(Err(error)) => Err(HostKeyProblem::NotRecorded(match error {
                crate::known_hosts::RecordError::Io { ref source, .. } => {
                    format!("{error}: {source}")
                }
                other => other.to_string(),
            })),
            Err(error) => Err(HostKeyProblem::NotRecorded(error.to_string())),
        }
    }
}

/// An RSA key signs in two ways that are still trusted.
fn exchange_algorithms(algorithm: &Algorithm) -> Vec<Algorithm> {
    use russh::keys::HashAlg;
    match algorithm {
        Algorithm::Rsa { .. } => [HashAlg::Sha512, HashAlg::Sha256]
            .map(|hash| Algorithm::Rsa { hash: Some(hash) })
            .to_vec(),
        other => vec![other.clone()],
    }
}

fn fingerprints(keys: &[PublicKey]) -> String {
    if keys.is_empty() {
        return "no key at all".into();
    }
    let each: Vec<String> = keys.iter().map(PublicKey::fingerprint).collect();
    each.join(" or ")
}

/// What russh asks about the server.
pub(crate) struct Verifier {
    pub(super) address: String,
    pub(super) expected: Expected,
    pub(super) lost: Arc<OnceLock<String>>,
}

/// Why a server was not accepted.
#[derive(Debug, thiserror::Error)]
pub(crate) enum VerifyError {
    #[error("{0}")]
    Host(Box<ConnectError>),
    #[error(transparent)]
    Ssh(#[from] russh::Error),
}

impl client::Handler for Verifier {
    type Error = VerifyError;

    async fn check_server_key(
        &mut self,
        shown: &PublicKeyOrCertificate,
    ) -> Result<bool, VerifyError> {
        match self.expected.judge(&self.address, shown).await {
            Ok(()) => Ok(true),
            Err(error) => Err(VerifyError::Host(Box::new(error))),
        }
    }

    async fn disconnected(
        &mut self,
        reason: client::DisconnectReason<VerifyError>,
    ) -> Result<(), VerifyError> {
        let text = match &reason {
            client::DisconnectReason::ReceivedDisconnect(info) => {
                format!("the node closed the connection: {}", info.message)
            }
            client::DisconnectReason::Error(VerifyError::Ssh(error)) => plain(error),
            client::DisconnectReason::Error(error) => error.to_string(),
        };
        let _ = self.lost.set(text);
        match reason {
            client::DisconnectReason::ReceivedDisconnect(_) => Ok(()),
            client::DisconnectReason::Error(error) => Err(error),
        }
    }
}
