//! PID 1 of a node: sets the node up, runs its ssh server and its first-boot
//! scripts, reaps, and ends the node in good order.
//!
//! It is a clone of the supervisor that never execs: its pages are the
//! supervisor's until it writes to them, which keeps a node small and its
//! start short. It must therefore not allocate much and not touch anything
//! of the supervisor's.
//!
//! Signals: TERM stops, HUP reboots, INT and PWR power off. A `reboot(2)`
//! inside the node never gets here: the kernel ends PID 1 by HUP or INT.

use std::os::fd::{AsRawFd, OwnedFd};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;
use rustix::process::{Pid, Signal, WaitOptions, WaitStatus, wait};

use super::boot::{self, BootError, BootPlan, at};
use super::launch::{EMBEDDED_CONFIG_PATH, SSHD_CONFIG_PATH, SshServer};
use super::report::{self, Report};
use super::root_tree;
use super::seeds::{self, HostFacts};
use super::status::ScriptState;
use super::sys::{
    SignalDescriptor, SingleThreaded, close_all_except, signal_every_process, spawn_in_own_session,
    title_process,
};

/// Exit code of PID 1 after a stop.
pub(super) const EXIT_STOPPED: i32 = 0;
/// Exit code that asks the supervisor to boot the node again.
pub(super) const EXIT_REBOOT: i32 = 42;
/// Exit code after a power-off from inside.
pub(super) const EXIT_POWER_OFF: i32 = 43;
/// Exit code when the node could not be set up.
pub(super) const EXIT_FAILED: i32 = 44;

/// First argument of a process that is to become the embedded ssh server; the
/// second is the path of its configuration.
pub const SSH_SERVER_ARGUMENT: &str = "__sshd";

/// How long processes may take to heed TERM before they get HUP, which is what
/// interactive shells heed.
const HANG_UP_AFTER: Duration = Duration::from_millis(300);
/// How long processes may take in all before the node ends without them. A
/// stop from outside may have a shorter grace of its own.
const END_AFTER: Duration = Duration::from_secs(15);
/// Pause before an ssh server that died is started again: the first, the
/// longest, and how long it must live to be trusted again.
const SSH_PAUSE_MIN: Duration = Duration::from_millis(100);
const SSH_PAUSE_MAX: Duration = Duration::from_secs(10);
const SSH_TRUSTED_AFTER: Duration = Duration::from_secs(30);

/// What the child of the supervisor is given.
#[derive(Debug)]
pub(super) struct NodeStart<'a> {
    /// What to boot.
    pub(super) plan: BootPlan<'a>,
    /// What the node's files are made from.
    pub(super) host: &'a HostFacts,
    /// The node's end of the socket pair.
    pub(super) report: &'a OwnedFd,
    /// The node's console, opened for appending.
    pub(super) console: &'a OwnedFd,
    /// A lock on this file tells who PID 1 is as long as it lives.
    pub(super) lock: &'a OwnedFd,
    /// The limit on open files that this process had before the supervisor
    /// raised its own.
    pub(super) open_files: rustix::process::Rlimit,
}

/// The life of a node, from the clone to the exit code.
pub(super) fn live(start: &NodeStart<'_>, proof: SingleThreaded) -> i32 {
    let kept = [start.report, start.console, start.lock].map(AsRawFd::as_raw_fd);
    let mut notes = Vec::new();
    let begun = at("let go of the supervisor's files", close_all_except(&kept))
        .and_then(|()| set_up(start, proof, &mut notes));
    match begun {
        Ok(signals) => {
            report::tell(start.report, &Report::Up { notes });
            Init::new(start, &signals).run()
        }
        Err(error) => {
            let errno = error.source.raw_os_error();
            let text = format!("failed to {error}: {}", error.source);
            say(&text);
            report::tell(start.report, &Report::Failed { text, errno });
            EXIT_FAILED
        }
    }
}

fn set_up(
    start: &NodeStart<'_>,
    proof: SingleThreaded,
    notes: &mut Vec<String>,
) -> Result<SignalDescriptor, BootError> {
    let plan = &start.plan;
    let dies_with_parent = rustix::process::set_parent_process_death_signal(Some(Signal::KILL));
    at("tie the node to its supervisor", dies_with_parent)?;
    boot::redirect_to(start.console)?;
    at("begin a session", rustix::process::setsid())?;
    let lock = rustix::fs::FlockOperation::NonBlockingLockExclusive;
    at("lock the node", rustix::fs::fcntl_lock(start.lock, lock))?;
    rustix::process::umask(rustix::fs::Mode::from_raw_mode(0o022));
    let files = rustix::process::setrlimit(rustix::process::Resource::Nofile, start.open_files);
    at("set the limit on open files", files)?;
    make_files(start)?;
    boot::enter_limits(plan, proof, notes)?;
    boot::mount_root(plan, notes)?;
    boot::set_names(plan.launch, notes)?;
    at("wait for the cable", report::wait_for_go(start.report))?;
    boot::configure_network(plan.launch)?;
    boot::change_root()?;
    boot::drop_rights()?;
    if let Err(error) = title_process("squall-init") {
        notes.push(format!("the name of PID 1 could not be set: {error}"));
    }
    let _ = rustix::thread::set_name(c"squall-init");
    at(
        "catch signals",
        SignalDescriptor::catching(&[
            Signal::CHILD,
            Signal::TERM,
            Signal::HUP,
            Signal::INT,
            Signal::POWER,
        ]),
    )
}

/// Makes the node's files on disk: here and not in the supervisor, so that what
/// is written into one node is never in the memory that others begin with.
fn make_files(start: &NodeStart<'_>) -> Result<(), BootError> {
    let (launch, view) = (start.plan.launch, start.plan.view);
    root_tree::prepare(launch, view, start.host)
        .and_then(|()| root_tree::rewrite_hosts_at_rest(launch, view))
        .map_err(|error| BootError {
            step: format!("make the node's files: {error}"),
            source: error.source,
        })
}

/// Writes a line on the node's console.
fn say(text: &str) {
    let line = format!("squall: {text}\n");
    let _ = rustix::io::write(rustix::stdio::stdout(), line.as_bytes());
}

/// PID 1 at work.
struct Init<'a> {
    start: &'a NodeStart<'a>,
    signals: &'a SignalDescriptor,
    ssh: SshState,
    ssh_pause: Duration,
    scripts_next: usize,
    script: Option<(usize, Pid)>,
}

enum SshState {
    Running { pid: Pid, since: Instant },
    Due { at: Instant },
}

impl<'a> Init<'a> {
    fn new(start: &'a NodeStart<'a>, signals: &'a SignalDescriptor) -> Self {
        Self {
            start,
            signals,
            ssh: SshState::Due { at: Instant::now() },
            ssh_pause: SSH_PAUSE_MIN,
            scripts_next: 0,
            script: None,
        }
    }

    fn run(mut self) -> i32 {
        loop {
            self.start_ssh_when_due();
            self.start_next_script();
            let due = match self.ssh {
                SshState::Running { .. } => None,
                SshState::Due { at } => Some(at),
            };
            sleep_until_signal(self.signals, due);
            while let Some(number) = self.signals.next() {
                if let Some(code) = exit_code_of(number) {
                    return self.end(code);
                }
            }
            self.reap();
        }
    }

    fn start_ssh_when_due(&mut self) {
        match self.ssh {
            SshState::Due { at } if at <= Instant::now() => {}
            _ => return,
        }
        let mut command = match &self.start.plan.launch.ssh_server {
            SshServer::Real { program } => {
                let mut command = Command::new(program);
                command.args(["-D", "-e", "-f", SSHD_CONFIG_PATH]);
                command
            }
            SshServer::Embedded => {
                let mut command = Command::new("/proc/self/exe");
                command.args([SSH_SERVER_ARGUMENT, EMBEDDED_CONFIG_PATH]);
                command
            }
        };
        self.ssh = match self.spawn(&mut command) {
            Ok(pid) => SshState::Running { pid, since: Instant::now() },
            Err(error) => {
                self.note(&format!("the ssh server could not be started: {error}"));
                self.ssh_again()
            }
        };
    }

    fn ssh_again(&mut self) -> SshState {
        let at = Instant::now() + self.ssh_pause;
        self.ssh_pause = (self.ssh_pause * 2).min(SSH_PAUSE_MAX);
        SshState::Due { at }
    }

    fn spawn(&self, command: &mut Command) -> std::io::Result<Pid> {
        command
            .env_clear()
            .envs(seeds::environment(self.start.plan.launch))
            .current_dir("/root")
            .stdin(Stdio::null());
        let child = spawn_in_own_session(command)?;
        i32::try_from(child.id())
            .ok()
            .and_then(Pid::from_raw)
            .ok_or_else(|| std::io::Error::other("a process without number"))
    }

    fn note(&self, text: &str) {
        say(text);
        report::tell(self.start.report, &Report::Note { text: text.to_owned() });
    }

    /// Scripts run one after the other, each once in the node's life: one that
    /// was cut off is not run again, for it may be what cut itself off.
    fn start_next_script(&mut self) {
        while self.script.is_none() {
            let index = self.scripts_next;
            let Some(script) = self.start.plan.launch.scripts.get(index) else { return };
            self.scripts_next += 1;
            let path = seeds::script_path(index, &script.name);
            let mark = format!("{path}.state");
            if Path::new(&mark).exists() {
                continue;
            }
            if let Err(error) = std::fs::write(&mark, "started\n") {
                self.note(&format!("the script {} is left out: {error}", script.name));
                continue;
            }
            let mut command = if script.shebang() == "#!" {
                Command::new(&path)
            } else {
                let mut shell = Command::new("/bin/sh");
                shell.arg(&path);
                shell
            };
            match self.spawn(&mut command) {
                Ok(pid) => {
                    report::tell(self.start.report, &Report::ScriptStarted { index });
                    self.script = Some((index, pid));
                }
                Err(error) => {
                    let hint = if error.kind() == std::io::ErrorKind::NotFound {
                        "; is there what its `#!` line names?"
                    } else {
                        ""
                    };
                    let name = &script.name;
                    self.note(&format!("the script {name} could not be started: {error}{hint}"));
                    self.script_ended(index, 127);
                }
            }
        }
    }

    fn script_ended(&self, index: usize, code: i32) {
        if let Some(script) = self.start.plan.launch.scripts.get(index) {
            let mark = format!("{}.state", seeds::script_path(index, &script.name));
            let _ = std::fs::write(mark, format!("{code}\n"));
            say(&format!("script {} ended with code {code}", script.name));
        }
        report::tell(self.start.report, &Report::ScriptEnded { index, code });
    }

    fn reap(&mut self) {
        while let Ok(Some((pid, status))) = wait(WaitOptions::NOHANG) {
            if let Some((index, _)) = self.script.filter(|(_, script)| *script == pid) {
                self.script = None;
                self.script_ended(index, code_of(status));
            }
            if let SshState::Running { pid: ssh, since } = self.ssh
                && ssh == pid
            {
                if since.elapsed() > SSH_TRUSTED_AFTER {
                    self.ssh_pause = SSH_PAUSE_MIN;
                }
                let pause = self.ssh_pause.as_millis();
                let code = code_of(status);
                self.note(&format!("the ssh server ended with code {code}; again in {pause} ms"));
                self.ssh = self.ssh_again();
            }
        }
    }

    /// Ends every process, politely at first, then this one; what is still
    /// there the kernel ends with it.
    fn end(&self, code: i32) -> i32 {
        say(match code {
            EXIT_REBOOT => "rebooting",
            EXIT_POWER_OFF => "powering off",
            _ => "stopping",
        });
        signal_every_process(Signal::TERM);
        signal_every_process(Signal::CONT);
        let begun = Instant::now();
        let mut hung_up = false;
        loop {
            loop {
                match wait(WaitOptions::NOHANG) {
                    Ok(Some(_)) => {}
                    Ok(None) => break,
                    // No child is left, and every process is one of ours.
                    Err(Errno::CHILD) => return code,
                    Err(_) => break,
                }
            }
            if begun.elapsed() >= END_AFTER {
                return code;
            }
            let next = if begun.elapsed() < HANG_UP_AFTER {
                begun + HANG_UP_AFTER
            } else {
                if !hung_up {
                    signal_every_process(Signal::HUP);
                    hung_up = true;
                }
                begun + END_AFTER
            };
            sleep_until_signal(self.signals, Some(next));
            while self.signals.next().is_some() {}
        }
    }
}

/// What a caught signal means: the code to end with, if it means the end.
fn exit_code_of(number: i32) -> Option<i32> {
    [
        (Signal::TERM, EXIT_STOPPED),
        (Signal::HUP, EXIT_REBOOT),
        (Signal::INT, EXIT_POWER_OFF),
        (Signal::POWER, EXIT_POWER_OFF),
    ]
    .into_iter()
    .find_map(|(signal, code)| (signal.as_raw() == number).then_some(code))
}

fn sleep_until_signal(signals: &SignalDescriptor, until: Option<Instant>) {
    let timeout = until.map(|until| {
        // Rounded up, so that the wait does not end a moment too early and
        // spin.
        let left = until.saturating_duration_since(Instant::now()) + Duration::from_millis(1);
        Timespec::try_from(left).unwrap_or_default()
    });
    let mut watched = [PollFd::new(signals, PollFlags::IN)];
    let _ = poll(&mut watched, timeout.as_ref());
}

/// Exit code, or 128 and the signal, as shells have it.
fn code_of(status: WaitStatus) -> i32 {
    status
        .exit_status()
        .or_else(|| status.terminating_signal().map(|signal| 128 + signal))
        .unwrap_or(-1)
}

/// What a node's own files say of a script that no report was heard of: used
/// by a supervisor that takes over.
pub(super) fn script_state_at_rest(node_dir: &Path, index: usize, name: &str) -> ScriptState {
    let path = format!("{}.state", seeds::script_path(index, name));
    let place = node_dir.join("root").join(path.trim_start_matches('/'));
    let Ok(found) = place.symlink_metadata() else { return ScriptState::Waiting };
    if !found.is_file() || found.len() > 64 {
        return ScriptState::Interrupted;
    }
    let text = std::fs::read_to_string(place).unwrap_or_default();
    text.trim().parse().map_or(ScriptState::Interrupted, |code| ScriptState::Ended { code })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn signals_mean_what_the_power_commands_say() {
        for (signal, code) in [
            (Signal::TERM, Some(EXIT_STOPPED)),
            (Signal::HUP, Some(EXIT_REBOOT)),
            (Signal::INT, Some(EXIT_POWER_OFF)),
            (Signal::CHILD, None),
            (Signal::USR1, None),
        ] {
            assert_eq!(exit_code_of(signal.as_raw()), code);
        }
    }

    #[test]
    fn a_script_at_rest_is_waiting_ended_or_was_cut_off() {
        let node = tempfile::tempdir().unwrap();
        let scripts = node.path().join("root/var/lib/squall/scripts");
        std::fs::create_dir_all(&scripts).unwrap();
        let state = || script_state_at_rest(node.path(), 0, "setup");
        assert_eq!(state(), ScriptState::Waiting);
        std::fs::write(scripts.join("00-setup.state"), "started\n").unwrap();
        assert_eq!(state(), ScriptState::Interrupted);
        std::fs::write(scripts.join("00-setup.state"), "3\n").unwrap();
        assert_eq!(state(), ScriptState::Ended { code: 3 });
    }
}
