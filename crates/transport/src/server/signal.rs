//! Signals by the names that the protocol gives them.

use rustix::process::{Pid, Signal};

const NAMES: &[(&str, Signal)] = &[
    ("ABRT", Signal::ABORT),
    ("ALRM", Signal::ALARM),
    ("BUS", Signal::BUS),
    ("FPE", Signal::FPE),
    ("HUP", Signal::HUP),
    ("ILL", Signal::ILL),
    ("INT", Signal::INT),
    ("KILL", Signal::KILL),
    ("PIPE", Signal::PIPE),
    ("QUIT", Signal::QUIT),
    ("SEGV", Signal::SEGV),
    ("SYS", Signal::SYS),
    ("TERM", Signal::TERM),
    ("TRAP", Signal::TRAP),
    ("USR1", Signal::USR1),
    ("USR2", Signal::USR2),
    ("XCPU", Signal::XCPU),
    ("XFSZ", Signal::XFSZ),
];

/// The signal of this name, without `SIG`.
pub(super) fn by_name(name: &str) -> Option<Signal> {
    NAMES.iter().find(|(known, _)| *known == name).map(|(_, signal)| *signal)
}

/// The name of this signal, without `SIG`; others get a private name with the
/// number, as RFC 4254 has it.
pub(super) fn name_of(number: i32) -> String {
    match NAMES.iter().find(|(_, signal)| signal.as_raw() == number) {
        Some((name, _)) => (*name).to_owned(),
        None => format!("{number}@squall"),
    }
}

/// Sends a signal to all of a group; one that is gone needs none.
pub(super) fn send(group: Pid, signal: Signal) {
    let _ = rustix::process::kill_process_group(group, signal);
}
