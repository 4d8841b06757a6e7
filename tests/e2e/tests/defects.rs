//! What users of DustCluster met, shown absent. The numbers are those of the
//! list of its defects that this project keeps.

use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use e2e::lab::{Plan, Server, Trust};
use e2e::{Site, Terminal};
use rustix::process::Signal;

fn sorted(text: &str) -> Vec<String> {
    let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
    lines.sort();
    lines
}

#[test]
fn defect_1_one_unreachable_node_does_not_abort_the_others() {
    let Some(mut site) = Site::new("defect_1", Plan::alike(3, 1)) else { return };
    site.lab.kill(1);
    let finished = site.squall("run", &["*", "--", "echo ran"]).code(1);
    assert_eq!(sorted(&finished.out()), ["n1: ran", "n3: ran"]);
    assert!(finished.err().contains("1 of 3 nodes"), "{}", finished.err());
    assert!(finished.err().contains("not reached (refused): n2"), "{}", finished.err());
}

#[test]
fn defect_2_connects_run_at_once_and_a_dead_address_holds_up_nobody() {
    let Some(site) = Site::new("defect_2", Plan::alike(2, 16)) else { return };
    // A machine that takes the connection and never says a word, first in line.
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = silent.local_addr().unwrap();
    let hosts = std::fs::read_to_string(site.lab.file("hosts")).unwrap();
    let dead = format!("a0 address={} port={}\n", address.ip(), address.port());
    std::fs::write(site.lab.file("hosts"), dead + &hosts).unwrap();

    // Every node waits until all of the others are there: one after the other
    // they would wait in vain.
    let all = site.lab.path().join("nodes");
    let meet = format!(
        "touch up; until [ $(ls {}/*/up | wc -l) = 32 ]; do sleep 0.05; done; echo met",
        all.display()
    );
    let words = ["--json", "--connect-timeout", "3s", "--timeout", "60s", "*", "--", &meet];
    let finished = site.squall("run", &words).code(1);
    let events = finished.out();
    assert_eq!(events.matches("\"met\"").count(), 32, "{events}");
    // The dead one ends last: nobody waited for it.
    let about_a0 = |line: &str| line.contains("\"a0\"") && line.contains("finished");
    let finishes: Vec<&str> = events.lines().filter(|line| line.contains("finished")).collect();
    let place = finishes.iter().position(|line| about_a0(line));
    assert_eq!(place, Some(32), "{events}");
}

#[test]
fn defect_3_a_host_key_that_is_not_the_known_one_is_never_accepted() {
    let strangers = [Trust::Changed, Trust::Unknown, Trust::Revoked];
    let servers = strangers.map(|trust| Server { trust, ..Server::default() }).into();
    let Some(site) = Site::new("defect_3", Plan::of(servers)) else { return };
    let finished = site.squall("run", &["*", "--", "echo in"]).code(1);
    assert_eq!(finished.out(), "");
    for server in 0..3 {
        assert!(!site.lab.log(server).contains("Accepted"), "{}", site.lab.log(server));
    }
}

#[test]
fn defect_4_a_chatty_node_silences_nobody() {
    let Some(site) = Site::new("defect_4", Plan::alike(2, 1)) else { return };
    let command = "test -e chatty && exec yes; for i in 1 2 3; do echo said $i; sleep 0.3; done";
    std::fs::write(site.lab.home(0).join("chatty"), "").unwrap();
    let mut run = site.watch("run", &["*", "--", command]);
    let (mut noise, mut said, mut peak_kib) = (0_u64, 0, 0);
    while said < 3 {
        let line = run.line().expect("the chatty node never ends");
        match line.strip_prefix(b"n2: said ") {
            Some(_) => said += 1,
            None => noise += 1,
        }
        if noise % 10_000 == 0 {
            peak_kib = peak_kib.max(run.peak_kib().unwrap_or(0));
        }
    }
    assert!(noise > 10_000, "{noise} lines");
    assert!((1..64 * 1024).contains(&peak_kib), "{peak_kib} KiB");
    run.signal(Signal::INT);
    assert_eq!(run.finish(), Some(130));
}

#[test]
fn defect_5_a_broken_character_ends_nothing() {
    let Some(site) = Site::new("defect_5", Plan::alike(1, 2)) else { return };
    // 1023 letters and then a character of two bytes: split where reads of a
    // kilobyte split it; and bytes that are no characters at all.
    let command = "printf '%01023dä\\n' 0; printf '\\377\\376\\n'; echo after";
    let printed = site.squall("run", &["*", "--", command]).ok().stdout;
    for node in ["n1", "n2"] {
        let long = format!("{node}: {:01023}ä\n", 0).into_bytes();
        let broken = [format!("{node}: ").as_bytes(), b"\xff\xfe\n"].concat();
        let after = format!("{node}: after\n").into_bytes();
        for line in [long, broken, after] {
            assert!(printed.windows(line.len()).any(|window| window == line), "{node}: {line:?}");
        }
    }
}

#[test]
fn defect_6_codes_failures_and_streams_are_told_and_equal_output_is_folded() {
    let Some(site) = Site::new("defect_6", Plan::alike(1, 4)) else { return };
    std::fs::write(site.lab.home(1).join("code"), "3").unwrap();
    std::fs::write(site.lab.home(3).join("code"), "7").unwrap();
    let command = "echo out; echo err >&2; exit $(cat code 2>/dev/null || echo 0)";
    let finished = site.squall("run", &["*", "--", command]).code(1);
    assert_eq!(sorted(&finished.out()), ["n1: out", "n2: out", "n3: out", "n4: out"]);
    let said = finished.err();
    assert_eq!(said.lines().filter(|line| line.ends_with(": err")).count(), 4, "{said}");
    assert!(said.contains("2 of 4 nodes failed"), "{said}");
    assert!(said.contains("exit code 3: n2") && said.contains("exit code 7: n4"), "{said}");

    let _ = site.squall("run", &["-S", "*", "--", command]).code(7);
    let folded = site.squall("run", &["-b", "*", "--", "echo same"]).ok().out();
    assert!(folded.contains("n[1-4]"), "{folded}");
    assert_eq!(folded.matches("same").count(), 1, "{folded}");
}

/// A sudo that takes one password, and keeps it where no node's home is.
const SUDO: &str = "\
#!/bin/sh
prompt=$3
while [ \"$1\" != -- ]; do shift; done
shift
printf %s \"$prompt\" >&2
IFS= read -r password
if [ \"$password\" != open-sesame-4711 ]; then
    echo 'sudo: 1 incorrect password attempt' >&2
    exit 1
fi
exec \"$@\"
";
/// What it takes.
const PASSWORD: &str = "open-sesame-4711";

#[test]
fn defect_11_a_password_answered_is_neither_echoed_nor_stored() {
    let path = "SetEnv SHLVL=5 PATH=@LAB@/bin:/usr/local/bin:/usr/bin:/bin";
    let server = Server { addresses: 3, ..Server::with(&[path]) };
    let Some(site) = Site::new("defect_11", Plan::of(vec![server])) else { return };
    let sudo = site.lab.path().join("bin/sudo");
    std::fs::create_dir(site.lab.path().join("bin")).unwrap();
    std::fs::write(&sudo, SUDO).unwrap();
    std::fs::set_permissions(&sudo, std::fs::Permissions::from_mode(0o755)).unwrap();

    // What a command sees of it, in its environment and arguments and those of
    // everything above it, is written down on the node.
    let seen = "cat /proc/[0-9]*/cmdline /proc/[0-9]*/environ > seen 2>/dev/null; echo ran";
    let words = site.words("run", &["--sudo", "*", "--", seen]);
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    let mut terminal = Terminal::start(&site.home.command(&words), 24, 80).unwrap();
    let asked = terminal.expect("assword");
    terminal.send(&format!("{PASSWORD}\r")).unwrap();
    let (code, shown) = terminal.finish();
    assert_eq!(code, 0, "{shown}");
    assert_eq!(shown.matches(" ran").count(), 3, "{shown}");
    assert!(!asked.contains(PASSWORD) && !shown.contains(PASSWORD), "{shown}");
    assert!(!shown.contains("assword"), "asked again: {shown}");

    let homes = site.lab.path().join("nodes");
    for place in [site.home.squall_home(), site.home.work(), homes] {
        let found = files(&place).into_iter().find(|file| holds(file, PASSWORD.as_bytes()));
        assert_eq!(found, None);
    }
    assert!(!site.lab.log(0).contains(PASSWORD));
}

/// All files below a directory.
fn files(directory: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(directory).into_iter().flatten().flatten() {
        let path = entry.path();
        match entry.file_type() {
            Ok(kind) if kind.is_dir() => found.extend(files(&path)),
            Ok(kind) if kind.is_file() => found.push(path),
            _ => {}
        }
    }
    found
}

fn holds(file: &Path, needle: &[u8]) -> bool {
    let bytes = std::fs::read(file).unwrap_or_default();
    bytes.windows(needle.len()).any(|window| window == needle)
}
