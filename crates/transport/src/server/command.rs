//! Starting the shell for a command or a terminal, with the environment that a
//! log-in has.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::io;
use std::path::Path;
use std::process::Stdio;

use rustix::process::Pid;
use rustix::termios::Winsize;
use tokio::net::unix::pipe;
use tokio::process::{Child, Command};

use super::channel::Peer;
use super::config::ServerConfig;
use super::entry::{SFTP_ARGUMENT, TERMINAL_ARGUMENT};
use super::terminal::{Screen, Terminal, Window};

/// Where programs are looked for, as Debian's sshd has it for root and with
/// the directories that ordinary users miss.
const PATH: &str = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/// Ourselves, wherever the binary is and even if it has been replaced.
const OWN_PROGRAM: &str = "/proc/self/exe";

/// What a client asked for before it started something.
#[derive(Debug, Clone, Default)]
pub(super) struct Wish {
    /// Variables to set.
    pub(super) env: BTreeMap<String, String>,
    /// `TERM` and size of the terminal, if one is wanted.
    pub(super) terminal: Option<(String, Winsize)>,
    /// The command; none is a login shell.
    pub(super) command: Option<OsString>,
    /// Files instead of a command.
    pub(super) files: bool,
}

/// A started shell.
#[derive(Debug)]
pub(super) struct Started {
    pub(super) child: Child,
    /// Its process group: the shell and what it started.
    pub(super) group: Pid,
    /// Our end of its terminal, if it has one; else the child has pipes.
    pub(super) terminal: Option<(Screen, pipe::Sender, Window)>,
}

/// Starts what was wished for.
pub(super) fn start(config: &ServerConfig, peer: Peer, wish: &Wish) -> io::Result<Started> {
    match &wish.terminal {
        _ if wish.files => start_files(config, peer, wish),
        Some((term, size)) => start_in_terminal(config, peer, wish, term, *size),
        None => start_with_pipes(config, peer, wish),
    }
}

fn start_with_pipes(config: &ServerConfig, peer: Peer, wish: &Wish) -> io::Result<Started> {
    let mut command = Command::new(&config.shell);
    let (name, arguments) = invocation(&config.shell, wish.command.as_ref());
    command.arg0(name).args(arguments).process_group(0);
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    set_up(&mut command, config, peer, wish);
    started(command.spawn()?, None)
}

/// A server of files is a process as a command is: it has the user's umask and
/// limits, and may wait for a disk without holding up the connection.
fn start_files(config: &ServerConfig, peer: Peer, wish: &Wish) -> io::Result<Started> {
    let mut command = Command::new(OWN_PROGRAM);
    command.arg(SFTP_ARGUMENT).process_group(0);
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    set_up(&mut command, config, peer, wish);
    started(command.spawn()?, None)
}

fn start_in_terminal(
    config: &ServerConfig,
    peer: Peer,
    wish: &Wish,
    term: &str,
    size: Winsize,
) -> io::Result<Started> {
    let Terminal { screen, keyboard, window, name: path, sides } = Terminal::open(size)?;
    let [stdin, stdout, stderr] = sides;
    let mut command = Command::new(OWN_PROGRAM);
    let (name, arguments) = invocation(&config.shell, wish.command.as_ref());
    command.arg(TERMINAL_ARGUMENT).arg(&config.shell).arg(name).args(arguments);
    command.stdin(stdin).stdout(stdout).stderr(stderr);
    set_up(&mut command, config, peer, wish);
    command.env("TERM", term).env("SSH_TTY", path);
    started(command.spawn()?, Some((screen, keyboard, window)))
}

fn started(child: Child, terminal: Option<(Screen, pipe::Sender, Window)>) -> io::Result<Started> {
    let group = child.id().and_then(|id| i32::try_from(id).ok()).and_then(Pid::from_raw);
    let group = group.ok_or_else(|| io::Error::other("the shell ended as it began"))?;
    Ok(Started { child, group, terminal })
}

/// Name and arguments of the shell: a dash before the name asks it to be a
/// login shell.
fn invocation(shell: &Path, command: Option<&OsString>) -> (OsString, Vec<OsString>) {
    let base = shell.file_name().unwrap_or(shell.as_os_str());
    match command {
        Some(command) => (base.to_owned(), vec!["-c".into(), command.clone()]),
        None => {
            let mut name = OsString::from("-");
            name.push(base);
            (name, Vec::new())
        }
    }
}

fn set_up(command: &mut Command, config: &ServerConfig, peer: Peer, wish: &Wish) {
    let Peer { remote, local } = peer;
    let (from, from_port) = (remote.ip(), remote.port());
    command.env_clear();
    command
        .env("PATH", PATH)
        .env("HOME", &config.home)
        .env("USER", &config.user)
        .env("LOGNAME", &config.user)
        .env("SHELL", &config.shell)
        .env("SSH_CLIENT", format!("{from} {from_port} {}", local.port()))
        .env("SSH_CONNECTION", format!("{from} {from_port} {} {}", local.ip(), local.port()));
    command.envs(&wish.env).envs(&config.env);
    let home_is_there = config.home.is_dir();
    command.current_dir(if home_is_there { config.home.as_path() } else { Path::new("/") });
}

/// Whether a client may set this variable; as Debian's `AcceptEnv`.
pub(super) fn may_set(name: &str) -> bool {
    name == "LANG" || name.starts_with("LC_")
}
