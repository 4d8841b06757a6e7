//! Copying to and from real servers: whatever is copied arrives whole, or not
//! at all and with a reason.

use std::ffi::OsStr;
use std::fs;
use std::io::{Read, Seek, SeekFrom};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};
use std::path::{Path, PathBuf};

use transport::Target;
use transport::copy::{
    self, CopyEnd, CopyEventKind, CopyFailureKind, CopyOptions, CopyReport, CopySummary, GetPlan,
    ItemEnd, PutPlan,
};
use transport::fanout::Stop;

use crate::support::{Server, current_user, direct, free_address, noise, servers, skip};

pub(crate) async fn put_with(
    targets: Vec<Target>,
    files: &[PathBuf],
    directory: &Path,
    options: CopyOptions,
) -> CopySummary {
    let plan = PutPlan::look(files, Some(directory.as_os_str())).unwrap();
    copy::put(direct(), targets, plan, options, Stop::default()).summary().await
}

pub(crate) async fn put(server: &Server, files: &[PathBuf], directory: &Path) -> CopySummary {
    put_with(vec![server.target("n1")], files, directory, CopyOptions::default()).await
}

pub(crate) async fn get(server: &Server, file: &Path, directory: &Path) -> CopySummary {
    let plan = GetPlan::new(file.as_os_str(), directory.to_owned());
    let targets = vec![server.target("n1")];
    copy::get(direct(), targets, plan, CopyOptions::default(), Stop::default()).summary().await
}

#[track_caller]
pub(crate) fn only(summary: &CopySummary) -> (&CopyEnd, &CopyReport) {
    assert_eq!(summary.nodes.len(), 1);
    (&summary.nodes[0].outcome.end, &summary.nodes[0].outcome.report)
}

/// Everything below a directory: path, mode, time, and content or target.
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

fn age(path: &Path, seconds: u64) {
    let at = std::time::UNIX_EPOCH + std::time::Duration::from_secs(seconds);
    fs::File::open(path).unwrap().set_modified(at).unwrap();
}

fn tree() -> tempfile::TempDir {
    let directory = tempfile::tempdir().unwrap();
    let root = directory.path().join("tree");
    fs::create_dir_all(root.join("empty")).unwrap();
    fs::create_dir_all(root.join("deep/er/still")).unwrap();
    let names: [&[u8]; 6] =
        [b"new\nline", b"a blank", b"quote'\"", b"-dash", b"not-utf8-\xff\xfe", b"back\\slash"];
    for (at, name) in names.iter().enumerate() {
        let path = root.join("deep").join(OsStr::from_bytes(name));
        fs::write(&path, noise(1000 * at)).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o600 + at as u32)).unwrap();
        age(&path, 1_000_000_000 + at as u64);
    }
    fs::write(root.join("deep/er/still/ten"), noise(10_000_000)).unwrap();
    fs::write(root.join("one"), "1").unwrap();
    symlink("deep/er", root.join("link")).unwrap();
    symlink("/no/where", root.join("dead")).unwrap();
    for name in ["deep/er/still", "deep/er", "deep", "empty", ""] {
        fs::set_permissions(root.join(name), fs::Permissions::from_mode(0o751)).unwrap();
        age(&root.join(name), 1_100_000_000);
    }
    directory
}

#[tokio::test]
async fn a_tree_goes_there_and_comes_back_as_it_was() {
    for (kind, server) in servers() {
        let local = tree();
        let (there, back) = (server.path("there"), server.path("back"));
        fs::create_dir(&there).unwrap();
        let files = [local.path().join("tree")];
        let summary = put(&server, &files, &there).await;
        assert_eq!(only(&summary).0, &CopyEnd::Done, "{kind:?} {summary:?}");
        assert_eq!(only(&summary).1.copied, 10, "{kind:?}");
        assert_eq!(shown(&there.join("tree")), shown(&files[0]), "{kind:?}");

        let again = put(&server, &files, &there).await;
        let (end, report) = only(&again);
        assert_eq!(
            (end, report.copied, report.unchanged, report.bytes),
            (&CopyEnd::Done, 0, 10, 0)
        );
        let options = CopyOptions { checksum: true, ..CopyOptions::default() };
        age(&there.join("tree/one"), 5);
        let again = put_with(vec![server.target("n1")], &files, &there, options).await;
        assert_eq!((only(&again).1.copied, only(&again).1.unchanged), (0, 10), "{kind:?}");
        assert_eq!(shown(&there.join("tree")), shown(&files[0]), "{kind:?}: times too");

        let summary = get(&server, &there.join("tree"), &back).await;
        assert_eq!(only(&summary).0, &CopyEnd::Done, "{kind:?} {summary:?}");
        assert_eq!(shown(&back.join("n1/tree")), shown(&files[0]), "{kind:?}");
        let again = get(&server, &there.join("tree"), &back).await;
        assert_eq!((only(&again).1.bytes, only(&again).1.unchanged), (0, 8), "{kind:?}");
    }
}

#[tokio::test]
async fn a_copy_that_was_cut_goes_on_where_it_stopped() {
    for (kind, server) in servers() {
        let there = server.path("there");
        fs::create_dir(&there).unwrap();
        let file = server.path("big");
        fs::write(&file, noise(12_000_000)).unwrap();
        let files = [file.clone()];
        let stop = Stop::default();
        let plan = PutPlan::look(&files, Some(there.as_os_str())).unwrap();
        let targets = vec![server.target("n1")];
        let copying = copy::put(direct(), targets, plan, CopyOptions::default(), stop.clone());
        let cut_after = 500_000 + u64::from(std::process::id()) % 4_000_000;
        while copying.meter.moved() < cut_after {
            tokio::task::yield_now().await;
        }
        stop.cancel.cancel();
        let cut = copying.summary().await;
        let (end, report) = only(&cut);
        assert_eq!(end, &CopyEnd::Cancelled { started: true }, "{kind:?} after {cut_after}");
        assert_eq!(report.parts_left.len(), 1, "{kind:?} {report:?}");
        let part = PathBuf::from(OsStr::from_bytes(&report.parts_left[0]));
        assert!(!there.join("big").exists() && part.exists(), "{kind:?}");
        // What was on its way may still arrive.
        let summary = put(&server, &files, &there).await;
        let (end, report) = only(&summary);
        assert_eq!(end, &CopyEnd::Done, "{kind:?} {summary:?}");
        assert!(report.resumed_bytes > 0, "{kind:?} {report:?}");
        assert!(report.bytes + report.resumed_bytes >= 12_000_000, "{kind:?} {report:?}");
        assert!(fs::read(there.join("big")).unwrap() == noise(12_000_000), "{kind:?}");
        assert!(!part.exists());

        // The same with a beginning that was spoilt: it is sent anew.
        fs::remove_file(there.join("big")).unwrap();
        fs::write(&part, vec![0; 3_000_000]).unwrap();
        let summary = put(&server, &files, &there).await;
        assert_eq!((only(&summary).0, only(&summary).1.resumed_bytes), (&CopyEnd::Done, 0));
        assert!(fs::read(there.join("big")).unwrap() == noise(12_000_000), "{kind:?}");
    }
}

#[tokio::test]
async fn a_get_that_was_cut_goes_on_where_it_stopped() {
    for (kind, server) in servers() {
        let (file, back) = (server.path("big"), server.path("back"));
        fs::write(&file, noise(12_000_000)).unwrap();
        let stop = Stop::default();
        let plan = GetPlan::new(file.as_os_str(), back.clone());
        let targets = vec![server.target("n1")];
        let copying = copy::get(direct(), targets, plan, CopyOptions::default(), stop.clone());
        while copying.meter.moved() < 1_500_000 {
            tokio::task::yield_now().await;
        }
        stop.cancel.cancel();
        let cut = copying.summary().await;
        let left = only(&cut).1.parts_left.clone();
        assert_eq!(left.len(), 1, "{kind:?}");
        let part = PathBuf::from(OsStr::from_bytes(&left[0]));
        assert!(part.exists(), "{kind:?} {}", part.display());
        let summary = get(&server, &file, &back).await;
        let (end, report) = only(&summary);
        assert!(end == &CopyEnd::Done && report.resumed_bytes > 0, "{kind:?} {summary:?}");
        assert!(fs::read(back.join("n1/big")).unwrap() == noise(12_000_000), "{kind:?}");

        fs::remove_file(back.join("n1/big")).unwrap();
        fs::write(&part, vec![0; 3_000_000]).unwrap();
        let summary = get(&server, &file, &back).await;
        assert_eq!(only(&summary).0, &CopyEnd::Done, "{kind:?} {summary:?}");
        assert!(fs::read(back.join("n1/big")).unwrap() == noise(12_000_000), "{kind:?}");
        assert!(!part.exists());
    }
}

#[tokio::test]
async fn a_destination_is_replaced_at_once_and_its_readers_keep_the_old() {
    for (kind, server) in servers() {
        let there = server.path("there");
        fs::create_dir(&there).unwrap();
        fs::write(there.join("f"), noise(4_000_000)).unwrap();
        let mut reader = fs::File::open(there.join("f")).unwrap();
        let file = server.path("f");
        fs::write(&file, "new").unwrap();
        let summary = put(&server, &[file], &there).await;
        assert_eq!(only(&summary).0, &CopyEnd::Done, "{kind:?} {summary:?}");
        let mut old = Vec::new();
        reader.seek(SeekFrom::Start(0)).unwrap();
        reader.read_to_end(&mut old).unwrap();
        assert!(old == noise(4_000_000), "{kind:?}");
        assert_eq!(fs::read_to_string(there.join("f")).unwrap(), "new");
        assert_eq!(fs::read_dir(&there).unwrap().count(), 1, "{kind:?}: nothing beside it");
    }
}

#[tokio::test]
async fn what_is_in_the_way_is_said_and_left_as_it_was() {
    for (kind, server) in servers() {
        let there = server.path("there");
        fs::create_dir_all(there.join("f")).unwrap();
        let file = server.path("f");
        fs::write(&file, "new").unwrap();
        let summary = put(&server, std::slice::from_ref(&file), &there).await;
        let (end, report) = only(&summary);
        assert_eq!(end, &CopyEnd::Failed, "{kind:?}");
        assert_eq!(report.failures[0].kind, CopyFailureKind::WrongKind, "{kind:?} {report:?}");
        assert!(report.parts_left.is_empty());
        let summary = put(&server, std::slice::from_ref(&file), &there.join("missing")).await;
        assert_eq!(only(&summary).1.failures[0].kind, CopyFailureKind::Missing, "{kind:?}");
        let plan =
            PutPlan::look(std::slice::from_ref(&file), Some(there.join("a/b/c").as_os_str()))
                .unwrap();
        let (plan, targets) = (plan.making_directory(true), vec![server.target("n1")]);
        let made = copy::put(direct(), targets, plan, CopyOptions::default(), Stop::default());
        assert_eq!(only(&made.summary().await).0, &CopyEnd::Done, "{kind:?}");
        assert!(there.join("a/b/c/f").exists());
        let summary = put(&server, std::slice::from_ref(&file), &file).await;
        assert_eq!(only(&summary).1.failures[0].text, "is not a directory", "{kind:?}");
        let summary = get(&server, &server.path("nothing*"), &there).await;
        assert_eq!(only(&summary).1.failures[0].text, "nothing matches", "{kind:?}");
    }
}

#[tokio::test]
async fn what_was_spoilt_on_the_node_is_found_and_removed() {
    let tools = tempfile::tempdir().unwrap();
    let spoil = "#!/bin/sh\nfor f; do printf x >> \"$f\"; done\nexec /usr/bin/sha256sum \"$@\"\n";
    fs::write(tools.path().join("sha256sum"), spoil).unwrap();
    let mode = fs::Permissions::from_mode(0o755);
    fs::set_permissions(tools.path().join("sha256sum"), mode).unwrap();
    let env = format!(r#"{{"PATH":"{}:/usr/bin:/bin"}}"#, tools.path().display());
    let server = Server::embedded_with(free_address(), &env);
    let there = server.path("there");
    fs::create_dir(&there).unwrap();
    fs::write(there.join("f"), "old").unwrap();
    let file = server.path("f");
    fs::write(&file, noise(100_000)).unwrap();
    let summary = put(&server, &[file], &there).await;
    let (end, report) = only(&summary);
    assert_eq!((end, report.failures[0].kind), (&CopyEnd::Failed, CopyFailureKind::Mismatch));
    assert_eq!(fs::read_to_string(there.join("f")).unwrap(), "old");
    assert_eq!(fs::read_dir(&there).unwrap().count(), 1, "{report:?}");
}

#[tokio::test]
async fn without_a_hash_tool_everything_is_read_back() {
    let tools = tempfile::tempdir().unwrap();
    let env = format!(r#"{{"PATH":"{}"}}"#, tools.path().display());
    let server = Server::embedded_with(free_address(), &env);
    let (there, back) = (server.path("there"), server.path("back"));
    fs::create_dir(&there).unwrap();
    let file = server.path("f");
    fs::write(&file, noise(3_000_000)).unwrap();
    for summary in
        [put(&server, &[file], &there).await, get(&server, &there.join("f"), &back).await]
    {
        let (end, report) = only(&summary);
        assert_eq!((end, report.notes.len()), (&CopyEnd::Done, 1), "{summary:?}");
    }
    assert!(fs::read(back.join("n1/f")).unwrap() == noise(3_000_000));
}

#[tokio::test]
async fn nodes_never_collide_and_globs_are_theirs() {
    let server = Server::embedded();
    for name in ["var/a/log", "var/b/log", "var/.hidden/log", "var/b/other"] {
        let path = server.path(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, name).unwrap();
    }
    let back = server.path("back");
    let targets: Vec<_> = ["n1", "n2", "../n3"].iter().map(|name| server.target(name)).collect();
    for pattern in ["var/*/log", "~/var/b/other"] {
        let plan = GetPlan::new(OsStr::new(pattern), back.clone());
        let options = CopyOptions::default();
        let got = copy::get(direct(), targets.clone(), plan, options, Stop::default());
        assert!(got.summary().await.all_succeeded());
    }
    let mut found: Vec<_> =
        shown(&back).iter().filter_map(|line| line.split(' ').next().map(String::from)).collect();
    found.retain(|path| path.matches('/').count() > 1 || path.ends_with("other"));
    let expected: Vec<String> = ["..%2Fn3", "n1", "n2"]
        .iter()
        .flat_map(|node| ["a/log", "b/log", "other"].map(|path| format!("{node}/{path}")))
        .collect();
    assert_eq!(found, expected);
}

#[tokio::test]
async fn looking_only_changes_nothing() {
    let server = Server::embedded();
    let (there, back) = (server.path("there"), server.path("back"));
    fs::create_dir(&there).unwrap();
    let local = tree();
    let before = shown(server.directory.path());
    let options = CopyOptions { dry_run: true, ..CopyOptions::default() };
    let files = [local.path().join("tree")];
    let plan = PutPlan::look(&files, Some(there.as_os_str())).unwrap();
    let (stop, targets) = (Stop::default(), vec![server.target("n1")]);
    let mut looked = copy::put(direct(), targets.clone(), plan, options.clone(), stop);
    let mut would = 0;
    while let Some(event) = looked.events.recv().await {
        if let CopyEventKind::Item { end: ItemEnd::WouldCopy { replaces, .. }, .. } = event.kind {
            assert!(!replaces);
            would += 1;
        }
    }
    assert_eq!(would, 10);
    assert!(looked.summary().await.all_succeeded());
    let plan = GetPlan::new(local.path().join("tree").as_os_str(), back);
    let looked = copy::get(direct(), targets, plan, options, Stop::default()).summary().await;
    assert_eq!((only(&looked).0, only(&looked).1.copied), (&CopyEnd::Done, 10));
    assert_eq!(shown(server.directory.path()), before);
}

#[tokio::test]
async fn a_full_disk_is_one_clear_error_and_nothing_is_left() {
    if current_user() != "root" {
        return skip("transport/disk", "only root may mount");
    }
    for (kind, server) in Server::with_disks("size=3m rw") {
        let there = server.path("disk/d");
        let files: Vec<PathBuf> = ["f", "g", "h"].map(|name| server.path(name)).to_vec();
        for file in &files {
            fs::write(file, noise(5_000_000)).unwrap();
        }
        let summary = put(&server, &files, &there).await;
        let (end, report) = only(&summary);
        assert_eq!((end, report.failed), (&CopyEnd::Failed, 1), "{kind:?} {report:?}");
        let failure = &report.failures[0];
        assert_eq!(failure.kind, CopyFailureKind::NoSpace, "{kind:?} {failure:?}");
        assert_eq!(failure.text, "no space left on device", "{kind:?}");
        assert!(report.parts_left.is_empty(), "{kind:?} {report:?}");
        let session = server.session().await;
        let look = format!("ls -A {0}; cat {0}/f", there.display());
        let seen = session.output(&look, transport::ExecOptions::default()).await.unwrap();
        assert_eq!(String::from_utf8_lossy(&seen.stdout), "f\nold\n", "{kind:?}");
    }
}

#[tokio::test]
async fn a_disk_that_cannot_be_written_is_said_so() {
    if current_user() != "root" {
        return skip("transport/disk", "only root may mount");
    }
    for (kind, server) in Server::with_disks("size=3m ro") {
        let file = server.path("f");
        fs::write(&file, "new").unwrap();
        let summary = put(&server, &[file], &server.path("disk/d")).await;
        let (end, report) = only(&summary);
        assert_eq!((end, report.failed), (&CopyEnd::Failed, 1), "{kind:?}");
        assert_eq!(report.failures[0].kind, CopyFailureKind::ReadOnly, "{kind:?} {report:?}");
    }
}

/// A server of files that gives names and data as it likes.
const HOSTILE: &str = r#"
import os, struct, sys
def read(n):
    b = b''
    while len(b) < n:
        c = sys.stdin.buffer.read(n - len(b))
        if not c: sys.exit(0)
        b += c
    return b
def s(b): return struct.pack('>I', len(b)) + b
def send(p): sys.stdout.buffer.write(s(p)); sys.stdout.buffer.flush()
def attrs(mode): return struct.pack('>IQII', 5, 3, mode, 0)[:16]
def entry(name, mode): return s(name) + s(name) + struct.pack('>IQI', 5, 3, mode)
DIR, FILE, LINK = 0o40777, 0o100666, 0o120777
TOP = [(b'../escaped', FILE), (b'/tmp/escaped', FILE), (b'..', DIR), (b'', FILE), (b'a/b', FILE),
       (b'way', LINK), (b'way', DIR), (b'good', FILE), (b'nul\0byte', FILE), (b'sub', DIR)]
listed = {}
while True:
    p = read(struct.unpack('>I', read(4))[0])
    kind, rest = p[0], p[5:]
    i = p[1:5]
    text = rest[4:4 + struct.unpack('>I', rest[:4])[0]] if len(rest) >= 4 else b''
    if kind == 1: send(b'\x02' + struct.pack('>I', 3))
    elif kind in (7, 17): send(b'\x69' + i + struct.pack('>IQI', 5, 3, DIR if text.endswith((b'tree', b'sub', b'way')) else FILE))
    elif kind == 8: send(b'\x69' + i + struct.pack('>IQI', 5, 3, FILE))
    elif kind == 16: send(b'\x68' + i + struct.pack('>I', 1) + entry(b'/home', DIR))
    elif kind in (3, 11): send(b'\x66' + i + s(text)); listed[text] = 0
    elif kind == 12 and not listed[text]:
        listed[text] = 1
        names = TOP if text.endswith(b'tree') else [(b'../../deep', FILE), (b'fine', FILE)]
        send(b'\x68' + i + struct.pack('>I', len(names)) + b''.join(entry(*n) for n in names))
    elif kind == 5 and struct.unpack('>Q', rest[4 + len(text):12 + len(text)])[0] == 0: send(b'\x67' + i + s(b'abc'))
    elif kind == 19: send(b'\x68' + i + struct.pack('>I', 1) + entry(b'ESCAPE', LINK))
    elif kind == 4: send(b'\x65' + i + struct.pack('>I', 0) + s(b'') + s(b''))
    else: send(b'\x65' + i + struct.pack('>I', 1) + s(b'') + s(b''))
"#;

#[tokio::test]
async fn a_hostile_node_writes_nothing_outside_its_directory() {
    let script = tempfile::tempdir().unwrap();
    let outside = tempfile::tempdir().unwrap();
    let path = script.path().join("hostile.py");
    fs::write(&path, HOSTILE.replace("ESCAPE", &outside.path().display().to_string())).unwrap();
    let python = Path::new("/usr/bin/python3");
    let server = Server::openssh_with(&format!("{} {}", python.display(), path.display()));
    let (Some(server), true) = (server, python.exists()) else {
        return skip("transport/hostile", "needs /usr/sbin/sshd and /usr/bin/python3");
    };
    let back = outside.path().join("back");
    let summary = get(&server, Path::new("/x/tree"), &back).await;
    let (end, report) = only(&summary);
    assert_eq!(end, &CopyEnd::Failed, "{summary:?}");
    let named = report.failures.iter().filter(|failure| failure.kind == CopyFailureKind::Name);
    assert_eq!(named.count(), 7, "{report:#?}");
    let mut found: Vec<String> = shown(outside.path())
        .iter()
        .filter_map(|line| line.split(' ').next().map(String::from))
        .collect();
    found.retain(|path| !path.is_empty());
    let expected = [
        "back",
        "back/n1",
        "back/n1/tree",
        "back/n1/tree/good",
        "back/n1/tree/sub",
        "back/n1/tree/sub/fine",
        "back/n1/tree/way",
    ];
    assert_eq!(found, expected, "{report:#?}");
}
