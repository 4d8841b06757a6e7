use std::ffi::OsStr;
use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::PathBuf;

use super::{PutKind, PutPlan};

fn shown(plan: &PutPlan) -> String {
    let each: Vec<String> = plan
        .entries
        .iter()
        .map(|entry| {
            let path = String::from_utf8_lossy(&entry.path).into_owned();
            match &entry.kind {
                PutKind::Directory => format!("{path}/ {:o}", entry.mode),
                PutKind::File(source) => format!("{path} {:o} {}", entry.mode, source.size),
                PutKind::Symlink { points_to } => {
                    format!("{path} -> {}", String::from_utf8_lossy(points_to))
                }
            }
        })
        .collect();
    each.join("\n")
}

fn tree() -> tempfile::TempDir {
    let directory = tempfile::tempdir().unwrap();
    let at = |name: &str| directory.path().join(name);
    fs::create_dir_all(at("tree/empty")).unwrap();
    fs::write(at("tree/b.txt"), "bb").unwrap();
    fs::write(at("tree").join(OsStr::from_bytes(b"a\xff")), "a").unwrap();
    symlink("nowhere", at("tree/link")).unwrap();
    symlink("tree/b.txt", at("named")).unwrap();
    for (name, mode) in [("tree", 0o750), ("tree/empty", 0o700), ("tree/b.txt", 0o4640)] {
        fs::set_permissions(at(name), fs::Permissions::from_mode(mode)).unwrap();
    }
    let odd = at("tree").join(OsStr::from_bytes(b"a\xff"));
    fs::set_permissions(odd, fs::Permissions::from_mode(0o600)).unwrap();
    directory
}

#[test]
fn a_tree_is_taken_as_it_is_and_a_named_link_is_followed() {
    let directory = tree();
    let files = [directory.path().join("tree"), directory.path().join("named")];
    let plan = PutPlan::look(&files, None).unwrap();
    insta::assert_snapshot!(shown(&plan), @r"
    tree/ 750
    tree/a� 600 1
    tree/b.txt 4640 2
    tree/empty/ 700
    tree/link -> nowhere
    named 4640 2
    ");
    assert_eq!((plan.file_count(), plan.bytes()), (3, 5));
}

#[test]
fn quoted_globs_are_expanded_and_real_names_are_not() {
    let directory = tree();
    fs::write(directory.path().join("x[1]"), "x").unwrap();
    let files = [directory.path().join("tr*/*.txt"), directory.path().join("x[1]")];
    let plan = PutPlan::look(&files, None).unwrap();
    insta::assert_snapshot!(shown(&plan).replace("644", "mode").replace("664", "mode"), @r"
    b.txt 4640 2
    x[1] mode 1
    ");
}

#[test]
fn everything_that_is_wrong_is_said_at_once() {
    let directory = tree();
    let pipe = directory.path().join("tree/pipe");
    rustix::fs::mknodat(rustix::fs::CWD, &pipe, rustix::fs::FileType::Fifo, 0o600.into(), 0)
        .unwrap();
    let at = |name: &str| directory.path().join(name);
    let files = [at("tree"), at("missing"), at("no*match"), at("tree/../tree"), PathBuf::from("/")];
    let problems = PutPlan::look(&files, None).unwrap_err();
    let texts: Vec<&str> = problems.iter().map(|problem| problem.text.as_str()).collect();
    assert_eq!(
        texts,
        [
            "it is a pipe, socket or device, which cannot be copied",
            "no such file or directory",
            "nothing matches",
            "another of the files has the same name, and would lie in the same place",
            "it has no name to be put under",
        ]
    );
}
