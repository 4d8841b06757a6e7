//! Keys and certificates, made by OpenSSH's own tool.

use std::path::Path;
use std::process::{Command, Stdio};

use anyhow::{Context, Result, ensure};

/// An ed25519 pair without a passphrase: `path` and `path.pub`.
pub(super) fn pair(path: &Path) -> Result<()> {
    keygen(
        Command::new("ssh-keygen")
            .args(["-q", "-t", "ed25519", "-N", "", "-C", "lab", "-f"])
            .arg(path),
    )
}

/// Signs a host's public key for its names, with the authority's key.
pub(super) fn certify_host(authority: &Path, public: &Path, names: &str) -> Result<()> {
    let mut command = Command::new("ssh-keygen");
    command.args(["-q", "-h", "-I", "host", "-V", "always:forever", "-n", names, "-s"]);
    keygen(command.arg(authority).arg(public))
}

/// Signs a user's public key for an account, with the authority's key.
pub(super) fn certify_user(authority: &Path, public: &Path, account: &str) -> Result<()> {
    let mut command = Command::new("ssh-keygen");
    command.args(["-q", "-I", "user", "-V", "always:forever", "-n", account, "-s"]);
    keygen(command.arg(authority).arg(public))
}

/// Type and key of a public key file, without its comment.
pub(super) fn public(path: &Path) -> Result<String> {
    let text = std::fs::read_to_string(path.with_extension("pub"))
        .with_context(|| format!("read {}", path.display()))?;
    Ok(text.split_whitespace().take(2).collect::<Vec<_>>().join(" "))
}

fn keygen(command: &mut Command) -> Result<()> {
    let output = command.stdin(Stdio::null()).output().context("start ssh-keygen")?;
    let said = String::from_utf8_lossy(&output.stderr);
    ensure!(output.status.success(), "ssh-keygen: {said}");
    Ok(())
}
