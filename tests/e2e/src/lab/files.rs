//! The files of a lab: what its client needs, and its nodes' homes.

use std::fmt::Write;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use anyhow::Result;

use super::keys;
use super::network::PORT;
use super::plan::{Place, Trust};
use super::server::Sshd;
use super::whole::LabNode;

/// Makes a node's own home the place of its sessions. The last word of
/// `SSH_CONNECTION` but one is the address that was called.
const NODE_SHELL: &str = r#"#!/bin/sh
set -- $SSH_CONNECTION
HOME=DIRECTORY/nodes/$3
export HOME
cd "$HOME" || exit 1
if [ -n "$SSH_ORIGINAL_COMMAND" ]; then
    exec /bin/bash -c "$SSH_ORIGINAL_COMMAND"
fi
exec /bin/bash -l
"#;

/// The shell of nodes with homes, and the homes.
pub(super) fn homes(directory: &Path, nodes: &[LabNode]) -> Result<()> {
    let shell = directory.join("node-shell");
    fs::write(&shell, NODE_SHELL.replace("DIRECTORY", &directory.to_string_lossy()))?;
    fs::set_permissions(&shell, fs::Permissions::from_mode(0o755))?;
    for node in nodes {
        fs::create_dir_all(directory.join("nodes").join(node.address.to_string()))?;
    }
    Ok(())
}

/// `known_hosts`, with what the client is to believe.
pub(super) fn known_hosts(directory: &Path, servers: &[Sshd]) -> Result<()> {
    let mut text = String::new();
    let other = keys::public(&directory.join("other"))?;
    let authority = keys::public(&directory.join("authority"))?;
    for server in servers {
        let key = keys::public(&server.key)?;
        for address in &server.addresses {
            let name = format!("[{address}]:{PORT}");
            match server.plan.trust {
                Trust::Known => writeln!(text, "{name} {key}")?,
                Trust::Changed => writeln!(text, "{name} {other}")?,
                Trust::Revoked => writeln!(text, "@revoked * {key}\n{name} {key}")?,
                Trust::Unknown => {}
                Trust::Certified => writeln!(text, "@cert-authority {name} {authority}")?,
            }
        }
    }
    // The user's own place, when the lab is the home of a client.
    fs::create_dir_all(directory.join(".ssh"))?;
    fs::write(directory.join(".ssh/known_hosts"), &text)?;
    Ok(fs::write(directory.join("known_hosts"), text)?)
}

/// A list of hosts for `--hosts`, an ssh configuration that has them by name,
/// and a plain list of addresses.
pub(super) fn lists(
    directory: &Path,
    user: &str,
    servers: &[Sshd],
    nodes: &[LabNode],
) -> Result<()> {
    let common = common(directory, user);
    let mut config = String::new();
    let is_bastion = |server: &&Sshd| server.plan.place == Place::Bastion;
    let bastion = servers.iter().find(is_bastion).and_then(|server| server.addresses.first());
    if let Some(address) = bastion {
        writeln!(config, "Host bastion\n  HostName {address}")?;
    }
    let (mut hosts, mut addresses) = (String::new(), String::new());
    for node in nodes {
        let LabNode { name, address, hidden } = node;
        writeln!(config, "Host {name}\n  HostName {address}")?;
        if *hidden {
            writeln!(config, "  ProxyJump bastion")?;
        }
        writeln!(hosts, "{name} user={user} address={address} port={PORT}")?;
        writeln!(addresses, "{address}")?;
    }
    config.push_str(&common);
    fs::write(directory.join("ssh_config"), config)?;
    fs::write(directory.join("hosts"), hosts)?;
    fs::write(directory.join("port"), PORT.to_string())?;
    Ok(fs::write(directory.join("addresses"), addresses)?)
}

fn common(directory: &Path, user: &str) -> String {
    let directory = directory.display();
    format!(
        "Host *\n  User {user}\n  Port {PORT}\n  IdentityFile {directory}/user\n  \
         IdentitiesOnly yes\n  UserKnownHostsFile {directory}/known_hosts\n  \
         GlobalKnownHostsFile /dev/null\n  StrictHostKeyChecking yes\n  UpdateHostKeys no\n  \
         BatchMode yes\n  LogLevel ERROR\n"
    )
}
