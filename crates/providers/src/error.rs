//! How a provider fails: by kind, with the cloud's own words kept.

use std::fmt;

use serde::{Deserialize, Serialize};

/// What sort of failure it is; decides about retries, advice and exit code.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ErrorKind {
    /// There is no such thing.
    NotFound,
    /// The provider has no room: instances, disk space.
    Capacity,
    /// A limit of the account or machine is reached.
    Quota,
    /// Not allowed.
    Auth,
    /// Asked too often.
    Throttled,
    /// Somebody else changes or changed it.
    Conflict,
    /// No answer in time.
    Timeout,
    /// The request itself cannot be carried out.
    Invalid,
    /// Anything else.
    Other,
}

impl ErrorKind {
    /// The word in JSON and in transcripts.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::NotFound => "not-found",
            Self::Capacity => "capacity",
            Self::Quota => "quota",
            Self::Auth => "auth",
            Self::Throttled => "throttled",
            Self::Conflict => "conflict",
            Self::Timeout => "timeout",
            Self::Invalid => "invalid",
            Self::Other => "other",
        }
    }

    /// Whether trying again later may help without anything else changing.
    #[must_use]
    pub const fn is_transient(self) -> bool {
        matches!(self, Self::Throttled | Self::Timeout)
    }
}

impl fmt::Display for ErrorKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A provider's failure. Reads after "failed to".
#[derive(Debug, thiserror::Error)]
#[error("{doing}: {cause}")]
pub struct ProviderError {
    /// Its kind.
    pub kind: ErrorKind,
    /// What was being done, as "make node worker1".
    pub doing: String,
    /// What went wrong, in the provider's own words.
    pub cause: String,
    /// What the user can do about it.
    pub mend: Option<String>,
}

impl ProviderError {
    /// A failure of a kind.
    pub fn new(kind: ErrorKind, doing: impl Into<String>, cause: impl Into<String>) -> Self {
        Self { kind, doing: doing.into(), cause: cause.into(), mend: None }
    }

    /// Adds what the user can do about it.
    #[must_use]
    pub fn with_mend(mut self, mend: impl Into<String>) -> Self {
        self.mend = Some(mend.into());
        self
    }
}
