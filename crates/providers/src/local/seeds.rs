//! The files that every node gets before its first boot, as text. What the
//! caller seeds wins over what is made here. Pure: what it needs of the host
//! comes in as [`HostFacts`].

use std::collections::BTreeMap;
use std::path::Path;

use sha2::{Digest, Sha256};

use super::accounts;
use super::hosts;
use super::launch::{
    AUTHORIZED_KEYS_PATH, EMBEDDED_CONFIG_PATH, EmbeddedServerConfig, FileSeed, HOST_KEY_PATH,
    NodeLaunch, SSH_PORT, SSHD_CONFIG_PATH, SshServer,
};

/// Directory inside a node that holds its first-boot scripts and how far they
/// are.
pub(super) const SCRIPTS_DIRECTORY: &str = "/var/lib/squall/scripts";
/// Search path of everything that runs in a node.
pub(super) const PATH: &str = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/// What the files of a node are made from.
#[derive(Debug, Clone, Default)]
pub(super) struct HostFacts {
    /// `/etc/passwd` of the host.
    pub(super) passwd: String,
    /// `/etc/group` of the host.
    pub(super) group: String,
    /// Shells that nodes have, best first.
    pub(super) shells: Vec<String>,
    /// Files of `/etc/skel`, by name.
    pub(super) skeleton: Vec<(String, String)>,
}

/// Every file to write, the caller's last.
pub(super) fn all(launch: &NodeLaunch, host: &HostFacts) -> Vec<FileSeed> {
    let shell = root_shell(host);
    let accounts = accounts::render(&host.passwd, &host.group, &shell);
    let name_lines = "# Made for a squall node: files only, nothing that waits for a network.\n\
        passwd: files\ngroup: files\nshadow: files\ngshadow: files\nhosts: files dns\n\
        networks: files\nprotocols: files\nservices: files\nethers: files\nrpc: files\n";
    let mut seeds = vec![
        seed("/etc/hostname", 0o644, format!("{}\n", launch.hostname)),
        seed("/etc/hosts", 0o644, hosts::render(&launch.hosts)),
        seed(
            "/etc/resolv.conf",
            0o644,
            "# No name server: nodes know each other from /etc/hosts.\n",
        ),
        seed("/etc/machine-id", 0o444, format!("{}\n", machine_id(launch))),
        seed("/etc/nsswitch.conf", 0o644, name_lines),
        seed("/etc/fstab", 0o644, "# The root of a squall node is mounted before it starts.\n"),
        seed("/etc/passwd", 0o644, accounts.passwd),
        seed("/etc/group", 0o644, accounts.group),
        seed("/etc/shadow", 0o600, accounts.shadow),
        seed("/etc/gshadow", 0o600, accounts.gshadow),
        // Without these two, sshd complains at every log-in.
        seed("/var/log/lastlog", 0o644, ""),
        seed("/var/log/wtmp", 0o644, ""),
    ];
    seeds.extend(
        host.skeleton.iter().map(|(name, text)| seed(&format!("/root/{name}"), 0o644, text)),
    );
    seeds.push(match launch.ssh_server {
        SshServer::Real { .. } => seed(SSHD_CONFIG_PATH, 0o644, sshd_config()),
        SshServer::Embedded => seed(EMBEDDED_CONFIG_PATH, 0o600, embedded_config(launch, &shell)),
    });
    seeds.extend(power_commands());
    seeds.extend(
        launch
            .scripts
            .iter()
            .enumerate()
            .map(|(index, script)| seed(&script_path(index, &script.name), 0o700, &script.content)),
    );
    seeds.extend(launch.seeds.iter().cloned());
    seeds
}

/// Where a first-boot script lies inside a node.
pub(super) fn script_path(index: usize, name: &str) -> String {
    format!("{SCRIPTS_DIRECTORY}/{index:02}-{name}")
}

/// The environment of everything that PID 1 starts.
pub(super) fn environment(launch: &NodeLaunch) -> BTreeMap<String, String> {
    let mut all: BTreeMap<String, String> = [
        ("PATH", PATH),
        ("HOME", "/root"),
        ("USER", "root"),
        ("LOGNAME", "root"),
        ("LANG", "C.UTF-8"),
        ("container", "squall"),
        ("SQUALL_NODE", launch.name.as_str()),
        ("SQUALL_CLUSTER", launch.domain.as_str()),
    ]
    .into_iter()
    .map(|(name, value)| (name.to_owned(), value.to_owned()))
    .collect();
    all.extend(launch.environment.clone());
    all
}

fn root_shell(host: &HostFacts) -> String {
    let wanted = accounts::shell_of_root(&host.passwd);
    wanted
        .filter(|shell| host.shells.iter().any(|known| known == shell))
        .or_else(|| host.shells.first().map(String::as_str))
        .unwrap_or("/bin/sh")
        .to_owned()
}

fn seed(path: &str, mode: u32, content: impl AsRef<str>) -> FileSeed {
    FileSeed { path: Path::new(path).to_owned(), mode, content: content.as_ref().to_owned() }
}

fn machine_id(launch: &NodeLaunch) -> String {
    let mut hash = Sha256::new();
    for part in [launch.domain.as_str(), &launch.name, &launch.mac.to_string()] {
        hash.update(part.as_bytes());
        hash.update([0]);
    }
    hash.finalize().iter().take(16).map(|byte| format!("{byte:02x}")).collect()
}

fn sshd_config() -> String {
    // MaxSessions and MaxStartups are for a pool that opens many channels over
    // one connection, and for clusters that connect to each other at once.
    format!(
        "Port {SSH_PORT}\nHostKey {HOST_KEY_PATH}\nAuthorizedKeysFile {AUTHORIZED_KEYS_PATH}\n\
         PermitRootLogin prohibit-password\nPasswordAuthentication no\n\
         KbdInteractiveAuthentication no\nUsePAM no\nUseDNS no\nPidFile none\nPrintMotd no\n\
         MaxSessions 256\nMaxStartups 200:30:400\nSubsystem sftp internal-sftp\n\
         AcceptEnv LANG LC_*\n"
    )
}

fn embedded_config(launch: &NodeLaunch, shell: &str) -> String {
    let config = EmbeddedServerConfig {
        listen: format!("0.0.0.0:{SSH_PORT}"),
        host_key_path: HOST_KEY_PATH.to_owned(),
        authorized_keys_path: AUTHORIZED_KEYS_PATH.to_owned(),
        user: "root".to_owned(),
        home: "/root".to_owned(),
        shell: shell.to_owned(),
        env: environment(launch),
    };
    // A map of strings cannot fail to become JSON.
    serde_json::to_string_pretty(&config).unwrap_or_default()
}

/// `reboot` and its kin, which tell PID 1. The host's own, if it has any,
/// would ask an init system that does not run here.
fn power_commands() -> Vec<FileSeed> {
    let command = |name: &str, body: &str| {
        seed(
            &format!("/usr/sbin/{name}"),
            0o755,
            format!("#!/bin/sh\n# Tells PID 1 of this squall node.\n{body}"),
        )
    };
    let power_off = "kill -INT 1\n";
    let shutdown = "what=INT\nfor word; do\n  case \"$word\" in\n    \
        -r|--reboot) what=HUP ;;\n    -c) exit 0 ;;\n    -k) exit 0 ;;\n  esac\ndone\n\
        kill -$what 1\n";
    vec![
        command("reboot", "kill -HUP 1\n"),
        command("poweroff", power_off),
        command("halt", power_off),
        command("shutdown", shutdown),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::local::launch::BootScript;

    fn launch() -> NodeLaunch {
        NodeLaunch::for_tests(Path::new("/state/nodes/n1"))
    }

    fn last<'a>(seeds: &'a [FileSeed], path: &str) -> &'a FileSeed {
        seeds.iter().rfind(|seed| seed.path == Path::new(path)).unwrap()
    }

    #[test]
    fn a_node_gets_an_identity_of_its_own_and_what_the_caller_seeds_wins() {
        let host = HostFacts { shells: vec!["/bin/bash".to_owned()], ..HostFacts::default() };
        let mut launch = launch();
        launch.seeds.push(FileSeed {
            path: "/etc/resolv.conf".into(),
            mode: 0o644,
            content: "mine".to_owned(),
        });
        launch.scripts.push(BootScript { name: "setup".to_owned(), content: "true".to_owned() });
        let seeds = all(&launch, &host);
        assert_eq!(last(&seeds, "/etc/hostname").content, "n1\n");
        assert_eq!(last(&seeds, "/etc/resolv.conf").content, "mine");
        assert_eq!(last(&seeds, "/var/lib/squall/scripts/00-setup").mode, 0o700);
        assert_eq!(last(&seeds, "/etc/shadow").mode, 0o600);
        let id = &last(&seeds, "/etc/machine-id").content;
        assert_eq!(id.trim().len(), 32);
        launch.name = "n2".to_owned();
        assert_ne!(&last(&all(&launch, &host), "/etc/machine-id").content, id);
    }

    #[test]
    fn each_ssh_server_gets_its_configuration() {
        let host = HostFacts::default();
        let mut launch = launch();
        let seeds = all(&launch, &host);
        let config: EmbeddedServerConfig =
            serde_json::from_str(&last(&seeds, EMBEDDED_CONFIG_PATH).content).unwrap();
        assert_eq!((config.listen.as_str(), config.shell.as_str()), ("0.0.0.0:22", "/bin/sh"));
        assert_eq!(config.env.get("container").map(String::as_str), Some("squall"));
        launch.ssh_server = SshServer::Real { program: "/usr/sbin/sshd".into() };
        let seeds = all(&launch, &host);
        assert!(last(&seeds, SSHD_CONFIG_PATH).content.contains("PasswordAuthentication no\n"));
        assert!(!seeds.iter().any(|seed| seed.path == Path::new(EMBEDDED_CONFIG_PATH)));
    }

    #[test]
    fn the_shell_of_root_is_one_that_nodes_have() {
        let host = |passwd: &str| HostFacts {
            passwd: passwd.to_owned(),
            shells: vec!["/bin/bash".to_owned(), "/bin/sh".to_owned()],
            ..HostFacts::default()
        };
        assert_eq!(root_shell(&host("root:x:0:0::/root:/bin/sh\n")), "/bin/sh");
        assert_eq!(root_shell(&host("root:x:0:0::/root:/opt/fish\n")), "/bin/bash");
        assert_eq!(root_shell(&HostFacts::default()), "/bin/sh");
    }
}
