//! A command in a directory and with variables. Pure. The shell that the user
//! logs in with reads the command, as it does without them; a POSIX shell reads
//! what is around it, since not every login shell is one.

use crate::args::quoted;

/// What surrounds a command.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Surroundings {
    /// The directory that it begins in; `~` is the user's home.
    pub(super) directory: Option<String>,
    /// Variables and their values.
    pub(super) variables: Vec<(String, String)>,
}

/// What a node ends with whose directory is missing.
const EXIT_NO_DIRECTORY: u8 = 125;

/// The command line for a command in its surroundings; without any, the
/// command itself.
pub(super) fn wrapped(command: &str, around: &Surroundings) -> String {
    if *around == Surroundings::default() {
        return command.to_owned();
    }
    let mut script = String::new();
    if let Some(directory) = &around.directory {
        script.push_str(&change(directory));
    }
    for (name, value) in &around.variables {
        script.extend(["export ", name, "=", &quoted(value), "; "]);
    }
    // `sudo` says which shell it was called from; see `transport`.
    script.push_str("s=${SQUALL_SHELL:-${SHELL:-/bin/sh}}; unset SQUALL_SHELL; ");
    script.push_str("set -- \"$s\" \"$1\"; unset s; exec \"$1\" -c \"$2\"");
    format!("exec /bin/sh -c {} squall {}", always_quoted(&script), always_quoted(command))
}

/// Changes to a directory, or ends with why not.
fn change(directory: &str) -> String {
    format!(
        "d={}; CDPATH= cd -- \"$d\" 2>/dev/null || {{ \
         if [ -d \"$d\" ]; then r='permission denied'; \
         elif [ -e \"$d\" ]; then r='it is no directory'; \
         else r='there is no such directory'; fi; \
         printf 'squall: %s: %s\\n' \"$d\" \"$r\" >&2; exit {EXIT_NO_DIRECTORY}; }}; unset d; ",
        path(directory)
    )
}

/// A path for an assignment: `~` and `~user` stay open to the shell.
fn path(path: &str) -> String {
    let (head, rest) = match path.split_once('/') {
        Some((head, rest)) => (head, Some(rest)),
        None => (path, None),
    };
    let is_name = |c: char| c.is_ascii_alphanumeric() || "_.-".contains(c);
    let is_home = head.strip_prefix('~').is_some_and(|user| user.chars().all(is_name));
    match (is_home, rest) {
        (false, _) => always_quoted(path),
        (true, None | Some("")) => head.to_owned(),
        (true, Some(rest)) => format!("{head}/{}", always_quoted(rest)),
    }
}

fn always_quoted(word: &str) -> String {
    format!("'{}'", word.replace('\'', r"'\''"))
}

#[cfg(test)]
mod tests {
    use super::{Surroundings, path, wrapped};
    use std::process::Command;

    fn run(command: &str, directory: Option<&str>, variables: &[(&str, &str)]) -> (i32, String) {
        let around = Surroundings {
            directory: directory.map(str::to_owned),
            variables: variables.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect(),
        };
        let output = Command::new("sh")
            .args(["-c", &wrapped(command, &around)])
            .env("HOME", "/usr")
            .env("SHELL", "/bin/sh")
            .output()
            .unwrap();
        let text = [output.stdout, output.stderr].concat();
        (output.status.code().unwrap(), String::from_utf8(text).unwrap())
    }

    #[test]
    fn nothing_is_put_around_a_plain_command() {
        assert_eq!(wrapped("echo 'a b'", &Surroundings::default()), "echo 'a b'");
    }

    #[test]
    fn a_command_finds_its_surroundings() {
        let nasty = "it's $HOME \"x\" `y` \\ \n;*";
        type Row<'a> = (&'a str, Option<&'a str>, &'a [(&'a str, &'a str)], i32, &'a str);
        let table: [Row<'_>; 7] = [
            ("pwd", Some("/tmp"), &[], 0, "/tmp\n"),
            ("pwd", Some("~/bin"), &[], 0, "/usr/bin\n"),
            ("pwd", Some("~"), &[], 0, "/usr\n"),
            ("pwd", Some("/no/it's"), &[], 125, "squall: /no/it's: there is no such directory\n"),
            ("pwd", Some("/etc/passwd"), &[], 125, "squall: /etc/passwd: it is no directory\n"),
            (
                "printf '%s|' \"$A\" \"$B\"",
                None,
                &[("A", nasty), ("B", "")],
                0,
                &format!("{nasty}||"),
            ),
            ("echo \"$d$r$s${SQUALL_SHELL-}$#\"; exit 7", Some("/"), &[("A", "1")], 7, "0\n"),
        ];
        for (command, directory, variables, code, text) in table {
            assert_eq!(run(command, directory, variables), (code, text.to_owned()), "{command}");
        }
    }

    #[test]
    fn only_homes_stay_open_to_the_shell() {
        for (text, expected) in [
            ("/a b", "'/a b'"),
            ("~", "~"),
            ("~/", "~"),
            ("~fred/it's", r"~fred/'it'\''s'"),
            ("~$(x)/a", "'~$(x)/a'"),
            ("a/~", "'a/~'"),
        ] {
            assert_eq!(path(text), expected);
        }
    }
}
