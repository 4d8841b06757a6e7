//! Finding and reading the files of a configuration.

use std::io::{self, Read};
use std::path::{Component, Path, PathBuf};

use super::config::Environment;
use super::tokens::{home, variables};
use crate::host_pattern::matches;
use crate::limits;

/// The text of a file; none if there is no such file.
///
/// # Errors
/// It is there and cannot be read.
pub(super) fn read(file: &Path) -> io::Result<Option<String>> {
    let opened = match std::fs::File::open(file) {
        Ok(opened) => opened,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error),
    };
    let mut bytes = Vec::new();
    opened.take(limits::SSH_CONFIG_BYTES_MAX).read_to_end(&mut bytes)?;
    Ok(Some(String::from_utf8_lossy(&bytes).into_owned()))
}

/// The files that `Include` names, by their names' order; relative ones lie
/// below `base`. As ssh does, those that cannot be read are passed over.
pub(super) fn find(
    pattern: &str,
    base: &Path,
    environment: &Environment,
) -> Vec<(PathBuf, String)> {
    let path = base.join(home(&variables(pattern, environment), environment));
    let mut found = vec![PathBuf::new()];
    for part in path.components() {
        found = found.into_iter().flat_map(|before| step(&before, part)).collect();
    }
    found.sort();
    let text = |path: PathBuf| read(&path).ok().flatten().map(|text| (path, text));
    found.into_iter().filter(|path| path.is_file()).filter_map(text).collect()
}

/// The paths that one part of a pattern leads to.
fn step(before: &Path, part: Component<'_>) -> Vec<PathBuf> {
    let Some(name) = part.as_os_str().to_str().filter(|name| name.contains(['*', '?'])) else {
        return vec![before.join(part)];
    };
    let entries = std::fs::read_dir(before).into_iter().flatten().flatten();
    let names = entries.filter_map(|entry| entry.file_name().into_string().ok());
    names
        .filter(|file| !file.starts_with('.') || name.starts_with('.'))
        .filter(|file| matches(name, file))
        .map(|file| before.join(file))
        .collect()
}
