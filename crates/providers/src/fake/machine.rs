//! One pretended machine and how it lives through virtual time.

use jiff::{SignedDuration, Timestamp};
use model::inventory::ObservedNode;
use model::node::NodeState;
use serde::{Deserialize, Serialize};

/// How long things take in the fake cloud.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Latencies {
    /// Milliseconds that every call takes.
    pub call_ms: u32,
    /// Milliseconds from the making or start of a machine until it runs.
    pub boot_ms: u32,
}

impl Default for Latencies {
    fn default() -> Self {
        Self { call_ms: 100, boot_ms: 20_000 }
    }
}

/// A machine, and what will become of it by itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Machine {
    /// What `observe` shows.
    pub(super) seen: ObservedNode,
    /// The state it takes by itself, and when.
    pub(super) due: Option<Due>,
    /// What it printed.
    pub(super) console: String,
}

/// A change of state that is on its way.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Due {
    /// When.
    pub(super) at: Timestamp,
    /// The state.
    pub(super) state: NodeState,
}

impl Machine {
    /// Sends it up: `pending` now and `running` after `boot`, or never.
    pub(super) fn power_on(&mut self, now: Timestamp, boot: Option<SignedDuration>) {
        self.seen.state = NodeState::Pending;
        self.seen.state_reason = None;
        self.due = boot.map(|boot| Due { at: later(now, boot), state: NodeState::Running });
        self.print("booting");
    }

    /// Takes it down; its files stay.
    pub(super) fn power_off(&mut self, reason: Option<&str>) {
        self.seen.state = NodeState::Stopped;
        self.seen.state_reason = reason.map(str::to_owned);
        self.seen.started_at = None;
        self.due = None;
        self.print("power down");
    }

    /// Takes on the state that is due, and says which if it did.
    pub(super) fn settle(&mut self, now: Timestamp) -> Option<Due> {
        let due = self.due.take_if(|due| due.at <= now)?;
        self.seen.state = due.state;
        if due.state == NodeState::Running {
            self.seen.started_at = Some(due.at);
            self.print("up");
        }
        Some(due)
    }

    fn print(&mut self, line: &str) {
        self.console.push_str(self.seen.name.as_str());
        self.console.push_str(": ");
        self.console.push_str(line);
        self.console.push('\n');
    }
}

/// `at` moved on by `by`; the end of time when that is out of range.
pub(super) fn later(at: Timestamp, by: SignedDuration) -> Timestamp {
    at.checked_add(by).unwrap_or(Timestamp::MAX)
}
