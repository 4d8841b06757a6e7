//! What plain `ssh` needs to reach our nodes: a block of `ssh_config` per node
//! and lines for `known_hosts`. Pure text.

use crate::keys::PublicKey;

/// One `Host` block.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HostBlock {
    /// The names that the user types.
    pub names: Vec<String>,
    /// The address that is dialled.
    pub host_name: String,
    /// The port; none is ssh's own default.
    pub port: Option<u16>,
    /// The user's name there.
    pub user: String,
    /// Path of the private key.
    pub identity_file: String,
    /// Path of the file with our [`known_hosts_line`]s.
    pub known_hosts_file: String,
    /// The name under which the node's key is listed there.
    pub host_key_alias: String,
    /// A command that relays to the node, for addresses that this machine
    /// cannot dial; written as it is, so ssh expands `%h` and `%p` in it.
    pub proxy_command: Option<String>,
}

/// Why a block cannot be written.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SshConfigError {
    /// ssh's format has no way to write it.
    #[error("write {what} `{}` into an ssh_config: {why}", .value.escape_debug())]
    Unwritable {
        /// Which field.
        what: &'static str,
        /// Its value.
        value: String,
        /// What is wrong with it.
        why: &'static str,
    },
}

/// The blocks as text, each followed by an empty line.
///
/// # Errors
/// A value that the format cannot hold; nothing is written around it.
pub fn render(blocks: &[HostBlock]) -> Result<String, SshConfigError> {
    let mut text = String::new();
    for block in blocks {
        let names: Vec<&str> =
            block.names.iter().map(|name| word("name", name)).collect::<Result<_, _>>()?;
        line(&mut text, "", "Host", &names.join(" "));
        let mut put = |key, value: &str| line(&mut text, "    ", key, value);
        put("HostName", word("address", &block.host_name)?);
        if let Some(port) = block.port {
            put("Port", &port.to_string());
        }
        put("User", &quoted("user", &block.user, Percent::Plain)?);
        put("IdentityFile", &quoted("key path", &block.identity_file, Percent::Token)?);
        put("IdentitiesOnly", "yes");
        put("UserKnownHostsFile", &quoted("path", &block.known_hosts_file, Percent::Token)?);
        put("HostKeyAlias", word("host key alias", &block.host_key_alias)?);
        put("StrictHostKeyChecking", "yes");
        if let Some(command) = &block.proxy_command {
            put("ProxyCommand", one_line("proxy command", command)?);
        }
        text.push('\n');
    }
    Ok(text)
}

/// A line of `known_hosts` for a node's key.
#[must_use]
pub fn known_hosts_line(host_key_alias: &str, key: &PublicKey) -> String {
    let line = key.line();
    let mut parts = line.split(' ');
    let (kind, body) = (parts.next().unwrap_or_default(), parts.next().unwrap_or_default());
    format!("{host_key_alias} {kind} {body}\n")
}

fn line(text: &mut String, indent: &str, key: &str, value: &str) {
    for part in [indent, key, " ", value, "\n"] {
        text.push_str(part);
    }
}

/// Whether ssh replaces `%x` in a value.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Percent {
    Plain,
    Token,
}

fn quoted(what: &'static str, value: &str, percent: Percent) -> Result<String, SshConfigError> {
    let value = one_line(what, value)?;
    if value.contains('"') {
        return Err(refuse(what, value, "it holds a double quote"));
    }
    let value = if percent == Percent::Token { value.replace('%', "%%") } else { value.to_owned() };
    let plain =
        value.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"/._-%+@:".contains(&byte));
    Ok(if plain { value } else { format!("\"{value}\"") })
}

/// A value that takes no quotes: names and addresses.
fn word<'a>(what: &'static str, value: &'a str) -> Result<&'a str, SshConfigError> {
    let value = one_line(what, value)?;
    if value.bytes().any(|byte| byte.is_ascii_whitespace() || b"\"#*?!,%".contains(&byte)) {
        return Err(refuse(what, value, "it holds a blank or a character with a meaning"));
    }
    Ok(value)
}

fn one_line<'a>(what: &'static str, value: &'a str) -> Result<&'a str, SshConfigError> {
    if value.is_empty() {
        return Err(refuse(what, value, "it is empty"));
    }
    if value.chars().any(char::is_control) {
        return Err(refuse(what, value, "it holds a control character"));
    }
    Ok(value)
}

fn refuse(what: &'static str, value: &str, why: &'static str) -> SshConfigError {
    SshConfigError::Unwritable { what, value: value.into(), why }
}

#[cfg(test)]
mod tests {
    use super::{HostBlock, known_hosts_line, render};
    use crate::keys::PublicKey;

    fn block() -> HostBlock {
        HostBlock {
            names: vec!["worker1".into(), "worker1.demo".into()],
            host_name: "10.77.0.2".into(),
            port: None,
            user: "root".into(),
            identity_file: "/home/a b/id%1".into(),
            known_hosts_file: "/home/me/known_hosts".into(),
            host_key_alias: "squall-demo-worker1".into(),
            proxy_command: Some("'/bin/squall' __relay %h %p".into()),
        }
    }

    #[test]
    fn a_block_has_all_that_plain_ssh_needs() {
        let direct = HostBlock { port: Some(2222), proxy_command: None, ..block() };
        assert_eq!(
            render(&[block(), direct]).unwrap(),
            "Host worker1 worker1.demo
    HostName 10.77.0.2
    User root
    IdentityFile \"/home/a b/id%%1\"
    IdentitiesOnly yes
    UserKnownHostsFile /home/me/known_hosts
    HostKeyAlias squall-demo-worker1
    StrictHostKeyChecking yes
    ProxyCommand '/bin/squall' __relay %h %p

Host worker1 worker1.demo
    HostName 10.77.0.2
    Port 2222
    User root
    IdentityFile \"/home/a b/id%%1\"
    IdentitiesOnly yes
    UserKnownHostsFile /home/me/known_hosts
    HostKeyAlias squall-demo-worker1
    StrictHostKeyChecking yes

"
        );
    }

    #[test]
    fn what_the_format_cannot_hold_is_refused() {
        let table = [
            HostBlock { names: vec!["a\nProxyCommand evil".into()], ..block() },
            HostBlock { names: vec!["*".into()], ..block() },
            HostBlock { identity_file: "/a\"b".into(), ..block() },
            HostBlock { user: String::new(), ..block() },
            HostBlock { proxy_command: Some("a\nb".into()), ..block() },
        ];
        for block in table {
            assert!(render(std::slice::from_ref(&block)).is_err(), "{block:?}");
        }
    }

    #[test]
    fn a_known_hosts_line_has_no_comment() {
        let line = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIO0p9Jgs5DiWH9aHDpqhwNHiAmhwwnmHSATUJ8GcIUAS me@here";
        let key = PublicKey::parse(line).unwrap();
        assert_eq!(
            known_hosts_line("n1", &key),
            "n1 ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIO0p9Jgs5DiWH9aHDpqhwNHiAmhwwnmHSATUJ8GcIUAS\n"
        );
    }
}
