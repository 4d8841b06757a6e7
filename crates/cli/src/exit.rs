//! How a command ends: the exit codes, and the one place where kinds of failure
//! become one. Must not know how an ending is shown.

use std::error::Error;
use std::fmt;
use std::io;
use std::process::ExitCode;

use controller::{FailureKind, OperationError};
use model::Diagnostics;
use model::span::Sources;

/// What `--help` says of exit codes.
pub(crate) const EXIT_CODES: &str = "\
Exit codes:
  0    done
  1    the operation failed, or `run` failed on some node
  2    usage, or a spec that is wrong
  3    there is no such cluster or node
  4    refused, or not confirmed
  5    the provider or the nodes cannot be reached
  130  interrupted
  141  whoever read the output went away
`squall ssh` ends with the exit code of the remote command, `squall run -S` with
the largest of any node.";

/// How a command ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Exit {
    /// Done.
    Done,
    /// The operation failed.
    Failed,
    /// Usage, or a wrong spec.
    Usage,
    /// No such cluster, node; nothing selected.
    NotFound,
    /// Refused, or needs a confirmation that was not given.
    Refused,
    /// The provider or the transport cannot be reached.
    Unavailable,
    /// The user stopped it.
    Interrupted,
    /// Standard output was closed by its reader.
    ReaderGone,
    /// The exit code of a remote command, handed through.
    Remote(u8),
}

impl Exit {
    /// The code that the shell sees.
    pub(crate) const fn code(self) -> u8 {
        match self {
            Self::Done => 0,
            Self::Failed => 1,
            Self::Usage => 2,
            Self::NotFound => 3,
            Self::Refused => 4,
            Self::Unavailable => 5,
            Self::Interrupted => 130,
            Self::ReaderGone => 141,
            Self::Remote(code) => code,
        }
    }

    /// The word in the JSON form of an error.
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Done => "done",
            Self::Failed => "failed",
            Self::Usage => "usage",
            Self::NotFound => "not-found",
            Self::Refused => "refused",
            Self::Unavailable => "unavailable",
            Self::Interrupted => "interrupted",
            Self::ReaderGone => "reader-gone",
            Self::Remote(_) => "remote",
        }
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit.code())
    }
}

impl From<FailureKind> for Exit {
    fn from(kind: FailureKind) -> Self {
        match kind {
            FailureKind::NotFound => Self::NotFound,
            FailureKind::Invalid => Self::Usage,
            FailureKind::Refused => Self::Refused,
            FailureKind::Unavailable => Self::Unavailable,
            FailureKind::Failed => Self::Failed,
            FailureKind::Interrupted => Self::Interrupted,
        }
    }
}

/// Why a command did not do what was asked, in words for its user.
#[derive(Debug)]
pub(crate) struct CommandError {
    /// How the command ends.
    pub(crate) exit: Exit,
    /// What went wrong, a sentence without a full stop.
    pub(crate) message: String,
    /// Why, from the nearest cause to the farthest.
    pub(crate) causes: Vec<String>,
    /// What is there afterwards, and the last words of nodes, line by line.
    pub(crate) details: Vec<String>,
    /// What the user can do, one line each.
    pub(crate) hints: Vec<String>,
    /// What is wrong with something the user wrote.
    pub(crate) diagnostics: Box<Diagnostics>,
}

/// What every command answers.
pub(crate) type CommandResult = Result<Exit, CommandError>;

impl CommandError {
    /// An error with its message.
    pub(crate) fn new(exit: Exit, message: impl Into<String>) -> Self {
        Self {
            exit,
            message: message.into(),
            causes: Vec::new(),
            details: Vec::new(),
            hints: Vec::new(),
            diagnostics: Box::default(),
        }
    }

    /// "failed to …", with the chain of causes below it.
    pub(crate) fn failed_to(exit: Exit, error: &dyn Error) -> Self {
        let mut made = Self::new(exit, format!("failed to {error}"));
        let mut cause = error.source();
        while let Some(error) = cause {
            made.causes.push(error.to_string());
            cause = error.source();
        }
        made
    }

    /// An error that consists of diagnostics.
    pub(crate) fn diagnostics(message: impl Into<String>, diagnostics: Diagnostics) -> Self {
        Self { diagnostics: Box::new(diagnostics), ..Self::new(Exit::Usage, message) }
    }

    /// A failed operation; its diagnostics point into `sources`.
    pub(crate) fn operation(error: OperationError, sources: &Sources) -> Self {
        let mut details: Vec<String> = error.stands.into_iter().collect();
        for tail in &error.consoles {
            details.push(format!("the last lines on the console of {}:", tail.node));
            details.extend(tail.lines.iter().map(|line| format!("  | {line}")));
        }
        Self {
            exit: error.kind.into(),
            message: error.what,
            causes: error.causes,
            details,
            hints: error.hints,
            diagnostics: Box::new(Diagnostics {
                sources: sources.clone(),
                list: error.diagnostics,
            }),
        }
    }

    /// Adds what the user can do.
    pub(crate) fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hints.push(hint.into());
        self
    }

    /// Adds several hints.
    pub(crate) fn hints(mut self, hints: impl IntoIterator<Item = String>) -> Self {
        self.hints.extend(hints);
        self
    }

    /// Adds a cause.
    pub(crate) fn cause(mut self, cause: impl fmt::Display) -> Self {
        self.causes.push(cause.to_string());
        self
    }
}

impl From<io::Error> for CommandError {
    /// Only writing to standard output comes this way; everything else names
    /// what it was doing.
    fn from(error: io::Error) -> Self {
        if error.kind() == io::ErrorKind::BrokenPipe {
            return Self::new(Exit::ReaderGone, "the reader of the output is gone");
        }
        Self::new(Exit::Failed, "failed to write the output").cause(error)
    }
}

#[cfg(test)]
mod tests {
    use super::{CommandError, EXIT_CODES, Exit};
    use controller::{FailureKind, OperationError};
    use model::span::Sources;

    #[test]
    fn every_exit_code_is_in_the_help() {
        for exit in [
            Exit::Done,
            Exit::Failed,
            Exit::Usage,
            Exit::NotFound,
            Exit::Refused,
            Exit::Unavailable,
            Exit::Interrupted,
            Exit::ReaderGone,
        ] {
            let line = format!("\n  {:<4} ", exit.code());
            assert!(EXIT_CODES.contains(&line), "{exit:?}");
        }
    }

    #[test]
    fn a_failed_operation_keeps_its_kind_and_says_what_stands() {
        let mut error = *OperationError::new(FailureKind::Refused, "it was changed meanwhile");
        error.stands = Some("cluster a has 2 nodes".to_owned());
        let error = CommandError::operation(error, &Sources::default());
        assert_eq!(error.exit, Exit::Refused);
        assert_eq!(error.details, ["cluster a has 2 nodes"]);
    }

    #[test]
    fn a_reader_that_went_away_is_no_failure_of_ours() {
        let error = CommandError::from(std::io::Error::from(std::io::ErrorKind::BrokenPipe));
        assert_eq!(error.exit, Exit::ReaderGone);
    }
}
