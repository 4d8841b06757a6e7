//! `put` and `get` through the built binary: what is copied arrives whole and
//! verified, or not at all and with a reason; and plain ssh tools work, too.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use std::ffi::OsStr;
use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{MetadataExt, PermissionsExt, chown, symlink};
use std::path::Path;

use e2e::{Home, Who, with_home};
use rustix::process::Signal;

const THREE: &str = "\
cloud: {provider: local}
cluster: {name: three}
nodes:
- {nodename: n, count: 3, instance_type: local.nano}
";

/// Enough to be interrupted in, and no more: the disk is everybody's.
const HUGE: u64 = 150_000_000;

fn noise(length: usize) -> Vec<u8> {
    let mut state = 0x2545_f491_4f6c_dd1d_u64;
    std::iter::repeat_with(|| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state.to_le_bytes()[3]
    })
    .take(length)
    .collect()
}

/// Makes everything below a path belong to whoever runs squall.
fn give(home: &Home, path: &Path) {
    let owner = fs::metadata(home.work()).unwrap();
    let _ = std::os::unix::fs::lchown(path, Some(owner.uid()), Some(owner.gid()));
    if fs::symlink_metadata(path).unwrap().is_dir() {
        let _ = chown(path, Some(owner.uid()), Some(owner.gid()));
        for entry in fs::read_dir(path).unwrap() {
            give(home, &entry.unwrap().path());
        }
    }
}

/// Path, kind, mode, time and content of everything below.
fn shown(root: &Path) -> Vec<String> {
    let mut found = Vec::new();
    let mut left = vec![root.to_owned()];
    while let Some(path) = left.pop() {
        let metadata = fs::symlink_metadata(&path).unwrap();
        let name = path.strip_prefix(root).unwrap().as_os_str().as_bytes().escape_ascii();
        let (mode, at) = (metadata.mode(), metadata.mtime());
        found.push(if metadata.is_dir() {
            left.extend(fs::read_dir(&path).unwrap().map(|entry| entry.unwrap().path()));
            format!("{name} {mode:o} {at}")
        } else if metadata.is_symlink() {
            format!("{name} -> {}", fs::read_link(&path).unwrap().display())
        } else {
            let sum: u64 = fs::read(&path).unwrap().iter().map(|byte| u64::from(*byte)).sum();
            format!("{name} {mode:o} {at} {} {sum}", metadata.len())
        });
    }
    found.sort();
    found
}

fn make_tree(home: &Home) {
    let root = home.work().join("tree");
    fs::create_dir_all(root.join("empty/er")).unwrap();
    fs::create_dir_all(root.join("sub")).unwrap();
    let names: [&[u8]; 5] = [b"new\nline", b"a blank", b"quote'\"", b"-dash", b"not-utf8-\xff"];
    for (at, name) in names.iter().enumerate() {
        let path = root.join("sub").join(OsStr::from_bytes(name));
        fs::write(&path, noise(at * 40_000)).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o600 + u32::try_from(at).unwrap()))
            .unwrap();
    }
    fs::write(root.join("big"), noise(10_000_000)).unwrap();
    symlink("sub/-dash", root.join("link")).unwrap();
    fs::create_dir(root.join("closed")).unwrap();
    fs::write(root.join("closed/f"), "f").unwrap();
    give(home, &root);
    fs::set_permissions(root.join("closed"), fs::Permissions::from_mode(0o555)).unwrap();
}

fn copies(home: &Home) {
    home.file("three.yaml", THREE);
    let _ = home.squall(&["create", "three.yaml", "--yes"]).ok();
    make_tree(home);

    let put = home.squall(&["put", "tree", "n*"]).ok();
    assert!(put.out().starts_with("n[1-3]: 8 files copied"), "{}", put.out());
    let again = home.squall(&["put", "tree", "*", "~/"]).ok();
    assert_eq!(again.out(), "n[1-3]: 8 files unchanged\n");
    let run = home.squall(&[
        "run",
        "n2",
        "--",
        "cd tree && find . -type f -printf x | wc -c; readlink link",
    ]);
    assert_eq!(run.ok().out(), "n2: 7\nn2: sub/-dash\n");

    let got = home.squall(&["get", "~/tree", "n[1-2]", "back"]).ok();
    assert!(got.out().ends_with("in back/NODE/\n"), "{}", got.out());
    for node in ["n1", "n2"] {
        let back = home.work().join("back").join(node).join("tree");
        assert_eq!(shown(&back), shown(&home.work().join("tree")), "{node}");
    }
    assert!(!home.work().join("back/n3").exists());

    // A directory closed to writing is no hindrance, and stays closed.
    fs::write(home.work().join("tree/closed/f"), "another").unwrap();
    let again = home.squall(&["put", "tree", "n1"]).ok();
    assert!(
        again.out().starts_with("n1: 1 file copied (7 B), 7 files unchanged"),
        "{}",
        again.out()
    );
    let _ = home.squall(&["get", "tree", "n1", "back"]).ok();
    let back = home.work().join("back/n1/tree");
    assert_eq!(shown(&back), shown(&home.work().join("tree")));

    // Globs of both sides, quoted; one node has a directory of its own, too.
    home.file("one.txt", "one\n");
    home.file("two.txt", "two\n");
    let _ = home.squall(&["put", "*.txt", "n3", "/tmp"]).ok();
    let _ = home.squall(&["get", "/tmp/*.txt", "n3"]).ok();
    assert_eq!(fs::read_to_string(home.work().join("n3/two.txt")).unwrap(), "two\n");

    refusals(home);
    machine_readable(home);
    plain_tools(home);
    interrupted(home);
}

fn refusals(home: &Home) {
    let missing = home.squall(&["put", "one.txt", "n*", "/srv/no/where"]).code(1);
    assert!(missing.err().contains("n[1-3]: /srv/no/where: there is no such"), "{}", missing.err());
    let _ = home.squall(&["put", "-p", "one.txt", "n*", "/srv/no/where"]).ok();
    let _ = home
        .squall(&["run", "n2", "--", "rm /srv/no/where/one.txt; mkdir /srv/no/where/one.txt"])
        .ok();
    home.file("one.txt", "changed\n");
    let blocked = home.squall(&["put", "one.txt", "n*", "/srv/no/where"]).code(1);
    assert!(
        blocked.err().contains("n2: /srv/no/where/one.txt: is a directory"),
        "{}",
        blocked.err()
    );
    assert!(blocked.out().contains("n[1,3]: 1 file copied"), "{}", blocked.out());

    let nothing = home.squall(&["put", "no*such", "missing.txt", "n*"]).code(1);
    assert!(nothing.err().contains("nothing matches"), "{}", nothing.err());
    assert!(nothing.err().contains("missing.txt: no such file"), "{}", nothing.err());
    let order = home.squall(&["get", "n1", "/etc/hostname"]).code(2);
    assert!(order.err().contains("squall get /etc/hostname n1"), "{}", order.err());
    let absent = home.squall(&["get", "/no/such", "n1"]).code(1);
    assert!(absent.err().contains("no such file"), "{}", absent.err());
    let _ = home.squall(&["put", "one.txt", "nobody"]).code(3);

    let looked = home.squall(&["put", "-n", "one.txt", "two.txt", "n[1-2]", "/opt"]).ok();
    assert!(looked.out().contains("n[1-2]: would make /opt/two.txt"), "{}", looked.out());
    let still = home.squall(&["run", "n1", "--", "ls /opt/two.txt"]).code(1);
    assert!(still.out().is_empty());
}

fn machine_readable(home: &Home) {
    let put = home.squall(&["put", "--json", "two.txt", "n*", "/opt"]).ok().out();
    let lines: Vec<serde_json::Value> =
        put.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let files = lines.iter().filter(|line| line["event"] == "file");
    assert_eq!(files.filter(|line| line["result"] == "copied").count(), 3, "{put}");
    let summary = lines.last().unwrap();
    assert_eq!(
        (&summary["kind"], &summary["success"], &summary["node_count"]),
        (&"copy-summary".into(), &true.into(), &3.into())
    );
}

/// scp and sftp of the host against the nodes' servers.
fn plain_tools(home: &Home) {
    let config = home.squall(&["ssh-config", "three"]).ok().out();
    let config = home.file("ssh_config", &config);
    let scp = Path::new("/usr/bin/scp");
    if !scp.exists() {
        return testkit::skip("e2e/scp", "this machine has no /usr/bin/scp");
    }
    let config = config.display().to_string();
    for arguments in [
        ["-F", &config, "-p", "tree/big", "n1:/opt/by-scp"],
        ["-F", &config, "-p", "n1:/opt/by-scp", "by-scp"],
    ] {
        let output = home.program(scp, &arguments).output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    }
    assert!(fs::read(home.work().join("by-scp")).unwrap() == noise(10_000_000));
}

fn interrupted(home: &Home) {
    let big = home.work().join("huge");
    let file = fs::File::create(&big).unwrap();
    file.set_len(HUGE).unwrap();
    give(home, &big);
    let put = home.start(&["put", "huge", "n1", "/opt"]);
    let part = "ls /opt/.huge.squall-*.part";
    e2e::until("a part on the node", || {
        let seen = home.squall(&["run", "n1", "--", part]);
        (seen.code == 0).then_some(())
    });
    put.signal(Signal::INT);
    let stopped = put.finish().code(130);
    assert!(stopped.err().contains("/opt/.huge.squall-"), "{}", stopped.err());
    let _ = home.squall(&["run", "n1", "--", &format!("{part} && ! ls /opt/huge")]).ok();
    let _ = home.squall(&["put", "huge", "n1", "/opt"]).ok();
    let size = home.squall(&["run", "n1", "--", "stat -c %s /opt/huge; ls -A /opt | grep -c part"]);
    assert_eq!(size.code(1).out(), format!("n1: {HUGE}\nn1: 0\n"));
}

#[test]
fn copies_as_root() {
    with_home("copies_as_root", Who::Root, copies);
}

#[test]
fn copies_as_user() {
    with_home("copies_as_user", Who::User, copies);
}
