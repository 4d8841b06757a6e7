//! From what is wanted to what a supervisor is told: the node's record and its
//! order. Decides which ssh server it runs and which account opens it.

use std::net::Ipv4Addr;
use std::path::PathBuf;

use model::node::NodeId;
use model::plan::{NodeLimits, WantedNode};

use super::StepRun;
use super::members::entry;
use crate::error::{ErrorKind, ProviderError};
use crate::local::launch::{
    self, AUTHORIZED_KEYS_PATH, BootScript, FileSeed, HOST_KEY_PATH, LAUNCH_VERSION, NodeLaunch,
    SSH_PORT, SSHD_CONFIG_PATH, SshServer,
};
use crate::local::mac::MacAddress;
use crate::local::probe::find_sshd;
use crate::local::provider::SshChoice;
use crate::local::rung::Rung;
use crate::local::store::{ClusterFile, NODE_VERSION, NodeDir, NodeFile, Stage};
use crate::provider::NodeMaterial;

/// The account that every node has.
const ROOT: &str = "root";
/// Number of the account that is made for a spec's `username`.
const ACCOUNT_ID: u32 = 1000;

/// A node about to be made.
pub(super) struct NodeOrder {
    /// Its record.
    pub(super) file: NodeFile,
    /// What it is booted from.
    pub(super) launch: NodeLaunch,
    /// What the reader should know.
    pub(super) notes: Vec<String>,
}

impl StepRun<'_> {
    /// The record and the order of a new node.
    pub(super) fn order(
        &self,
        cluster: &ClusterFile,
        dir: &NodeDir,
        wanted: &WantedNode,
        material: &NodeMaterial,
        (id, address): (&NodeId, Ipv4Addr),
    ) -> Result<NodeOrder, ProviderError> {
        let ssh_server = self.ssh_server(cluster.rung)?;
        let mut notes = Vec::new();
        let username = account(wanted, &ssh_server, &mut notes);
        let mut recorded = wanted.clone();
        recorded.first_boot.clear();
        let file = NodeFile {
            version: NODE_VERSION,
            wanted: recorded,
            id: id.clone(),
            cluster_id: cluster.record.id.clone(),
            generation: self.step.generation,
            owner: cluster.record.owner.clone(),
            host_key_public: material.host_key_public.trim().to_owned(),
            created_at: material.ordered_at,
            address,
            mac: MacAddress::of_node(&cluster.record.id, &id.0),
            username,
            rung: cluster.rung,
            ssh_server,
            stage: Stage::Making,
        };
        let launch = self.launch(cluster, dir, wanted, material, &file);
        Ok(NodeOrder { file, launch, notes })
    }

    fn launch(
        &self,
        cluster: &ClusterFile,
        dir: &NodeDir,
        wanted: &WantedNode,
        material: &NodeMaterial,
        file: &NodeFile,
    ) -> NodeLaunch {
        let domain = self.cluster.slug();
        NodeLaunch {
            version: LAUNCH_VERSION,
            name: dir.slug().to_owned(),
            hostname: dir.slug().to_owned(),
            // The others are told to it, and it to them, by `SyncMembers`; all
            // of them in every launch would be nodes times nodes lines.
            hosts: vec![entry(file, &domain)],
            domain,
            address: file.address,
            prefix_length: cluster.prefix_length,
            mac: file.mac,
            limits: limits(wanted.limits),
            node_dir: dir.path().to_owned(),
            ssh_server: file.ssh_server.clone(),
            kept_in: None,
            seeds: seeds(material, &file.username),
            scripts: scripts(wanted, &file.username),
            environment: std::collections::BTreeMap::new(),
            masked_paths: self.masked_paths(),
            rung: cluster.rung,
        }
    }

    fn masked_paths(&self) -> Vec<PathBuf> {
        let mut paths = self.local.config.masked_paths.clone();
        paths.push(self.local.store.root().to_owned());
        paths
    }

    fn ssh_server(&self, rung: Rung) -> Result<SshServer, ProviderError> {
        match (self.local.config.ssh, rung) {
            (Some(SshChoice::Embedded), _) | (None, Rung::UserNamespace) => Ok(SshServer::Embedded),
            (Some(SshChoice::Real), Rung::UserNamespace) => Err(self
                .fail(ErrorKind::Invalid, "the host's sshd cannot run where only root exists")
                .with_mend("use the embedded ssh server, or make the cluster as root")),
            (Some(SshChoice::Real), Rung::Root) => {
                find_sshd().map(|program| SshServer::Real { program }).ok_or_else(|| {
                    self.fail(ErrorKind::Invalid, "this machine has no sshd")
                        .with_mend("install openssh-server, or use the embedded ssh server")
                })
            }
            (None, Rung::Root) => {
                Ok(find_sshd().map_or(SshServer::Embedded, |program| SshServer::Real { program }))
            }
        }
    }
}

/// The account that will open the node: the one ordered where other accounts
/// than root can be.
fn account(wanted: &WantedNode, server: &SshServer, notes: &mut Vec<String>) -> String {
    let name = wanted.username.as_str();
    if name == ROOT || matches!(server, SshServer::Real { .. }) {
        return name.to_owned();
    }
    notes.push(format!("log in as root: this node has no other account, also not {name}"));
    ROOT.to_owned()
}

fn limits(wanted: NodeLimits) -> launch::NodeLimits {
    launch::NodeLimits {
        memory_bytes: wanted.memory_bytes,
        cores: wanted.cores_milli.map(|milli| f64::from(milli) / 1000.0),
        pids: wanted.processes.map(u64::from),
    }
}

fn seeds(material: &NodeMaterial, username: &str) -> Vec<FileSeed> {
    let seed = |path: &str, mode, content: String| FileSeed { path: path.into(), mode, content };
    let public = format!("{}\n", material.host_key_public.trim());
    let mut keys = material.authorized_keys.join("\n");
    keys.push('\n');
    let mut host_key = material.host_key.reveal().trim_end().to_owned();
    host_key.push('\n');
    let mut seeds = vec![
        seed(HOST_KEY_PATH, 0o600, host_key),
        seed(&format!("{HOST_KEY_PATH}.pub"), 0o644, public),
        seed(AUTHORIZED_KEYS_PATH, 0o600, keys),
    ];
    if username != ROOT {
        seeds.push(seed(SSHD_CONFIG_PATH, 0o644, sshd_config()));
    }
    seeds
}

/// As the supervisor's own, with every account's keys in its home.
fn sshd_config() -> String {
    format!(
        "Port {SSH_PORT}\nHostKey {HOST_KEY_PATH}\nAuthorizedKeysFile .ssh/authorized_keys\n\
         PermitRootLogin prohibit-password\nPasswordAuthentication no\n\
         KbdInteractiveAuthentication no\nUsePAM no\nUseDNS no\nPidFile none\nPrintMotd no\n\
         MaxSessions 256\nMaxStartups 200:30:400\nSubsystem sftp internal-sftp\n\
         AcceptEnv LANG LC_*\n"
    )
}

/// The scripts of the first boot: the account's, then the user's own.
fn scripts(wanted: &WantedNode, username: &str) -> Vec<BootScript> {
    let mut scripts = Vec::new();
    if username != ROOT {
        scripts.push(BootScript { name: "account".to_owned(), content: account_script(username) });
    }
    scripts.extend(
        wanted
            .first_boot
            .iter()
            .map(|script| BootScript { name: script.kind.clone(), content: script.text.clone() }),
    );
    scripts
}

/// Makes an account with root's keys and without password, where the host's
/// system accounts do not have one of that name.
fn account_script(name: &str) -> String {
    format!(
        "#!/bin/sh\n\
         # Makes the account that the spec names as `username`.\n\
         set -e\n\
         name={name}\n\
         if ! grep -q \"^$name:\" /etc/passwd; then\n  \
           echo \"$name:x:{ACCOUNT_ID}:{ACCOUNT_ID}::/home/$name:/bin/sh\" >> /etc/passwd\n  \
           echo \"$name:*:19000:0:99999:7:::\" >> /etc/shadow\n  \
           echo \"$name:x:{ACCOUNT_ID}:\" >> /etc/group\n\
         fi\n\
         home=$(grep \"^$name:\" /etc/passwd | cut -d: -f6)\n\
         mkdir -p \"$home/.ssh\"\n\
         cp {AUTHORIZED_KEYS_PATH} \"$home/.ssh/authorized_keys\"\n\
         chmod 700 \"$home\" \"$home/.ssh\"\n\
         chown -R \"$name\" \"$home\"\n"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_account_script_is_read_by_a_shell() {
        let script = account_script("ec2-user");
        assert!(script.starts_with("#!/bin/sh\n# Makes"));
        let checked = std::process::Command::new("/bin/sh").args(["-n", "-c", &script]).status();
        assert!(checked.unwrap().success(), "{script}");
        assert!(script.contains("name=ec2-user\n") && script.contains(":1000:1000::/home/"));
    }

    #[test]
    fn limits_are_told_in_the_supervisors_units() {
        let told = limits(NodeLimits {
            memory_bytes: Some(1 << 30),
            cores_milli: Some(500),
            processes: Some(40),
        });
        assert_eq!(told.memory_bytes, Some(1 << 30));
        assert_eq!(told.cores, Some(0.5));
        assert_eq!(told.pids, Some(40));
    }
}
