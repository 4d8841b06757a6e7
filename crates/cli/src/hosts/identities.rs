//! What may let us into a host: key files, certificates and the agent's keys,
//! the likeliest first, each key once. Servers hang up after a few.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use transport::keys::{Ask, KeyError};
use transport::session::Identity;
use transport::ssh_config::{AgentChoice, Settings};
use transport::{Agent, KeyFile, PublicKey, UserCertificate};

use crate::exit::{CommandError, Exit};
use crate::output::Printer;

/// The usual key files below `~/.ssh`, where no others are named.
const USUAL_FILES: [&str; 5] = ["id_ed25519", "id_ecdsa", "id_rsa", "id_ed25519_sk", "id_ecdsa_sk"];

/// Where keys are looked for.
#[derive(Debug, Clone)]
pub(super) struct KeySources {
    /// The user's home.
    pub(super) home: PathBuf,
    /// Files named on the command line.
    pub(super) named: Vec<PathBuf>,
    /// Squall's own key, tried where no file is named.
    pub(super) own_key: PathBuf,
    /// The socket of `SSH_AUTH_SOCK`.
    pub(super) agent: Option<PathBuf>,
}

/// Reads key files once, lists each agent once, and says once what is wrong.
pub(super) struct Identities {
    sources: KeySources,
    ask: Ask,
    printer: Printer,
    files: BTreeMap<PathBuf, Option<Found>>,
    agents: BTreeMap<PathBuf, Vec<transport::keys::AgentKey>>,
    made: BTreeMap<Choice, Vec<Identity>>,
}

/// What a key file holds.
#[derive(Clone)]
enum Found {
    Private(KeyFile),
    /// A public key, which chooses among the agent's.
    Public(PublicKey),
}

/// What the identities of a host depend on.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Choice {
    files: Vec<PathBuf>,
    certificates: Vec<PathBuf>,
    only: bool,
    agent: Option<PathBuf>,
}

impl Identities {
    pub(super) fn new(sources: KeySources, ask: Ask, printer: Printer) -> Self {
        Self {
            sources,
            ask,
            printer,
            files: BTreeMap::new(),
            agents: BTreeMap::new(),
            made: BTreeMap::new(),
        }
    }

    /// What may let us into a host with these settings.
    ///
    /// # Errors
    /// A file of the command line that is of no use.
    pub(super) async fn of(&mut self, settings: &Settings) -> Result<Vec<Identity>, CommandError> {
        let choice = Choice {
            files: [self.sources.named.as_slice(), &settings.identity_files].concat(),
            certificates: settings.certificate_files.clone(),
            only: settings.identities_only,
            agent: match &settings.agent {
                AgentChoice::Environment => self.sources.agent.clone(),
                AgentChoice::Socket(path) => Some(path.clone()),
                AgentChoice::None => None,
            },
        };
        if let Some(made) = self.made.get(&choice) {
            return Ok(made.clone());
        }
        let made = self.make(&choice).await?;
        self.made.insert(choice, made.clone());
        Ok(made)
    }

    async fn make(&mut self, choice: &Choice) -> Result<Vec<Identity>, CommandError> {
        let agent = match &choice.agent {
            Some(socket) => self.agent(socket).await,
            None => Vec::new(),
        };
        let certificates = self.certificates(&choice.certificates);
        let named = !choice.files.is_empty();
        let files = if named { choice.files.clone() } else { self.usual_files() };
        let mut of_files = Vec::new();
        for file in &files {
            let Some(found) = self.file(file, named)? else { continue };
            let mut own = certificates.clone();
            own.extend(certificate_beside(file));
            of_files.extend(identities(&found, &agent, &own));
        }
        let of_agent: Vec<Identity> = match choice.only {
            true => Vec::new(),
            false => {
                let certified = agent.iter().filter(|key| key.is_certified());
                let plain = agent.iter().filter(|key| !key.is_certified());
                certified.chain(plain).cloned().map(Identity::Agent).collect()
            }
        };
        // Who names a file means it; else what is in the agent is what is used.
        let both = if named { [of_files, of_agent] } else { [of_agent, of_files] };
        Ok(each_once(both.concat()))
    }

    fn usual_files(&self) -> Vec<PathBuf> {
        let folder = self.sources.home.join(".ssh");
        let usual = USUAL_FILES.iter().map(|name| folder.join(name));
        usual.chain([self.sources.own_key.clone()]).filter(|path| path.exists()).collect()
    }

    async fn agent(&mut self, socket: &Path) -> Vec<transport::keys::AgentKey> {
        if let Some(keys) = self.agents.get(socket) {
            return keys.clone();
        }
        let keys = match Agent::at(socket).keys().await {
            Ok(keys) => keys,
            Err(error) => {
                self.printer.warn(format!("failed to {error}; its keys are not tried"));
                Vec::new()
            }
        };
        self.agents.insert(socket.to_owned(), keys.clone());
        keys
    }

    fn certificates(&self, files: &[PathBuf]) -> Vec<Arc<UserCertificate>> {
        let load = |file: &PathBuf| match UserCertificate::load(file) {
            Ok(certificate) => Some(Arc::new(certificate)),
            Err(error) => {
                self.printer.warn(format!("failed to {}", told(&error)));
                None
            }
        };
        files.iter().filter_map(load).collect()
    }

    /// What a file holds; none, said once, when it is of no use.
    fn file(&mut self, file: &Path, named: bool) -> Result<Option<Found>, CommandError> {
        if let Some(found) = self.files.get(file) {
            return Ok(found.clone());
        }
        let found = match self.load(file) {
            Ok(found) => Some(found),
            Err(error) if self.sources.named.iter().any(|path| path == file) => {
                return Err(CommandError::new(Exit::Usage, format!("failed to {}", told(&error))));
            }
            Err(error) => {
                // As with ssh, a configuration may name keys that are elsewhere.
                match named {
                    true => tracing::info!("failed to {}", told(&error)),
                    false => self.printer.warn(format!("failed to {}", told(&error))),
                }
                None
            }
        };
        self.files.insert(file.to_owned(), found.clone());
        Ok(found)
    }

    fn load(&self, file: &Path) -> Result<Found, KeyError> {
        KeyFile::load(file, &self.ask).map(Found::Private).or_else(|error| {
            let text = fs_err::read_to_string(file).unwrap_or_default();
            PublicKey::parse(&text).map(Found::Public).map_err(|_| error)
        })
    }
}

fn told(error: &KeyError) -> String {
    match std::error::Error::source(error) {
        Some(cause) => format!("{error}: {cause}"),
        None => error.to_string(),
    }
}

/// `KEY-cert.pub`, as ssh looks for it.
fn certificate_beside(file: &Path) -> Option<Arc<UserCertificate>> {
    let mut name = file.as_os_str().to_owned();
    name.push("-cert.pub");
    let path = PathBuf::from(name);
    path.exists().then(|| UserCertificate::load(&path).ok().map(Arc::new)).flatten()
}

/// What one key file is good for: its certificates, then the key alone; the
/// agent's half of it where the agent holds it, as that needs no passphrase.
fn identities(
    found: &Found,
    agent: &[transport::keys::AgentKey],
    certificates: &[Arc<UserCertificate>],
) -> Vec<Identity> {
    let public = match found {
        Found::Private(file) => file.public(),
        Found::Public(key) => key.clone(),
    };
    let held = agent.iter().find(|key| !key.is_certified() && key.public() == public);
    let with = |certificate: &Arc<UserCertificate>| match (held, found) {
        (Some(key), _) => Some(Identity::Agent(key.certified(certificate))),
        (None, Found::Private(KeyFile::Open(key))) => {
            Some(Identity::Certified(key.clone(), Arc::clone(certificate)))
        }
        (None, Found::Private(KeyFile::Locked(key))) => {
            Some(Identity::Locked(key.certified(Arc::clone(certificate))))
        }
        (None, Found::Public(_)) => None,
    };
    let certified = certificates.iter().filter(|one| one.is_for(&public)).filter_map(with);
    let plain = match (held, found) {
        (Some(key), _) => Some(Identity::Agent(key.clone())),
        (None, Found::Private(KeyFile::Open(key))) => Some(Identity::Key(key.clone())),
        (None, Found::Private(KeyFile::Locked(key))) => Some(Identity::Locked(key.clone())),
        (None, Found::Public(_)) => None,
    };
    certified.chain(plain).collect()
}

/// Drops a key that comes again, from another source.
fn each_once(identities: Vec<Identity>) -> Vec<Identity> {
    let mut kept: Vec<Identity> = Vec::new();
    for identity in identities {
        let is_same = |other: &Identity| {
            other.is_certified() == identity.is_certified()
                && other.tried().fingerprint == identity.tried().fingerprint
        };
        if !kept.iter().any(is_same) {
            kept.push(identity);
        }
    }
    kept
}
