//! Removes a cluster from this machine, whatever state it is in: its
//! supervisor, its nodes' processes, its limits, its files. Needs no
//! supervisor that answers and no file that makes sense.

use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::fs::{AtFlags, CWD, Dir, FileType, Mode, OFlags, openat, renameat, statat, unlinkat};
use rustix::io::Errno;
use rustix::process::{
    Flock, FlockType, Pid, PidfdFlags, Signal, fcntl_getlk, pidfd_open, pidfd_send_signal,
};

use super::cgroup::ClusterGroups;
use super::record::node_dirs;
use super::supervisor::{LOCK_FILE, NODE_LOCK_FILE};

/// How long killed processes may take to end.
const END_TIMEOUT: Duration = Duration::from_secs(20);
/// How long files may stay busy after that: the kernel takes mounts away in
/// its own time.
const REMOVE_TIMEOUT: Duration = Duration::from_secs(20);
/// Pause before files are tried again.
const REMOVE_PAUSE: Duration = Duration::from_millis(20);
/// Node directories that are deleted at the same time.
const REMOVERS: usize = 8;
/// End of the name of a directory that is being deleted.
const TRASH_SUFFIX: &str = ".trash";
/// Directories within directories; more would be no tree of ours.
const DEPTH_MAX: usize = 2048;

/// What could not be removed. Reads after "failed to".
#[derive(Debug, thiserror::Error)]
pub enum TeardownError {
    /// A process did not end.
    #[error("end process {pid}: it still runs after {} s", END_TIMEOUT.as_secs())]
    Process {
        /// Which.
        pid: i32,
    },
    /// A step failed.
    #[error("{step} of {}", path.display())]
    Step {
        /// Which.
        step: &'static str,
        /// On what.
        path: PathBuf,
        /// The system's words.
        #[source]
        source: io::Error,
    },
}

fn at<'a>(step: &'static str, path: &'a Path) -> impl Fn(io::Error) -> TeardownError + 'a {
    move |source| TeardownError::Step { step, path: path.to_owned(), source }
}

/// Ends everything of a cluster and deletes its directory. What is gone
/// already is success, so it can be called again after any failure.
///
/// # Errors
/// The first thing that stays.
pub fn teardown(cluster_dir: &Path) -> Result<(), TeardownError> {
    if cluster_dir.symlink_metadata().is_ok() {
        end_processes(cluster_dir)?;
        let groups = ClusterGroups::of(cluster_dir);
        groups.remove().map_err(at("remove the limits", cluster_dir))?;
    }
    remove_tree(cluster_dir)
}

/// Deletes a node's directory; the node must not run any more. What is gone
/// already is success.
///
/// # Errors
/// When files stay.
pub fn remove_node_dir(node_dir: &Path) -> Result<(), TeardownError> {
    remove_tree(node_dir)
}

/// The process id of the supervisor that lives on a cluster's directory.
#[must_use]
pub fn supervisor_pid(cluster_dir: &Path) -> Option<u32> {
    let holder = holder_of(&cluster_dir.join(LOCK_FILE))?;
    u32::try_from(holder.as_raw_nonzero().get()).ok()
}

/// A process that was found by the lock it holds; the number of a process that
/// ended cannot be mistaken for it.
struct Found {
    pid: Pid,
    process: OwnedFd,
}

fn end_processes(cluster_dir: &Path) -> Result<(), TeardownError> {
    let lock = cluster_dir.join(LOCK_FILE);
    let supervisor = find(&lock);
    // Held still, so that it makes no new node while we look for nodes.
    if let Some(found) = &supervisor {
        signal(found, Signal::STOP, &lock)?;
    }
    let node_locks =
        || node_dirs(cluster_dir).into_iter().map(|node_dir| node_dir.join(NODE_LOCK_FILE));
    let mut nodes: Vec<Found> = node_locks().filter_map(|lock| find(&lock)).collect();
    if let Some(found) = &supervisor {
        signal(found, Signal::KILL, &lock)?;
        wait_for(found)?;
    }
    // One that was being started when we looked has its lock by now, or has
    // ended with its parent.
    nodes.extend(node_locks().filter_map(|lock| find(&lock)));
    for found in &nodes {
        signal(found, Signal::KILL, cluster_dir)?;
    }
    nodes.iter().try_for_each(wait_for)
}

fn find(lock: &Path) -> Option<Found> {
    let pid = holder_of(lock)?;
    let process = pidfd_open(pid, PidfdFlags::empty()).ok()?;
    // Still the holder, so the descriptor is of the holder.
    (holder_of(lock)? == pid).then_some(Found { pid, process })
}

/// Who holds a record lock, by the kernel.
fn holder_of(lock: &Path) -> Option<Pid> {
    let flags = OFlags::RDWR | OFlags::CLOEXEC | OFlags::NOFOLLOW;
    let file = rustix::fs::open(lock, flags, Mode::empty()).ok()?;
    fcntl_getlk(&file, &Flock::from(FlockType::WriteLock)).ok()??.pid
}

fn signal(found: &Found, signal: Signal, path: &Path) -> Result<(), TeardownError> {
    match pidfd_send_signal(&found.process, signal) {
        Ok(()) | Err(Errno::SRCH) => Ok(()),
        Err(error) => Err(at("signal a process", path)(error.into())),
    }
}

/// Waits for a process to end; with PID 1 of a node all its processes have.
fn wait_for(found: &Found) -> Result<(), TeardownError> {
    let deadline = Instant::now() + END_TIMEOUT;
    loop {
        let left = deadline.saturating_duration_since(Instant::now());
        let timeout = Timespec::try_from(left).unwrap_or_default();
        let mut watched = [PollFd::new(&found.process, PollFlags::IN)];
        match poll(&mut watched, Some(&timeout)) {
            Err(Errno::INTR) => {}
            Ok(count) if count > 0 => return Ok(()),
            _ => return Err(TeardownError::Process { pid: found.pid.as_raw_nonzero().get() }),
        }
    }
}

/// Moves a tree aside and deletes it. Never follows a link, never enters
/// another file system.
fn remove_tree(tree: &Path) -> Result<(), TeardownError> {
    let mut trash = tree.as_os_str().to_owned();
    trash.push(TRASH_SUFFIX);
    let trash = PathBuf::from(trash);
    let deadline = Instant::now() + REMOVE_TIMEOUT;
    loop {
        match remove_once(tree, &trash) {
            Ok(()) => return Ok(()),
            Err(Errno::BUSY | Errno::NOTEMPTY | Errno::EXIST | Errno::NOENT | Errno::STALE)
                if Instant::now() < deadline =>
            {
                std::thread::sleep(REMOVE_PAUSE);
            }
            Err(error) => return Err(at("delete the files", tree)(error.into())),
        }
    }
}

fn remove_once(tree: &Path, trash: &Path) -> Result<(), Errno> {
    // Leftovers of a removal that was cut off go first.
    remove_entry(CWD, trash, 0, None)?;
    match renameat(CWD, tree, CWD, trash) {
        Ok(()) => {
            remove_nodes_at_once(trash);
            remove_entry(CWD, trash, 0, None)
        }
        Err(Errno::NOENT) => Ok(()),
        Err(error) => Err(error),
    }
}

/// Deletes the directories of nodes side by side: each deletion waits for the
/// disk's journal more than it works. What fails here is met again by the
/// deletion of the whole.
fn remove_nodes_at_once(trash: &Path) {
    let waiting = std::sync::Mutex::new(node_dirs(trash));
    let next = || waiting.lock().ok().and_then(|mut waiting| waiting.pop());
    std::thread::scope(|scope| {
        for _ in 0..REMOVERS {
            scope.spawn(|| {
                while let Some(node_dir) = next() {
                    let _ = remove_entry(CWD, &node_dir, 0, None);
                }
            });
        }
    });
}

fn remove_entry(
    directory: impl AsFd + Copy,
    name: impl rustix::path::Arg + Copy,
    depth: usize,
    device: Option<u64>,
) -> Result<(), Errno> {
    let found = match statat(directory, name, AtFlags::SYMLINK_NOFOLLOW) {
        Ok(found) => found,
        Err(Errno::NOENT) => return Ok(()),
        Err(error) => return Err(error),
    };
    if FileType::from_raw_mode(found.st_mode) != FileType::Directory {
        return gone_is_fine(unlinkat(directory, name, AtFlags::empty()));
    }
    if depth > DEPTH_MAX || device.is_some_and(|device| device != found.st_dev) {
        return Err(Errno::XDEV);
    }
    let flags =
        OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC | OFlags::NONBLOCK;
    let opened = match openat(directory, name, flags, Mode::empty()) {
        // Scratch directories of overlays have no permissions at all.
        Err(Errno::ACCESS) => {
            rustix::fs::chmodat(directory, name, Mode::from_raw_mode(0o700), AtFlags::empty())?;
            openat(directory, name, flags, Mode::empty())?
        }
        other => other?,
    };
    if found.st_mode & 0o700 != 0o700 {
        // To be allowed to remove what is in it. Where we are not its owner
        // the removal itself will say so.
        let _ = rustix::fs::fchmod(&opened, Mode::from_raw_mode(0o700));
    }
    remove_content(&opened, depth, found.st_dev)?;
    drop(opened);
    gone_is_fine(unlinkat(directory, name, AtFlags::REMOVEDIR))
}

fn remove_content(directory: &OwnedFd, depth: usize, device: u64) -> Result<(), Errno> {
    // Names first: what is removed while a directory is read may hide others.
    let names: Vec<_> = Dir::read_from(directory)?
        .filter_map(Result::ok)
        .map(|entry| entry.file_name().to_owned())
        .filter(|name| name.as_bytes() != b"." && name.as_bytes() != b"..")
        .collect();
    names
        .iter()
        .try_for_each(|name| remove_entry(directory, name.as_c_str(), depth + 1, Some(device)))
}

fn gone_is_fine(result: Result<(), Errno>) -> Result<(), Errno> {
    match result {
        Err(Errno::NOENT) => Ok(()),
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::{PermissionsExt, symlink};

    #[test]
    fn links_are_removed_and_never_followed_and_locked_directories_go_too() {
        let base = tempfile::tempdir().unwrap();
        let precious = base.path().join("precious");
        std::fs::create_dir(&precious).unwrap();
        std::fs::write(precious.join("file"), "kept").unwrap();
        let tree = base.path().join("tree");
        let locked = tree.join("layers/etc.work/work");
        std::fs::create_dir_all(&locked).unwrap();
        std::fs::set_permissions(&locked, std::fs::Permissions::from_mode(0o000)).unwrap();
        symlink(&precious, tree.join("link")).unwrap();
        symlink("/nowhere", tree.join("dangling")).unwrap();
        // A removal that was cut off before.
        std::fs::create_dir_all(base.path().join("tree.trash/old")).unwrap();
        teardown(&tree).unwrap();
        assert!(!tree.exists() && !base.path().join("tree.trash").exists());
        assert_eq!(std::fs::read_to_string(precious.join("file")).unwrap(), "kept");
        teardown(&tree).unwrap();
    }

    #[test]
    fn a_link_in_place_of_the_tree_is_removed_itself() {
        let base = tempfile::tempdir().unwrap();
        let precious = base.path().join("precious");
        std::fs::create_dir(&precious).unwrap();
        symlink(&precious, base.path().join("tree")).unwrap();
        remove_node_dir(&base.path().join("tree")).unwrap();
        assert!(precious.is_dir() && !base.path().join("tree").exists());
    }
}
