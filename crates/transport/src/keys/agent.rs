//! Keys that an ssh agent holds. A thousand log-ins need as many signatures,
//! so several connections to the agent are open at once; an agent that cannot
//! have that gets its requests one by one.

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use russh::keys::agent::AgentIdentity;
use russh::keys::agent::client::AgentClient;
use russh::keys::{Certificate, HashAlg};
use tokio::net::UnixStream;
use tokio::sync::{RwLock, Semaphore};
use tokio::time::timeout;

use super::certificate::UserCertificate;
use super::key::PublicKey;
use super::sign::SignError;
use crate::limits;

/// Why an agent is of no use. Reads after "failed to".
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AgentError {
    /// Nobody listens on its socket.
    #[error("reach the ssh agent at {}: {text}", .socket.display())]
    Unreachable {
        /// Its socket.
        socket: PathBuf,
        /// The system's words.
        text: String,
    },
    /// It does not answer as agents do.
    #[error("talk to the ssh agent: {0}")]
    Talk(String),
    /// It would not sign.
    #[error("have the ssh agent sign: it declined")]
    Declined,
}

type Client = AgentClient<UnixStream>;

/// An ssh agent.
pub struct Agent {
    socket: PathBuf,
    /// Requests at once.
    places: Semaphore,
    /// Taken whole by a request that must be the only one.
    alone: RwLock<()>,
    idle: Mutex<Vec<Client>>,
}

impl fmt::Debug for Agent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Agent({})", self.socket.display())
    }
}

impl Agent {
    /// The agent that listens on a socket. Nothing is connected yet.
    #[must_use]
    pub fn at(socket: &Path) -> Arc<Self> {
        Arc::new(Self {
            socket: socket.to_owned(),
            places: Semaphore::new(limits::AGENT_CONNECTIONS_MAX),
            alone: RwLock::new(()),
            idle: Mutex::new(Vec::new()),
        })
    }

    /// The keys that it holds, in its order.
    ///
    /// # Errors
    /// It cannot be reached or makes no sense.
    pub async fn keys(self: &Arc<Self>) -> Result<Vec<AgentKey>, AgentError> {
        let mut client = self.client().await?;
        let asking = timeout(limits::AGENT_LIST_TIMEOUT, client.request_identities());
        let identities = match asking.await {
            Ok(Ok(identities)) => identities,
            Ok(Err(error)) => return Err(AgentError::Talk(error.to_string())),
            Err(_) => return Err(AgentError::Talk("it does not answer".to_owned())),
        };
        self.keep(client);
        Ok(identities
            .into_iter()
            .map(|identity| AgentKey {
                agent: Arc::clone(self),
                identity: Arc::new(identity),
                shown: None,
            })
            .collect())
    }

    async fn sign(
        &self,
        identity: &AgentIdentity,
        hash: Option<HashAlg>,
        data: Vec<u8>,
    ) -> Result<Vec<u8>, AgentError> {
        let answered = {
            let _place = self.places.acquire().await.map_err(|_| AgentError::Declined)?;
            let _beside = self.alone.read().await;
            let is_beside_others =
                self.places.available_permits() + 1 < limits::AGENT_CONNECTIONS_MAX;
            match self.request(identity, hash, data.clone()).await {
                Err(_) if is_beside_others => None,
                answered => Some(answered),
            }
        };
        if let Some(answered) = answered {
            return answered;
        }
        // Perhaps it bears one request at a time only.
        let _alone = self.alone.write().await;
        self.lock_idle().clear();
        self.request(identity, hash, data).await
    }

    async fn request(
        &self,
        identity: &AgentIdentity,
        hash: Option<HashAlg>,
        data: Vec<u8>,
    ) -> Result<Vec<u8>, AgentError> {
        let mut client = self.client().await?;
        match client.sign_request(identity, hash, data).await {
            Ok(signed) => {
                self.keep(client);
                Ok(signed)
            }
            Err(russh::keys::Error::AgentFailure) => {
                self.keep(client);
                Err(AgentError::Declined)
            }
            Err(error) => Err(AgentError::Talk(error.to_string())),
        }
    }

    async fn client(&self) -> Result<Client, AgentError> {
        if let Some(client) = self.lock_idle().pop() {
            return Ok(client);
        }
        let failed = |error: &io::Error| AgentError::Unreachable {
            socket: self.socket.clone(),
            text: error.to_string(),
        };
        match timeout(limits::AGENT_LIST_TIMEOUT, UnixStream::connect(&self.socket)).await {
            Ok(Ok(stream)) => Ok(AgentClient::connect(stream)),
            Ok(Err(error)) => Err(failed(&error)),
            Err(_) => Err(failed(&io::ErrorKind::TimedOut.into())),
        }
    }

    fn keep(&self, client: Client) {
        self.lock_idle().push(client);
    }

    fn lock_idle(&self) -> std::sync::MutexGuard<'_, Vec<Client>> {
        // A list of connections cannot be left half changed.
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A key that an agent holds, or a certificate with its key.
#[derive(Clone)]
pub struct AgentKey {
    agent: Arc<Agent>,
    identity: Arc<AgentIdentity>,
    /// A certificate of a file that is shown with the key.
    shown: Option<Arc<UserCertificate>>,
}

impl fmt::Debug for AgentKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "AgentKey({}, {})", self.public().fingerprint(), self.identity.comment())
    }
}

impl AgentKey {
    /// Its public half.
    #[must_use]
    pub fn public(&self) -> PublicKey {
        PublicKey::from_russh(self.identity.public_key().into_owned())
    }

    /// Whether it comes with a certificate.
    #[must_use]
    pub fn is_certified(&self) -> bool {
        self.certificate().is_some()
    }

    /// The same key, shown with a certificate that the agent does not have.
    #[must_use]
    pub fn certified(&self, certificate: &Arc<UserCertificate>) -> Self {
        Self { shown: Some(Arc::clone(certificate)), ..self.clone() }
    }

    pub(crate) fn certificate(&self) -> Option<&Certificate> {
        if let Some(shown) = &self.shown {
            return Some(shown.inner());
        }
        match self.identity.as_ref() {
            AgentIdentity::Certificate { certificate, .. } => Some(certificate),
            AgentIdentity::PublicKey { .. } => None,
        }
    }

    pub(crate) fn source(&self) -> String {
        match self.identity.comment() {
            "" => "agent".to_owned(),
            comment => format!("agent: {comment}"),
        }
    }

    pub(crate) fn signer(&self) -> AgentSigner {
        AgentSigner(self.clone())
    }
}

/// Has the agent sign for russh.
pub(crate) struct AgentSigner(AgentKey);

impl russh::Signer for AgentSigner {
    type Error = SignError;

    async fn auth_sign(
        &mut self,
        _: &AgentIdentity,
        hash: Option<HashAlg>,
        data: Vec<u8>,
    ) -> Result<Vec<u8>, SignError> {
        let signed = self.0.agent.sign(&self.0.identity, hash, data).await;
        signed.map_err(|error| SignError::Key(format!("failed to {error}")))
    }
}
