//! The handle that operations write through. The connection itself lives on
//! the writer's thread.

use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use model::event::TimelineEvent;
use model::name::ClusterName;
use model::resolved::ProviderKind;
use tokio::sync::{mpsc, oneshot};

use super::writer::{self, Command};

/// Lines that wait for the disk. More than a change of a big cluster writes
/// while the disk is busy; beyond it lines are dropped, and that is said.
const COMMANDS_MAX: usize = 4096;

/// An answer of the writer that takes longer is given up. Longer than SQLite's
/// own wait for another process.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(10);

/// Which cluster a line is about. The same name on another provider or in
/// another region is another cluster.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Scope {
    /// Its provider.
    pub provider: ProviderKind,
    /// Its region.
    pub region: String,
    /// Its name.
    pub cluster: ClusterName,
}

/// Why the journal cannot do what was asked. Reads after "failed to".
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum JournalError {
    /// The file could not be opened, or made.
    #[error("open the journal {}: {cause}", .path.display())]
    Open {
        /// The file.
        path: PathBuf,
        /// What went wrong.
        cause: String,
    },
    /// The file is of a newer squall.
    #[error(
        "use the journal {}: a newer squall wrote it (schema {found}, this one knows {known}); \
         use that one, or move the file away, which loses history and no node",
        .path.display()
    )]
    Newer {
        /// The file.
        path: PathBuf,
        /// Its schema.
        found: u32,
        /// The newest schema that this build knows.
        known: u32,
    },
    /// Reading or writing failed.
    #[error("{doing} the journal {}: {cause}", .path.display())]
    Broken {
        /// What was being done.
        doing: &'static str,
        /// The file.
        path: PathBuf,
        /// What went wrong.
        cause: String,
    },
    /// The writer does not answer.
    #[error("{0} the journal: it does not answer")]
    Silent(&'static str),
}

/// A handle on the journal. Clones share it; the file is closed with the last.
#[derive(Debug, Clone)]
pub struct Journal {
    commands: Option<mpsc::Sender<Command>>,
    trouble: Arc<OnceLock<JournalError>>,
}

impl Journal {
    /// Opens the journal, making it if there is none. Never fails: a file that
    /// cannot be used is [told of](Self::trouble), and nothing is remembered.
    #[must_use]
    pub fn open(path: &Path) -> Self {
        let trouble = Arc::new(OnceLock::new());
        match writer::start(path, COMMANDS_MAX, Arc::clone(&trouble)) {
            Ok(commands) => Self { commands: Some(commands), trouble },
            Err(error) => {
                tracing::warn!("failed to {error}");
                let _ = trouble.set(error);
                Self { commands: None, trouble }
            }
        }
    }

    /// A journal that remembers nothing.
    #[must_use]
    pub fn off() -> Self {
        Self { commands: None, trouble: Arc::default() }
    }

    /// What is wrong with it, if something is: worth a warning, no more.
    #[must_use]
    pub fn trouble(&self) -> Option<&JournalError> {
        self.trouble.get()
    }

    /// Adds a line to a cluster's timeline. Returns at once; see
    /// [`flush`](Self::flush).
    pub fn record(&self, scope: &Scope, event: TimelineEvent) {
        if let Some(commands) = &self.commands
            && commands.try_send(Command::Record(scope.clone(), Box::new(event))).is_err()
        {
            tracing::warn!("a line of the journal was dropped: too many are waiting for the disk");
        }
    }

    /// The lines of a cluster's timeline, oldest first; none when nothing is
    /// remembered.
    ///
    /// # Errors
    /// When the file cannot be used.
    pub async fn read(&self, scope: &Scope) -> Result<Vec<TimelineEvent>, JournalError> {
        self.ask("read", |answer| Command::Read(scope.clone(), answer)).await
    }

    /// Removes the lines of a cluster; the answer is their number.
    ///
    /// # Errors
    /// When the file cannot be used.
    pub async fn forget(&self, scope: &Scope) -> Result<usize, JournalError> {
        self.ask("change", |answer| Command::Forget(scope.clone(), answer)).await
    }

    /// Waits until everything recorded so far is in the file, or until that
    /// has taken too long.
    pub async fn flush(&self) {
        if self.commands.is_some()
            && let Err(error) = self.ask("write", Command::Flush).await
        {
            tracing::warn!("failed to {error}");
        }
    }

    async fn ask<T: Default>(
        &self,
        doing: &'static str,
        command: impl FnOnce(oneshot::Sender<Result<T, JournalError>>) -> Command,
    ) -> Result<T, JournalError> {
        let Some(commands) = &self.commands else {
            return self.trouble().map_or_else(|| Ok(T::default()), |error| Err(error.clone()));
        };
        let (answer, answered) = oneshot::channel();
        let asking = async {
            commands.send(command(answer)).await.ok()?;
            answered.await.ok()
        };
        match tokio::time::timeout(ANSWER_TIMEOUT, asking).await {
            Ok(Some(answer)) => answer,
            Ok(None) | Err(_) => Err(JournalError::Silent(doing)),
        }
    }
}

#[cfg(test)]
#[path = "tests.rs"]
mod tests;
