//! The tables, and how a file of an older schema becomes one of the newest.
//! A migration is never changed once released; a new one is added below it.

use rusqlite::{Connection, OptionalExtension as _, params};

/// The way from each schema to the next; the first is that of an empty file.
pub(super) const MIGRATIONS: &[&str] = &["
    CREATE TABLE event (
        id       INTEGER PRIMARY KEY AUTOINCREMENT,
        provider TEXT NOT NULL,
        region   TEXT NOT NULL,
        cluster  TEXT NOT NULL,
        at_us    INTEGER NOT NULL,
        node     TEXT,
        source   TEXT NOT NULL,
        level    TEXT NOT NULL,
        what     TEXT NOT NULL,
        why      TEXT
    ) STRICT;
    CREATE INDEX event_by_cluster ON event (provider, region, cluster, id);
"];

/// Why a file could not be brought to the newest schema.
#[derive(Debug)]
pub(super) enum MigrateError {
    /// It is of a newer one, with its number.
    Newer(u32),
    /// SQLite's words.
    Sqlite(rusqlite::Error),
}

impl From<rusqlite::Error> for MigrateError {
    fn from(error: rusqlite::Error) -> Self {
        Self::Sqlite(error)
    }
}

/// Brings a file to the newest schema. Two processes that come at once do it
/// one after the other; a migration is done whole or not at all.
pub(super) fn migrate(
    connection: &mut Connection,
    migrations: &[&str],
    at_us: i64,
) -> Result<(), MigrateError> {
    let known = u32::try_from(migrations.len()).unwrap_or(u32::MAX);
    let found = version(connection)?;
    if found > known {
        return Err(MigrateError::Newer(found));
    }
    if found == known {
        return Ok(());
    }
    let all = connection.transaction_with_behavior(rusqlite::TransactionBehavior::Exclusive)?;
    all.execute_batch(
        "CREATE TABLE IF NOT EXISTS migration (
            version    INTEGER PRIMARY KEY,
            applied_us INTEGER NOT NULL
        ) STRICT",
    )?;
    // Somebody else may have been here since we looked.
    let found = version(&all)?;
    for (number, statements) in (1..=known).zip(migrations).skip(found as usize) {
        all.execute_batch(statements)?;
        all.execute("INSERT INTO migration VALUES (?1, ?2)", params![number, at_us])?;
    }
    all.commit()?;
    Ok(())
}

/// The schema of a file; 0 of an empty one.
fn version(connection: &Connection) -> rusqlite::Result<u32> {
    let there = connection
        .query_row("SELECT 1 FROM sqlite_schema WHERE name = 'migration'", [], |_| Ok(()))
        .optional()?;
    if there.is_none() {
        return Ok(0);
    }
    let newest = "SELECT coalesce(max(version), 0) FROM migration";
    connection.query_row(newest, [], |row| row.get(0))
}

#[cfg(test)]
mod tests {
    use super::{MIGRATIONS, MigrateError, migrate, version};
    use rusqlite::Connection;

    #[test]
    fn an_old_file_is_brought_up_and_keeps_its_lines() {
        let mut connection = Connection::open_in_memory().unwrap();
        migrate(&mut connection, MIGRATIONS, 1).unwrap();
        let line = "INSERT INTO event (provider, region, cluster, at_us, source, level, what)
                    VALUES ('fake', 'r', 'demo', 5, 'squall', 'info', 'created')";
        connection.execute(line, []).unwrap();
        let later = [MIGRATIONS, &["ALTER TABLE event ADD COLUMN more TEXT"]].concat();
        migrate(&mut connection, &later, 2).unwrap();
        migrate(&mut connection, &later, 3).unwrap();
        let lines: u32 = connection
            .query_row("SELECT count(*) FROM event WHERE more IS NULL", [], |row| row.get(0))
            .unwrap();
        let applied: Vec<(u32, i64)> = connection
            .prepare("SELECT version, applied_us FROM migration ORDER BY version")
            .unwrap()
            .query_map([], |row| Ok((row.get(0)?, row.get(1)?)))
            .unwrap()
            .map(Result::unwrap)
            .collect();
        assert_eq!((lines, applied), (1, vec![(1, 1), (2, 2)]));
    }

    #[test]
    fn a_migration_that_fails_changes_nothing() {
        let mut connection = Connection::open_in_memory().unwrap();
        let broken = [MIGRATIONS, &["CREATE TABLE event (x INTEGER)"]].concat();
        assert!(matches!(migrate(&mut connection, &broken, 1), Err(MigrateError::Sqlite(_))));
        assert_eq!(version(&connection).unwrap(), 0);
        migrate(&mut connection, MIGRATIONS, 1).unwrap();
    }
}
