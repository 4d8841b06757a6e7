//! The account files of a node, made from the host's: its system accounts,
//! none of its people and none of its passwords. Pure.

/// Accounts from here on are people. Fixed by the distributions we know
/// (`SYS_UID_MAX` in login.defs).
const PEOPLE_FROM: u32 = 1000;
/// The account and group of nobody.
const NOBODY: u32 = 65534;
/// User and group of sshd where the host has none; free on the distributions
/// that we know, and the number that Red Hat uses.
const SSHD: u32 = 74;

/// The account files of a node.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Accounts {
    /// `/etc/passwd`.
    pub(super) passwd: String,
    /// `/etc/shadow`: nobody has a password, root is not locked (sshd would
    /// refuse keys for `!`).
    pub(super) shadow: String,
    /// `/etc/group`.
    pub(super) group: String,
    /// `/etc/gshadow`.
    pub(super) gshadow: String,
}

/// Makes the account files from the host's passwd and group.
pub(super) fn render(host_passwd: &str, host_group: &str, root_shell: &str) -> Accounts {
    let mut passwd = format!("root:x:0:0:root:/root:{root_shell}\n");
    let mut shadow = shadow_line("root");
    let mut has_sshd = false;
    for line in host_passwd.lines() {
        let Some((name, uid)) = name_and_id(line).filter(|(_, uid)| is_system(*uid)) else {
            continue;
        };
        if uid == 0 {
            continue;
        }
        has_sshd |= name == "sshd";
        passwd.push_str(line);
        passwd.push('\n');
        shadow.push_str(&shadow_line(name));
    }
    if !has_sshd {
        let line = format!("sshd:x:{SSHD}:{SSHD}::/run/sshd:/usr/sbin/nologin\n");
        passwd.push_str(&line);
        shadow.push_str(&shadow_line("sshd"));
    }
    let (group, gshadow) = groups(host_group, !has_sshd);
    Accounts { passwd, shadow, group, gshadow }
}

/// The files of groups: the host's system groups without their members.
fn groups(host_group: &str, wants_sshd: bool) -> (String, String) {
    let mut named: Vec<(&str, u32)> = vec![("root", 0)];
    for (name, gid) in host_group.lines().filter_map(name_and_id) {
        if is_system(gid) && gid != 0 {
            named.push((name, gid));
        }
    }
    if wants_sshd && !named.iter().any(|(name, _)| *name == "sshd") {
        named.push(("sshd", SSHD));
    }
    let group = named.iter().map(|(name, gid)| format!("{name}:x:{gid}:\n")).collect();
    let gshadow = named.iter().map(|(name, _)| format!("{name}:*::\n")).collect();
    (group, gshadow)
}

/// Root's shell in the host's passwd.
pub(super) fn shell_of_root(host_passwd: &str) -> Option<&str> {
    let line = host_passwd.lines().find(|line| line.starts_with("root:"))?;
    line.split(':').nth(6).filter(|shell| shell.starts_with('/'))
}

fn shadow_line(name: &str) -> String {
    format!("{name}:*:19000:0:99999:7:::\n")
}

fn is_system(id: u32) -> bool {
    id < PEOPLE_FROM || id == NOBODY
}

/// First and third field: passwd and group agree on them.
fn name_and_id(line: &str) -> Option<(&str, u32)> {
    let mut fields = line.split(':');
    let name =
        fields.next().filter(|name| !name.is_empty() && !name.starts_with(['#', '+', '-']))?;
    let id = fields.nth(1)?.parse().ok()?;
    Some((name, id))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn system_accounts_are_kept_and_people_and_passwords_are_not() {
        let passwd = "root:$6$oops:0:0::/root:/bin/zsh\ndaemon:x:1:1:d:/:/bin/false\n\
            toor:x:0:0::/root:/bin/sh\nann:x:1000:1000::/home/ann:/bin/sh\n\
            nobody:x:65534:65534::/:/bin/false\n+nis::::::\nbroken line\n";
        let group = "root:x:0:ann\nadm:x:4:ann,bob\nann:x:1000:\nnogroup:x:65534:\n";
        let made = render(passwd, group, shell_of_root(passwd).unwrap());
        insta::assert_snapshot!(made.passwd, @r"
        root:x:0:0:root:/root:/bin/zsh
        daemon:x:1:1:d:/:/bin/false
        nobody:x:65534:65534::/:/bin/false
        sshd:x:74:74::/run/sshd:/usr/sbin/nologin
        ");
        insta::assert_snapshot!(made.shadow, @r"
        root:*:19000:0:99999:7:::
        daemon:*:19000:0:99999:7:::
        nobody:*:19000:0:99999:7:::
        sshd:*:19000:0:99999:7:::
        ");
        insta::assert_snapshot!(made.group, @r"
        root:x:0:
        adm:x:4:
        nogroup:x:65534:
        sshd:x:74:
        ");
        insta::assert_snapshot!(made.gshadow, @r"
        root:*::
        adm:*::
        nogroup:*::
        sshd:*::
        ");
    }

    #[test]
    fn an_sshd_account_of_the_host_is_used() {
        let made = render("sshd:x:101:65534::/run/sshd:/usr/sbin/nologin\n", "", "/bin/sh");
        assert_eq!(made.passwd.lines().filter(|line| line.starts_with("sshd:")).count(), 1);
        assert!(!made.group.contains("sshd"), "{}", made.group);
    }

    #[test]
    fn an_empty_host_still_gives_root_and_sshd() {
        let made = render("", "", "/bin/sh");
        assert_eq!(made.passwd.lines().count(), 2);
        assert_eq!(shell_of_root(""), None);
        assert_eq!(shell_of_root("root:x:0:0:root:/root:"), None);
    }
}
