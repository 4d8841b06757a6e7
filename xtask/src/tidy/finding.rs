//! What a rule has to say about a place.

use std::fmt;

/// The rules, as the exemption table names them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Rule {
    /// Who may depend on whom.
    Layers,
    /// Per-crate `clippy.toml` files repeat the common bans.
    ClippyFile,
    /// Length of a file.
    FileLines,
    /// Length of a function.
    FunctionLines,
    /// Size of a tracked file.
    FileBytes,
    /// A module says what it is for.
    ModuleDoc,
    /// `lib.rs` and `mod.rs` only declare and re-export.
    OnlyDeclares,
    /// Crate roots forbid unsafe code; it lives in one folder.
    Unsafe,
    /// `#[expect]` with a reason, never `#[allow]`.
    Allow,
    /// No `unwrap` in what is shipped.
    Unwrap,
    /// No sleeping in tests.
    TestSleep,
    /// No test that is switched off without a trace.
    IgnoredTest,
    /// Unfinished work names its issue.
    Unfinished,
    /// No host of a package registry outside of the lock file.
    RegistryHost,
    /// Words that do not belong here.
    BannedWord,
    /// Pages can be reached and links lead somewhere.
    Page,
    /// The exemption table itself.
    Exemption,
}

/// A rule that is broken somewhere.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Finding {
    /// The file, relative to the top of the repository.
    pub(crate) path: String,
    /// The line, from 1; 0 means the file as a whole.
    pub(crate) line: usize,
    /// Which rule.
    pub(crate) rule: Rule,
    /// What is wrong and what to do.
    pub(crate) message: String,
}

impl Finding {
    /// A finding about a line, or with 0 about a whole file.
    pub(crate) fn new(rule: Rule, path: &str, line: usize, message: impl Into<String>) -> Self {
        Self { path: path.to_owned(), line, rule, message: message.into() }
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { path, line, rule, message } = self;
        if *line == 0 {
            write!(f, "{path}: {message} [{rule:?}]")
        } else {
            write!(f, "{path}:{line}: {message} [{rule:?}]")
        }
    }
}
