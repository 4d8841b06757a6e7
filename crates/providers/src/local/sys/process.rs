//! Processes: clone with namespaces, descriptors, titles.

use std::io;
use std::os::fd::RawFd;
use std::os::unix::process::CommandExt;
use std::panic::AssertUnwindSafe;
use std::process::{Child, Command};

use rustix::process::Pid;
use rustix::thread::UnshareFlags;

/// Exit code of a child whose code panicked.
const EXIT_PANICKED: i32 = 70;

/// Proof that this process has one thread, which is what makes going on in a
/// cloned child without exec sound: no other thread can hold a lock (of the
/// allocator, say) at the moment of the clone.
#[derive(Debug, Clone, Copy)]
pub(crate) struct SingleThreaded(());

impl SingleThreaded {
    /// Counts the threads of this process.
    pub(crate) fn prove() -> io::Result<Self> {
        let threads = std::fs::read_dir("/proc/self/task")?.count();
        if threads == 1 {
            Ok(Self(()))
        } else {
            Err(io::Error::other(format!("this process has {threads} threads instead of one")))
        }
    }
}

/// The arguments of `clone3`, as the kernel wants them.
#[repr(C)]
#[derive(Default)]
struct CloneArguments {
    flags: u64,
    pidfd: u64,
    child_tid: u64,
    parent_tid: u64,
    exit_signal: u64,
    stack: u64,
    stack_size: u64,
    tls: u64,
}

/// Runs `work` in a child process that lives in the namespaces of `flags` and
/// shares the memory pages of this one as long as neither writes to them. The
/// child ends with the code that `work` returns; nothing of its caller runs in
/// it. All descriptors are open in the child.
pub(crate) fn child_of(
    _proof: SingleThreaded,
    flags: UnshareFlags,
    work: impl FnOnce() -> i32,
) -> io::Result<Pid> {
    match clone_process(flags)? {
        Some(pid) => Ok(pid),
        None => {
            // Unwinding into the caller's frames would run the parent's code
            // twice, hence catch and `_exit`.
            let code = std::panic::catch_unwind(AssertUnwindSafe(work)).unwrap_or(EXIT_PANICKED);
            // SAFETY: ends the child at once; no destructor of the parent runs.
            unsafe { libc::_exit(code) }
        }
    }
}

/// The child's id in the parent, `None` in the child.
fn clone_process(flags: UnshareFlags) -> io::Result<Option<Pid>> {
    let exit_signal = u64::from(libc::SIGCHLD.unsigned_abs());
    let arguments =
        CloneArguments { flags: u64::from(flags.bits()), exit_signal, ..CloneArguments::default() };
    // SAFETY: without CLONE_VM the child has memory of its own, a copy of the
    // whole process; `SingleThreaded` says that no other thread could have left
    // it inconsistent. The arguments are valid for the size given.
    let result = unsafe {
        libc::syscall(libc::SYS_clone3, std::ptr::from_ref(&arguments), size_of::<CloneArguments>())
    };
    let pid = if result == -1 {
        let error = io::Error::last_os_error();
        if error.raw_os_error() != Some(libc::ENOSYS) {
            return Err(error);
        }
        clone_the_old_way(flags)?
    } else {
        result
    };
    i32::try_from(pid).map(Pid::from_raw).map_err(io::Error::other)
}

/// For containers whose filter hides `clone3` behind ENOSYS.
fn clone_the_old_way(flags: UnshareFlags) -> io::Result<libc::c_long> {
    let all = libc::c_long::from(flags.bits()) | libc::c_long::from(libc::SIGCHLD);
    // SAFETY: as above; a null stack makes the child go on on a copy of this
    // one, whatever the order of the further arguments on this architecture.
    let result = unsafe { libc::syscall(libc::SYS_clone, all, 0, 0, 0, 0) };
    if result == -1 { Err(io::Error::last_os_error()) } else { Ok(result) }
}

/// Moves this process into new namespaces.
pub(crate) fn unshare_namespaces(_proof: SingleThreaded, flags: UnshareFlags) -> io::Result<()> {
    // SAFETY: the process has one thread and shares no descriptor table, so
    // nothing that safe code relies on is taken away from anybody.
    unsafe { rustix::thread::unshare_unsafe(flags) }.map_err(Into::into)
}

/// Closes every descriptor but the standard three and `kept`. What owns a
/// closed descriptor must not be dropped afterwards: for use in a child that
/// ends by `_exit`, and before anything was opened.
pub(crate) fn close_all_except(kept: &[RawFd]) -> io::Result<()> {
    let mut kept: Vec<u32> =
        kept.iter().filter_map(|fd| u32::try_from(*fd).ok()).filter(|fd| *fd > 2).collect();
    kept.sort_unstable();
    let mut first = 3_u32;
    for fd in kept {
        if first < fd {
            close_range(first, fd - 1)?;
        }
        first = fd + 1;
    }
    close_range(first, u32::MAX)
}

fn close_range(first: u32, last: u32) -> io::Result<()> {
    // SAFETY: closes numbers only; the caller promises that no owner of one of
    // them is used again.
    let result = unsafe { libc::syscall(libc::SYS_close_range, first, last, 0) };
    if result == 0 {
        return Ok(());
    }
    let error = io::Error::last_os_error();
    if error.raw_os_error() == Some(libc::ENOSYS) {
        close_one_by_one(first, last)
    } else {
        Err(error)
    }
}

/// For kernels before 5.9.
fn close_one_by_one(first: u32, last: u32) -> io::Result<()> {
    let numbers: Vec<u32> = std::fs::read_dir("/proc/self/fd")?
        .filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok())
        .filter(|fd| (first..=last).contains(fd))
        .collect();
    for number in numbers {
        if let Ok(number) = RawFd::try_from(number) {
            // SAFETY: as in `close_range`; a number that is closed already
            // gives an error that does not matter.
            unsafe { libc::close(number) };
        }
    }
    Ok(())
}

/// Where a process says how gladly it is killed when memory runs out.
const KILL_SCORE: &str = "/proc/self/oom_score_adj";
/// How much sooner than its parent a child is killed where memory is short, in
/// thousandths of that memory.
const SOONER_TO_BE_KILLED: i32 = 200;
/// The kernel's bound on that.
const KILL_SCORE_MAX: i32 = 1000;

/// Starts a program in a session of its own, with no signal blocked: the
/// standard library hands our own mask on. It and its children are killed
/// before this process when memory runs out; otherwise PID 1, which is larger
/// than many a small process, would be the first of a node to go.
pub(crate) fn spawn_in_own_session(command: &mut Command) -> io::Result<Child> {
    let own = std::fs::read_to_string(KILL_SCORE).unwrap_or_default();
    let own: i32 = own.trim().parse().unwrap_or(0);
    let score = (own + SOONER_TO_BE_KILLED).min(KILL_SCORE_MAX).to_string();
    // SAFETY: all are plain system calls that allocate nothing, allowed between
    // fork and exec, and an all-zero set is what `sigemptyset` makes.
    unsafe {
        command.pre_exec(move || {
            rustix::process::setsid()?;
            // Where it cannot be written there is nothing to protect from.
            let flags = rustix::fs::OFlags::WRONLY | rustix::fs::OFlags::CLOEXEC;
            if let Ok(file) = rustix::fs::open(KILL_SCORE, flags, rustix::fs::Mode::empty()) {
                let _ = rustix::io::write(&file, score.as_bytes());
            }
            let mut none: libc::sigset_t = std::mem::zeroed();
            libc::sigemptyset(&raw mut none);
            match libc::sigprocmask(libc::SIG_SETMASK, &raw const none, std::ptr::null_mut()) {
                0 => Ok(()),
                _ => Err(io::Error::last_os_error()),
            }
        });
    }
    command.spawn()
}

/// Overwrites the command line that `ps` shows, so that a node's PID 1 does
/// not show paths of the host. What does not fit is cut.
pub(crate) fn title_process(title: &str) -> io::Result<()> {
    let stat = std::fs::read_to_string("/proc/self/stat")?;
    // The name in the second field may hold anything, hence from its end;
    // fields 48 and 49 (`arg_start`, `arg_end`) are then 45 and 46.
    let rest = stat.rsplit_once(')').map_or("", |(_, rest)| rest);
    let fields: Vec<usize> =
        rest.split_whitespace().skip(45).take(2).filter_map(|field| field.parse().ok()).collect();
    let [start, end] = fields.as_slice() else {
        return Err(io::Error::other("the kernel does not tell where the arguments are"));
    };
    let length = end.saturating_sub(*start);
    if length == 0 {
        return Ok(());
    }
    let count = title.len().min(length - 1);
    // SAFETY: the kernel says that the strings of argv fill this range of our
    // own writable stack; nothing holds a reference into it, because the
    // standard library copies arguments when asked for them, and this process
    // asks no more.
    unsafe {
        let place = std::ptr::with_exposed_provenance_mut::<u8>(*start);
        std::ptr::write_bytes(place, 0, length);
        std::ptr::copy_nonoverlapping(title.as_ptr(), place, count);
    }
    Ok(())
}
