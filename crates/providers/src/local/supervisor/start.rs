//! How a supervisor comes to be: detached, alone, in its namespaces.

use std::ffi::OsString;
use std::io::{self, Write};
use std::os::fd::{AsRawFd, OwnedFd};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::Path;
use std::process::ExitCode;

use rustix::fs::{FlockOperation, Mode, OFlags};
use rustix::io::Errno;
use rustix::net::{AddressFamily, SocketAddrUnix, SocketFlags, SocketType};
use rustix::process::{DumpableBehavior, Resource, Rlimit, Signal};
use rustix::thread::UnshareFlags;

use super::event_loop::{Parts, Supervisor};
use crate::local::boot;
use crate::local::client::EXIT_ALREADY_RUNNING;
use crate::local::connection::socket_path;
use crate::local::net::Netlink;
use crate::local::protocol::SOCKET_FILE;
use crate::local::record;
use crate::local::rung::Rung;
use crate::local::status::{LocalEventKind, NODES_DIRECTORY};
use crate::local::sys::{
    SignalDescriptor, SingleThreaded, child_of, close_all_except, heed_every_signal,
    unshare_namespaces,
};

/// The lock that a supervisor holds as long as it lives. A record lock, so
/// that the kernel tells who holds it, and no child inherits it.
pub(in crate::local) const LOCK_FILE: &str = "supervisor.lock";
/// What a supervisor says of itself.
const LOG_FILE: &str = "supervisor.log";
/// When the log of the run before is thrown away.
const LOG_BYTES_MAX: u64 = 1024 * 1024;
/// Connections that may wait to be accepted.
const BACKLOG: i32 = 512;
/// Sent through the pipe to the process that waits for us.
const READY: &[u8] = b"ready";
const BUSY: &[u8] = b"busy";

/// A step that failed. Reads after "failed to".
#[derive(Debug, thiserror::Error)]
enum StartError {
    #[error("{step}")]
    Step {
        step: &'static str,
        #[source]
        source: io::Error,
    },
    #[error("begin: another supervisor is running")]
    AlreadyRunning,
}

fn at<T, E: Into<io::Error>>(step: &'static str, result: Result<T, E>) -> Result<T, StartError> {
    result.map_err(|error| StartError::Step { step, source: error.into() })
}

/// Becomes a supervisor: arguments are the cluster's directory and the rung.
/// Returns when the supervisor is up (it stays behind as another process), or
/// with the reason on standard error.
pub fn supervisor_main(arguments: &[OsString]) -> ExitCode {
    let [cluster_dir, rung] = arguments else {
        say_error("a supervisor needs a directory and a rung");
        return ExitCode::from(2);
    };
    let Some(rung) = rung.to_str().and_then(Rung::from_word) else {
        say_error("a supervisor needs a rung that exists");
        return ExitCode::from(2);
    };
    match detach(Path::new(cluster_dir), rung) {
        Ok(code) => code,
        Err(error) => {
            say_error(&describe(&error));
            ExitCode::FAILURE
        }
    }
}

/// Standard error is the pipe of whoever started us, not a terminal.
fn say_error(text: &str) {
    let _ = writeln!(io::stderr(), "{text}");
}

fn describe(error: &StartError) -> String {
    match error {
        StartError::Step { step, source } => format!("failed to {step}: {source}"),
        StartError::AlreadyRunning => "another supervisor is running".to_owned(),
    }
}

/// Leaves the supervisor behind as a child and waits until it is up.
fn detach(cluster_dir: &Path, rung: Rung) -> Result<ExitCode, StartError> {
    at("let go of the caller's files", close_all_except(&[]))?;
    let proof = at("begin alone", SingleThreaded::prove())?;
    let (reader, writer) =
        at("make a pipe", rustix::pipe::pipe_with(rustix::pipe::PipeFlags::CLOEXEC))?;
    let cluster_dir = cluster_dir.to_owned();
    // The closure takes the writing end along; here it is closed with it.
    let work = move || serve(&cluster_dir, rung, writer);
    at("leave a process behind", child_of(proof, UnshareFlags::empty(), work))?;
    let mut said = Vec::new();
    at(
        "hear of the supervisor",
        io::Read::read_to_end(&mut std::fs::File::from(reader), &mut said),
    )?;
    if said == READY {
        return Ok(ExitCode::SUCCESS);
    }
    if said == BUSY {
        return Ok(ExitCode::from(EXIT_ALREADY_RUNNING));
    }
    let text = String::from_utf8_lossy(&said);
    say_error(if text.is_empty() { "the supervisor ended without a word" } else { &text });
    Ok(ExitCode::FAILURE)
}

/// The supervisor's life; the exit code of its process.
fn serve(cluster_dir: &Path, rung: Rung, word: OwnedFd) -> i32 {
    match set_up(cluster_dir, rung, &word) {
        Ok(mut supervisor) => {
            let _ = rustix::io::write(&word, READY);
            // Whoever waits for us reads to the end of the pipe.
            drop(word);
            supervisor.run();
            0
        }
        Err(StartError::AlreadyRunning) => {
            let _ = rustix::io::write(&word, BUSY);
            0
        }
        Err(error) => {
            let text = describe(&error);
            record::append_event(cluster_dir, None, LocalEventKind::Supervisor, &text);
            let _ = rustix::io::write(&word, text.as_bytes());
            1
        }
    }
}

fn set_up(cluster_dir: &Path, rung: Rung, word: &OwnedFd) -> Result<Supervisor, StartError> {
    at("let go of the starter's files", close_all_except(&[word.as_raw_fd()]))?;
    at("begin a session", rustix::process::setsid())?;
    heed_every_signal();
    rustix::process::umask(Mode::from_raw_mode(0o077));
    let nodes = cluster_dir.join(NODES_DIRECTORY);
    at(
        "make the cluster's directory",
        std::fs::DirBuilder::new().recursive(true).mode(0o700).create(&nodes),
    )?;
    let lock = take_lock(cluster_dir)?;
    redirect_to_log(cluster_dir)?;
    let open_files = raise_open_files();
    let proof = at("begin alone", SingleThreaded::prove())?;
    enter_namespaces(rung, proof).map_err(|(step, source)| StartError::Step { step, source })?;
    // No IPv6 between the bridge and its cables; see the nodes' side of it.
    let _ = std::fs::write("/proc/sys/net/ipv6/conf/default/disable_ipv6", "1");
    let signals = [Signal::CHILD, Signal::TERM, Signal::INT, Signal::HUP];
    let signals = at("catch signals", SignalDescriptor::catching(&signals))?;
    let listener = listen(cluster_dir)?;
    let netlink = Netlink::open().map_err(|error| StartError::Step {
        step: "open a netlink socket",
        source: error.source,
    })?;
    Ok(Supervisor::new(Parts {
        cluster_dir: cluster_dir.to_owned(),
        rung,
        lock,
        listener,
        signals,
        netlink,
        proof,
        open_files,
    }))
}

fn take_lock(cluster_dir: &Path) -> Result<OwnedFd, StartError> {
    let step = "lock the cluster";
    let flags = OFlags::RDWR | OFlags::CREATE | OFlags::CLOEXEC | OFlags::NOFOLLOW;
    let mode = Mode::from_raw_mode(0o600);
    let lock = at(step, rustix::fs::open(cluster_dir.join(LOCK_FILE), flags, mode))?;
    match rustix::fs::fcntl_lock(&lock, FlockOperation::NonBlockingLockExclusive) {
        Ok(()) => Ok(lock),
        Err(Errno::AGAIN | Errno::ACCESS) => Err(StartError::AlreadyRunning),
        Err(error) => at(step, Err(error)),
    }
}

fn redirect_to_log(cluster_dir: &Path) -> Result<(), StartError> {
    let step = "open the log";
    let path = cluster_dir.join(LOG_FILE);
    if path.metadata().is_ok_and(|found| found.len() > LOG_BYTES_MAX) {
        at(step, std::fs::remove_file(&path))?;
    }
    let mut options = std::fs::OpenOptions::new();
    let log = at(step, options.append(true).create(true).mode(0o600).open(path))?;
    at(step, boot::redirect_to(&log).map_err(|error| error.source))?;
    at("leave the caller's directory", std::env::set_current_dir("/"))
}

/// Raises our limit on open files as far as it goes; gives back the old one,
/// which nodes are to have.
fn raise_open_files() -> Rlimit {
    let old = rustix::process::getrlimit(Resource::Nofile);
    let raised = Rlimit { current: old.maximum, maximum: old.maximum };
    let _ = rustix::process::setrlimit(Resource::Nofile, raised);
    old
}

/// A network namespace for the cluster; for an ordinary user also a user
/// namespace in which this user is root. The step that failed and why.
pub(in crate::local) fn enter_namespaces(
    rung: Rung,
    proof: SingleThreaded,
) -> Result<(), (&'static str, io::Error)> {
    fn at<T, E: Into<io::Error>>(
        step: &'static str,
        result: Result<T, E>,
    ) -> Result<T, (&'static str, io::Error)> {
        result.map_err(|error| (step, error.into()))
    }
    let unshare = |flags| unshare_namespaces(proof, flags);
    match rung {
        Rung::Root => at("make a network namespace", unshare(UnshareFlags::NEWNET)),
        Rung::UserNamespace => {
            let (user, group) = (rustix::process::geteuid(), rustix::process::getegid());
            at("make a user namespace", unshare(UnshareFlags::NEWUSER))?;
            let map = |id: u32| format!("0 {id} 1");
            at("give up other groups", std::fs::write("/proc/self/setgroups", "deny"))?;
            at("map the user", std::fs::write("/proc/self/uid_map", map(user.as_raw())))?;
            at("map the group", std::fs::write("/proc/self/gid_map", map(group.as_raw())))?;
            // Rights were gained, so the kernel hides our nodes' files from us;
            // but nobody else is in this namespace.
            let open = rustix::process::set_dumpable_behavior(DumpableBehavior::Dumpable);
            at("see our nodes", open)?;
            at("make a network namespace", unshare(UnshareFlags::NEWNET))
        }
    }
}

fn listen(cluster_dir: &Path) -> Result<OwnedFd, StartError> {
    let step = "listen on the cluster's socket";
    let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC;
    let directory = at(step, rustix::fs::open(cluster_dir, flags, Mode::empty()))?;
    match rustix::fs::unlinkat(&directory, SOCKET_FILE, rustix::fs::AtFlags::empty()) {
        Ok(()) | Err(Errno::NOENT) => {}
        Err(error) => return at(step, Err(error)),
    }
    let flags = SocketFlags::CLOEXEC | SocketFlags::NONBLOCK;
    let socket =
        at(step, rustix::net::socket_with(AddressFamily::UNIX, SocketType::STREAM, flags, None))?;
    let address = at(step, SocketAddrUnix::new(socket_path(&directory)))?;
    at(step, rustix::net::bind(&socket, &address))?;
    at(step, rustix::net::listen(&socket, BACKLOG))?;
    Ok(socket)
}
