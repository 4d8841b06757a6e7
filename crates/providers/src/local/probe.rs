//! Finds out what this machine can do for local nodes, by doing it: a probe
//! boots a node in a scratch directory up to the point where its ssh server
//! would start. Versions prove nothing: sandboxes, security modules and
//! settings take away what a kernel could do.

use std::ffi::OsString;
use std::io::{self, Write};
use std::net::Ipv4Addr;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Stdio};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::process::{Pid, Signal, WaitOptions, kill_process, waitpid};

use super::boot::{self, BootError, BootPlan, at};
use super::launch::{LAUNCH_VERSION, NodeLaunch, NodeLimits, SshServer};
use super::mac::MacAddress;
use super::net::{Cable, Netlink, cable_name, gateway_of};
use super::report::{self, Report};
use super::root_tree::{host_facts, prepare, survey};
use super::rung::{MachineLimits, ProbeStep, Rung, RungProbe};
use super::supervisor::enter_namespaces;
use super::sys::{SingleThreaded, child_of, close_all_except};
use super::teardown::remove_node_dir;

/// First argument of a process that is to try a rung.
pub const PROBE_ARGUMENT: &str = "__probe";
/// How long the trial node may take.
const TRIAL_TIMEOUT_S: i64 = 15;
/// The address of the trial node, in a network namespace of its own.
const TRIAL_ADDRESS: Ipv4Addr = Ipv4Addr::new(10, 77, 0, 11);
/// Places of the host's ssh server, most usual first.
const SSHD_PLACES: [&str; 4] =
    ["/usr/sbin/sshd", "/usr/bin/sshd", "/usr/local/sbin/sshd", "/sbin/sshd"];

/// Tries every rung. `program` is this binary, `state_dir` an existing
/// directory on the file system that nodes are to live on; a scratch directory
/// is made in it and removed.
#[must_use]
pub fn probe(program: &Path, state_dir: &Path) -> Vec<RungProbe> {
    Rung::ALL.into_iter().map(|rung| probe_rung(program, state_dir, rung)).collect()
}

/// Tries one rung.
#[must_use]
pub fn probe_rung(program: &Path, state_dir: &Path, rung: Rung) -> RungProbe {
    if rung == Rung::Root && !rustix::process::geteuid().is_root() {
        let step = ProbeStep {
            name: "be root".to_owned(),
            required: true,
            error: Some("this is an ordinary user".to_owned()),
            errno: None,
        };
        return judge(rung, vec![step]);
    }
    let scratch = state_dir.join(format!(".probe-{}-{rung}", std::process::id()));
    let output = Command::new(program)
        .arg(PROBE_ARGUMENT)
        .arg(rung.as_str())
        .arg(&scratch)
        .env_clear()
        .stdin(Stdio::null())
        .stderr(Stdio::null())
        .output();
    let _ = remove_node_dir(&scratch);
    let steps = match output {
        Ok(output) => serde_json::from_slice(&output.stdout).unwrap_or_else(|_| {
            vec![failed_step("run the probe", &format!("it ended with {}", output.status), None)]
        }),
        Err(error) => {
            vec![failed_step("start the probe", &error.to_string(), error.raw_os_error())]
        }
    };
    judge(rung, steps)
}

/// The host's ssh server, if it has one.
#[must_use]
pub fn find_sshd() -> Option<PathBuf> {
    SSHD_PLACES
        .into_iter()
        .map(PathBuf::from)
        .find(|place| rustix::fs::access(place, rustix::fs::Access::EXEC_OK).is_ok())
}

/// Limits of this machine that bound how many nodes it can hold.
#[must_use]
pub fn machine_limits() -> MachineLimits {
    let files = rustix::process::getrlimit(rustix::process::Resource::Nofile);
    let memory = std::fs::read_to_string("/proc/meminfo").unwrap_or_default();
    let available = memory.lines().find_map(|line| {
        line.strip_prefix("MemAvailable:")?.trim().strip_suffix(" kB")?.trim().parse::<u64>().ok()
    });
    MachineLimits {
        open_files_max: files.maximum.unwrap_or(u64::MAX),
        pid_max: number_in("/proc/sys/kernel/pid_max").unwrap_or(32_768),
        user_namespaces_max: number_in("/proc/sys/user/max_user_namespaces"),
        inotify_instances_max: number_in("/proc/sys/fs/inotify/max_user_instances"),
        bridge_ports_max: 1024,
        memory_available_bytes: available.map(|kilobytes| kilobytes * 1024),
    }
}

fn number_in(path: &str) -> Option<u64> {
    std::fs::read_to_string(path).ok()?.trim().parse().ok()
}

fn failed_step(name: &str, error: &str, errno: Option<i32>) -> ProbeStep {
    ProbeStep { name: name.to_owned(), required: true, error: Some(error.to_owned()), errno }
}

fn judge(rung: Rung, steps: Vec<ProbeStep>) -> RungProbe {
    let failed = steps.iter().find(|step| step.required && step.error.is_some());
    let why = failed.map(|step| {
        format!("failed to {}: {}", step.name, step.error.as_deref().unwrap_or_default())
    });
    let mend = failed.and_then(|step| mend_of(rung, step, &number_in));
    RungProbe { rung, works: failed.is_none(), why, mend, steps }
}

/// What can be done about a failed step. `number` reads a setting of the
/// kernel.
fn mend_of(rung: Rung, step: &ProbeStep, number: &dyn Fn(&str) -> Option<u64>) -> Option<String> {
    let is = |errno: rustix::io::Errno| step.errno == Some(errno.raw_os_error());
    let settings = [
        (
            "/proc/sys/kernel/apparmor_restrict_unprivileged_userns",
            1,
            "AppArmor keeps user namespaces from ordinary programs; allow them with: sudo sysctl -w \
             kernel.apparmor_restrict_unprivileged_userns=0",
        ),
        (
            "/proc/sys/kernel/unprivileged_userns_clone",
            0,
            "allow user namespaces with: sudo sysctl -w kernel.unprivileged_userns_clone=1",
        ),
        (
            "/proc/sys/user/max_user_namespaces",
            0,
            "allow user namespaces with: sudo sysctl -w user.max_user_namespaces=15000",
        ),
    ];
    let from_setting = || {
        settings
            .into_iter()
            .find(|(path, bad, _)| number(path) == Some(*bad))
            .map(|(_, _, mend)| mend.to_owned())
    };
    let mend = match (rung, step.name.as_str()) {
        (Rung::Root, "be root") => "run squall as root, or let it use user namespaces",
        (Rung::Root, _) if is(rustix::io::Errno::PERM) => {
            "root lacks rights here, as in a container: give it CAP_SYS_ADMIN and CAP_NET_ADMIN, or \
             let squall use user namespaces"
        }
        (_, name) if name.contains("overlay") && is(rustix::io::Errno::NODEV) => {
            "load overlay file systems with: sudo modprobe overlay"
        }
        (Rung::UserNamespace, name) if name.contains("overlay") => {
            "overlays in user namespaces need Linux 5.11 and a state directory on a file system \
             with user attributes (not NFS); otherwise run squall as root"
        }
        (_, name) if name.contains("bridge") || name.contains("cable") => {
            "load what nodes are connected by with: sudo modprobe -a bridge veth"
        }
        (Rung::UserNamespace, "mount /proc") => {
            "this container hides parts of /proc: start it with --security-opt \
             systempaths=unconfined, or run squall as root"
        }
        (Rung::UserNamespace, _) => return from_setting(),
        _ => return None,
    };
    Some(from_setting().filter(|_| rung == Rung::UserNamespace).unwrap_or_else(|| mend.to_owned()))
}

/// Becomes the probe of a rung; arguments are the rung and a directory to make
/// and use. Says what it found on standard output, as JSON.
pub fn probe_main(arguments: &[OsString]) -> ExitCode {
    let [rung, scratch] = arguments else { return ExitCode::from(2) };
    let Some(rung) = rung.to_str().and_then(Rung::from_word) else { return ExitCode::from(2) };
    let mut steps = Vec::new();
    // The first failure ends it and is the last step.
    let _ = try_rung(rung, Path::new(scratch), &mut steps);
    match serde_json::to_vec(&steps).map(|text| io::stdout().write_all(&text)) {
        Ok(Ok(())) => ExitCode::SUCCESS,
        _ => ExitCode::FAILURE,
    }
}

/// Some step failed and is written down.
struct Stop;

fn note<T, E: Into<io::Error>>(
    steps: &mut Vec<ProbeStep>,
    name: &str,
    result: Result<T, E>,
) -> Result<T, Stop> {
    let (error, value) = match result {
        Ok(value) => (None, Ok(value)),
        Err(error) => (Some(error.into()), Err(Stop)),
    };
    steps.push(ProbeStep {
        name: name.to_owned(),
        required: true,
        errno: error.as_ref().and_then(io::Error::raw_os_error),
        error: error.map(|error: io::Error| error.to_string()),
    });
    value
}

fn try_rung(rung: Rung, scratch: &Path, steps: &mut Vec<ProbeStep>) -> Result<(), Stop> {
    // Whoever asks may be killed; nobody would hear of the result then, and
    // nobody clear the scratch directory away while it is in use.
    let dies = rustix::process::set_parent_process_death_signal(Some(Signal::KILL));
    note(steps, "tie the probe to who asks", dies)?;
    let proof = note(steps, "begin alone", SingleThreaded::prove())?;
    if let Err((step, source)) = enter_namespaces(rung, proof) {
        return note(steps, step, Err(source));
    }
    let launch = trial_launch(rung, scratch);
    let view = survey();
    note(steps, "make a scratch directory", std::fs::create_dir_all(scratch))?;
    let prepared = prepare(&launch, &view, &host_facts());
    note(steps, "write the files of a node", prepared.map_err(|error| error.source))?;
    let gateway = gateway_of(TRIAL_ADDRESS, launch.prefix_length);
    let network = Netlink::open().and_then(|mut netlink| {
        let bridge = netlink.make_bridge(gateway, launch.prefix_length)?;
        Ok((netlink, bridge))
    });
    let (mut netlink, bridge) =
        note(steps, "make a bridge", network.map_err(|error| error.source))?;
    let (ours, theirs) = note(steps, "make a socket pair", report::pair())?;
    let plan = BootPlan { launch: &launch, view: &view, cgroup_files: &[] };
    let child = child_of(proof, boot::NAMESPACES, || trial(&plan, &theirs, proof));
    let pid = note(steps, "make the namespaces of a node", child)?;
    let cable = cable_name(TRIAL_ADDRESS, 0);
    let laid = netlink.add_cable(&Cable {
        name: &cable,
        bridge,
        pid: pid.as_raw_nonzero().get().unsigned_abs(),
        mac: launch.mac,
    });
    let laid = note(steps, "lay a cable", laid.map_err(|error| error.source));
    let heard = laid.and_then(|()| note(steps, "let the node go", report::say_go(&ours)));
    let heard = heard.and_then(|()| hear_of_trial(&ours, steps));
    end_trial(pid);
    heard
}

fn end_trial(pid: Pid) {
    let _ = kill_process(pid, Signal::KILL);
    let _ = waitpid(Some(pid), WaitOptions::empty());
}

/// What the trial node told; nothing is told by one that hangs.
fn hear_of_trial(ours: &std::os::fd::OwnedFd, steps: &mut Vec<ProbeStep>) -> Result<(), Stop> {
    let timeout = Timespec { tv_sec: TRIAL_TIMEOUT_S, tv_nsec: 0 };
    let mut watched = [PollFd::new(ours, PollFlags::IN)];
    let _ = poll(&mut watched, Some(&timeout));
    match report::heard(ours) {
        Some(Report::Up { notes }) => {
            steps.push(ProbeStep {
                name: "boot a node".to_owned(),
                required: true,
                error: None,
                errno: None,
            });
            steps.extend(notes.into_iter().map(|text| ProbeStep {
                name: "boot a node with everything".to_owned(),
                required: false,
                error: Some(text),
                errno: None,
            }));
            Ok(())
        }
        Some(Report::Failed { text, errno }) => {
            let (step, error) = text.split_once('\n').unwrap_or((&text, ""));
            steps.push(failed_step(step, error, errno));
            Err(Stop)
        }
        _ => {
            steps.push(failed_step("boot a node", "it said nothing in time", None));
            Err(Stop)
        }
    }
}

/// A node up to its first program.
fn trial(plan: &BootPlan<'_>, end: &std::os::fd::OwnedFd, proof: SingleThreaded) -> i32 {
    let mut notes = Vec::new();
    let report = match try_boot(plan, end, proof, &mut notes) {
        Ok(()) => Report::Up { notes },
        Err(error) => Report::Failed {
            text: format!("{}\n{}", error.step, error.source),
            errno: error.source.raw_os_error(),
        },
    };
    report::tell(end, &report);
    0
}

fn try_boot(
    plan: &BootPlan<'_>,
    end: &std::os::fd::OwnedFd,
    proof: SingleThreaded,
    notes: &mut Vec<String>,
) -> Result<(), BootError> {
    use std::os::fd::AsRawFd;
    at("let go of the probe's files", close_all_except(&[end.as_raw_fd()]))?;
    let dies = rustix::process::set_parent_process_death_signal(Some(Signal::KILL));
    at("tie the node to the probe", dies)?;
    boot::enter_limits(plan, proof, notes)?;
    boot::mount_root(plan, notes)?;
    boot::set_names(plan.launch, notes)?;
    at("wait for the cable", report::wait_for_go(end))?;
    boot::configure_network(plan.launch)?;
    boot::change_root()?;
    boot::drop_rights()
}

fn trial_launch(rung: Rung, scratch: &Path) -> NodeLaunch {
    NodeLaunch {
        version: LAUNCH_VERSION,
        name: "probe".to_owned(),
        hostname: "probe".to_owned(),
        domain: "probe".to_owned(),
        address: TRIAL_ADDRESS,
        prefix_length: 16,
        mac: MacAddress::of_node("probe", "probe"),
        limits: NodeLimits::default(),
        node_dir: scratch.to_owned(),
        ssh_server: SshServer::Embedded,
        kept_in: None,
        seeds: Vec::new(),
        hosts: Vec::new(),
        scripts: Vec::new(),
        environment: std::collections::BTreeMap::new(),
        masked_paths: Vec::new(),
        rung,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rustix::io::Errno;

    #[test]
    fn a_failed_step_comes_with_its_mend() {
        let no_setting = |_: &str| None;
        let apparmor = |path: &str| path.contains("apparmor").then_some(1);
        let step = |name: &str, errno: Errno| failed_step(name, "x", Some(errno.raw_os_error()));
        for (rung, step, setting, expected) in [
            (Rung::Root, step("be root", Errno::PERM), None, Some("run squall as root")),
            (
                Rung::Root,
                step("make a network namespace", Errno::PERM),
                None,
                Some("CAP_SYS_ADMIN"),
            ),
            (
                Rung::UserNamespace,
                step("make a user namespace", Errno::PERM),
                Some(()),
                Some("AppArmor"),
            ),
            (
                Rung::UserNamespace,
                step("mount an overlay on /usr", Errno::NODEV),
                None,
                Some("modprobe overlay"),
            ),
            (
                Rung::UserNamespace,
                step("mount an overlay on /usr", Errno::PERM),
                None,
                Some("5.11"),
            ),
            (
                Rung::UserNamespace,
                step("make a bridge", Errno::OPNOTSUPP),
                None,
                Some("bridge veth"),
            ),
            (Rung::UserNamespace, step("mount /proc", Errno::PERM), None, Some("systempaths")),
            (Rung::Root, step("begin alone", Errno::NOENT), None, None),
        ] {
            let number: &dyn Fn(&str) -> Option<u64> =
                if setting.is_some() { &apparmor } else { &no_setting };
            let mend = mend_of(rung, &step, number);
            match expected {
                Some(part) => assert!(mend.as_deref().unwrap().contains(part), "{mend:?}"),
                None => assert_eq!(mend, None),
            }
        }
    }

    #[test]
    fn a_failure_that_is_not_required_leaves_a_rung_working() {
        let mut step = failed_step("boot a node with everything", "no mqueue", None);
        step.required = false;
        let judged = judge(Rung::Root, vec![step]);
        assert!(judged.works && judged.why.is_none());
        let judged = judge(Rung::Root, vec![failed_step("make a bridge", "no", None)]);
        assert_eq!(judged.why.as_deref(), Some("failed to make a bridge: no"));
    }
}
