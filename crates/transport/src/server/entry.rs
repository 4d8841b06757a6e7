//! Where the processes of the server begin, before any thread or runtime.

use std::ffi::OsString;
use std::fs;
use std::io;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Command, ExitCode};

use rustix::stdio;

use super::config::ServerConfig;
use super::listen;
use super::sftp;
use crate::keys::{KeyError, PrivateKey};

/// First argument of a process that is to become a server; the second is the
/// path of its [`ServerConfig`] as JSON.
pub const SERVER_ARGUMENT: &str = "__sshd";

/// First argument of the process between the server and a shell in a
/// terminal; then come the program, its name and its arguments.
pub const TERMINAL_ARGUMENT: &str = "__sshd-exec";

/// First argument of the process that serves files over its standard input and
/// output.
pub const SFTP_ARGUMENT: &str = "__sftp";

/// Exit code of a shell that could not be started, as shells have it.
const EXIT_NO_SHELL: u8 = 127;

/// Why a server cannot serve. Reads after "failed to".
#[derive(Debug, thiserror::Error)]
pub(super) enum ServeError {
    #[error("find the path of a configuration after {SERVER_ARGUMENT}")]
    NoConfig,
    #[error("read {path}: {source}")]
    Read { path: String, source: io::Error },
    #[error("understand {path}: {source}")]
    Parse { path: String, source: serde_json::Error },
    #[error("{0}")]
    HostKey(#[from] KeyError),
    #[error("{doing}: {source}")]
    System { doing: &'static str, source: io::Error },
}

/// Becomes a server of commands or files, or a shell in a terminal, if the first argument (after
/// the program's own name) says so; none if it does not. To be called at the
/// very start of `main`.
#[must_use]
pub fn dispatch(arguments: &[OsString]) -> Option<ExitCode> {
    let (first, rest) = arguments.split_first()?;
    if first == SERVER_ARGUMENT {
        let failed = serve(rest).err()?;
        report(&format!("squall sshd: failed to {failed}"));
        Some(ExitCode::FAILURE)
    } else if first == TERMINAL_ARGUMENT {
        // Only comes back when it failed.
        report(&format!("squall: failed to start a shell: {}", become_shell(rest)));
        Some(ExitCode::from(EXIT_NO_SHELL))
    } else if first == SFTP_ARGUMENT {
        Some(serve_sftp())
    } else {
        None
    }
}

/// Ends when the client does; what it complains about goes to the client.
fn serve_sftp() -> ExitCode {
    match sftp::serve(&mut io::stdin().lock(), &mut io::stdout().lock()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            report(&format!("squall sftp: {error}"));
            ExitCode::FAILURE
        }
    }
}

#[expect(clippy::print_stderr, reason = "a process of its own; this is the node's console")]
pub(super) fn report(text: &str) {
    eprintln!("{text}");
}

fn serve(arguments: &[OsString]) -> Result<std::convert::Infallible, ServeError> {
    let path = Path::new(arguments.first().ok_or(ServeError::NoConfig)?);
    let shown = path.display().to_string();
    let text = fs::read_to_string(path)
        .map_err(|source| ServeError::Read { path: shown.clone(), source })?;
    let config: ServerConfig =
        serde_json::from_str(&text).map_err(|source| ServeError::Parse { path: shown, source })?;
    let host_key = PrivateKey::load(&config.host_key_path)?;
    // One thread: a node's server is idle nearly always, and threads are
    // memory.
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|source| ServeError::System { doing: "start a runtime", source })?;
    runtime.block_on(listen::serve(config, &host_key))
}

/// Makes standard input the controlling terminal of a new session and becomes
/// the program. A step of its own because nothing may run between fork and
/// exec in the server.
fn become_shell(arguments: &[OsString]) -> io::Error {
    let [program, name, rest @ ..] = arguments else {
        return io::Error::new(io::ErrorKind::InvalidInput, "no program was given");
    };
    let terminal =
        rustix::process::setsid().and_then(|_| rustix::process::ioctl_tiocsctty(stdio::stdin()));
    match terminal {
        Ok(()) => Command::new(program).arg0(name).args(rest).exec(),
        Err(error) => error.into(),
    }
}
