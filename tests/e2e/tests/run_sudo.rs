//! `squall run --sudo` against the real sudo in real nodes: the password works,
//! is asked for once, and is seen nowhere.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use std::path::Path;

use e2e::{Finished, Home, Running, Terminal, Who, with_home};

/// The password of `fred` on the nodes.
const PASSWORD: &str = "correct-Horse 'battery\" $taple";

const SPEC: &str = "\
cloud: {provider: local}
cluster: {name: trio}
nodes:
- {nodename: n, count: 3, instance_type: local.nano, username: fred, user_data: account.sh}
";

const SUDOERS: &str = "/etc/sudoers.d/fred";

/// Makes nodes where `fred` may use sudo with a password.
fn make(home: &Home) {
    let script = format!(
        "#!/bin/sh -e\ncat > /root/password <<'EOF'\nfred:{PASSWORD}\nEOF\n\
         chpasswd < /root/password\nrm /root/password\nmkdir -p /etc/sudoers.d\n\
         echo 'fred ALL=(ALL) ALL' > {SUDOERS}\nchmod 440 {SUDOERS}\n"
    );
    home.file("account.sh", &script);
    home.file("trio.yaml", SPEC);
    home.file("password", &format!("{PASSWORD}\n"));
    home.file("wrong", "no such password\n");
    let _ = home.squall(&["create", "trio.yaml", "--yes"]).ok();
    // The script of the first boot runs on beside us.
    e2e::until("the account to be made", || {
        let probe = ["run", "*", "-n", "--sudo", "--sudo-password-file", "password", "true"];
        (home.squall(&probe).code == 0).then_some(())
    });
}

#[track_caller]
fn sudo(home: &Home, arguments: &[&str]) -> Finished {
    let start = ["run", "*", "-n", "--sudo", "--sudo-password-file", "password"];
    home.squall(&[&start[..], arguments].concat())
}

fn with_sudo(test: &str, body: impl FnOnce(&Home)) {
    if !Path::new("/usr/bin/sudo").exists() {
        testkit::skip(test, "there is no sudo");
        return;
    }
    with_home(test, Who::Root, |home| {
        make(home);
        body(home);
    });
}

#[test]
fn commands_run_as_another_user() {
    with_sudo("commands_run_as_another_user", |home| {
        let run = sudo(home, &["-b", "id -un; echo \"$HOME\"; echo err >&2"]).ok();
        assert!(run.out().contains("root\n/root\n"), "{}", run.out());
        let mut errors: Vec<String> = run.err().lines().map(str::to_owned).collect();
        errors.sort();
        assert_eq!(errors, ["n1: err", "n2: err", "n3: err"], "nothing of sudo's own is shown");
        let run = sudo(home, &["--dir", "~", "--env", "A=%h it's", "pwd; echo \"$A\""]).ok();
        assert!(run.out().contains("n1: /root\n") && run.out().contains("n2: n2 it's\n"));
        let other =
            ["run", "n1", "-n", "--sudo=daemon", "--sudo-password-file", "password", "id -un"];
        assert_eq!(home.squall(&other).ok().out(), "n1: daemon\n");
        let none =
            ["run", "n1", "-n", "--sudo=nobody2", "--sudo-password-file", "password", "true"];
        let _ = home.squall(&none).code(1).says("sudo knows no such user there");

        // Input reaches the command, whole, and not sudo.
        let big: Vec<u8> = (0..2_000_000_u32).flat_map(u32::to_le_bytes).collect();
        let piped = ["run", "*", "--sudo", "--sudo-password-file", "password", "id -un; wc -c"];
        let run = Running::start(home.command(&piped), &big).finish().ok();
        for node in ["n1", "n2"] {
            assert!(run.out().contains(&format!("{node}: root\n")), "{}", run.out());
            assert!(run.out().contains(&format!("{node}: 8000000\n")), "{}", run.out());
        }
    });
}

#[test]
fn the_password_is_seen_nowhere() {
    with_sudo("the_password_is_seen_nowhere", |home| {
        // As root, on the nodes: everything that processes show of themselves.
        let look = "for pid in /proc/[0-9]*; do tr '\\0' '\\n' < $pid/cmdline; \
                    tr '\\0' '\\n' < $pid/environ; done 2>/dev/null; echo looked; sleep 1";
        let start = ["run", "*", "-vvv", "-n", "--sudo", "--sudo-password-file", "password"];
        let run = home.start(&[&start[..], &["--literal", "--", look]].concat());
        let own = format!("/proc/{}", run.pid().as_raw_nonzero());
        let mut seen = Vec::new();
        while !run.ended_within(std::time::Duration::from_millis(50)) {
            for name in ["cmdline", "environ"] {
                seen.extend(std::fs::read(format!("{own}/{name}")).unwrap_or_default());
            }
        }
        let run = run.finish().ok();
        assert!(run.out().contains("n1: looked") && run.out().contains("sudo"), "{}", run.out());
        let mut texts = vec![run.out(), run.err(), String::from_utf8_lossy(&seen).into_owned()];
        for file in files_below(&home.squall_home().join("state")) {
            texts.push(String::from_utf8_lossy(&std::fs::read(file).unwrap()).into_owned());
        }
        assert!(texts.len() > 3, "there is a log");
        for text in texts {
            assert!(!text.contains(PASSWORD) && !text.contains("battery"), "{text}");
        }
    });
}

fn files_below(directory: &Path) -> Vec<std::path::PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(directory).into_iter().flatten().flatten() {
        match entry.file_type().unwrap() {
            kind if kind.is_dir() => found.extend(files_below(&entry.path())),
            kind if kind.is_file() => found.push(entry.path()),
            _ => {}
        }
    }
    found
}

#[test]
fn the_password_is_asked_for_once_and_only_if_it_is_wanted() {
    with_sudo("the_password_is_asked_for_once_and_only_if_it_is_wanted", |home| {
        let ask = |password: &str| {
            let line = home.command(&["run", "*", "--sudo", "--", "id -un; echo ra''n"]);
            let mut run = Terminal::start(&line, 24, 100).unwrap();
            let before = run.expect("Password for sudo on the nodes: ");
            assert!(!before.contains("ran"), "{before}");
            run.send(password).unwrap();
            run.finish()
        };
        let (code, shown) = ask(&format!("{PASSWORD}\n"));
        assert_eq!(code, 0, "{shown}");
        assert!(shown.contains("root") && !shown.contains("battery"), "{shown}");
        assert!(!shown.contains("Password for"), "asked twice: {shown}");
        let (code, shown) = ask("wrong\n");
        assert_eq!(code, 1, "{shown}");
        assert!(shown.contains("refused the password"), "{shown}");
        let (code, shown) = ask("\u{3}");
        assert_eq!(code, 130, "{shown}");

        let wrong = ["run", "*", "-n", "--sudo", "--sudo-password-file", "wrong", "--", "id"];
        let refused = home.squall(&wrong).code(1).says("refused the password");
        assert_eq!(refused.out(), "");
        let none = home.squall(&["run", "*", "-n", "--sudo", "true"]).code(1);
        assert!(none.err().contains("sudo there wants a password"), "{}", none.err());
        let _ = home.squall(&["run", "*", "--sudo-password-file", "wrong", "true"]).code(2);
        let gone = ["run", "*", "-n", "--sudo", "--sudo-password-file", "gone", "true"];
        let _ = home.squall(&gone).code(2).says("gone");

        let free = format!("echo 'fred ALL=(ALL) NOPASSWD: ALL' > {SUDOERS}");
        let _ = sudo(home, &["--", &free]).ok();
        let run = home.squall(&["run", "*", "-n", "--sudo", "id -un"]).ok();
        assert_eq!(run.out().matches("root").count(), 3);
        let line = home.command(&["run", "*", "--sudo", "--", "id -un"]);
        let (code, shown) = Terminal::start(&line, 24, 100).unwrap().finish();
        assert!(code == 0 && !shown.contains("Password"), "{shown}");
    });
}

#[test]
fn what_sudo_refuses_is_explained_and_what_it_began_is_stopped() {
    with_sudo("what_sudo_refuses_is_explained_and_what_it_began_is_stopped", |home| {
        let _ = sudo(home, &["-u", "2s", "--", "sleep 4721; true"]).code(1);
        e2e::until("what sudo began to be gone", || {
            let find = "grep -lsxz 4721 /proc/[0-9]*/cmdline; true";
            sudo(home, &["--literal", "--", find]).ok().out().is_empty().then_some(())
        });

        let spoil = format!(
            "case %h in n1) echo 'Defaults requiretty' >> {SUDOERS};; n2) rm {SUDOERS};; \
             n3) rm /usr/bin/sudo;; esac"
        );
        let _ = sudo(home, &["--", &spoil]).ok();
        let refused = sudo(home, &["--json", "--", "echo ran"]).code(1);
        for text in ["runs nothing without a terminal", "does not know this user", "is not there"] {
            assert!(refused.out().contains(text), "{text}: {}", refused.out());
        }
        assert!(!refused.out().contains("ran\""), "{}", refused.out());
    });
}
