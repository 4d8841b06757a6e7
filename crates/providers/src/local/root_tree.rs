//! The files of a node on disk, before it is booted: which directories of the
//! host it sees through an overlay, what is hidden of them, and where a seed
//! has to be written so that it appears at its path. Mounts nothing.
//!
//! A node's directory holds `root/` (what is its own alone) and `layers/` (for
//! each directory of the host that it sees, what it changed there).

use std::ffi::OsString;
use std::fs::Metadata;
use std::io;
use std::os::unix::fs::{DirBuilderExt, MetadataExt, PermissionsExt, chown, symlink};
use std::path::{Component, Path, PathBuf};

use rustix::fs::{CWD, FileType, Mode, XattrFlags};

use super::launch::{FileSeed, NodeLaunch};
use super::rung::Rung;
use super::seeds::{self, HostFacts};

/// Directories at the top of the host that nodes see; links there are copied.
const SHOWN: [&str; 10] =
    ["usr", "etc", "bin", "sbin", "lib", "lib32", "lib64", "libx32", "nix", "gnu"];
/// What package tools need of the host's `/var`; the rest of it is fresh.
const SHOWN_OF_VAR: [&str; 5] =
    ["var/lib/dpkg", "var/lib/apt", "var/lib/rpm", "var/lib/dnf", "var/lib/pacman"];
/// Directories of the host that hold its secrets, its identity or its jobs:
/// nodes see them empty.
const HIDDEN_DIRECTORIES: [&str; 17] = [
    "/etc/ssh",
    "/etc/munge",
    "/etc/cron.d",
    "/etc/cron.hourly",
    "/etc/cron.daily",
    "/etc/cron.weekly",
    "/etc/cron.monthly",
    "/etc/ssl/private",
    "/etc/pki/tls/private",
    "/etc/letsencrypt",
    "/etc/wireguard",
    "/etc/openvpn",
    "/etc/slurm",
    "/etc/squall",
    "/etc/NetworkManager/system-connections",
    "/etc/cloud",
    "/var/lib/dpkg/updates",
];
/// Files of the host that nodes do not see, for the same reasons.
const HIDDEN_FILES: [&str; 7] = [
    "/etc/shadow-",
    "/etc/gshadow-",
    "/etc/passwd-",
    "/etc/group-",
    "/etc/crontab",
    "/etc/krb5.keytab",
    "/etc/.pwd.lock",
];
/// A node's own directories, with their permission bits.
const OWN: [(&str, u32); 28] = [
    ("root", 0o700),
    ("root/.ssh", 0o700),
    ("home", 0o755),
    ("tmp", 0o1777),
    ("run", 0o755),
    ("proc", 0o555),
    ("sys", 0o555),
    ("dev", 0o755),
    ("srv", 0o755),
    ("mnt", 0o755),
    ("media", 0o755),
    ("opt", 0o755),
    ("boot", 0o755),
    ("var", 0o755),
    ("var/backups", 0o755),
    ("var/cache", 0o755),
    ("var/cache/apt", 0o755),
    ("var/cache/apt/archives", 0o755),
    ("var/cache/apt/archives/partial", 0o700),
    ("var/lib", 0o755),
    ("var/lib/squall", 0o755),
    ("var/lib/squall/scripts", 0o700),
    ("var/local", 0o755),
    ("var/log", 0o755),
    ("var/log/apt", 0o755),
    ("var/mail", 0o755),
    ("var/spool", 0o755),
    ("var/tmp", 0o1777),
];
/// Those of them that something is mounted on.
const MOUNTED: [&str; 4] = ["run", "proc", "sys", "dev"];
/// Links that a node has whatever the host has.
const OWN_LINKS: [(&str, &str); 2] = [("var/run", "/run"), ("var/lock", "/run/lock")];
/// Written last, so that a half-made tree is made again.
const SEEDED_MARK: &str = "seeded";
/// Links followed on the way to one seed.
const LINKS_MAX: usize = 40;

/// What could not be done to the files. Reads after "failed to".
#[derive(Debug, thiserror::Error)]
#[error("{doing} {}", path.display())]
pub(super) struct TreeError {
    doing: &'static str,
    path: PathBuf,
    #[source]
    pub(super) source: io::Error,
}

fn failed(doing: &'static str, path: &Path) -> impl FnOnce(io::Error) -> TreeError {
    let path = path.to_owned();
    move |source| TreeError { doing, path, source }
}

/// One directory of the host that a node sees, and may change for itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Layer {
    /// Its path without the leading slash: `usr`, `var/lib/dpkg`.
    pub(super) path: &'static str,
}

impl Layer {
    /// Where it lies on the host.
    pub(super) fn lower(&self) -> PathBuf {
        Path::new("/").join(self.path)
    }

    /// Its own directory for changes, relative to the node's directory.
    pub(super) fn upper(&self) -> String {
        format!("layers/{}.upper", self.path.replace('/', "-"))
    }

    /// The overlay's scratch directory, relative to the node's directory.
    pub(super) fn work(&self) -> String {
        format!("layers/{}.work", self.path.replace('/', "-"))
    }

    /// Where it is mounted, relative to the node's directory.
    pub(super) fn target(&self) -> String {
        format!("root/{}", self.path)
    }
}

/// The part of the host that nodes see.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct HostView {
    /// Directories, parents before children.
    pub(super) layers: Vec<Layer>,
    /// Links at the top: `bin` to `usr/bin`.
    links: Vec<(&'static str, PathBuf)>,
}

/// Looks at the host.
pub(super) fn survey() -> HostView {
    let mut view = HostView::default();
    for path in SHOWN.into_iter().chain(SHOWN_OF_VAR) {
        let place = Path::new("/").join(path);
        let Ok(found) = place.symlink_metadata() else { continue };
        if found.is_dir() {
            view.layers.push(Layer { path });
        } else if let Ok(target) = place.read_link() {
            view.links.push((path, target));
        }
    }
    view
}

/// Reads what the files of nodes are made from. What cannot be read is left
/// out.
pub(super) fn host_facts() -> HostFacts {
    let text =
        |path: &str| String::from_utf8_lossy(&std::fs::read(path).unwrap_or_default()).into_owned();
    let is_shown = |shell: &str| {
        let top = shell.trim_start_matches('/').split('/').next().unwrap_or_default();
        SHOWN.contains(&top) && Path::new(shell).exists()
    };
    let mut shells: Vec<String> = ["/bin/bash", "/bin/sh"]
        .into_iter()
        .filter(|shell| is_shown(shell))
        .map(str::to_owned)
        .collect();
    let passwd = text("/etc/passwd");
    if let Some(shell) = super::accounts::shell_of_root(&passwd).filter(|shell| is_shown(shell)) {
        shells.push(shell.to_owned());
    }
    let skeleton = [".bashrc", ".profile", ".bash_profile"]
        .into_iter()
        .filter_map(|name| {
            let text = std::fs::read_to_string(Path::new("/etc/skel").join(name)).ok()?;
            Some((name.to_owned(), text))
        })
        .collect();
    HostFacts { group: text("/etc/group"), passwd, shells, skeleton }
}

/// Makes a node's directory ready to be booted. Everything but the mount
/// points is made only once; a tree that was left half-made is made again.
///
/// # Errors
/// The first thing that cannot be written, as on a full disk.
pub(super) fn prepare(
    launch: &NodeLaunch,
    view: &HostView,
    host: &HostFacts,
) -> Result<(), TreeError> {
    let tree = Tree { node_dir: &launch.node_dir, view, rung: launch.rung };
    let mark = launch.node_dir.join(SEEDED_MARK);
    if mark.exists() {
        return tree.make_mount_points();
    }
    let whole = whole(launch)?;
    let launch = &whole;
    tree.make_directories()?;
    tree.make_mount_points()?;
    for path in HIDDEN_DIRECTORIES.into_iter().map(Path::new) {
        if path.symlink_metadata().is_ok() || path == Path::new("/etc/ssh") {
            tree.hide_directory(path)?;
        }
    }
    for path in &launch.masked_paths {
        if path.is_dir() && tree.layer_of(path).is_some() {
            tree.hide_directory(path)?;
        }
    }
    for path in HIDDEN_FILES.into_iter().map(Path::new) {
        if path.symlink_metadata().is_ok() {
            tree.hide_file(path)?;
        }
    }
    for seed in seeds::all(launch, host) {
        tree.write_seed(&seed)?;
    }
    std::fs::write(&mark, "").map_err(failed("write", &mark))
}

/// The launch with what was left out of it by [`NodeLaunch::kept_in`].
fn whole(launch: &NodeLaunch) -> Result<NodeLaunch, TreeError> {
    let mut whole = launch.clone();
    if let Some(name) = &launch.kept_in {
        let path = launch.node_dir.join(name);
        let text = std::fs::read(&path).map_err(failed("read", &path))?;
        let kept: NodeLaunch =
            serde_json::from_slice(&text).map_err(|error| failed("read", &path)(error.into()))?;
        whole.seeds = kept.seeds;
        whole.scripts = kept.scripts;
    }
    Ok(whole)
}

/// A node's tree in the making.
struct Tree<'a> {
    node_dir: &'a Path,
    view: &'a HostView,
    rung: Rung,
}

impl Tree<'_> {
    fn make_directories(&self) -> Result<(), TreeError> {
        let root = self.node_dir.join("root");
        make_directory(&root, 0o755)?;
        make_directory(&self.node_dir.join("layers"), 0o700)?;
        for (path, mode) in OWN {
            make_directory(&root.join(path), mode)?;
        }
        for (path, target) in OWN_LINKS {
            make_link(&root.join(path), Path::new(target))?;
        }
        for (path, target) in &self.view.links {
            make_link(&root.join(path), target)?;
        }
        Ok(())
    }

    /// What every boot needs, also when the node's user removed it.
    fn make_mount_points(&self) -> Result<(), TreeError> {
        for (path, mode) in OWN.into_iter().filter(|(path, _)| MOUNTED.contains(path)) {
            make_directory(&self.node_dir.join("root").join(path), mode)?;
        }
        for layer in &self.view.layers {
            make_directory(&self.node_dir.join(layer.target()), 0o755)?;
            make_directory(&self.node_dir.join(layer.work()), 0o700)?;
            let upper = self.node_dir.join(layer.upper());
            if !upper.exists() {
                self.make_like(&upper, &layer.lower())?;
            }
        }
        Ok(())
    }

    /// A directory that looks like one of the host, which it will cover.
    fn make_like(&self, place: &Path, lower: &Path) -> Result<(), TreeError> {
        let like: Option<Metadata> = lower.symlink_metadata().ok().filter(Metadata::is_dir);
        make_directory(place, like.as_ref().map_or(0o755, |found| found.mode() & 0o7777))?;
        if let (Rung::Root, Some(found)) = (self.rung, like) {
            chown(place, Some(found.uid()), Some(found.gid())).map_err(failed("own", place))?;
        }
        Ok(())
    }

    /// The layer that a path of the node belongs to, and the path within it.
    fn layer_of<'p>(&self, path: &'p Path) -> Option<(&Layer, &'p Path)> {
        let inside = path.strip_prefix("/").ok()?;
        self.view
            .layers
            .iter()
            .rev()
            .find_map(|layer| Some((layer, inside.strip_prefix(layer.path).ok()?)))
    }

    /// Where a path of the node lies on disk, links in what it sees of the
    /// host not being followed.
    fn place_of(&self, path: &Path) -> PathBuf {
        match self.layer_of(path) {
            Some((layer, inside)) => self.node_dir.join(layer.upper()).join(inside),
            None => self.node_dir.join("root").join(path.strip_prefix("/").unwrap_or(path)),
        }
    }

    /// Where a link at a path of the node points to, if there is one.
    fn link_at(&self, path: &Path) -> Option<PathBuf> {
        let own = self.place_of(path);
        if own.symlink_metadata().is_ok() {
            return own.read_link().ok();
        }
        self.layer_of(path)?;
        path.read_link().ok()
    }

    /// The path with the links in its directories followed, inside the node;
    /// the last part is kept as it is.
    fn resolve(&self, path: &Path) -> Result<PathBuf, TreeError> {
        let mut waiting: Vec<OsString> = parts(path);
        let mut reached = PathBuf::from("/");
        let mut links = 0;
        while let Some(part) = waiting.pop() {
            if part == ".." {
                reached.pop();
                continue;
            }
            let here = reached.join(&part);
            match self.link_at(&here).filter(|_| !waiting.is_empty()) {
                None => reached = here,
                Some(target) => {
                    links += 1;
                    if links > LINKS_MAX {
                        let source = io::Error::other("too many links");
                        return Err(failed("find the place of", path)(source));
                    }
                    if target.is_absolute() {
                        reached = PathBuf::from("/");
                    }
                    waiting.extend(parts(&target));
                }
            }
        }
        Ok(reached)
    }

    /// Makes the directories above a resolved path, each like the host's.
    fn make_parents(&self, path: &Path) -> Result<(), TreeError> {
        let mut above: Vec<&Path> = path.ancestors().skip(1).collect();
        above.pop();
        for directory in above.into_iter().rev() {
            let place = self.place_of(directory);
            if place.symlink_metadata().is_err() {
                self.make_like(&place, directory)?;
            }
        }
        Ok(())
    }

    fn hide_directory(&self, path: &Path) -> Result<(), TreeError> {
        let path = self.resolve(path)?;
        if self.layer_of(&path).is_none() {
            return Ok(());
        }
        self.make_parents(&path)?;
        let place = self.place_of(&path);
        self.make_like(&place, &path)?;
        let name = match self.rung {
            Rung::Root => "trusted.overlay.opaque",
            Rung::UserNamespace => "user.overlay.opaque",
        };
        rustix::fs::setxattr(&place, name, b"y", XattrFlags::empty())
            .map_err(|error| failed("mark as opaque", &place)(error.into()))
    }

    fn hide_file(&self, path: &Path) -> Result<(), TreeError> {
        let path = self.resolve(path)?;
        self.make_parents(&path)?;
        let place = self.place_of(&path);
        remove_file(&place)?;
        // A character device 0:0 in an upper layer says that there is nothing.
        rustix::fs::mknodat(CWD, &place, FileType::CharacterDevice, Mode::empty(), 0)
            .map_err(|error| failed("hide", &place)(error.into()))
    }

    fn write_seed(&self, seed: &FileSeed) -> Result<(), TreeError> {
        let path = self.resolve(&seed.path)?;
        self.make_parents(&path)?;
        let place = self.place_of(&path);
        remove_file(&place)?;
        write_new(&place, seed.content.as_bytes(), seed.mode)
    }
}

/// Replaces our part of a node's `/etc/hosts` on disk, for a node that is not
/// running: what is mounted must not be written to from outside.
///
/// # Errors
/// When the file cannot be read or written.
pub(super) fn rewrite_hosts_at_rest(launch: &NodeLaunch, view: &HostView) -> Result<(), TreeError> {
    let tree = Tree { node_dir: &launch.node_dir, view, rung: launch.rung };
    let place = tree.place_of(Path::new("/etc/hosts"));
    // The node's user may have put anything there. A link is not followed: it
    // would lead to a file of the host.
    if !place.symlink_metadata().is_ok_and(|found| found.is_file()) {
        return Ok(());
    }
    let old = std::fs::read(&place).map_err(failed("read", &place))?;
    let old = String::from_utf8_lossy(&old);
    let new = super::hosts::rewrite(&old, &launch.hosts);
    if new == old {
        return Ok(());
    }
    let beside = place.with_extension("squall-new");
    remove_file(&beside)?;
    write_new(&beside, new.as_bytes(), 0o644)?;
    std::fs::rename(&beside, &place).map_err(failed("replace", &place))
}

/// The parts of a path, the first one last.
fn parts(path: &Path) -> Vec<OsString> {
    path.components()
        .rev()
        .filter_map(|component| match component {
            Component::Normal(part) => Some(part.to_owned()),
            Component::ParentDir => Some(OsString::from("..")),
            _ => None,
        })
        .collect()
}

fn write_new(place: &Path, content: &[u8], mode: u32) -> Result<(), TreeError> {
    use std::io::Write;
    use std::os::unix::fs::OpenOptionsExt;
    // Never readable by others, not even for a moment: it may be a key.
    let mut file = std::fs::OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(place)
        .map_err(failed("make", place))?;
    file.write_all(content).map_err(failed("write", place))?;
    file.set_permissions(std::fs::Permissions::from_mode(mode)).map_err(failed("permit", place))
}

fn make_directory(place: &Path, mode: u32) -> Result<(), TreeError> {
    match std::fs::DirBuilder::new().mode(mode & 0o777).create(place) {
        Ok(()) => {
            let permissions = std::fs::Permissions::from_mode(mode);
            std::fs::set_permissions(place, permissions).map_err(failed("permit", place))
        }
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(()),
        Err(error) => Err(failed("make the directory", place)(error)),
    }
}

fn make_link(place: &Path, target: &Path) -> Result<(), TreeError> {
    match symlink(target, place) {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => {
            Err(failed("link", place)(error))
        }
        _ => Ok(()),
    }
}

fn remove_file(place: &Path) -> Result<(), TreeError> {
    match std::fs::remove_file(place) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => {
            Err(failed("replace", place)(error))
        }
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn seeds_find_their_place_through_links_and_layers() {
        let node = tempfile::tempdir().unwrap();
        let view = HostView {
            layers: vec![
                Layer { path: "usr" },
                Layer { path: "etc" },
                Layer { path: "var/lib/dpkg" },
            ],
            links: vec![("bin", "usr/bin".into())],
        };
        let tree = Tree { node_dir: node.path(), view: &view, rung: Rung::UserNamespace };
        tree.make_directories().unwrap();
        tree.make_mount_points().unwrap();
        for (path, place) in [
            ("/etc/squall-test/x", "layers/etc.upper/squall-test/x"),
            ("/bin/squall-test", "layers/usr.upper/bin/squall-test"),
            ("/root/x", "root/root/x"),
            ("/var/lib/dpkg/x", "layers/var-lib-dpkg.upper/x"),
            ("/var/lib/other/x", "root/var/lib/other/x"),
            ("/var/run/x", "root/run/x"),
        ] {
            let resolved = tree.resolve(Path::new(path)).unwrap();
            assert_eq!(tree.place_of(&resolved), node.path().join(place), "{path}");
        }
        symlink("b", node.path().join("root/root/a")).unwrap();
        symlink("a", node.path().join("root/root/b")).unwrap();
        assert!(tree.resolve(Path::new("/root/a/x")).is_err(), "links in a circle");
        symlink("../../../..", node.path().join("root/root/up")).unwrap();
        let resolved = tree.resolve(Path::new("/root/up/etc/x")).unwrap();
        assert_eq!(resolved, Path::new("/etc/x"), "never above the node's root");
    }

    #[test]
    fn hosts_of_a_node_at_rest_are_rewritten_and_a_link_in_their_place_is_left() {
        let node = tempfile::tempdir().unwrap();
        let view = HostView { layers: vec![Layer { path: "etc" }], links: Vec::new() };
        let mut launch = NodeLaunch::for_tests(node.path());
        launch.hosts = vec![crate::local::hosts::HostEntry {
            address: [10, 77, 0, 12].into(),
            names: vec!["peer".to_owned()],
        }];
        let upper = node.path().join("layers/etc.upper");
        std::fs::create_dir_all(&upper).unwrap();
        rewrite_hosts_at_rest(&launch, &view).unwrap();
        assert!(!upper.join("hosts").exists(), "nothing to rewrite");
        std::fs::write(upper.join("hosts"), "10.0.0.1 mine\n").unwrap();
        rewrite_hosts_at_rest(&launch, &view).unwrap();
        let text = std::fs::read_to_string(upper.join("hosts")).unwrap();
        assert!(text.starts_with("10.0.0.1 mine\n") && text.contains("10.77.0.12 peer\n"));
        let secret = node.path().join("secret");
        std::fs::write(&secret, "of the host").unwrap();
        std::fs::remove_file(upper.join("hosts")).unwrap();
        symlink(&secret, upper.join("hosts")).unwrap();
        rewrite_hosts_at_rest(&launch, &view).unwrap();
        assert!(upper.join("hosts").is_symlink());
        assert_eq!(std::fs::read_to_string(&secret).unwrap(), "of the host");
    }
}
