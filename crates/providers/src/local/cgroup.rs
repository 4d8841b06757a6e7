//! Limits of nodes, by control groups: version 1, version 2, or none with the
//! reason. One group per node below one per cluster, made only for what is
//! limited. Version 2 is written from the documentation and has not been run
//! on a machine that has it.

use std::io;
use std::path::{Path, PathBuf};

use rustix::fs::Access;

use super::launch::NodeLimits;
use super::rung::CgroupKind;

/// Start of the name of every group of ours.
const PREFIX: &str = "squall.";
/// The length of a scheduling period, the kernel's default, in microseconds.
const PERIOD_US: u64 = 100_000;
/// The least that the kernel takes as a share of a period.
const QUOTA_US_MIN: u64 = 1_000;
/// File in a cluster's directory that names the groups made for it.
const RECORD_FILE: &str = "cgroups";
/// How long a group may stay busy after its last process ended.
const REMOVE_TRIES: u32 = 50;

/// What can be limited.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Controller {
    Memory,
    Cpu,
    Pids,
}

impl Controller {
    const ALL: [Self; 3] = [Self::Memory, Self::Cpu, Self::Pids];

    const fn as_str(self) -> &'static str {
        match self {
            Self::Memory => "memory",
            Self::Cpu => "cpu",
            Self::Pids => "pids",
        }
    }

    /// File and text of a limit in version 1; `None` when there is no limit.
    fn v1(self, limits: &NodeLimits) -> Option<(&'static str, String)> {
        match self {
            Self::Memory => limits.memory_bytes.map(|n| ("memory.limit_in_bytes", n.to_string())),
            Self::Cpu => limits.cores.map(|n| ("cpu.cfs_quota_us", quota_us(n).to_string())),
            Self::Pids => limits.pids.map(|n| ("pids.max", n.to_string())),
        }
    }

    /// The same in version 2.
    fn v2(self, limits: &NodeLimits) -> Option<(&'static str, String)> {
        match self {
            Self::Memory => limits.memory_bytes.map(|n| ("memory.max", n.to_string())),
            Self::Cpu => limits.cores.map(|n| ("cpu.max", format!("{} {PERIOD_US}", quota_us(n)))),
            Self::Pids => limits.pids.map(|n| ("pids.max", n.to_string())),
        }
    }
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a float becomes the nearest number that fits, which is what a limit is to do"
)]
fn quota_us(cores: f64) -> u64 {
    ((cores * 100_000.0) as u64).max(QUOTA_US_MIN)
}

/// How this process can limit nodes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Cgroups {
    /// Version 1: a hierarchy per controller.
    V1(Vec<(&'static str, PathBuf)>),
    /// Version 2: the group that ours are made in.
    V2(PathBuf),
    /// Not at all, and why.
    None(String),
}

/// How nodes can be limited on this machine by this process.
#[must_use]
pub fn detect() -> CgroupKind {
    match Cgroups::find() {
        Cgroups::V1(_) => CgroupKind::V1,
        Cgroups::V2(_) => CgroupKind::V2,
        Cgroups::None(why) => CgroupKind::None { why },
    }
}

impl Cgroups {
    /// Looks for a tree that may be written to.
    pub(super) fn find() -> Self {
        let mounts = std::fs::read_to_string("/proc/self/mountinfo").unwrap_or_default();
        let own = std::fs::read_to_string("/proc/self/cgroup").unwrap_or_default();
        let found = parse_mounts(&mounts);
        let v1: Vec<(&'static str, PathBuf)> =
            found.v1.iter().filter(|(_, place)| is_writable(place)).cloned().collect();
        if !v1.is_empty() {
            return Self::V1(v1);
        }
        if let Some(mount) = &found.v2
            && let Some(place) = highest_writable(mount, &own)
        {
            return Self::V2(place);
        }
        Self::None(if found.v2.is_some() {
            "the control group tree is not delegated to this user; as root, or in a systemd scope \
             with Delegate=yes, nodes can be limited"
                .to_owned()
        } else if found.v1.is_empty() {
            "no control groups are mounted".to_owned()
        } else {
            "the control groups of version 1 may only be changed by root".to_owned()
        })
    }

    /// Makes the groups of a node and sets its limits. Returns the files to
    /// write its first process into; what could not be limited is noted.
    pub(super) fn make(
        &self,
        cluster: &ClusterGroups,
        node: &str,
        limits: &NodeLimits,
        notes: &mut Vec<String>,
    ) -> Vec<PathBuf> {
        let mut files = Vec::new();
        match self {
            Self::V1(hierarchies) => {
                for controller in Controller::ALL {
                    let Some((file, text)) = controller.v1(limits) else { continue };
                    let place = hierarchies.iter().find(|(name, _)| *name == controller.as_str());
                    let made = match place {
                        Some((_, place)) => cluster.make_v1(place, node, file, &text),
                        None => Err(io::Error::other("its hierarchy is not there")),
                    };
                    record(made, controller, &mut files, notes);
                }
            }
            Self::V2(place) => {
                for controller in Controller::ALL {
                    let Some((file, text)) = controller.v2(limits) else { continue };
                    let made = cluster.make_v2(place, node, controller, file, &text);
                    record(made, controller, &mut files, notes);
                }
                files.dedup();
            }
            Self::None(why) if *limits != NodeLimits::default() => {
                notes.push(format!("limits are not kept: {why}"));
            }
            Self::None(_) => {}
        }
        files
    }
}

fn record(
    made: io::Result<PathBuf>,
    controller: Controller,
    files: &mut Vec<PathBuf>,
    notes: &mut Vec<String>,
) {
    match made {
        Ok(file) => files.push(file),
        Err(error) => {
            notes.push(format!("the limit on {} is not kept: {error}", controller.as_str()));
        }
    }
}

/// The groups of one cluster.
#[derive(Debug, Clone)]
pub(super) struct ClusterGroups {
    /// Name of its group in every tree.
    name: String,
    /// Its record of what was made.
    record: PathBuf,
}

impl ClusterGroups {
    /// The groups of the cluster in a directory.
    pub(super) fn of(cluster_dir: &Path) -> Self {
        use sha2::{Digest, Sha256};
        use std::os::unix::ffi::OsStrExt;
        let hash = Sha256::digest(cluster_dir.as_os_str().as_bytes());
        let key: String = hash.iter().take(8).map(|byte| format!("{byte:02x}")).collect();
        Self { name: format!("{PREFIX}{key}"), record: cluster_dir.join(RECORD_FILE) }
    }

    fn make_v1(&self, tree: &Path, node: &str, file: &str, text: &str) -> io::Result<PathBuf> {
        let cluster = tree.join(&self.name);
        self.write_down(&cluster)?;
        let place = cluster.join(node);
        std::fs::create_dir_all(&place)?;
        std::fs::write(place.join(file), text)?;
        Ok(place.join("cgroup.procs"))
    }

    fn make_v2(
        &self,
        tree: &Path,
        node: &str,
        controller: Controller,
        file: &str,
        text: &str,
    ) -> io::Result<PathBuf> {
        let cluster = tree.join(&self.name);
        self.write_down(&cluster)?;
        let place = cluster.join(node);
        std::fs::create_dir_all(&place)?;
        let enable = format!("+{}", controller.as_str());
        // In the tree itself it may be on already, and then need not be ours
        // to change; below it has to be.
        let _ = std::fs::write(tree.join("cgroup.subtree_control"), &enable);
        std::fs::write(cluster.join("cgroup.subtree_control"), &enable)?;
        std::fs::write(place.join(file), text)?;
        Ok(place.join("cgroup.procs"))
    }

    /// Notes a group before it is made, so that it is found again whatever
    /// happens.
    fn write_down(&self, group: &Path) -> io::Result<()> {
        let text = std::fs::read_to_string(&self.record).unwrap_or_default();
        let line = group.display().to_string();
        if text.lines().any(|known| known == line) {
            return Ok(());
        }
        std::fs::write(&self.record, format!("{text}{line}\n"))
    }

    fn recorded(&self) -> Vec<PathBuf> {
        std::fs::read_to_string(&self.record)
            .unwrap_or_default()
            .lines()
            .map(PathBuf::from)
            .filter(|group| group.file_name().is_some_and(|name| *name == *self.name))
            .collect()
    }

    /// Removes the groups of one node, whose processes have ended.
    pub(super) fn remove_node(&self, node: &str) -> io::Result<()> {
        self.recorded().iter().try_for_each(|group| remove_group(&group.join(node)))
    }

    /// Removes every group of the cluster, whose processes have ended.
    pub(super) fn remove(&self) -> io::Result<()> {
        for group in self.recorded() {
            if let Ok(children) = std::fs::read_dir(&group) {
                for child in children.flatten() {
                    if child.file_type().is_ok_and(|kind| kind.is_dir()) {
                        remove_group(&child.path())?;
                    }
                }
            }
            remove_group(&group)?;
        }
        Ok(())
    }
}

fn remove_group(place: &Path) -> io::Result<()> {
    let mut tries = 0;
    loop {
        match std::fs::remove_dir(place) {
            Ok(()) => return Ok(()),
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
            // The last process has ended, but the group does not know yet.
            Err(error) if error.kind() == io::ErrorKind::ResourceBusy && tries < REMOVE_TRIES => {
                tries += 1;
                std::thread::sleep(std::time::Duration::from_millis(10));
            }
            Err(error) => return Err(error),
        }
    }
}

fn is_writable(place: &Path) -> bool {
    rustix::fs::access(place, Access::WRITE_OK).is_ok()
}

/// The highest group on the way to our own that we may make groups in and move
/// processes within.
fn highest_writable(mount: &Path, own: &str) -> Option<PathBuf> {
    let inside = own.lines().find_map(|line| line.strip_prefix("0::/"))?;
    let mut place = mount.to_owned();
    let mut candidates = vec![place.clone()];
    for part in Path::new(inside.trim_end_matches(" (deleted)")).components() {
        place.push(part);
        candidates.push(place.clone());
    }
    candidates
        .into_iter()
        .find(|place| is_writable(place) && is_writable(&place.join("cgroup.procs")))
}

#[derive(Debug, Default, PartialEq, Eq)]
struct Mounts {
    v1: Vec<(&'static str, PathBuf)>,
    v2: Option<PathBuf>,
}

/// Where the control groups are mounted, by `/proc/self/mountinfo`. A version
/// 2 tree beside version 1 hierarchies has no controllers left.
fn parse_mounts(text: &str) -> Mounts {
    let mut found = Mounts::default();
    for line in text.lines() {
        let Some((place, kind)) = line.split_once(" - ") else { continue };
        let Some(place) = place.split(' ').nth(4) else { continue };
        let mut kind = kind.split(' ');
        match kind.next() {
            Some("cgroup") => {
                let options = kind.nth(1).unwrap_or_default();
                for controller in Controller::ALL {
                    let name = controller.as_str();
                    if options.split(',').any(|option| option == name) {
                        found.v1.push((name, PathBuf::from(place)));
                    }
                }
            }
            Some("cgroup2") => found.v2 = Some(PathBuf::from(place)),
            _ => {}
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mounts_are_read_in_both_versions() {
        let text = "25 1 0:23 / /sys/fs/cgroup/cpu,cpuacct rw - cgroup cgroup rw,cpu,cpuacct\n\
            26 1 0:24 / /sys/fs/cgroup/memory rw shared:3 - cgroup none rw,memory\n\
            27 1 0:25 / /sys/fs/cgroup/unified rw - cgroup2 cgroup2 rw\n\
            28 1 0:26 / /tmp rw - tmpfs tmpfs rw\nnonsense\n";
        assert_eq!(
            parse_mounts(text),
            Mounts {
                v1: vec![
                    ("cpu", "/sys/fs/cgroup/cpu,cpuacct".into()),
                    ("memory", "/sys/fs/cgroup/memory".into()),
                ],
                v2: Some("/sys/fs/cgroup/unified".into()),
            }
        );
    }

    #[test]
    fn limits_become_the_kernels_words() {
        let limits = NodeLimits { memory_bytes: Some(64 << 20), cores: Some(0.5), pids: Some(40) };
        let v1: Vec<_> = Controller::ALL.iter().filter_map(|one| one.v1(&limits)).collect();
        let v2: Vec<_> = Controller::ALL.iter().filter_map(|one| one.v2(&limits)).collect();
        insta::assert_snapshot!(format!("{v1:?}\n{v2:?}"), @r#"
        [("memory.limit_in_bytes", "67108864"), ("cpu.cfs_quota_us", "50000"), ("pids.max", "40")]
        [("memory.max", "67108864"), ("cpu.max", "50000 100000"), ("pids.max", "40")]
        "#);
        assert_eq!(quota_us(0.0001), QUOTA_US_MIN);
        assert_eq!(quota_us(f64::MAX), u64::MAX);
        assert!(Controller::ALL.iter().all(|one| one.v1(&NodeLimits::default()).is_none()));
    }

    #[test]
    fn groups_of_other_names_in_a_record_are_never_touched() {
        let directory = tempfile::tempdir().unwrap();
        let groups = ClusterGroups::of(directory.path());
        let other = directory.path().join("precious");
        std::fs::create_dir(&other).unwrap();
        std::fs::write(&groups.record, format!("{}\n", other.display())).unwrap();
        groups.remove().unwrap();
        assert!(other.is_dir());
    }
}
