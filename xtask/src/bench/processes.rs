//! What the processes of a cluster cost, read from `/proc`: the supervisor,
//! found by the directory its program lies in, and everything below it.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

/// Clock ticks a second in `/proc/PID/stat`, the same on every Linux.
const TICKS_PER_S: f64 = 100.0;

/// A process, from `/proc/PID/stat`.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Process {
    pid: u32,
    parent: u32,
    /// Processor time of it and of its children that have ended.
    cpu_s: f64,
    /// The same, of the children only.
    children_cpu_s: f64,
}

/// The cost of a cluster at one moment.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Cost {
    /// Processes counted.
    pub(crate) processes: usize,
    /// Processor time so far, user and system.
    pub(crate) cpu_s: f64,
    /// Memory, shared pages counted by their share.
    pub(crate) pss_bytes: u64,
    /// Memory that the control groups of the nodes are charged with, the
    /// kernel's included; none where nodes have no groups of their own.
    pub(crate) charged_bytes: Option<u64>,
}

/// Processor time of all commands this process has waited for.
pub(crate) fn waited_cpu_s() -> f64 {
    std::fs::read_to_string("/proc/self/stat")
        .ok()
        .and_then(|text| parse_stat(&text))
        .map_or(0.0, |process| process.children_cpu_s)
}

/// The cost of everything that runs out of a directory.
pub(crate) fn cost(directory: &Path) -> Cost {
    let tree = tree(directory);
    let pss = |process: &Process| {
        let path = format!("/proc/{}/smaps_rollup", process.pid);
        pss_bytes(&std::fs::read_to_string(path).unwrap_or_default())
    };
    Cost {
        processes: tree.len(),
        cpu_s: tree.iter().map(|process| process.cpu_s).sum(),
        pss_bytes: tree.iter().map(pss).sum(),
        charged_bytes: charged_bytes(&tree),
    }
}

/// Pids of everything that runs out of a directory.
pub(crate) fn pids(directory: &Path) -> Vec<u32> {
    tree(directory).iter().map(|process| process.pid).collect()
}

fn tree(directory: &Path) -> Vec<Process> {
    let all: Vec<Process> = std::fs::read_dir("/proc")
        .into_iter()
        .flatten()
        .flatten()
        .filter(|entry| entry.file_name().to_string_lossy().chars().all(|c| c.is_ascii_digit()))
        .filter_map(|entry| parse_stat(&std::fs::read_to_string(entry.path().join("stat")).ok()?))
        .collect();
    let needle = directory.to_string_lossy();
    let own = std::process::id();
    let roots = all
        .iter()
        .filter(|process| process.pid != own && runs_in(process.pid, &needle))
        .map(|process| process.pid);
    below(&all, roots.collect())
}

fn runs_in(pid: u32, needle: &str) -> bool {
    let program = std::fs::read_link(format!("/proc/{pid}/exe")).unwrap_or_default();
    let arguments = std::fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
    program.to_string_lossy().contains(needle)
        || String::from_utf8_lossy(&arguments).contains(needle)
}

/// The roots and all their descendants.
fn below(all: &[Process], mut members: BTreeSet<u32>) -> Vec<Process> {
    loop {
        let before = members.len();
        let children = all.iter().filter(|process| members.contains(&process.parent));
        let children: Vec<u32> = children.map(|process| process.pid).collect();
        members.extend(children);
        if members.len() == before {
            return all.iter().filter(|process| members.contains(&process.pid)).copied().collect();
        }
    }
}

/// Reads `/proc/PID/stat`. The name may hold spaces and parentheses.
fn parse_stat(text: &str) -> Option<Process> {
    let (start, rest) = text.rsplit_once(')')?;
    let pid = start.split_once(' ')?.0.parse().ok()?;
    let fields: Vec<&str> = rest.split_whitespace().collect();
    let ticks = |index: usize| fields.get(index).and_then(|field| field.parse::<f64>().ok());
    let children_cpu_s = (ticks(13)? + ticks(14)?) / TICKS_PER_S;
    Some(Process {
        pid,
        parent: fields.get(1)?.parse().ok()?,
        cpu_s: (ticks(11)? + ticks(12)?) / TICKS_PER_S + children_cpu_s,
        children_cpu_s,
    })
}

fn pss_bytes(smaps_rollup: &str) -> u64 {
    let line = smaps_rollup.lines().find_map(|line| line.strip_prefix("Pss:"));
    let kib = line.and_then(|rest| rest.split_whitespace().next()?.parse::<u64>().ok());
    kib.unwrap_or(0) * 1024
}

fn charged_bytes(tree: &[Process]) -> Option<u64> {
    let mounts = std::fs::read_to_string("/proc/self/mountinfo").unwrap_or_default();
    let group =
        |pid: &str| std::fs::read_to_string(format!("/proc/{pid}/cgroup")).unwrap_or_default();
    let own = usage_file(&mounts, &group("self"));
    let files: BTreeSet<PathBuf> = tree
        .iter()
        .filter_map(|process| usage_file(&mounts, &group(&process.pid.to_string())))
        .filter(|file| Some(file) != own.as_ref())
        .collect();
    // A group is charged for the groups inside it.
    let inside = |file: &PathBuf| {
        let parents = file.ancestors().skip(2);
        parents
            .into_iter()
            .any(|folder| files.iter().any(|other| other != file && other.parent() == Some(folder)))
    };
    let amounts: Vec<u64> = files
        .iter()
        .filter(|file| !inside(file))
        .filter_map(|file| std::fs::read_to_string(file).ok()?.trim().parse().ok())
        .collect();
    (!amounts.is_empty()).then(|| amounts.iter().sum())
}

/// The file that says how much memory the group of a process is charged with.
fn usage_file(mounts: &str, groups: &str) -> Option<PathBuf> {
    let mount = |kind: &str, option: &str| {
        mounts.lines().find_map(|line| {
            let (place, file_system) = line.split_once(" - ")?;
            let mut words = file_system.split(' ');
            let right = words.next() == Some(kind);
            let has = option.is_empty() || words.any(|w| w.split(',').any(|o| o == option));
            (right && has).then(|| place.split(' ').nth(4)).flatten()
        })
    };
    let path = |of: &dyn Fn(&str) -> bool| {
        groups.lines().find_map(|line| {
            let (_, rest) = line.split_once(':')?;
            let (controllers, path) = rest.split_once(':')?;
            of(controllers).then_some(path.trim_start_matches('/'))
        })
    };
    if let (Some(root), Some(path)) =
        (mount("cgroup", "memory"), path(&|names| names.split(',').any(|name| name == "memory")))
    {
        return Some(Path::new(root).join(path).join("memory.usage_in_bytes"));
    }
    let (root, path) = (mount("cgroup2", "")?, path(&str::is_empty)?);
    Some(Path::new(root).join(path).join("memory.current"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_read_past_a_strange_name() {
        let text = "42 (a) b (c) S 7 42 42 0 -1 4194560 100 0 0 0 150 50 20 10 20 0 1 0 99 1 1";
        let process = parse_stat(text).expect("it is a stat line");
        assert_eq!((process.pid, process.parent), (42, 7));
        assert!((process.cpu_s - 2.3).abs() < 1e-9 && (process.children_cpu_s - 0.3).abs() < 1e-9);
    }

    #[test]
    fn descendants_are_found_however_deep() {
        let process = |pid, parent| Process { pid, parent, cpu_s: 0.0, children_cpu_s: 0.0 };
        let all = [process(4, 3), process(3, 2), process(2, 1), process(9, 1)];
        let found: Vec<u32> =
            below(&all, BTreeSet::from([2])).iter().map(|process| process.pid).collect();
        assert_eq!(found, [4, 3, 2]);
    }

    #[test]
    fn the_group_of_a_process_is_found_on_both_hierarchies() {
        let v1 = "30 23 0:26 / /sys/fs/cgroup/memory rw - cgroup cgroup rw,memory\n\
                  31 23 0:27 / /sys/fs/cgroup/unified rw - cgroup2 cgroup2 rw\n";
        let v2 = "31 23 0:27 / /sys/fs/cgroup rw - cgroup2 cgroup2 rw,nsdelegate\n";
        assert_eq!(
            usage_file(v1, "5:cpu,cpuacct:/x\n4:memory:/squall/a\n0::/\n"),
            Some("/sys/fs/cgroup/memory/squall/a/memory.usage_in_bytes".into())
        );
        assert_eq!(
            usage_file(v2, "0::/squall/a\n"),
            Some("/sys/fs/cgroup/squall/a/memory.current".into())
        );
    }

    #[test]
    fn shares_of_memory_are_read_in_bytes() {
        assert_eq!(pss_bytes("00-ff ---p 0 0 [rollup]\nRss: 9 kB\nPss:   1300 kB\n"), 1_331_200);
    }
}
