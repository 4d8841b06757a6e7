//! From a cloned process to a node: limits, mounts, network, the new root,
//! fewer rights. Runs in the child, in the node's namespaces but still with
//! the host's root; what it leaves behind is PID 1.

use std::ffi::CString;
use std::io;
use std::os::fd::AsFd;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};

use rustix::fs::{CWD, FileType, Mode};
use rustix::io::Errno;
use rustix::mount::{
    MountFlags, MountPropagationFlags, UnmountFlags, mount, mount_bind, mount_change,
    mount_remount, unmount,
};
use rustix::thread::{CapabilitySet, UnshareFlags};

use super::launch::NodeLaunch;
use super::net::{NODE_INTERFACE, Netlink};
use super::root_tree::{HostView, Layer};
use super::rung::Rung;
use super::sys::{SingleThreaded, unshare_namespaces};

/// The namespaces that a node has of its own. The cgroup namespace is entered
/// after its cgroup.
pub(super) const NAMESPACES: UnshareFlags = UnshareFlags::NEWNS
    .union(UnshareFlags::NEWPID)
    .union(UnshareFlags::NEWUTS)
    .union(UnshareFlags::NEWIPC)
    .union(UnshareFlags::NEWNET);

/// What processes of a node may do beyond an ordinary user. Everything else is
/// taken away; above all setting the clock, which no namespace keeps to the
/// node, then loading modules, raw ports, the kernel's log, waking the machine,
/// marking files immutable (they could not be deleted), opening by handle,
/// making device nodes.
const KEPT_CAPABILITIES: CapabilitySet = CapabilitySet::CHOWN
    .union(CapabilitySet::DAC_OVERRIDE)
    .union(CapabilitySet::FOWNER)
    .union(CapabilitySet::FSETID)
    .union(CapabilitySet::KILL)
    .union(CapabilitySet::SETGID)
    .union(CapabilitySet::SETUID)
    .union(CapabilitySet::SETPCAP)
    .union(CapabilitySet::SETFCAP)
    .union(CapabilitySet::NET_BIND_SERVICE)
    .union(CapabilitySet::NET_BROADCAST)
    .union(CapabilitySet::NET_RAW)
    .union(CapabilitySet::NET_ADMIN)
    .union(CapabilitySet::IPC_LOCK)
    .union(CapabilitySet::IPC_OWNER)
    .union(CapabilitySet::SYS_CHROOT)
    .union(CapabilitySet::SYS_ADMIN)
    .union(CapabilitySet::SYS_BOOT)
    .union(CapabilitySet::SYS_PTRACE)
    .union(CapabilitySet::SYS_NICE)
    .union(CapabilitySet::SYS_RESOURCE)
    .union(CapabilitySet::LEASE)
    .union(CapabilitySet::AUDIT_WRITE);

/// Devices of a node: name, major, minor.
const DEVICES: [(&str, u32, u32); 6] = [
    ("null", 1, 3),
    ("zero", 1, 5),
    ("full", 1, 7),
    ("random", 1, 8),
    ("urandom", 1, 9),
    ("tty", 5, 0),
];
/// Links in `/dev`.
const DEVICE_LINKS: [(&str, &str); 5] = [
    ("ptmx", "pts/ptmx"),
    ("fd", "/proc/self/fd"),
    ("stdin", "/proc/self/fd/0"),
    ("stdout", "/proc/self/fd/1"),
    ("stderr", "/proc/self/fd/2"),
];
/// Directories on the fresh `/run`.
const RUN_DIRECTORIES: [(&str, u32); 4] =
    [("lock", 0o1777), ("sshd", 0o755), ("user", 0o755), ("munge", 0o755)];
/// How long the mount of the boot before may still be held by the kernel.
const BUSY_TRIES: u32 = 100;

/// A step of booting that the kernel refused. Reads after "failed to".
#[derive(Debug, thiserror::Error)]
#[error("{step}")]
pub(super) struct BootError {
    /// What was tried.
    pub(super) step: String,
    /// The kernel's words.
    #[source]
    pub(super) source: io::Error,
}

/// Names the step of a result.
pub(super) fn at<T, E: Into<io::Error>>(
    step: impl Into<String>,
    result: Result<T, E>,
) -> Result<T, BootError> {
    result.map_err(|error| BootError { step: step.into(), source: error.into() })
}

/// What the child needs to know.
#[derive(Debug)]
pub(super) struct BootPlan<'a> {
    /// The node.
    pub(super) launch: &'a NodeLaunch,
    /// What it sees of the host.
    pub(super) view: &'a HostView,
    /// Files to write a process into, to put it under the node's limits.
    pub(super) cgroup_files: &'a [PathBuf],
}

/// Joins the node's cgroups and hides the rest of their tree.
pub(super) fn enter_limits(
    plan: &BootPlan<'_>,
    proof: SingleThreaded,
    notes: &mut Vec<String>,
) -> Result<(), BootError> {
    for file in plan.cgroup_files {
        at(format!("join the cgroup {}", file.display()), std::fs::write(file, "0"))?;
    }
    if let Err(error) = unshare_namespaces(proof, UnshareFlags::NEWCGROUP) {
        notes.push(format!("no cgroup namespace: {error}"));
    }
    Ok(())
}

/// Mounts everything of the node below its `root/`, which becomes the current
/// directory's child. Returns with the node's directory as current directory.
pub(super) fn mount_root(plan: &BootPlan<'_>, notes: &mut Vec<String>) -> Result<(), BootError> {
    let private = MountPropagationFlags::REC | MountPropagationFlags::PRIVATE;
    at("keep mounts to the node", mount_change("/", private))?;
    // Everything below is relative: overlay options are separated by commas
    // and colons and bounded by a page, a path of the host may be anything.
    at("enter the node's directory", std::env::set_current_dir(&plan.launch.node_dir))?;
    at("bind the node's root", mount_bind("root", "root"))?;
    for layer in &plan.view.layers {
        mount_layer(layer, plan.launch.rung)?;
    }
    mount_proc(plan.launch.rung, notes)?;
    let quiet = MountFlags::NOSUID | MountFlags::NODEV | MountFlags::NOEXEC;
    optional(
        "mount /sys",
        mount("sysfs", "root/sys", "sysfs", quiet | MountFlags::RDONLY, None),
        notes,
    );
    mount_devices(plan.launch.rung, notes)?;
    at(
        "mount /run",
        mount("tmpfs", "root/run", "tmpfs", MountFlags::NOSUID | MountFlags::NODEV, c"mode=755"),
    )?;
    for (path, mode) in RUN_DIRECTORIES {
        at(format!("make /run/{path}"), make_directory(&Path::new("root/run").join(path), mode))?;
    }
    at("make /run/utmp", std::fs::write("root/run/utmp", ""))
}

fn mount_layer(layer: &Layer, rung: Rung) -> Result<(), BootError> {
    // `index=off` because the kernel lets go of the mount of the boot before
    // in its own time, and with an index it would call the layer busy.
    let user = if rung == Rung::UserNamespace { ",userxattr" } else { "" };
    let options = format!(
        "lowerdir=/{},upperdir={},workdir={},index=off{user}",
        layer.path,
        layer.upper(),
        layer.work()
    );
    let step = format!("mount an overlay on /{}", layer.path);
    let options = at(step.clone(), CString::new(options))?;
    for _ in 0..BUSY_TRIES {
        let mounted =
            mount("overlay", layer.target(), "overlay", MountFlags::NODEV, options.as_c_str());
        if mounted != Err(Errno::BUSY) {
            return at(step, mounted);
        }
        std::thread::sleep(std::time::Duration::from_millis(20));
    }
    at(step, Err(Errno::BUSY))
}

fn mount_proc(rung: Rung, notes: &mut Vec<String>) -> Result<(), BootError> {
    let quiet = MountFlags::NOSUID | MountFlags::NODEV | MountFlags::NOEXEC;
    at("mount /proc", mount("proc", "root/proc", "proc", quiet, None))?;
    if rung == Rung::Root {
        // So that a set-up script that tunes "the machine" or presses a magic
        // key does not do it to the host. Its own network it may tune.
        optional("protect /proc/sys", protect_sysctls(quiet), notes);
        let magic = "root/proc/sysrq-trigger";
        if Path::new(magic).exists() {
            optional("protect the magic key", read_only(magic, quiet), notes);
        }
    }
    Ok(())
}

/// Makes `/proc/sys` read-only but for the part that is the node's own.
fn protect_sysctls(flags: MountFlags) -> rustix::io::Result<()> {
    let (all, own) = ("root/proc/sys", "root/proc/sys/net");
    // A bind takes the read-only flag along; the remount takes it off again.
    read_only(all, flags)?;
    mount_bind(own, own)?;
    mount_remount(own, MountFlags::BIND | flags, c"")
}

/// Makes a place read-only by binding it on itself.
fn read_only(place: &str, flags: MountFlags) -> rustix::io::Result<()> {
    mount_bind(place, place)?;
    mount_remount(place, MountFlags::BIND | MountFlags::RDONLY | flags, c"")
}

fn mount_devices(rung: Rung, notes: &mut Vec<String>) -> Result<(), BootError> {
    // Without mode=755 the directory is sticky, and opening a bound /dev/null
    // for writing is refused.
    at(
        "mount /dev",
        mount("tmpfs", "root/dev", "tmpfs", MountFlags::NOSUID, c"mode=755,size=64k"),
    )?;
    for (name, major, minor) in DEVICES {
        at(format!("make /dev/{name}"), make_device(name, major, minor))?;
    }
    for (name, target) in DEVICE_LINKS {
        at(format!("make /dev/{name}"), symlink(target, Path::new("root/dev").join(name)))?;
    }
    for (name, mode) in [("pts", 0o755), ("shm", 0o1777), ("mqueue", 0o1777)] {
        at(format!("make /dev/{name}"), make_directory(&Path::new("root/dev").join(name), mode))?;
    }
    let quiet = MountFlags::NOSUID | MountFlags::NOEXEC;
    // The group tty is not mapped in a user namespace of one user.
    let options = match rung {
        Rung::Root => c"newinstance,ptmxmode=0666,mode=620,gid=5",
        Rung::UserNamespace => c"newinstance,ptmxmode=0666,mode=620",
    };
    at("mount /dev/pts", mount("devpts", "root/dev/pts", "devpts", quiet, options))?;
    let shared = MountFlags::NOSUID | MountFlags::NODEV;
    at("mount /dev/shm", mount("tmpfs", "root/dev/shm", "tmpfs", shared, c"mode=1777"))?;
    optional(
        "mount /dev/mqueue",
        mount("mqueue", "root/dev/mqueue", "mqueue", shared | MountFlags::NOEXEC, None),
        notes,
    );
    Ok(())
}

/// Makes a device node, or, where that is not allowed, binds the host's.
fn make_device(name: &str, major: u32, minor: u32) -> io::Result<()> {
    let place = Path::new("root/dev").join(name);
    let device = rustix::fs::makedev(major, minor);
    let mode = Mode::from_raw_mode(0o666);
    match rustix::fs::mknodat(CWD, &place, FileType::CharacterDevice, mode, device) {
        Ok(()) => rustix::fs::chmod(&place, mode)?,
        Err(_) => {
            std::fs::write(&place, "")?;
            mount_bind(Path::new("/dev").join(name), &place)?;
        }
    }
    Ok(())
}

fn make_directory(place: &Path, mode: u32) -> rustix::io::Result<()> {
    let mode = Mode::from_raw_mode(mode);
    rustix::fs::mkdir(place, mode)?;
    rustix::fs::chmod(place, mode)
}

fn optional<E: std::fmt::Display>(step: &str, result: Result<(), E>, notes: &mut Vec<String>) {
    if let Err(error) = result {
        notes.push(format!("failed to {step}: {error}"));
    }
}

/// Gives the node its name.
pub(super) fn set_names(launch: &NodeLaunch, notes: &mut Vec<String>) -> Result<(), BootError> {
    at("set the host name", rustix::system::sethostname(launch.hostname.as_bytes()))?;
    optional("set the domain", rustix::system::setdomainname(launch.domain.as_bytes()), notes);
    Ok(())
}

/// Takes the node's network up. There is no default route: nothing lies behind
/// it, and programs that find one wait for it.
pub(super) fn configure_network(launch: &NodeLaunch) -> Result<(), BootError> {
    // No IPv6 on the cluster's bridge: its address detection and multicast
    // reach every node from every node. Where it is not there, all the better.
    let _ = std::fs::write(format!("/proc/sys/net/ipv6/conf/{NODE_INTERFACE}/disable_ipv6"), "1");
    // Tells the bridge at once on which port the address now is.
    let _ = std::fs::write(format!("/proc/sys/net/ipv4/conf/{NODE_INTERFACE}/arp_notify"), "1");
    let done = (|| {
        let mut netlink = Netlink::open()?;
        let loopback = netlink.index_of("lo")?;
        netlink.set_up(loopback, "lo")?;
        let index = netlink.index_of(NODE_INTERFACE)?;
        netlink.add_address(index, launch.address, launch.prefix_length)?;
        netlink.set_up(index, NODE_INTERFACE)
    })();
    done.map_err(|error| BootError { step: error.doing, source: error.source })
}

/// Makes `root/` the root and lets go of the host's.
pub(super) fn change_root() -> Result<(), BootError> {
    at("enter the node's root", std::env::set_current_dir("root"))?;
    at("change the root", rustix::process::pivot_root(".", "."))?;
    at("let go of the host's root", unmount(".", UnmountFlags::DETACH))?;
    at("enter the new root", std::env::set_current_dir("/"))
}

/// Takes away every right that nodes must not have, from this process and from
/// all that it will ever start.
pub(super) fn drop_rights() -> Result<(), BootError> {
    let step = "take rights away";
    for number in 0..u64::BITS {
        let one = CapabilitySet::from_bits_retain(1 << number);
        if KEPT_CAPABILITIES.contains(one) {
            continue;
        }
        match rustix::thread::remove_capability_from_bounding_set(one) {
            Ok(()) => {}
            // Beyond the last capability that this kernel knows.
            Err(Errno::INVAL) => break,
            Err(error) => return at(step, Err(error)),
        }
    }
    let mut sets = at(step, rustix::thread::capabilities(None))?;
    sets.effective &= KEPT_CAPABILITIES;
    sets.permitted &= KEPT_CAPABILITIES;
    sets.inheritable = CapabilitySet::empty();
    at(step, rustix::thread::set_capabilities(None, sets))
}

/// Standard input from nowhere, output and errors to the node's console.
pub(super) fn redirect_to(console: impl AsFd) -> Result<(), BootError> {
    let null = at("open /dev/null", std::fs::File::open("/dev/null"))?;
    at("redirect input", rustix::stdio::dup2_stdin(&null))?;
    at("redirect output", rustix::stdio::dup2_stdout(console.as_fd()))?;
    at("redirect errors", rustix::stdio::dup2_stderr(console.as_fd()))
}
