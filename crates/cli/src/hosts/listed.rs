//! The hosts that the user lists in a file.

use std::io::Read as _;

use super::file::{self, ListedHost};
use crate::exit::{CommandError, Exit};

/// Bytes of a list; more is something else.
const LIST_BYTES_MAX: u64 = 16 * 1024 * 1024;

/// The hosts of a file, or of standard input for `-`.
pub(super) fn read(path: &str) -> Result<Vec<ListedHost>, CommandError> {
    let failed = |error: std::io::Error| {
        let message = format!("failed to read the list of hosts {path}");
        let exit = match error.kind() {
            std::io::ErrorKind::NotFound => Exit::NotFound,
            _ => Exit::Failed,
        };
        CommandError::new(exit, message).cause(error)
    };
    let mut text = String::new();
    let (name, read) = if path == "-" {
        ("standard input", std::io::stdin().lock().take(LIST_BYTES_MAX).read_to_string(&mut text))
    } else {
        let file = std::fs::File::open(path).map_err(failed)?;
        (path, file.take(LIST_BYTES_MAX).read_to_string(&mut text))
    };
    read.map_err(failed)?;
    file::parse(name, &text).map_err(|found| {
        CommandError::diagnostics(format!("the list of hosts {name} is wrong"), found)
    })
}
