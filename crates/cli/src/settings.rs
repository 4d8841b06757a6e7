//! Reads the user's settings, `<config>/config.yaml`. What they mean is
//! `model::spec`'s business.

use std::io::ErrorKind;

use model::spec::{self, SPEC_BYTES_MAX, Settings};

use crate::exit::{CommandError, Exit};
use crate::paths::Paths;

/// What the user set; nothing where there is no file.
///
/// # Errors
/// A file that cannot be read, and all that is wrong with what is in it.
pub(crate) fn read(paths: &Paths) -> Result<Settings, CommandError> {
    let path = paths.settings();
    let name = path.display().to_string();
    let cannot = |error: std::io::Error| {
        CommandError::new(Exit::Usage, "failed to read your settings").cause(error)
    };
    let size = match fs_err::metadata(&path) {
        Ok(file) if !file.is_file() => {
            return Err(CommandError::new(Exit::Usage, format!("{name} is no file")));
        }
        Ok(file) => file.len(),
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Settings::default()),
        Err(error) => return Err(cannot(error)),
    };
    if size > SPEC_BYTES_MAX as u64 {
        let message = format!("{name} has {size} bytes, settings have at most {SPEC_BYTES_MAX}");
        return Err(CommandError::new(Exit::Usage, message));
    }
    let bytes = fs_err::read(&path).map_err(cannot)?;
    spec::settings(&name, &bytes).map_err(|found| {
        let message = format!("your settings are wrong, in {name}");
        CommandError::diagnostics(message, found)
    })
}
