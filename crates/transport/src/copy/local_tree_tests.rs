use std::fs;
use std::io::Write;
use std::os::unix::fs::{PermissionsExt, symlink};

use super::{LocalTree, There, directory_name, is_safe, link, open_part, place};

fn names(path: &str) -> Vec<Vec<u8>> {
    path.split('/').map(|name| name.as_bytes().to_vec()).collect()
}

#[test]
fn names_that_lead_elsewhere_are_not_names() {
    for name in ["", ".", "..", "/", "a/b", "../a", "a\0b"] {
        assert!(!is_safe(name.as_bytes()), "{name:?}");
    }
    for name in ["a", "...", ".a", "-", "a\nb", "ä"] {
        assert!(is_safe(name.as_bytes()), "{name:?}");
    }
}

#[test]
fn nodes_have_directories_of_their_own() {
    let nodes = ["a", "..", ".", "", "a/b", "a%2Fb", "demo:n1", "%", "%2E"];
    let mut directories: Vec<String> = nodes.iter().map(|node| directory_name(node)).collect();
    assert!(directories.iter().all(|name| is_safe(name.as_bytes())));
    directories.sort();
    directories.dedup();
    assert_eq!(directories.len(), nodes.len());
}

#[test]
fn links_are_never_followed() {
    let (inside, outside) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let tree = LocalTree::open(inside.path(), "n1").unwrap();
    symlink(outside.path(), inside.path().join("n1/way")).unwrap();
    assert!(tree.directory(&names("way/deeper")).is_err());
    assert!(tree.directory(&names("..")).is_err());
    assert!(tree.directory(&names("a/../../b")).is_err());
    assert_eq!(tree.look(&names("way")).unwrap(), There::Other);
    let directory = tree.directory(&names("a/b")).unwrap();
    assert!(open_part(&directory, b"../x", 10).is_err());

    let target = outside.path().join("kept");
    fs::write(&target, "kept").unwrap();
    symlink(&target, inside.path().join("n1/a/b/.f.part")).unwrap();
    let (mut file, resumed) = open_part(&directory, b".f.part", 10).unwrap();
    assert_eq!(resumed, 0, "a link in the place of the part is removed");
    file.write_all(b"new").unwrap();
    place(&directory, b".f.part", b"f", 0o4755, 9).unwrap();
    assert_eq!(fs::read_to_string(&target).unwrap(), "kept");
    let got = inside.path().join("n1/a/b/f");
    assert_eq!(fs::read_to_string(&got).unwrap(), "new");
    assert_eq!(fs::metadata(&got).unwrap().permissions().mode() & 0o7777, 0o755, "no set-uid");
    assert!(fs::read_dir(outside.path()).unwrap().count() == 1);

    symlink(outside.path(), inside.path().join("n2")).unwrap();
    assert!(LocalTree::open(inside.path(), "n2").is_err(), "not even for the node's own directory");
}

#[test]
fn a_part_of_several_names_is_not_written_into() {
    let inside = tempfile::tempdir().unwrap();
    let tree = LocalTree::open(inside.path(), "n1").unwrap();
    let directory = tree.directory(&[]).unwrap();
    fs::write(inside.path().join("other"), "ab").unwrap();
    fs::hard_link(inside.path().join("other"), inside.path().join("n1/.f.part")).unwrap();
    let (mut file, resumed) = open_part(&directory, b".f.part", 10).unwrap();
    file.write_all(b"x").unwrap();
    assert_eq!(
        (resumed, fs::read_to_string(inside.path().join("other")).unwrap()),
        (0, "ab".into())
    );
}

#[test]
fn links_are_made_and_changed_in_place() {
    let inside = tempfile::tempdir().unwrap();
    let tree = LocalTree::open(inside.path(), "n1").unwrap();
    let directory = tree.directory(&[]).unwrap();
    for points_to in ["/etc/passwd", "/etc/passwd", "elsewhere"] {
        link(&directory, b"l", points_to.as_bytes()).unwrap();
        let found = fs::read_link(inside.path().join("n1/l")).unwrap();
        assert_eq!(found.to_str(), Some(points_to));
    }
    fs::create_dir(inside.path().join("n1/d")).unwrap();
    assert!(link(&directory, b"d", b"x").is_err());
}
