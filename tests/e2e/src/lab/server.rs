//! One running sshd.

use std::fmt::Write;
use std::fs;
use std::net::Ipv4Addr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use anyhow::{Context, Result, bail};

use super::keys;
use super::network::PORT;
use super::plan::{Admits, DIRECTORY, Place, Server, Trust};
use super::processes;

/// OpenSSH's server; it wants to be started by its whole path.
pub(super) const SSHD: &str = "/usr/sbin/sshd";

/// Settings of every server. The level of SHLVL keeps Debian's bash from
/// reading start-up files, which one user's machine has long ones of.
const COMMON: &str = "\
StrictModes no
UsePAM no
UseDNS no
SetEnv SHLVL=5
PermitRootLogin prohibit-password
PasswordAuthentication no
KbdInteractiveAuthentication no
MaxStartups 4000:100:4000
PerSourceMaxStartups none
LogLevel VERBOSE
X11Forwarding no
PrintMotd no
PrintLastLog no
AcceptEnv LANG LC_*
Subsystem sftp /usr/lib/openssh/sftp-server
";

/// A running sshd.
#[derive(Debug)]
pub(super) struct Sshd {
    pub(super) addresses: Vec<Ipv4Addr>,
    pub(super) plan: Server,
    /// Its host key.
    pub(super) key: PathBuf,
    log: PathBuf,
    process: Child,
}

/// What all servers of a lab share.
pub(super) struct Common<'a> {
    pub(super) directory: &'a Path,
    pub(super) homes: bool,
    /// Put before the command of a server that is hidden.
    pub(super) enter: &'a [String],
}

impl Sshd {
    pub(super) fn start(
        common: &Common<'_>,
        number: usize,
        plan: Server,
        addresses: Vec<Ipv4Addr>,
    ) -> Result<Self> {
        let path = |name: &str| common.directory.join(format!("{name}{number}"));
        let (key, log, config) = (path("host"), path("log"), path("config"));
        keys::pair(&key)?;
        if plan.trust == Trust::Certified {
            let names: Vec<String> = addresses.iter().map(Ipv4Addr::to_string).collect();
            let public = key.with_extension("pub");
            keys::certify_host(&common.directory.join("authority"), &public, &names.join(","))?;
        }
        fs::write(&config, configuration(common, number, &plan, &addresses)?)?;
        let mut words = Vec::new();
        if plan.place != Place::Here {
            words.extend(common.enter.iter().cloned());
        }
        words.extend([SSHD.to_owned(), "-D".into()]);
        let (program, before) = words.split_first().context("a command")?;
        let process = Command::new(program)
            .args(before)
            .arg("-f")
            .arg(&config)
            .arg("-E")
            .arg(&log)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .context("start sshd")?;
        Ok(Self { addresses, plan, key, log, process })
    }

    /// Waits until it listens everywhere.
    pub(super) fn await_listening(&mut self) -> Result<()> {
        let ended = testkit::until("sshd to listen", || {
            let listening = self.log().matches("Server listening on").count();
            let ended = !matches!(self.process.try_wait(), Ok(None));
            (ended || listening >= self.addresses.len()).then_some(ended)
        });
        if ended {
            bail!("sshd ended: {}", self.log());
        }
        Ok(())
    }

    pub(super) fn log(&self) -> String {
        fs::read_to_string(&self.log).unwrap_or_default()
    }

    /// It and all its sessions.
    pub(super) fn processes(&self) -> Vec<u32> {
        let mut all = processes::tree(self.process.id());
        for address in &self.addresses {
            all.extend(processes::of_sessions(*address, PORT));
        }
        all.into_iter().collect()
    }

    /// Ends it with all its sessions, as a machine that loses its power does.
    pub(super) fn kill(&mut self) {
        let all = self.processes();
        let _ = self.process.kill();
        all.into_iter().for_each(processes::kill);
        let _ = self.process.wait();
        // What a session has left behind is no longer below anything.
        for address in &self.addresses {
            processes::of_sessions(*address, PORT).into_iter().for_each(processes::kill);
        }
    }
}

impl Drop for Sshd {
    fn drop(&mut self) {
        self.kill();
    }
}

fn configuration(
    common: &Common<'_>,
    number: usize,
    plan: &Server,
    addresses: &[Ipv4Addr],
) -> Result<String> {
    let directory = common.directory.display();
    let mut text = String::new();
    for line in &plan.options {
        writeln!(text, "{}", line.replace(DIRECTORY, &common.directory.to_string_lossy()))?;
    }
    for address in addresses {
        writeln!(text, "ListenAddress {address}")?;
    }
    writeln!(text, "Port {PORT}\nHostKey {directory}/host{number}")?;
    writeln!(text, "PidFile {directory}/pid{number}")?;
    if plan.trust == Trust::Certified {
        writeln!(text, "HostCertificate {directory}/host{number}-cert.pub")?;
    }
    match plan.admits {
        Admits::Key => writeln!(text, "AuthorizedKeysFile {directory}/user.pub")?,
        Admits::Certificate => {
            writeln!(text, "AuthorizedKeysFile none\nTrustedUserCAKeys {directory}/authority.pub")?;
        }
    }
    if common.homes {
        writeln!(text, "ForceCommand {directory}/node-shell")?;
    }
    text.push_str(COMMON);
    Ok(text)
}
