//! Whom commands run as, and where the password for it comes from: a file, or
//! the terminal, once, when the first node's sudo wants it. Never from the
//! command line or the environment, which others can read.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use clap::builder::NonEmptyStringValueParser;
use clap::{Args, ValueHint};
use model::secret::SecretText;
use tokio::sync::oneshot;
use transport::fanout::Sudo;

use crate::exit::{CommandError, Exit};
use crate::signals::Interrupt;
use crate::terminal;

/// Longest password, and longest file of one.
const PASSWORD_BYTES_MAX: usize = 4096;

/// Whom commands run as.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "As another user")]
pub(crate) struct SudoArgs {
    /// Run it as root, or as USER, through the nodes' sudo; the password is
    /// asked for once, if a node wants one
    #[arg(long, value_name = "USER", num_args = 0..=1, require_equals = true)]
    #[arg(default_missing_value = "root", value_parser = NonEmptyStringValueParser::new())]
    sudo: Option<String>,
    /// Take the password from the first line of FILE
    #[arg(long, value_name = "FILE", requires = "sudo", value_hint = ValueHint::FilePath)]
    sudo_password_file: Option<PathBuf>,
}

impl SudoArgs {
    /// What the nodes need for it; none without `--sudo`.
    ///
    /// # Errors
    /// A file of the password that cannot be used.
    pub(crate) fn sudo(&self) -> Result<Option<Arc<Sudo>>, CommandError> {
        let Some(user) = self.sudo.clone() else { return Ok(None) };
        let user = Some(user).filter(|user| user != "root");
        let sudo = match &self.sudo_password_file {
            Some(path) => Sudo::with_password(user, Some(read(path)?)),
            None if terminal::can_ask_secrets() => Sudo::asking(user),
            None => Sudo::with_password(user, None),
        };
        Ok(Some(Arc::new(sudo)))
    }
}

/// The password in a file.
fn read(path: &Path) -> Result<SecretText, CommandError> {
    let wrong = |why: &str| {
        let message = format!("the password file {} {why}", path.display());
        CommandError::new(Exit::Usage, message)
    };
    let file = fs_err::File::open(path).map_err(|error| wrong("cannot be read").cause(error))?;
    let first = terminal::read_secret_line(file, PASSWORD_BYTES_MAX)
        .map_err(|error| wrong("cannot be read").cause(error))?;
    first.ok_or_else(|| wrong("has no first line"))
}

/// Asks at the terminal. None when the user will not say.
pub(super) async fn ask(interrupt: &Interrupt) -> Option<SecretText> {
    // A thread of its own, not one of the runtime's: a read of the terminal
    // cannot be cancelled, and must not hold up our exit.
    let (tell, told) = oneshot::channel();
    std::thread::spawn(move || {
        let _ =
            tell.send(terminal::ask_secret("Password for sudo on the nodes: ", PASSWORD_BYTES_MAX));
    });
    tokio::select! {
        biased;
        () = interrupt.stop.cancelled() => {
            terminal::restore();
            None
        }
        told = told => told.ok().and_then(Result::ok).flatten(),
    }
}
