//! Servers for the tests: ours and OpenSSH's, each with its own keys in a
//! directory of its own, gone when dropped.

use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::net::{SocketAddr, TcpListener};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStderr, Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use model::Endpoint;
use transport::keys::{KeyPair, generate};
use transport::{
    Dial, DirectDial, ExecEvent, ExecOptions, HostKeys, Login, PrivateKey, Session, Target,
    Timeouts,
};

/// Which server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Embedded,
    OpenSsh,
}

/// A running server.
pub(crate) struct Server {
    pub(crate) address: SocketAddr,
    pub(crate) host: KeyPair,
    pub(crate) user_key: KeyPair,
    pub(crate) user: String,
    pub(crate) directory: tempfile::TempDir,
    process: Child,
    command: Command,
}

fn spawn(command: &mut Command) -> (Child, ChildStderr) {
    let mut process =
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
    let log = process.stderr.take().unwrap();
    (process, log)
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
        end_sessions_of(self.address);
    }
}

/// Kills what sessions of a server left behind; their environment tells the
/// server's port.
fn end_sessions_of(server: SocketAddr) {
    let mark = format!(" {} {}\0", server.ip(), server.port());
    for entry in fs::read_dir("/proc").into_iter().flatten().flatten() {
        let environ = fs::read(entry.path().join("environ")).unwrap_or_default();
        let pid = entry.file_name().to_str().and_then(|name| name.parse().ok());
        let is_ours = String::from_utf8_lossy(&environ)
            .split_inclusive('\0')
            .any(|pair| pair.starts_with("SSH_CONNECTION=") && pair.ends_with(&mark));
        if let (true, Some(pid)) = (is_ours, pid.and_then(rustix::process::Pid::from_raw)) {
            let _ = rustix::process::kill_process(pid, rustix::process::Signal::KILL);
        }
    }
}

/// Says what cannot run here. `cargo xtask test` collects it in a file and
/// judges; without it, CI takes only what `SQUALL_ALLOW_SKIPS` lists.
pub(crate) fn skip(name: &str, reason: &str) {
    eprintln!("SKIPPED: {name}: {reason}");
    if let Some(path) = std::env::var_os("SQUALL_SKIP_FILE") {
        let mut file = fs::OpenOptions::new().create(true).append(true).open(path).unwrap();
        file.write_all(format!("{name}\t{reason}\n").as_bytes()).unwrap();
        return;
    }
    let allowed = std::env::var("SQUALL_ALLOW_SKIPS").unwrap_or_default();
    let in_ci = std::env::var("CI").is_ok_and(|value| value == "true");
    assert!(!in_ci || allowed.split(',').any(|entry| entry.trim() == name), "{name}: {reason}");
}

/// Every kind of server that this machine has.
pub(crate) fn servers() -> Vec<(Kind, Server)> {
    let mut servers = vec![(Kind::Embedded, Server::embedded())];
    match Server::openssh() {
        Some(server) => servers.push((Kind::OpenSsh, server)),
        None => skip("transport/sshd", "this machine has no /usr/sbin/sshd"),
    }
    servers
}

impl Server {
    pub(crate) fn embedded() -> Self {
        Self::embedded_at(free_address())
    }

    pub(crate) fn embedded_at(address: SocketAddr) -> Self {
        Self::embedded_with(address, r#"{"FROM_CONFIG":"yes"}"#)
    }

    /// One whose sessions have these variables, as JSON.
    pub(crate) fn embedded_with(address: SocketAddr, env: &str) -> Self {
        Self::start(address, |parts| {
            let config = parts.directory.join("server.json");
            let json = format!(
                r#"{{"listen":"{}","host_key_path":"{}","authorized_keys_path":"{}","user":"{}",
                "home":"{}","shell":"/bin/bash","env":{env}}}"#,
                parts.address,
                parts.directory.join("host").display(),
                parts.directory.join("authorized").display(),
                parts.user,
                parts.directory.display(),
            );
            fs::write(&config, json).unwrap();
            let mut command = Command::new(env!("CARGO_BIN_EXE_transport-test-server"));
            command.arg(transport::server::SERVER_ARGUMENT).arg(config);
            command
        })
    }

    pub(crate) fn openssh() -> Option<Self> {
        Self::openssh_with("internal-sftp")
    }

    /// One with this as its subsystem `sftp`.
    /// One whose configuration begins with these lines, in which `DIR` is its
    /// directory; `prepare` puts there what they name.
    pub(crate) fn openssh_set(lines: &str, prepare: impl FnOnce(&Path)) -> Option<Self> {
        let sshd = Path::new("/usr/sbin/sshd");
        sshd.exists().then(|| {
            Self::start(free_address(), |parts| {
                prepare(parts.directory);
                let config = parts.directory.join("sshd_config");
                let lines = lines.replace("DIR", &parts.directory.display().to_string());
                // Of most settings the first counts, of this one the last.
                let usual = match lines.contains("MaxStartups") {
                    true => sshd_config(parts).replace("MaxStartups 500:100:500\n", ""),
                    false => sshd_config(parts),
                };
                fs::write(&config, format!("{lines}\n{usual}")).unwrap();
                if current_user() == "root" {
                    fs::create_dir_all("/run/sshd").unwrap();
                }
                let mut command = Command::new(sshd);
                command.arg("-D").arg("-e").arg("-f").arg(config);
                command
            })
        })
    }

    pub(crate) fn openssh_with(sftp: &str) -> Option<Self> {
        Self::openssh_from(|config| config.replace("internal-sftp", sftp))
    }

    /// One whose configuration begins with these lines.
    pub(crate) fn openssh_first(lines: &str) -> Option<Self> {
        Self::openssh_from(|config| format!("{lines}\n{config}"))
    }

    fn openssh_from(change: impl FnOnce(&str) -> String) -> Option<Self> {
        let sshd = Path::new("/usr/sbin/sshd");
        sshd.exists().then(|| {
            Self::start(free_address(), |parts| {
                let config = parts.directory.join("sshd_config");
                fs::write(&config, change(&sshd_config(parts))).unwrap();
                if current_user() == "root" {
                    fs::create_dir_all("/run/sshd").unwrap();
                }
                let mut command = Command::new(sshd);
                command.arg("-D").arg("-e").arg("-f").arg(config);
                command
            })
        })
    }

    /// Both kinds with a file system of their own at `disk` below their
    /// directory, as only they see it. Needs root.
    pub(crate) fn with_disks(options: &str) -> Vec<(Kind, Self)> {
        DISK.with_borrow_mut(|disk| *disk = Some(options.to_owned()));
        let servers = servers();
        DISK.with_borrow_mut(|disk| *disk = None);
        servers
    }

    fn start(address: SocketAddr, command: impl FnOnce(&Parts<'_>) -> Command) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let (host, user_key) = (generate("host").unwrap(), generate("user").unwrap());
        write_key(&directory.path().join("host"), &host);
        write_key(&directory.path().join("user"), &user_key);
        fs::write(directory.path().join("authorized"), user_key.public.line() + "\n").unwrap();
        let user = current_user();
        let parts = Parts { directory: directory.path(), address, user: &user };
        let plain = command(&parts);
        let command = match DISK.with_borrow(Clone::clone) {
            Some(options) => on_a_disk(&plain, &directory.path().join("disk"), &options),
            None => plain,
        };
        let mut command = command;
        let (process, log) = spawn(&mut command);
        let server = Self { address, host, user_key, user, directory, process, command };
        await_listening(log);
        server
    }

    /// Begins again, as the same machine after a crash.
    pub(crate) fn restart(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
        end_sessions_of(self.address);
        let log;
        (self.process, log) = spawn(&mut self.command);
        await_listening(log);
    }

    pub(crate) fn endpoint(&self) -> Endpoint {
        Endpoint::Tcp { address: self.address }
    }

    pub(crate) fn login(&self) -> Login {
        let key = PrivateKey::parse(self.user_key.private_pem.reveal(), "test").unwrap();
        Login::with_key(&self.user, key)
    }

    pub(crate) fn host_keys(&self) -> HostKeys {
        HostKeys::new(vec![self.host.public.clone()])
    }

    pub(crate) fn target(&self, name: &str) -> Target {
        Target {
            name: name.into(),
            endpoint: self.endpoint(),
            login: self.login(),
            host_keys: self.host_keys(),
        }
    }

    pub(crate) async fn session(&self) -> Session {
        self.session_with(Timeouts::default()).await
    }

    pub(crate) async fn session_with(&self, timeouts: Timeouts) -> Session {
        let (login, keys) = (self.login(), self.host_keys());
        Session::connect(&DirectDial, &self.endpoint(), &login, &keys, timeouts).await.unwrap()
    }

    pub(crate) fn pid(&self) -> u32 {
        self.process.id()
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    pub(crate) fn kill(&mut self) {
        self.process.kill().unwrap();
        self.process.wait().unwrap();
    }
}

std::thread_local! {
    /// How the file systems of servers that begin now are mounted.
    static DISK: std::cell::RefCell<Option<String>> = const { std::cell::RefCell::new(None) };
}

/// The command in a mount namespace with a small disk, which holds `d/f` and
/// may be `ro` or `rw` afterwards.
fn on_a_disk(plain: &Command, disk: &Path, options: &str) -> Command {
    fs::create_dir(disk).unwrap();
    let (size, afterwards) = options.split_once(' ').unwrap();
    let script = "mount -t tmpfs -o \"$1\" disk \"$3\" && mkdir \"$3/d\" && echo old > \"$3/d/f\" && \
                  mount -o \"remount,$1,$2\" \"$3\" && shift 3 && exec \"$@\"";
    let mut command = Command::new("unshare");
    command.args(["--mount", "--propagation", "private", "sh", "-c", script, "sh"]);
    command.args([size, afterwards]).arg(disk).arg(plain.get_program()).args(plain.get_args());
    command
}

/// Reads the server's log until it listens, and the rest beside the test.
fn await_listening(log: ChildStderr) {
    let mut lines = BufReader::new(log).lines();
    let mut said = Vec::new();
    loop {
        let line = lines.next().unwrap_or_else(|| panic!("the server ended: {said:?}")).unwrap();
        if line.contains("listening on") {
            break;
        }
        said.push(line);
    }
    std::thread::spawn(move || lines.for_each(drop));
}

struct Parts<'a> {
    directory: &'a Path,
    address: SocketAddr,
    user: &'a str,
}

fn sshd_config(parts: &Parts<'_>) -> String {
    let directory = parts.directory.display();
    format!(
        "ListenAddress {}\nHostKey {directory}/host\nAuthorizedKeysFile {directory}/authorized\n\
         PidFile {directory}/pid\nStrictModes no\nUsePAM no\nUseDNS no\nPermitRootLogin yes\n\
         PasswordAuthentication no\nKbdInteractiveAuthentication no\nMaxStartups 500:100:500\n\
         AcceptEnv LANG LC_*\nSetEnv SHLVL=5\nSubsystem sftp internal-sftp\n",
        parts.address
    )
}

fn write_key(path: &Path, pair: &KeyPair) {
    fs::write(path, pair.private_pem.reveal()).unwrap();
    fs::set_permissions(path, fs::Permissions::from_mode(0o600)).unwrap();
}

pub(crate) fn free_address() -> SocketAddr {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap()
}

pub(crate) fn current_user() -> String {
    let output = Command::new("id").arg("-un").output().unwrap();
    String::from_utf8(output.stdout).unwrap().trim().to_owned()
}

pub(crate) fn direct() -> Arc<dyn Dial> {
    Arc::new(DirectDial)
}

/// Options with standard input.
pub(crate) fn stdin(bytes: impl Into<transport::Bytes>) -> ExecOptions {
    ExecOptions { stdin: transport::session::Stdin::Bytes(bytes.into()), ..ExecOptions::default() }
}

/// Reads until the event that the function wants.
pub(crate) async fn until(
    exec: &mut transport::Exec,
    mut wanted: impl FnMut(&ExecEvent) -> bool,
) -> ExecEvent {
    loop {
        let event = exec.next().await.expect("an end before the wanted event");
        if wanted(&event) {
            return event;
        }
    }
}

/// A line of `/proc/PID/status`, in KiB.
pub(crate) fn status_kib(pid: u32, field: &str) -> u64 {
    let text = fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
    let line = text.lines().find(|line| line.starts_with(field)).unwrap();
    line.split_whitespace().nth(1).unwrap().parse().unwrap()
}

/// Whether there is such a process, even if it only waits to be reaped.
pub(crate) fn is_alive(pid: &str) -> bool {
    Path::new("/proc").join(pid.trim()).exists()
}

/// Waits until the process has ended and its parent has noticed.
pub(crate) async fn ended(pid: &str) {
    eventually(&format!("the end of process {pid}"), || !is_alive(pid)).await;
}

/// Waits until the condition holds, at most 20 s.
pub(crate) async fn eventually(what: &str, mut holds: impl FnMut() -> bool) {
    let deadline = Instant::now() + Duration::from_secs(20);
    while !holds() {
        assert!(Instant::now() < deadline, "never came: {what}");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

/// Bytes without a pattern, the same every time.
pub(crate) fn noise(length: usize) -> transport::Bytes {
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    let mut bytes = Vec::with_capacity(length + 8);
    while bytes.len() < length {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        bytes.extend_from_slice(&state.to_le_bytes());
    }
    bytes.truncate(length);
    bytes.into()
}
