//! Where each node of a run stands, for the line of progress and for who asks
//! what is still running. Pure; time is an argument.

use std::time::{Duration, Instant};

use model::target::fold;
use transport::fanout::{Outcome, RunEvent, RunEventKind};

/// Where one node stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Standing {
    Waiting,
    Connecting(Instant),
    Running(Instant),
    Done,
    Failed,
    NotReached,
}

/// Where all of them stand.
#[derive(Debug)]
pub(super) struct RunState {
    names: Vec<String>,
    standings: Vec<Standing>,
    /// Nodes on which the command was begun, in order.
    begun: Vec<bool>,
    /// Nodes that could not even be tried.
    untried: usize,
    done: usize,
    failed: usize,
    not_reached: usize,
    running: usize,
}

impl RunState {
    /// Nothing has begun.
    pub(super) fn new(names: Vec<String>, untried: usize) -> Self {
        Self {
            standings: vec![Standing::Waiting; names.len()],
            begun: vec![false; names.len()],
            names,
            untried,
            done: 0,
            failed: 0,
            not_reached: untried,
            running: 0,
        }
    }

    /// Takes one event in; answers whether it changes what is to be shown.
    pub(super) fn take(&mut self, event: &RunEvent, now: Instant) -> bool {
        let Some(standing) = self.standings.get_mut(event.index) else { return false };
        let next = match &event.kind {
            RunEventKind::Connecting => Standing::Connecting(now),
            RunEventKind::Started => {
                self.running += 1;
                if let Some(begun) = self.begun.get_mut(event.index) {
                    *begun = true;
                }
                Standing::Running(now)
            }
            RunEventKind::Output { .. } | RunEventKind::LeftOpen => return false,
            RunEventKind::Finished { outcome, .. } => {
                if matches!(standing, Standing::Running(_)) {
                    self.running = self.running.saturating_sub(1);
                }
                match outcome {
                    Outcome::Unreachable { .. } => {
                        self.not_reached += 1;
                        Standing::NotReached
                    }
                    outcome if outcome.is_success() => {
                        self.done += 1;
                        Standing::Done
                    }
                    _ => {
                        self.done += 1;
                        self.failed += 1;
                        Standing::Failed
                    }
                }
            }
        };
        *standing = next;
        true
    }

    /// The nodes on which the command was begun.
    pub(super) fn begun(&self) -> Vec<usize> {
        let begun = self.begun.iter().enumerate().filter(|(_, begun)| **begun);
        begun.map(|(node, _)| node).collect()
    }

    /// `43/64 done, 2 failed, 19 running`.
    pub(super) fn message(&self) -> String {
        let total = self.names.len() + self.untried;
        let mut parts = vec![format!("{}/{total} done", self.done)];
        for (count, word) in
            [(self.failed, "failed"), (self.not_reached, "not reached"), (self.running, "running")]
        {
            if count > 0 {
                parts.push(format!("{count} {word}"));
            }
        }
        parts.join(", ")
    }

    /// Which nodes are not done yet, a line for each way of it.
    pub(super) fn running(&self, now: Instant) -> Vec<String> {
        let mut running = Way::new("still running");
        let mut connecting = Way::new("still connecting");
        let mut waiting = Way::new("not begun");
        for (name, standing) in self.names.iter().zip(&self.standings) {
            match standing {
                Standing::Running(since) => running.add(name, Some(now.duration_since(*since))),
                Standing::Connecting(since) => {
                    connecting.add(name, Some(now.duration_since(*since)));
                }
                Standing::Waiting => waiting.add(name, None),
                Standing::Done | Standing::Failed | Standing::NotReached => {}
            }
        }
        [running, connecting, waiting].into_iter().filter_map(Way::line).collect()
    }
}

/// Nodes that stand alike.
struct Way<'a> {
    word: &'static str,
    names: Vec<&'a str>,
    shortest: Option<Duration>,
    longest: Option<Duration>,
}

impl<'a> Way<'a> {
    const fn new(word: &'static str) -> Self {
        Self { word, names: Vec::new(), shortest: None, longest: None }
    }

    fn add(&mut self, name: &'a str, time: Option<Duration>) {
        self.names.push(name);
        self.shortest = self.shortest.min(time).or(time);
        self.longest = self.longest.max(time);
    }

    fn line(self) -> Option<String> {
        let count = self.names.len();
        (count > 0).then_some(())?;
        let nodes = if count == 1 { "node" } else { "nodes" };
        let time = match (self.shortest.map(time), self.longest.map(time)) {
            (Some(shortest), Some(longest)) if shortest == longest => format!(", for {longest}"),
            (Some(shortest), Some(longest)) => format!(", for {shortest} to {longest}"),
            _ => String::new(),
        };
        Some(format!("{}: {} ({count} {nodes}){time}", self.word, fold(self.names)))
    }
}

/// Whole seconds, minutes or hours.
fn time(duration: Duration) -> String {
    let seconds = duration.as_secs();
    match seconds {
        0..120 => format!("{seconds} s"),
        120..7200 => format!("{} min", seconds / 60),
        _ => format!("{} h", seconds / 3600),
    }
}

#[cfg(test)]
mod tests {
    use super::RunState;
    use std::sync::Arc;
    use std::time::{Duration, Instant};
    use transport::fanout::{Outcome, RunEvent, RunEventKind};
    use transport::session::ConnectErrorKind;

    fn finished(outcome: Outcome) -> RunEventKind {
        RunEventKind::Finished { outcome, duration: Duration::ZERO }
    }

    #[test]
    fn every_node_stands_somewhere() {
        let names = (1..=8).map(|node| format!("n{node}")).collect();
        let mut state = RunState::new(names, 1);
        assert_eq!(state.message(), "0/9 done, 1 not reached");
        let begin = Instant::now();
        let refused = Outcome::Unreachable {
            kind: ConnectErrorKind::Refused,
            text: "refused".to_owned(),
            mend: "mend".to_owned(),
        };
        let events = [
            (0, 0, RunEventKind::Connecting),
            (0, 0, RunEventKind::Started),
            (1, 0, RunEventKind::Started),
            (2, 30, RunEventKind::Started),
            (3, 100, RunEventKind::Started),
            (4, 100, RunEventKind::Connecting),
            (5, 100, RunEventKind::Connecting),
            (5, 100, finished(refused)),
            (0, 110, finished(Outcome::Exited(0))),
            (3, 110, finished(Outcome::Exited(1))),
        ];
        for (index, at_s, kind) in events {
            let event = RunEvent { index, node: Arc::from("n"), kind };
            assert!(state.take(&event, begin + Duration::from_secs(at_s)));
        }
        assert_eq!(state.message(), "2/9 done, 1 failed, 2 not reached, 2 running");
        assert_eq!(state.begun(), [0, 1, 2, 3]);
        let lines = state.running(begin + Duration::from_secs(150));
        insta::assert_snapshot!(lines.join("\n"), @r"
        still running: n[2-3] (2 nodes), for 2 min
        still connecting: n5 (1 node), for 50 s
        not begun: n[7-8] (2 nodes)
        ");
    }
}
