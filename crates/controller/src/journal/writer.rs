//! The thread that owns the connection. Everything that waits is written in
//! one transaction.

use std::collections::BTreeSet;
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use jiff::Timestamp;
use model::event::TimelineEvent;
use model::name::NodeName;
use rusqlite::{Connection, Row, params};
use tokio::sync::{mpsc, oneshot};

use super::handle::{JournalError, Scope};
use super::schema::{MIGRATIONS, MigrateError, migrate};
use super::text;
use crate::clock;

/// Lines kept of one cluster. A cluster that changes every few minutes has
/// some weeks of history in them.
pub(super) const LINES_PER_CLUSTER_MAX: u32 = 10_000;

/// How long SQLite waits for another process that writes.
const BUSY_TIMEOUT: Duration = Duration::from_secs(3);

/// How often a file is opened that another process is making, and the pause
/// between.
const OPEN_TRIES_MAX: usize = 40;
const OPEN_PAUSE: Duration = Duration::from_millis(25);

/// Lines written in one transaction, so that others get their turn.
const BATCH_MAX: usize = 512;

/// What the thread is told.
#[derive(Debug)]
pub(super) enum Command {
    /// Add a line.
    Record(Scope, Box<TimelineEvent>),
    /// Answer with the lines of a cluster.
    Read(Scope, oneshot::Sender<Result<Vec<TimelineEvent>, JournalError>>),
    /// Remove the lines of a cluster.
    Forget(Scope, oneshot::Sender<Result<usize, JournalError>>),
    /// Answer when everything before is in the file.
    Flush(oneshot::Sender<Result<(), JournalError>>),
}

/// Opens the file and starts the thread, which ends with the last sender.
pub(super) fn start(
    path: &Path,
    commands_max: usize,
    trouble: Arc<OnceLock<JournalError>>,
) -> Result<mpsc::Sender<Command>, JournalError> {
    let failed = |cause: String| JournalError::Open { path: path.to_owned(), cause };
    make_private(path).map_err(|error| failed(error.to_string()))?;
    let connection = open_patiently(path).map_err(|error| match error {
        MigrateError::Newer(found) => {
            let known = u32::try_from(MIGRATIONS.len()).unwrap_or(u32::MAX);
            JournalError::Newer { path: path.to_owned(), found, known }
        }
        MigrateError::Sqlite(error) => failed(error.to_string()),
    })?;
    let (sender, commands) = mpsc::channel(commands_max);
    let writer = Writer { connection, path: path.to_owned(), trouble };
    std::thread::Builder::new()
        .name("journal".to_owned())
        .spawn(move || writer.run(commands))
        .map_err(|error| failed(error.to_string()))?;
    Ok(sender)
}

/// Makes the file, and directories above it, for the user's eyes only; SQLite
/// gives its other files the mode of this one.
fn make_private(path: &Path) -> std::io::Result<()> {
    if let Some(directory) = path.parent() {
        std::fs::DirBuilder::new().recursive(true).mode(0o700).create(directory)?;
    }
    match std::fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(path) {
        Err(error) if error.kind() != std::io::ErrorKind::AlreadyExists => Err(error),
        Ok(_) | Err(_) => Ok(()),
    }
}

/// Opens the file, again when another process is just making it: SQLite does
/// not wait by itself while a file changes its mode.
fn open_patiently(path: &Path) -> Result<Connection, MigrateError> {
    let mut tries = 0;
    loop {
        match open(path) {
            Err(MigrateError::Sqlite(error)) if is_busy(&error) && tries < OPEN_TRIES_MAX => {
                tries += 1;
                std::thread::sleep(OPEN_PAUSE);
            }
            answer => return answer,
        }
    }
}

fn is_busy(error: &rusqlite::Error) -> bool {
    use rusqlite::ErrorCode::{DatabaseBusy, DatabaseLocked};
    matches!(error.sqlite_error_code(), Some(DatabaseBusy | DatabaseLocked))
}

fn open(path: &Path) -> Result<Connection, MigrateError> {
    let mut connection = Connection::open(path)?;
    connection.busy_timeout(BUSY_TIMEOUT)?;
    // A file system without shared memory stays with another mode, which is
    // slower and as good.
    connection.query_row("PRAGMA journal_mode = WAL", [], |_| Ok(()))?;
    // History may lose its last lines when the power fails, not when we do.
    connection.pragma_update(None, "synchronous", "NORMAL")?;
    migrate(&mut connection, MIGRATIONS, clock::now().as_microsecond())?;
    // Found out now rather than at the first line: the file may be read-only.
    connection.execute_batch("BEGIN IMMEDIATE; ROLLBACK")?;
    Ok(connection)
}

struct Writer {
    connection: Connection,
    path: PathBuf,
    trouble: Arc<OnceLock<JournalError>>,
}

impl Writer {
    fn run(mut self, mut commands: mpsc::Receiver<Command>) {
        let mut waiting = Vec::with_capacity(BATCH_MAX);
        while let Some(first) = commands.blocking_recv() {
            waiting.push(first);
            while waiting.len() < BATCH_MAX {
                let Ok(next) = commands.try_recv() else { break };
                waiting.push(next);
            }
            self.handle(&mut waiting);
        }
    }

    /// Lines in a row are written together; everything else keeps its place.
    fn handle(&mut self, commands: &mut Vec<Command>) {
        let mut lines = Vec::new();
        for command in commands.drain(..) {
            if let Command::Record(scope, event) = command {
                lines.push((scope, event));
                continue;
            }
            let written = self.write(&mut lines);
            match command {
                Command::Record(..) => {}
                Command::Read(scope, answer) => {
                    let _ =
                        answer.send(self.read(&scope).map_err(|error| self.broken("read", &error)));
                }
                Command::Forget(scope, answer) => {
                    let _ = answer
                        .send(self.forget(&scope).map_err(|error| self.broken("change", &error)));
                }
                Command::Flush(answer) => {
                    let _ = answer.send(written);
                }
            }
        }
        let _ = self.write(&mut lines);
    }

    fn write(&mut self, lines: &mut Vec<(Scope, Box<TimelineEvent>)>) -> Result<(), JournalError> {
        let lines = std::mem::take(lines);
        if lines.is_empty() {
            return Ok(());
        }
        self.insert(&lines).map_err(|error| {
            let error = self.broken("write", &error);
            // Said once; the next line may well be written.
            if self.trouble.set(error.clone()).is_ok() {
                tracing::warn!("failed to {error}");
            }
            error
        })
    }

    fn insert(&mut self, lines: &[(Scope, Box<TimelineEvent>)]) -> rusqlite::Result<()> {
        let all = self.connection.transaction()?;
        let clusters: BTreeSet<&Scope> = lines.iter().map(|(scope, _)| scope).collect();
        {
            let mut insert = all.prepare_cached(
                "INSERT INTO event
                 (provider, region, cluster, at_us, node, source, level, what, why)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)",
            )?;
            for (scope, event) in lines {
                insert.execute(params![
                    scope.provider.as_str(),
                    scope.region,
                    scope.cluster.as_str(),
                    event.at.as_microsecond(),
                    event.node.as_ref().map(NodeName::as_str),
                    text::source(event.source),
                    text::level(event.level),
                    text::bounded(&event.what),
                    event.why.as_deref().map(text::bounded),
                ])?;
            }
            let mut thin = all.prepare_cached(
                "DELETE FROM event
                 WHERE provider = ?1 AND region = ?2 AND cluster = ?3 AND id <= (
                     SELECT id FROM event WHERE provider = ?1 AND region = ?2 AND cluster = ?3
                     ORDER BY id DESC LIMIT 1 OFFSET ?4)",
            )?;
            for scope in clusters {
                thin.execute(params![
                    scope.provider.as_str(),
                    scope.region,
                    scope.cluster.as_str(),
                    LINES_PER_CLUSTER_MAX
                ])?;
            }
        }
        all.commit()
    }

    fn read(&self, scope: &Scope) -> rusqlite::Result<Vec<TimelineEvent>> {
        let mut select = self.connection.prepare_cached(
            "SELECT at_us, node, source, level, what, why FROM event
             WHERE provider = ?1 AND region = ?2 AND cluster = ?3 ORDER BY id",
        )?;
        let rows = select.query_map(
            params![scope.provider.as_str(), scope.region, scope.cluster.as_str()],
            |row| event(scope, row),
        )?;
        rows.collect()
    }

    fn forget(&self, scope: &Scope) -> rusqlite::Result<usize> {
        self.connection.execute(
            "DELETE FROM event WHERE provider = ?1 AND region = ?2 AND cluster = ?3",
            params![scope.provider.as_str(), scope.region, scope.cluster.as_str()],
        )
    }

    fn broken(&self, doing: &'static str, error: &rusqlite::Error) -> JournalError {
        JournalError::Broken { doing, path: self.path.clone(), cause: error.to_string() }
    }
}

fn event(scope: &Scope, row: &Row<'_>) -> rusqlite::Result<TimelineEvent> {
    let node: Option<String> = row.get(1)?;
    let (source, level): (String, String) = (row.get(2)?, row.get(3)?);
    Ok(TimelineEvent {
        at: Timestamp::from_microsecond(row.get(0)?).unwrap_or(Timestamp::MIN),
        cluster: scope.cluster.clone(),
        node: node.and_then(|name| NodeName::parse(&name).ok()),
        source: text::read_source(&source),
        level: text::read_level(&level),
        what: row.get(4)?,
        why: row.get(5)?,
    })
}
