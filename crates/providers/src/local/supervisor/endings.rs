//! What the end of a node's PID 1 means, by how it ended and what was asked of
//! it. Pure.

use rustix::process::{Signal, WaitStatus};

use super::nodes::{Intent, Process};
use crate::local::node_init::{EXIT_FAILED, EXIT_POWER_OFF, EXIT_REBOOT, EXIT_STOPPED};

/// What the end of a node's PID 1 means.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum End {
    Stopped { why: String },
    Reboot { why: String },
    Failed { text: String, errno: Option<i32> },
}

pub(super) fn meaning_of(status: WaitStatus, intent: Intent, process: &Process) -> End {
    if let Some((text, errno)) = &process.failure {
        return End::Failed { text: text.clone(), errno: *errno };
    }
    if !process.is_up && process.was_forced && intent == Intent::Run {
        let text = "it was not set up in time".to_owned();
        return End::Failed { text, errno: None };
    }
    meaning(status.exit_status(), status.terminating_signal(), intent, process.was_forced)
}

fn meaning(code: Option<i32>, signal: Option<i32>, intent: Intent, was_forced: bool) -> End {
    let stopped = |why: &str| End::Stopped { why: why.to_owned() };
    match intent {
        Intent::Stop if was_forced => {
            return stopped("stopped on request; killed when its grace was over");
        }
        Intent::Stop => return stopped("stopped on request"),
        Intent::Kill => return stopped("killed on request"),
        Intent::Reboot => return End::Reboot { why: "rebooted on request".to_owned() },
        Intent::Run => {}
    }
    // The kernel ends PID 1 by these two signals after reboot(2) inside.
    let is = |wanted: Signal| signal == Some(wanted.as_raw());
    if code == Some(EXIT_REBOOT) || is(Signal::HUP) {
        End::Reboot { why: "rebooted from inside".to_owned() }
    } else if code == Some(EXIT_POWER_OFF) || is(Signal::INT) {
        stopped("powered off from inside")
    } else if code == Some(EXIT_STOPPED) {
        stopped("stopped from inside")
    } else if code == Some(EXIT_FAILED) {
        End::Failed { text: "it could not be set up and did not say why".to_owned(), errno: None }
    } else if let Some(signal) = signal {
        stopped(&format!("killed by signal {signal}"))
    } else {
        stopped(&format!("PID 1 ended with code {}", code.unwrap_or(-1)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_end_of_pid_1_has_a_meaning() {
        let stopped = |why: &str| End::Stopped { why: why.to_owned() };
        let reboot = |why: &str| End::Reboot { why: why.to_owned() };
        for (code, signal, intent, forced, expected) in [
            (Some(0), None, Intent::Stop, false, stopped("stopped on request")),
            (
                None,
                Some(9),
                Intent::Stop,
                true,
                stopped("stopped on request; killed when its grace was over"),
            ),
            (None, Some(9), Intent::Kill, false, stopped("killed on request")),
            (Some(42), None, Intent::Run, false, reboot("rebooted from inside")),
            (None, Some(1), Intent::Run, false, reboot("rebooted from inside")),
            (Some(43), None, Intent::Run, false, stopped("powered off from inside")),
            (None, Some(2), Intent::Run, false, stopped("powered off from inside")),
            (Some(0), None, Intent::Run, false, stopped("stopped from inside")),
            (None, Some(9), Intent::Run, false, stopped("killed by signal 9")),
            (Some(70), None, Intent::Run, false, stopped("PID 1 ended with code 70")),
            (Some(42), None, Intent::Reboot, false, reboot("rebooted on request")),
            (Some(42), None, Intent::Stop, false, stopped("stopped on request")),
        ] {
            assert_eq!(meaning(code, signal, intent, forced), expected);
        }
    }
}
