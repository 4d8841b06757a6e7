//! Why sudo did not run a command, from what it said. Pure. sudo speaks the
//! node's language; what is not understood is handed on as it is.

use crate::session::ExecEnd;

/// A node whose sudo is missing ends with this.
const NOT_FOUND: u32 = 127;

/// What sudo says, what we say, and what the user can do.
const SAYINGS: &[(&str, &str, &str)] = &[
    ("not in the sudoers", "sudo does not know this user", ALLOW),
    ("may not run sudo", "sudo does not allow this user anything", ALLOW),
    ("is not allowed to", "sudo does not allow this user that", ALLOW),
    ("must have a tty", "sudo there runs nothing without a terminal", TTY),
    ("unknown user", "sudo knows no such user there", "name a user of the node: --sudo=USER"),
    ("password is required", "sudo there wants a password", "give one to --sudo"),
    ("account validation failure", "sudo says that the account is locked or expired", ACCOUNT),
    ("incorrect password", REFUSED, ONCE),
    ("account is locked", "sudo says that the account is locked", ACCOUNT),
];

const ALLOW: &str = "allow it in the node's sudoers";
const TTY: &str = "remove `requiretty` from the node's sudoers";
const ACCOUNT: &str = "see `faillock` and `chage -l` on the node";

const REFUSED: &str = "sudo refused the password";
const ONCE: &str = "it was tried once, as wrong ones lock accounts";

/// A node that did not take the password.
pub(super) fn wrong_password() -> ExecEnd {
    refused(REFUSED, ONCE)
}

/// Whether sudo says that the password was wrong, and asks no second time.
pub(super) fn is_wrong_password(said: &str) -> bool {
    said.contains("incorrect password")
}

/// The end of a command that sudo did not begin.
pub(super) fn explain(code: u32, said: &str) -> ExecEnd {
    let lines = said.lines().map(str::trim).filter(|line| !line.is_empty());
    let last = lines.clone().next_back();
    if code == NOT_FOUND && !said.contains("sudo:") {
        return refused("sudo is not there", "install sudo on the node, or log in as root");
    }
    for (saying, text, mend) in SAYINGS {
        if said.contains(saying) {
            return refused(*text, mend);
        }
    }
    let sudo_said = lines.clone().rfind(|line| line.starts_with("sudo: ")).or(last);
    match sudo_said {
        Some(line) => refused(format!("sudo ended with {code}: {line}"), "try it on the node"),
        None => refused(format!("sudo ended with {code} and said nothing"), "try it on the node"),
    }
}

/// A command that never began.
pub(super) fn refused(text: impl Into<String>, mend: &'static str) -> ExecEnd {
    ExecEnd::Refused { text: text.into(), mend }
}

#[cfg(test)]
mod tests {
    use super::explain;
    use crate::session::ExecEnd;

    #[test]
    fn what_sudo_says_is_explained() {
        let table = [
            (127, "", "sudo is not there"),
            (127, "-bash: warning: x\n", "sudo is not there"),
            (1, "fred is not in the sudoers file.\n", "sudo does not know this user"),
            (
                1,
                "sudo: sorry, you must have a tty to run sudo\n",
                "sudo there runs nothing without a terminal",
            ),
            (
                1,
                "sudo: unknown user: bob\nsudo: error initializing audit plugin",
                "sudo knows no such user there",
            ),
            (
                1,
                "Sorry, user fred is not allowed to execute '/bin/sh' as root on w.",
                "sudo does not allow this user that",
            ),
            (
                1,
                "\nWe trust you have received the usual lecture.\nsudo: /etc/sudo.conf is owned by uid 65534, should be 0\n",
                "sudo ended with 1: sudo: /etc/sudo.conf is owned by uid 65534, should be 0",
            ),
            (1, "", "sudo ended with 1 and said nothing"),
        ];
        for (code, said, expected) in table {
            let ExecEnd::Refused { text, mend } = explain(code, said) else {
                unreachable!("not refused: {said}")
            };
            assert_eq!(text, expected);
            assert!(!mend.is_empty());
        }
    }
}
