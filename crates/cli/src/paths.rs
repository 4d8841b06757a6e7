//! Where a user's files live: the XDG directories, or one directory for all
//! (`SQUALL_HOME`). Makes directories only for their owner's eyes.

use std::ffi::OsString;
use std::os::unix::fs::DirBuilderExt as _;
use std::path::{Path, PathBuf};

use etcetera::BaseStrategy as _;

use crate::exit::{CommandError, Exit};

/// The name of our directory below each of the XDG directories.
const DIRECTORY: &str = "squall";

/// The directories of one user.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Paths {
    /// What the user writes.
    pub(crate) config: PathBuf,
    /// What must not be lost: keys, the local provider's node store.
    pub(crate) data: PathBuf,
    /// What may be lost: journal, log.
    pub(crate) state: PathBuf,
    /// What can be made again.
    pub(crate) cache: PathBuf,
}

impl Paths {
    /// The directories by the environment.
    pub(crate) fn discover() -> Result<Self, CommandError> {
        if let Some(home) = std::env::var_os("SQUALL_HOME").filter(|home| !home.is_empty()) {
            return Self::below(home);
        }
        let base = etcetera::base_strategy::Xdg::new().map_err(|error| {
            CommandError::new(Exit::Failed, "failed to find your home directory")
                .cause(error)
                .hint("set HOME, or SQUALL_HOME to a directory of yours")
        })?;
        Ok(Self {
            config: base.config_dir().join(DIRECTORY),
            data: base.data_dir().join(DIRECTORY),
            state: base.state_dir().unwrap_or_else(|| base.data_dir()).join(DIRECTORY),
            cache: base.cache_dir().join(DIRECTORY),
        })
    }

    /// Everything below one directory. A relative one is taken from where the
    /// user is now: supervisors and nodes live elsewhere.
    fn below(home: OsString) -> Result<Self, CommandError> {
        let home = std::path::absolute(PathBuf::from(home)).map_err(|error| {
            CommandError::new(Exit::Usage, "SQUALL_HOME names no directory").cause(error)
        })?;
        Ok(Self {
            config: home.join("config"),
            data: home.join("data"),
            state: home.join("state"),
            cache: home.join("cache"),
        })
    }

    /// The user's settings.
    pub(crate) fn settings(&self) -> PathBuf {
        self.config.join("config.yaml")
    }

    /// The user's table of aliases for images and instance types.
    pub(crate) fn aliases(&self) -> PathBuf {
        self.config.join("aliases.yaml")
    }

    /// The user's key.
    pub(crate) fn key(&self) -> PathBuf {
        self.data.join("keys").join("id_ed25519")
    }

    /// What this machine remembers of clusters.
    pub(crate) fn journal(&self) -> PathBuf {
        self.state.join("journal.sqlite")
    }

    /// The log of `-v`.
    pub(crate) fn log(&self) -> PathBuf {
        self.state.join("squall.log")
    }
}

/// Makes a directory that only its owner may read, and those above it.
pub(crate) fn make_private(directory: &Path) -> std::io::Result<()> {
    std::fs::DirBuilder::new().recursive(true).mode(0o700).create(directory)
}

#[cfg(test)]
mod tests {
    use super::{Paths, make_private};
    use std::os::unix::fs::PermissionsExt as _;

    #[test]
    fn one_home_holds_everything() {
        let paths = Paths::below("/tmp/x".into()).unwrap();
        assert_eq!(paths.aliases().to_str(), Some("/tmp/x/config/aliases.yaml"));
        assert_eq!(paths.log().to_str(), Some("/tmp/x/state/squall.log"));
        assert!(Paths::below("x".into()).unwrap().data.is_absolute());
    }

    #[test]
    fn made_directories_are_for_their_owner_only() {
        let home = tempfile::tempdir().unwrap();
        let made = home.path().join("a/b");
        make_private(&made).unwrap();
        for path in [home.path().join("a"), made] {
            let mode = path.metadata().unwrap().permissions().mode();
            assert_eq!(mode & 0o777, 0o700, "{}", path.display());
        }
    }
}
