//! Why there is no connection, in kinds, in words, and with what the user can
//! do next.

use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

use super::login::Tried;
use crate::dial::DialError;
use crate::known_hosts::{CertificateProblem, KnownKey, Place};

/// How far a connection came.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ConnectStage {
    /// Finding the node.
    Dial,
    /// Waiting for the first word of what accepted the connection.
    Banner,
    /// The key exchange, once an SSH server answered.
    Handshake,
    /// Logging in.
    LogIn,
}

impl ConnectStage {
    pub(crate) const fn doing(self) -> &'static str {
        match self {
            Self::Dial => "reach the node",
            Self::Banner => "hear from the ssh server",
            Self::Handshake => "agree on an encrypted connection",
            Self::LogIn => "log in",
        }
    }
}

/// Why there is no connection. Reads after "failed to".
#[derive(Debug, Clone, thiserror::Error)]
#[non_exhaustive]
pub enum ConnectError {
    /// No connection at all.
    #[error("reach {address}")]
    Dial {
        /// What was dialled.
        address: String,
        /// Why not.
        #[source]
        source: DialError,
    },
    /// The node fell silent.
    #[error("{}: no answer within {} s", .stage.doing(), .after.as_secs_f32())]
    Timeout {
        /// While doing what.
        stage: ConnectStage,
        /// The time that it was given.
        after: Duration,
    },
    /// It hung up before it said what it is: too many log-ins at once, or a
    /// firewall or list of hosts that we are not welcome by.
    #[error("log in to {address}: it hung up at once{}", saying(.said))]
    TurnedAway {
        /// What was dialled.
        address: String,
        /// What it said before that; may be empty.
        said: String,
    },
    /// What answered does not speak SSH as we do, or hung up.
    #[error("agree on an encrypted connection: {text}")]
    Handshake {
        /// In words.
        text: String,
    },
    /// The node is another one than we know.
    #[error("trust {address}: it shows the host key {seen}, expected {expected}")]
    HostKeyChanged {
        /// What was dialled.
        address: String,
        /// Fingerprints of the keys that we know.
        expected: String,
        /// Fingerprint of the key that it showed.
        seen: String,
    },
    /// The user's `known_hosts` files do not vouch for the host.
    #[error("trust {}: {}", .0.name, .0.problem)]
    Untrusted(Box<Untrusted>),
    /// The node does not let this user in with these keys.
    #[error("log in as {user}: {}", refused(.tried, .methods))]
    AuthRefused {
        /// The user's name there.
        user: String,
        /// What was tried.
        tried: Vec<Tried>,
        /// The ways of proving oneself that the node still allows.
        methods: Vec<String>,
    },
    /// The node hung up because of too many keys.
    #[error(
        "log in as {user}: it gave up after {} keys ({}), {left} were not tried",
        .tried.len(),
        list(.tried)
    )]
    TooManyTries {
        /// The user's name there.
        user: String,
        /// What was tried.
        tried: Vec<Tried>,
        /// How many keys there would have been.
        left: usize,
    },
    /// Anything else.
    #[error("{doing}: {text}")]
    Other {
        /// What was being done.
        doing: &'static str,
        /// In words.
        text: String,
    },
}

/// A host whose key the files do not vouch for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Untrusted {
    /// The name that it was looked up by.
    pub name: String,
    /// The file that new hosts would be recorded in.
    pub record_file: Option<PathBuf>,
    /// What is wrong.
    pub problem: HostKeyProblem,
}

/// What is wrong with a host's key. Reads after "trust HOST:".
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum HostKeyProblem {
    /// Nothing is known of the host.
    Unknown {
        /// Type and fingerprint of the key that it shows.
        seen: String,
    },
    /// Other keys are listed for it.
    Changed {
        /// Type and fingerprint of the key that it shows.
        seen: String,
        /// The listed ones.
        listed: Vec<KnownKey>,
    },
    /// Its key, or the one that vouches for it, is revoked.
    Revoked {
        /// Type and fingerprint of the key that it shows.
        seen: String,
        /// Where that is written.
        at: Place,
    },
    /// Its certificate is not good for it now.
    Certificate(CertificateProblem),
    /// It is new, and could not be recorded.
    NotRecorded(String),
}

impl fmt::Display for HostKeyProblem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unknown { seen } => write!(f, "its host key is not known: {seen}"),
            Self::Changed { seen, listed } => {
                write!(f, "its host key has changed: it shows {seen}, listed is ")?;
                for (at, known) in listed.iter().enumerate() {
                    let comma = if at == 0 { "" } else { ", " };
                    let (kind, print) = (known.key.kind(), known.key.fingerprint());
                    write!(f, "{comma}{kind} {print} ({})", known.place)?;
                }
                Ok(())
            }
            Self::Revoked { seen, at } => {
                write!(f, "its host key {seen} is revoked ({at})")
            }
            Self::Certificate(problem) => write!(f, "its certificate {problem}"),
            Self::NotRecorded(why) => write!(f, "failed to {why}"),
        }
    }
}

/// The kinds of [`ConnectError`], for those who count and compare.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum ConnectErrorKind {
    /// The machine is there, nothing listens.
    Refused,
    /// Silence.
    Timeout,
    /// No way leads there.
    NoRoute,
    /// Its name means no address.
    NoSuchName,
    /// The bastion in front of it is the trouble.
    Bastion,
    /// Other reasons why it could not be dialled.
    Unreachable,
    /// It hung up before a word of SSH, as one does that has too many log-ins
    /// at once.
    TurnedAway,
    /// What answered does not speak SSH as we do.
    Handshake,
    /// The node is another one than we know.
    HostKeyChanged,
    /// Nothing is known of the host's key.
    HostKeyUnknown,
    /// The host's key is revoked.
    HostKeyRevoked,
    /// The host's certificate is not good for it.
    HostCertificate,
    /// The node does not let us in.
    AuthRefused,
    /// The node gave up before all keys were tried.
    TooManyTries,
    /// Anything else.
    Other,
}

impl ConnectError {
    /// Its kind.
    #[must_use]
    pub fn kind(&self) -> ConnectErrorKind {
        match self {
            Self::Dial { source, .. } => match source {
                DialError::Refused => ConnectErrorKind::Refused,
                DialError::Timeout(_) => ConnectErrorKind::Timeout,
                DialError::NoRoute => ConnectErrorKind::NoRoute,
                DialError::NoSuchName { .. } => ConnectErrorKind::NoSuchName,
                DialError::Bastion { .. } | DialError::Forward { .. } => ConnectErrorKind::Bastion,
                DialError::Unreachable(_) => ConnectErrorKind::Unreachable,
            },
            Self::Timeout { .. } => ConnectErrorKind::Timeout,
            Self::TurnedAway { .. } => ConnectErrorKind::TurnedAway,
            Self::Handshake { .. } => ConnectErrorKind::Handshake,
            Self::HostKeyChanged { .. } => ConnectErrorKind::HostKeyChanged,
            Self::Untrusted(untrusted) => match untrusted.problem {
                HostKeyProblem::Unknown { .. } | HostKeyProblem::NotRecorded(_) => {
                    ConnectErrorKind::HostKeyUnknown
                }
                HostKeyProblem::Changed { .. } => ConnectErrorKind::HostKeyChanged,
                HostKeyProblem::Revoked { .. } => ConnectErrorKind::HostKeyRevoked,
                HostKeyProblem::Certificate(_) => ConnectErrorKind::HostCertificate,
            },
            Self::AuthRefused { .. } => ConnectErrorKind::AuthRefused,
            Self::TooManyTries { .. } => ConnectErrorKind::TooManyTries,
            Self::Other { .. } => ConnectErrorKind::Other,
        }
    }

    /// Whether another try a little later may well succeed: the node or the
    /// bastion is busy, booting or not there yet.
    #[must_use]
    pub fn is_passing(&self) -> bool {
        match self {
            Self::TurnedAway { .. } | Self::Timeout { .. } => true,
            Self::Dial { source, .. } => source.is_passing(),
            _ => false,
        }
    }

    /// The error and what caused it, in one line.
    #[must_use]
    pub fn text(&self) -> String {
        match self {
            Self::Dial { source, .. } => format!("{self}: {source}"),
            _ => self.to_string(),
        }
    }

    /// What the user can do about it.
    #[must_use]
    pub fn mend(&self) -> String {
        match self {
            Self::Dial { source, .. } => source.mend(),
            Self::Timeout { stage, .. } => timeout_mend(*stage).to_owned(),
            Self::TurnedAway { said, .. } => turned_away_mend(said).to_owned(),
            Self::Handshake { .. } => "is it an SSH server that listens there?".to_owned(),
            Self::HostKeyChanged { .. } => {
                "the machine is not the one that was made; do not trust it before you know why"
                    .to_owned()
            }
            Self::Untrusted(untrusted) => untrusted.mend(),
            Self::AuthRefused { user, tried, methods } => refused_mend(user, tried, methods),
            Self::TooManyTries { .. } => {
                "name the right key (--identity FILE, or IdentityFile with IdentitiesOnly in \
                 ssh_config), or raise MaxAuthTries there"
                    .to_owned()
            }
            Self::Other { .. } => "run again with -v to see more".to_owned(),
        }
    }
}

impl Untrusted {
    fn mend(&self) -> String {
        let name = &self.name;
        match &self.problem {
            HostKeyProblem::Unknown { .. } => {
                let file = self
                    .record_file
                    .as_ref()
                    .map_or_else(|| "known_hosts".to_owned(), |file| file.display().to_string());
                format!(
                    "compare the fingerprint with the host's own (`ssh-keygen -lf` of its host \
                     key), then let it be recorded in {file}: --accept-new-host-keys, or \
                     `StrictHostKeyChecking accept-new` in ssh_config"
                )
            }
            HostKeyProblem::Changed { listed, .. } => {
                let file = listed.first().map_or_else(
                    || "known_hosts".to_owned(),
                    |known| known.place.file.display().to_string(),
                );
                format!(
                    "somebody may be in between; if the host was made anew, forget its old keys: \
                     ssh-keygen -R '{name}' -f '{file}'"
                )
            }
            HostKeyProblem::Revoked { .. } => {
                "whoever has that key is not to be trusted; give the host another one".to_owned()
            }
            HostKeyProblem::Certificate(CertificateProblem::Over(_)) => {
                "have its authority sign a new one: ssh-keygen -s CA -h -n NAMES -V +52w".to_owned()
            }
            HostKeyProblem::Certificate(CertificateProblem::NotYet(_)) => {
                "are the clocks right, here and where it was signed?".to_owned()
            }
            HostKeyProblem::Certificate(_) => {
                format!("have its authority sign one for it: ssh-keygen -s CA -h -n {name}")
            }
            HostKeyProblem::NotRecorded(_) => {
                "record it by hand: `ssh-keyscan` shows the line".to_owned()
            }
        }
    }
}

const fn timeout_mend(stage: ConnectStage) -> &'static str {
    match stage {
        ConnectStage::Dial => {
            "is it up, and is port 22 open for this machine? `squall show` says, `squall console` \
             has its log"
        }
        ConnectStage::Banner => {
            "something accepts connections and says nothing: is its ssh server overloaded or \
             frozen, or is it another service?"
        }
        ConnectStage::Handshake => {
            "it fell silent half way: a network that drops large packets (MTU) does that, and a \
             frozen machine"
        }
        ConnectStage::LogIn => {
            "it is up and does not decide: a slow directory of users (LDAP) or name server does \
             that; --connect-timeout gives it longer"
        }
    }
}

fn turned_away_mend(said: &str) -> &'static str {
    if said.contains("MaxStartups") {
        "it has too many log-ins under way; try again with a lower --fanout, or raise MaxStartups \
         there"
    } else {
        "too many log-ins at once (MaxStartups), or this address is blocked there (fail2ban, \
         PerSourcePenalties); wait a little and try with a lower --fanout"
    }
}

fn refused_mend(user: &str, tried: &[Tried], methods: &[String]) -> String {
    let keys_count = methods.is_empty() || methods.iter().any(|method| method == "publickey");
    if !keys_count {
        return format!(
            "it lets {user} in by other ways only ({}), and squall logs in with keys",
            methods.join(", ")
        );
    }
    if tried.is_empty() {
        return "there is no key to try: name one with --identity FILE, or start an ssh-agent and \
                `ssh-add` one"
            .to_owned();
    }
    if tried.iter().any(|tried| tried.problem.is_some()) {
        return "`ssh-add KEY` unlocks a key for a while; at a terminal its passphrase is asked for"
            .to_owned();
    }
    format!(
        "does {user} there list one of these keys (~/.ssh/authorized_keys)? for nodes of a cluster: \
         it is the key they were made with; --user and --identity choose others for --hosts"
    )
}

fn saying(said: &str) -> String {
    if said.is_empty() { String::new() } else { format!(", saying `{said}`") }
}

fn list(tried: &[Tried]) -> String {
    let each: Vec<String> = tried.iter().map(ToString::to_string).collect();
    each.join(", ")
}

fn refused(tried: &[Tried], methods: &[String]) -> String {
    let allows = match methods {
        [] => String::new(),
        methods => format!("; it allows {}", methods.join(", ")),
    };
    match tried {
        [] => format!("there was no key to try{allows}"),
        [one] if one.problem.is_some() => format!("the key {one} could not be used{allows}"),
        [one] => format!("the key {one} was refused{allows}"),
        many => format!("none of {} keys was accepted: {}{allows}", many.len(), list(many)),
    }
}

#[cfg(test)]
#[path = "error_tests.rs"]
mod tests;
