//! What the tests need beside Rust, installed with the system's own package
//! tool. Changes nothing when all is there.

use std::io::IsTerminal;
use std::process::Command;

use anyhow::Result;

use crate::command::{find_program, is_root, run};
use crate::say::say;

/// A program that tests start, and the Debian package it is in.
struct Need {
    program: &'static str,
    package: &'static str,
    purpose: &'static str,
}

const NEEDS: [Need; 11] = [
    Need { program: "sshd", package: "openssh-server", purpose: "the real ssh server of nodes" },
    Need { program: "ssh", package: "openssh-client", purpose: "squall ssh-config" },
    Need { program: "ssh-keygen", package: "openssh-client", purpose: "keys of our own making" },
    Need { program: "setpriv", package: "util-linux", purpose: "running as an ordinary user" },
    Need { program: "useradd", package: "passwd", purpose: "making that user" },
    Need { program: "ps", package: "procps", purpose: "looking into nodes" },
    Need { program: "bash", package: "bash", purpose: "completions" },
    Need { program: "sudo", package: "sudo", purpose: "running commands as another user" },
    Need { program: "ip", package: "iproute2", purpose: "networks that only a bastion reaches" },
    Need { program: "nsenter", package: "util-linux", purpose: "servers in such networks" },
    Need { program: "git", package: "git", purpose: "cargo xtask tidy" },
];

/// Installs without starting anything: a test machine does not become an ssh
/// server, not even after its next boot.
const INSTALL: &str = r#"
set -eu
policy=/usr/sbin/policy-rc.d
if [ ! -e "$policy" ]; then
    trap 'rm -f "$policy"' EXIT
    printf '#!/bin/sh\nexit 101\n' > "$policy"
    chmod 755 "$policy"
fi
export DEBIAN_FRONTEND=noninteractive
get() { apt-get -q install -y --no-install-recommends "$@"; }
get "$@" || { apt-get -q update; get "$@"; }
case " $* " in *" openssh-server "*)
    if [ -d /run/systemd/system ]; then
        systemctl disable ssh.service ssh.socket || true
    fi
esac
"#;

/// Makes sure that all programs are there; answers the ones that are not, with
/// the reason.
///
/// # Errors
/// Never for a missing program: tests that need it say that they were skipped.
pub(crate) fn setup() -> Result<Vec<(String, String)>> {
    let missing = missing();
    if missing.is_empty() {
        say("setup: everything the tests need is here");
        return Ok(Vec::new());
    }
    for Need { program, package, purpose } in &missing {
        say(format!("setup: no {program} (Debian package {package}; for {purpose})"));
    }
    let mut packages: Vec<&str> = missing.iter().map(|need| need.package).collect();
    packages.dedup();
    let mut reason = "it is not installed".to_owned();
    match installer() {
        Err(why) => say(format!("setup: {why}; install what is missing by hand")),
        Ok(_) => {
            if let Err(error) = install(&packages) {
                say(format!("setup: {error:#}"));
                reason = "it could not be installed".to_owned();
            }
        }
    }
    let left = self::missing();
    Ok(left.iter().map(|need| (format!("setup/{}", need.program), reason.clone())).collect())
}

/// Installs Debian packages.
///
/// # Errors
/// When there is no apt-get, or it fails.
pub(crate) fn install(packages: &[&str]) -> Result<()> {
    let mut command = installer().map_err(|why| anyhow::anyhow!("{why}"))?;
    say(format!("setup: installing {} with apt-get", packages.join(" ")));
    run(command.args(["sh", "-c", INSTALL, "sh"]).args(packages))
}

fn missing() -> Vec<Need> {
    NEEDS.into_iter().filter(|need| find_program(need.program).is_none()).collect()
}

/// The command that runs its arguments as root, where apt-get is.
fn installer() -> Result<Command, &'static str> {
    if find_program("apt-get").is_none() {
        return Err("this is no Debian or Ubuntu");
    }
    if is_root() {
        return Ok(Command::new("env"));
    }
    if find_program("sudo").is_none() {
        return Err("installing needs root, and there is no sudo");
    }
    let mut sudo = Command::new("sudo");
    // Nobody is there to type a password.
    if !std::io::stdin().is_terminal() {
        sudo.arg("--non-interactive");
    }
    Ok(sudo)
}
