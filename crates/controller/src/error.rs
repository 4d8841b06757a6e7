//! How an operation fails, in words for its user: what, why, and how to go on.

use model::Diagnostic;
use model::name::NodeName;
use providers::{ErrorKind, ProviderError};

/// What sort of failure it is; decides the exit code.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum FailureKind {
    /// There is no such cluster or node.
    NotFound,
    /// What was asked is wrong in itself.
    Invalid,
    /// Refused: somebody else changes or changed it, or it must not be done on
    /// this ground.
    Refused,
    /// The provider, or a node, cannot be reached.
    Unavailable,
    /// It was tried and went wrong.
    Failed,
    /// The user stopped it.
    Interrupted,
}

impl From<ErrorKind> for FailureKind {
    fn from(kind: ErrorKind) -> Self {
        match kind {
            ErrorKind::NotFound => Self::NotFound,
            ErrorKind::Conflict => Self::Refused,
            ErrorKind::Auth | ErrorKind::Throttled | ErrorKind::Timeout => Self::Unavailable,
            ErrorKind::Invalid => Self::Invalid,
            ErrorKind::Capacity | ErrorKind::Quota | ErrorKind::Other => Self::Failed,
        }
    }
}

/// A failed operation. Its text is a sentence without a full stop.
#[derive(Debug, Clone, thiserror::Error)]
#[error("{what}")]
pub struct OperationError {
    /// Its kind.
    pub kind: FailureKind,
    /// What went wrong.
    pub what: String,
    /// Why, one line each, the nearest cause first. A line break within one
    /// cause is possible.
    pub causes: Vec<String>,
    /// What the user can do, one line each.
    pub hints: Vec<String>,
    /// What is wrong with something the user wrote or asked.
    pub diagnostics: Vec<Diagnostic>,
    /// The last words of the nodes that failed.
    pub consoles: Vec<ConsoleTail>,
    /// What stands after the failure; none where nothing was touched.
    pub stands: Option<String>,
}

/// The end of what a node printed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConsoleTail {
    /// The node.
    pub node: NodeName,
    /// Its last lines, oldest first, without control characters.
    pub lines: Vec<String>,
}

impl OperationError {
    /// A failure of a kind.
    pub fn new(kind: FailureKind, what: impl Into<String>) -> Box<Self> {
        Box::new(Self {
            kind,
            what: what.into(),
            causes: Vec::new(),
            hints: Vec::new(),
            diagnostics: Vec::new(),
            consoles: Vec::new(),
            stands: None,
        })
    }

    /// "failed to …", as a provider says it.
    #[must_use]
    pub fn provider(error: &ProviderError) -> Box<Self> {
        let mut made = Self::new(error.kind.into(), format!("failed to {}", error.doing));
        made.causes.push(error.cause.clone());
        made.hints.extend(error.mend.clone());
        made
    }

    /// What a planner or a preflight refused.
    pub fn refused(
        kind: FailureKind,
        what: impl Into<String>,
        diagnostics: Vec<Diagnostic>,
    ) -> Box<Self> {
        let mut made = Self::new(kind, what);
        made.diagnostics = diagnostics;
        made
    }

    /// Adds a cause.
    #[must_use]
    pub fn cause(mut self: Box<Self>, cause: impl Into<String>) -> Box<Self> {
        self.causes.push(cause.into());
        self
    }

    /// Adds what the user can do.
    #[must_use]
    pub fn hint(mut self: Box<Self>, hint: impl Into<String>) -> Box<Self> {
        self.hints.push(hint.into());
        self
    }
}

impl From<ProviderError> for Box<OperationError> {
    fn from(error: ProviderError) -> Self {
        OperationError::provider(&error)
    }
}
