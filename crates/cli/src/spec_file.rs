//! Reads a spec and the files that it names, for the commands that take one.
//! What they mean is `model::spec`'s business.

use std::io::Read as _;
use std::path::{Path, PathBuf};

use fs_err as fs;
use model::span::Sources;
use model::spec::{Files, LoadOptions, NamedText, Resolution, SCRIPT_BYTES_MAX, SPEC_BYTES_MAX};
use model::{Diagnostics, spec};

use crate::args::SpecArgs;
use crate::context::Context;
use crate::exit::{CommandError, Exit};
use crate::report;

/// What a spec on standard input is called.
const STDIN: &str = "-";

/// Reads and resolves the spec of a command.
///
/// # Errors
/// Everything that is wrong with it; `Interrupted` when the user is tired of
/// waiting for a pipe to end.
pub(crate) async fn read(context: &Context, args: &SpecArgs) -> Result<Resolution, CommandError> {
    let path = args.spec.clone();
    let reader = tokio::task::spawn_blocking(move || read_spec(&path));
    let bytes = tokio::select! {
        read = reader => read.map_err(|error| {
            CommandError::new(Exit::Failed, "failed to read the spec").cause(error)
        })??,
        () = context.interrupt.stop.cancelled() => {
            return Err(CommandError::new(Exit::Interrupted, "stopped; nothing was changed"));
        }
    };
    let options = LoadOptions {
        provider: args.provider.clone(),
        name: args.name.clone(),
        sets: args.set.clone(),
        aliases: aliases(&context.paths.aliases())?,
    };
    let name = args.spec.display().to_string();
    let loaded = spec::load(&name, &bytes, &options);
    let files = read_files(&args.spec, loaded.files());
    spec::resolve(loaded, &files).map_err(|found| {
        let count = found.list.iter().filter(|one| one.severity == model::Severity::Error);
        CommandError::diagnostics(errors(&name, count.count()), found)
    })
}

fn errors(name: &str, count: usize) -> String {
    match count {
        1 => format!("there is 1 error in {name}"),
        _ => format!("there are {count} errors in {name}"),
    }
}

/// Says what is to be said of an accepted spec, and stops when it asks for
/// what this build cannot do.
///
/// # Errors
/// What this build cannot do.
pub(crate) fn able(context: &Context, resolution: &Resolution) -> Result<(), CommandError> {
    if resolution.not_yet.is_empty() {
        return Ok(());
    }
    let message = "this build of squall cannot do yet what the spec asks for";
    tell(context, &resolution.notes);
    let mut found = resolution.not_yet.clone();
    for diagnostic in &mut found.list {
        diagnostic.severity = model::Severity::Error;
    }
    Err(CommandError::diagnostics(message, found).hint("nothing was changed"))
}

/// Says warnings and notes.
pub(crate) fn tell(context: &Context, found: &Diagnostics) {
    if !found.is_empty() && !context.printer.is_json() {
        let drawn = report::diagnostics(found, context.printer.err);
        context.printer.say(format!("{drawn}\n"));
    }
}

/// The texts that the notes of a plan made from this spec point into.
pub(crate) fn sources(resolution: &Resolution) -> &Sources {
    &resolution.notes.sources
}

fn read_spec(path: &Path) -> Result<Vec<u8>, CommandError> {
    let cannot = |error: std::io::Error| {
        CommandError::new(Exit::Usage, "failed to read the spec").cause(error)
    };
    if path.as_os_str() == STDIN {
        return bounded(std::io::stdin().lock(), SPEC_BYTES_MAX).map_err(cannot);
    }
    let file = fs::File::open(path).map_err(cannot)?;
    bounded(file, SPEC_BYTES_MAX).map_err(cannot)
}

/// At most one byte more than allowed, so that the reader can tell that it is
/// too much.
fn bounded(source: impl std::io::Read, bytes_max: usize) -> std::io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    let most = u64::try_from(bytes_max).unwrap_or(u64::MAX);
    source.take(most.saturating_add(1)).read_to_end(&mut bytes)?;
    Ok(bytes)
}

fn aliases(path: &Path) -> Result<Option<NamedText>, CommandError> {
    match fs::read_to_string(path) {
        Ok(text) => Ok(Some(NamedText { name: path.display().to_string(), text })),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(error) => {
            Err(CommandError::new(Exit::Usage, "failed to read the table of aliases").cause(error))
        }
    }
}

fn read_files(spec: &Path, named: &[spec::FileRef]) -> Files {
    named
        .iter()
        .map(|file| {
            let read = read_file(&place(spec, &file.path));
            (file.path.clone(), read.map_err(|error| error.to_string()))
        })
        .collect()
}

fn read_file(path: &Path) -> std::io::Result<Vec<u8>> {
    // Not through fs-err: the diagnostic names the path as the user wrote it.
    // Asked before it is opened: opening a pipe waits for its writer.
    if !std::fs::metadata(path)?.is_file() {
        return Err(std::io::Error::other("it is not a file"));
    }
    bounded(std::fs::File::open(path)?, SCRIPT_BYTES_MAX)
}

/// Where a file named by a spec lies: beside the spec, or below the home
/// directory where it begins with `~/`.
fn place(spec: &Path, path: &str) -> PathBuf {
    if let Some(rest) = path.strip_prefix("~/")
        && let Ok(home) = etcetera::home_dir()
    {
        return home.join(rest);
    }
    match spec.parent() {
        Some(directory) if spec.as_os_str() != STDIN => directory.join(path),
        Some(_) | None => PathBuf::from(path),
    }
}

#[cfg(test)]
mod tests {
    use super::{bounded, errors, place};
    use std::path::Path;

    #[test]
    fn files_lie_beside_the_spec() {
        for (spec, path, expected) in [
            ("a/b.yaml", "setup.sh", "a/setup.sh"),
            ("b.yaml", "setup.sh", "setup.sh"),
            ("-", "setup.sh", "setup.sh"),
            ("a/b.yaml", "/x/setup.sh", "/x/setup.sh"),
        ] {
            assert_eq!(place(Path::new(spec), path), Path::new(expected), "{spec} {path}");
        }
    }

    #[test]
    fn reading_stops_just_beyond_the_limit() {
        assert_eq!(bounded(std::io::repeat(b'x'), 8).unwrap().len(), 9);
        assert_eq!(bounded(&b"abc"[..], 8).unwrap(), b"abc");
    }

    #[test]
    fn errors_are_counted() {
        assert_eq!(errors("a.yaml", 1), "there is 1 error in a.yaml");
        assert_eq!(errors("a.yaml", 3), "there are 3 errors in a.yaml");
    }
}
