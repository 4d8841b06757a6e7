//! Looking hosts up: what the files say, and what comes of it.

use std::path::{Path, PathBuf};
use std::process::Command;

use proptest::prelude::*;

use super::super::verdict::{Shown, Verdict, judge};
use super::{HostName, KnownHosts};
use crate::keys::{PublicKey, generate};

// Made by ssh-keygen for these tests; they open nothing.
const ONE: &str =
    "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIA2txNUv2AdQnIOYcV2WiKLkOYGZohas3oJr7ec4UYPH";
const TWO: &str =
    "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIO0p9Jgs5DiWH9aHDpqhwNHiAmhwwnmHSATUJ8GcIUAS";

fn parse(text: &str) -> KnownHosts {
    let text = text.replace("ONE", ONE).replace("TWO", TWO);
    KnownHosts::parse(&text, Path::new("known"))
}

fn verdict(known: &KnownHosts, host: &str, port: u16, key: &str) -> String {
    let name = HostName::new(host, port);
    let key = PublicKey::parse(key).unwrap();
    match judge(&known.look_up(&name), &name, Shown { key: &key, certificate: None }, 0) {
        Verdict::Accepted => "accepted".into(),
        Verdict::Unknown => "unknown".into(),
        Verdict::Changed { expected } => {
            let places: Vec<String> = expected.iter().map(|key| key.place.to_string()).collect();
            format!("changed {}", places.join(" "))
        }
        Verdict::Revoked { at } => format!("revoked {at}"),
        Verdict::BadCertificate(problem) => format!("bad {problem}"),
    }
}

#[test]
fn what_the_lines_say_is_what_hosts_may_show() {
    let table = [
        ("a ONE", "a", 22, "accepted"),
        ("a ONE", "A", 22, "accepted"),
        ("A ONE", "a", 22, "accepted"),
        ("a ONE", "b", 22, "unknown"),
        ("a TWO", "a", 22, "changed known:1"),
        ("# a ONE\n\na,b TWO\na TWO", "a", 22, "changed known:3 known:4"),
        ("a TWO\nb,a ONE", "a", 22, "accepted"),
        ("*.x ONE", "a.x", 22, "accepted"),
        ("*.x,!a.x ONE", "a.x", 22, "unknown"),
        ("*.x TWO\na.x ONE", "a.x", 22, "accepted"),
        ("10.0.0.? ONE", "10.0.0.7", 22, "accepted"),
        ("::1 ONE", "::1", 22, "accepted"),
        // A port that is not ssh's own stands in the name; a key of the bare
        // name counts, another one there is no reason for distrust.
        ("[a]:2222 ONE", "a", 2222, "accepted"),
        ("[a]:2222 ONE", "a", 22, "unknown"),
        ("[a]:2222 TWO", "a", 2222, "changed known:1"),
        ("a ONE", "a", 2222, "accepted"),
        ("a TWO", "a", 2222, "unknown"),
        ("a ONE\n[a]:2222 TWO", "a", 2222, "changed known:2"),
        ("a TWO\n[a]:2222 ONE", "a", 2222, "accepted"),
        ("[*]:2222 ONE", "a", 2222, "accepted"),
        ("[::1]:2222 ONE", "::1", 2222, "accepted"),
        // Revocation wins wherever it stands.
        ("a ONE\n@revoked * ONE", "a", 22, "revoked known:2"),
        ("@revoked a ONE\na ONE", "a", 22, "revoked known:1"),
        ("@revoked a ONE", "a", 2222, "revoked known:1"),
        ("@revoked b ONE\na ONE", "a", 22, "accepted"),
        ("@revoked a TWO\na ONE", "a", 22, "accepted"),
        // An authority is no host.
        ("@cert-authority a ONE", "a", 22, "unknown"),
        ("", "a", 22, "unknown"),
    ];
    for (text, host, port, expected) in table {
        assert_eq!(verdict(&parse(text), host, port, ONE), expected, "{text:?} {host}:{port}");
    }
}

#[test]
fn aliases_take_no_port() {
    let known = parse("node-7 ONE");
    assert_eq!(known.look_up(&HostName::alias("Node-7")).keys.len(), 1);
}

#[test]
fn a_line_that_cannot_be_read_is_noted_and_spoils_no_other() {
    let known = parse("a ONE\nb nonsense\n@what c ONE\nd ONE");
    let notes: Vec<String> =
        known.notes().iter().map(|note| format!("{}: {}", note.place, note.text)).collect();
    assert_eq!(notes, ["known:2: the key is missing", "known:3: `@what` is no marker"]);
    assert_eq!(verdict(&known, "d", 22, ONE), "accepted");
}

#[test]
fn files_that_ssh_keygen_hashed_are_understood() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("known_hosts");
    std::fs::write(&file, format!("a.example {ONE}\n[b.example]:2222 {TWO}\n")).unwrap();
    let Ok(output) = Command::new("ssh-keygen").arg("-H").arg("-f").arg(&file).output() else {
        return;
    };
    assert!(output.status.success());
    let text = std::fs::read_to_string(&file).unwrap();
    assert!(text.starts_with("|1|") && !text.contains("example"), "{text}");
    let known = KnownHosts::read(std::slice::from_ref(&file), &[]);
    assert_eq!(verdict(&known, "A.example", 22, ONE), "accepted");
    assert_eq!(verdict(&known, "b.example", 2222, TWO), "accepted");
    assert_eq!(verdict(&known, "b.example", 2222, ONE), format!("changed {}:2", file.display()));
    assert_eq!(verdict(&known, "c.example", 22, ONE), "unknown");

    // A hashed file gets hashed lines, and ssh-keygen finds them.
    known.record(&HostName::new("c.example", 2022), &PublicKey::parse(ONE).unwrap()).unwrap();
    assert!(!std::fs::read_to_string(&file).unwrap().contains("c.example"));
    let mut find = Command::new("ssh-keygen");
    let found = find.arg("-F").arg("[c.example]:2022").arg("-f").arg(&file).output().unwrap();
    assert!(found.status.success(), "{found:?}");
}

#[test]
fn a_new_host_is_recorded_once_for_all() {
    use std::os::unix::fs::PermissionsExt;
    let home = tempfile::tempdir().unwrap();
    let file = home.path().join("ssh/known_hosts");
    let known = KnownHosts::read(std::slice::from_ref(&file), &[PathBuf::from("/nowhere")]);
    let key = PublicKey::parse(ONE).unwrap();
    std::thread::scope(|scope| {
        for number in 0..8 {
            let (known, key) = (&known, &key);
            scope.spawn(move || {
                known.record(&HostName::new(&format!("h{number}"), 22), key).unwrap();
                known.record(&HostName::new("same", 22), key).unwrap();
            });
        }
    });
    let text = std::fs::read_to_string(&file).unwrap();
    assert_eq!(text.lines().count(), 9, "{text}");
    assert!(text.lines().all(|line| line.ends_with(ONE)), "{text}");
    assert_eq!(file.metadata().unwrap().permissions().mode() & 0o777, 0o600);
    assert_eq!(verdict(&known, "h3", 22, ONE), "accepted");
    assert_eq!(
        verdict(&known, "h3", 22, TWO),
        format!("changed {}:{}", file.display(), {
            1 + text.lines().position(|line| line.starts_with("h3 ")).unwrap()
        })
    );
}

#[test]
fn a_line_without_its_end_stays_whole_and_another_key_is_not_added() {
    let home = tempfile::tempdir().unwrap();
    let file = home.path().join("known_hosts");
    std::fs::write(&file, "").unwrap();
    let known = KnownHosts::read(std::slice::from_ref(&file), &[]);
    // Somebody else writes meanwhile.
    std::fs::write(&file, format!("a {TWO}")).unwrap();
    let key = PublicKey::parse(ONE).unwrap();
    let error = known.record(&HostName::new("a", 22), &key).unwrap_err();
    assert!(error.to_string().contains("meanwhile"), "{error}");
    known.record(&HostName::new("b", 22), &key).unwrap();
    let text = std::fs::read_to_string(&file).unwrap();
    assert_eq!(text, format!("a {TWO}\nb {ONE}\n"));
}

/// What a list of patterns means, said slowly: the index must agree.
fn naive_names(list: &str, name: &str) -> bool {
    fn one(pattern: &[u8], text: &[u8]) -> bool {
        match pattern.split_first() {
            None => text.is_empty(),
            Some((b'*', rest)) => (0..=text.len()).any(|from| one(rest, &text[from..])),
            Some((b'?', rest)) => !text.is_empty() && one(rest, &text[1..]),
            Some((byte, rest)) => text.first() == Some(byte) && one(rest, &text[1..]),
        }
    }
    let is_out = |word: &str| {
        word.strip_prefix('!').is_some_and(|word| one(word.as_bytes(), name.as_bytes()))
    };
    let is_in = |word: &str| !word.starts_with('!') && one(word.as_bytes(), name.as_bytes());
    !list.split(',').any(is_out) && list.split(',').any(is_in)
}

proptest! {
    #[test]
    fn the_index_agrees_with_a_search_through_all_lines(
        lists in proptest::collection::vec("(!?[ab?*]{1,3})(,!?[ab?*]{1,3}){0,2}", 1..8),
        name in "[ab]{1,3}",
    ) {
        let pair = generate("x").unwrap();
        let key = pair.public.bare_line();
        let text: String = lists.iter().map(|list| format!("{list} {key}\n")).collect();
        let known = KnownHosts::parse(&text, Path::new("k"));
        let found: Vec<usize> = known
            .look_up(&HostName::new(&name, 22))
            .keys
            .iter()
            .map(|key| key.place.line)
            .collect();
        let expected: Vec<usize> = lists
            .iter()
            .enumerate()
            .filter(|(_, list)| naive_names(list, &name))
            .map(|(at, _)| at + 1)
            .collect();
        prop_assert_eq!(found, expected);
    }
}

#[test]
fn a_file_that_keeps_nothing_is_no_obstacle() {
    let known = KnownHosts::read(&["/dev/null".into()], &[]);
    let key = PublicKey::parse(ONE).unwrap();
    known.record(&HostName::new("a", 22), &key).unwrap();
    assert_eq!(known.look_up(&HostName::new("a", 22)).keys.len(), 1);
}
