//! The files that clients need, and what the server cost.

use std::fmt::Write;
use std::fs;
use std::net::Ipv4Addr;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use transport::keys::generate;

use crate::Failure;

/// Writes keys and lists; answers the host key. All nodes have the same.
pub(crate) fn write(
    directory: &Path,
    addresses: &[Ipv4Addr],
    port: u16,
) -> Result<russh::keys::PrivateKey, Failure> {
    let (host, user) = (generate("host")?, generate("user")?);
    let (mut hosts, mut known) = (String::new(), String::new());
    for address in addresses {
        writeln!(hosts, "{address}")?;
        writeln!(known, "[{address}]:{port} {}", host.public.line())?;
    }
    fs::write(directory.join("addresses"), hosts)?;
    fs::write(directory.join("port"), port.to_string())?;
    fs::create_dir_all(directory.join(".ssh"))?;
    for place in ["known_hosts", ".ssh/known_hosts"] {
        fs::write(directory.join(place), &known)?;
    }
    let key = directory.join("user");
    fs::write(&key, user.private_pem.reveal())?;
    fs::set_permissions(&key, fs::Permissions::from_mode(0o600))?;
    fs::write(directory.join("user.pub"), user.public.line() + "\n")?;
    fs::write(directory.join("ssh_config"), ssh_config(directory, port))?;
    Ok(russh::keys::PrivateKey::from_openssh(host.private_pem.reveal())?)
}

fn ssh_config(directory: &Path, port: u16) -> String {
    let directory = directory.display();
    format!(
        "Host *\n  User root\n  Port {port}\n  IdentityFile {directory}/user\n  IdentitiesOnly yes\n  \
         UserKnownHostsFile {directory}/known_hosts\n  GlobalKnownHostsFile /dev/null\n  \
         StrictHostKeyChecking yes\n  UpdateHostKeys no\n  BatchMode yes\n  LogLevel ERROR\n"
    )
}

/// Processor time of this process so far, user and system.
pub(crate) fn cpu_s() -> f64 {
    let time = rustix::time::clock_gettime(rustix::time::ClockId::ProcessCPUTime);
    time.tv_sec as f64 + time.tv_nsec as f64 / 1e9
}
