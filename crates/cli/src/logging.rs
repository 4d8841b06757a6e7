//! Traces: to the log file always, to standard error with `-v`. A log that
//! cannot be written stops no command.

use std::fs::File;
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::Mutex;

use tracing::level_filters::LevelFilter;
use tracing_subscriber::Layer as _;
use tracing_subscriber::filter::EnvFilter;
use tracing_subscriber::fmt::layer;
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::SubscriberInitExt as _;

use crate::paint::Paint;
use crate::paths::make_private;

/// Largest size of the log; the one before it is kept beside it, so that twice
/// as much is on disk at most.
const LOG_BYTES_MAX: u64 = 4 << 20;

/// Environment variable that chooses what is traced, in the form of `RUST_LOG`.
const FILTER_VARIABLE: &str = "SQUALL_LOG";

/// Starts tracing for the whole process. `verbosity` counts the `-v`s.
pub(crate) fn start(path: &Path, verbosity: u8, paint: Paint) {
    let file = CappedLog::open(path).ok().map(|log| {
        layer().with_ansi(false).with_writer(Mutex::new(log)).with_filter(filter(verbosity.max(1)))
    });
    let stderr = (verbosity > 0).then(|| {
        layer().with_ansi(paint.is_on()).with_writer(io::stderr).with_filter(filter(verbosity))
    });
    // Failing means that somebody traces already, as tests do.
    let _ = tracing_subscriber::registry().with(file).with(stderr).try_init();
}

/// Ours by the number of `-v`s; the crates below us only from the third on, as
/// theirs is much and could show what we would not.
fn filter(verbosity: u8) -> EnvFilter {
    if let Ok(filter) = EnvFilter::try_from_env(FILTER_VARIABLE) {
        return filter;
    }
    let (ours, others) = match verbosity {
        0 => (LevelFilter::OFF, LevelFilter::OFF),
        1 => (LevelFilter::INFO, LevelFilter::WARN),
        2 => (LevelFilter::DEBUG, LevelFilter::WARN),
        _ => (LevelFilter::TRACE, LevelFilter::INFO),
    };
    let ours = ["squall", "controller", "providers", "transport", "engine"]
        .map(|name| format!("{name}={ours}"))
        .join(",");
    EnvFilter::new(format!("{others},{ours}"))
}

/// A file that is moved aside when it gets too long.
#[derive(Debug)]
struct CappedLog {
    path: PathBuf,
    file: File,
    written: u64,
}

impl CappedLog {
    fn open(path: &Path) -> io::Result<Self> {
        if let Some(directory) = path.parent() {
            make_private(directory)?;
        }
        let file = append(path)?;
        let written = file.metadata()?.len();
        Ok(Self { path: path.to_owned(), file, written })
    }

    fn turn_over(&mut self) -> io::Result<()> {
        let mut older = self.path.clone().into_os_string();
        older.push(".1");
        std::fs::rename(&self.path, older)?;
        self.file = append(&self.path)?;
        self.written = 0;
        Ok(())
    }
}

fn append(path: &Path) -> io::Result<File> {
    std::fs::OpenOptions::new().create(true).append(true).mode(0o600).open(path)
}

impl Write for CappedLog {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.written >= LOG_BYTES_MAX {
            self.turn_over()?;
        }
        let count = self.file.write(bytes)?;
        self.written = self.written.saturating_add(count as u64);
        Ok(count)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

#[cfg(test)]
mod tests {
    use super::{CappedLog, LOG_BYTES_MAX};
    use std::io::Write as _;
    use std::os::unix::fs::PermissionsExt as _;

    #[test]
    fn the_log_is_private_and_never_longer_than_its_cap() {
        let home = tempfile::tempdir().unwrap();
        let path = home.path().join("state/squall.log");
        let mut log = CappedLog::open(&path).unwrap();
        let line = [b'x'; 1 << 16];
        for _ in 0..(3 * LOG_BYTES_MAX / line.len() as u64) {
            log.write_all(&line).unwrap();
        }
        let metadata = path.metadata().unwrap();
        assert!(metadata.len() <= LOG_BYTES_MAX);
        assert_eq!(metadata.permissions().mode() & 0o777, 0o600);
        let files = std::fs::read_dir(path.parent().unwrap()).unwrap().count();
        assert_eq!(files, 2);
    }
}
