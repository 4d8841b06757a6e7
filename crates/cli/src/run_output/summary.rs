//! Where a run failed: nodes with the same ending together, why, and what the
//! user can do. Pure.

use model::target::fold;
use transport::fanout::{Outcome, RunSummary};
use transport::session::{ConnectErrorKind, TimeoutKind};

use crate::paint::{Look, Paint, printable};
use crate::reach::Unreached;

/// What nodes have in common that ended alike; in the order of their lines.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
enum Kind {
    Exited(u32),
    Signalled(String),
    TimedOut(String),
    Lost,
    Refused,
    NotReached(&'static str),
    Untried,
    Stopped,
    NotBegun,
}

/// Nodes that ended alike.
struct Failure<'a> {
    kind: Kind,
    nodes: Vec<&'a str>,
    /// Reasons in words, and what can be done; each as often as it differs.
    why: Vec<String>,
}

/// The lines; none when nothing failed.
pub(super) fn failures(summary: &RunSummary, unreached: &[Unreached], paint: Paint) -> Vec<String> {
    let mut failures: Vec<Failure<'_>> = Vec::new();
    for node in summary.failed() {
        let (kind, why) = ending(&node.outcome);
        add(&mut failures, kind, &node.node, why);
    }
    for node in unreached {
        let why = said([Some(node.why.as_str()), node.mend.as_deref()]);
        add(&mut failures, Kind::Untried, &node.name, why);
    }
    let count: usize = failures.iter().map(|failure| failure.nodes.len()).sum();
    if count == 0 {
        return Vec::new();
    }
    failures.sort_by(|one, other| one.kind.cmp(&other.kind));
    let total = summary.nodes.len() + unreached.len();
    let head = format!("{count} of {total} {} failed:", nodes(total));
    let mut lines = vec![paint.text(Look::Bad, head)];
    lines.extend(failures.into_iter().map(Failure::line));
    lines
}

/// Untried nodes are apart by reason, too: each reason has its own mend. What
/// a refused connection says may hold the node's address, and is told once.
fn add<'a>(failures: &mut Vec<Failure<'a>>, kind: Kind, node: &'a str, why: Option<String>) {
    let known = failures.iter_mut().find(|failure| {
        failure.kind == kind && (kind != Kind::Untried || failure.why.first() == why.as_ref())
    });
    match known {
        Some(failure) => {
            failure.nodes.push(node);
            failure.why.extend(why.filter(|why| !failure.why.contains(why)));
        }
        None => failures.push(Failure { kind, nodes: vec![node], why: why.into_iter().collect() }),
    }
}

impl Failure<'_> {
    fn line(self) -> String {
        let count = self.nodes.len();
        let many = if count > 1 { format!(" ({count} nodes)") } else { String::new() };
        let why = match self.why.as_slice() {
            [] => String::new(),
            [why] => format!(": {why}"),
            [why, ..] => format!(": for example, {why}"),
        };
        let what = what(&self.kind);
        format!("  {}: {}{many}{}", printable(&what), fold(self.nodes), printable(&why))
    }
}

fn what(kind: &Kind) -> String {
    match kind {
        Kind::Exited(code) => format!("exit code {code}"),
        Kind::Signalled(signal) => format!("ended by signal {signal}"),
        Kind::TimedOut(how) => format!("timed out ({how})"),
        Kind::Lost => "connection lost".to_owned(),
        Kind::Refused => "refused".to_owned(),
        Kind::NotReached(why) => format!("not reached ({why})"),
        Kind::Untried => "not reached".to_owned(),
        Kind::Stopped => "stopped while the command was running".to_owned(),
        Kind::NotBegun => "not begun".to_owned(),
    }
}

fn ending(outcome: &Outcome) -> (Kind, Option<String>) {
    match outcome {
        Outcome::Exited(code) => (Kind::Exited(*code), None),
        Outcome::Signalled(signal) => (Kind::Signalled(signal.clone()), None),
        Outcome::Unreachable { kind, text, mend } => {
            (Kind::NotReached(word(*kind)), said([Some(text.as_str()), Some(mend.as_str())]))
        }
        Outcome::TimedOut { kind, after } => {
            let seconds = after.as_secs_f64();
            let how = match kind {
                TimeoutKind::Idle => format!("silent for {seconds} s"),
                TimeoutKind::Total => format!("not done after {seconds} s"),
            };
            (Kind::TimedOut(how), Some("it may still be running".to_owned()))
        }
        Outcome::Cancelled { started: true } => (Kind::Stopped, None),
        Outcome::Cancelled { started: false } => (Kind::NotBegun, None),
        Outcome::Lost(text) => {
            let mend = "the command may still be running; see `squall status`";
            (Kind::Lost, said([Some(text.as_str()), Some(mend)]))
        }
        Outcome::Refused { text, mend } => {
            (Kind::Refused, said([Some(text.as_str()), Some(*mend)]))
        }
    }
}

fn said(parts: [Option<&str>; 2]) -> Option<String> {
    let parts: Vec<&str> = parts.into_iter().flatten().filter(|part| !part.is_empty()).collect();
    (!parts.is_empty()).then(|| parts.join("; "))
}

/// A kind of not being let in, in a word.
pub(crate) const fn word(kind: ConnectErrorKind) -> &'static str {
    match kind {
        ConnectErrorKind::Refused => "refused",
        ConnectErrorKind::Timeout => "silent",
        ConnectErrorKind::NoRoute => "no route",
        ConnectErrorKind::Unreachable => "unreachable",
        ConnectErrorKind::Handshake => "no ssh as we speak it",
        ConnectErrorKind::HostKeyChanged => "host key changed",
        ConnectErrorKind::AuthRefused => "log-in refused",
        ConnectErrorKind::NoSuchName => "no such name",
        ConnectErrorKind::Bastion => "bastion",
        ConnectErrorKind::TurnedAway => "turned away",
        ConnectErrorKind::HostKeyUnknown => "host key unknown",
        ConnectErrorKind::HostKeyRevoked => "host key revoked",
        ConnectErrorKind::HostCertificate => "host certificate",
        ConnectErrorKind::TooManyTries => "too many keys tried",
        // The text says it.
        _ => "other",
    }
}

const fn nodes(count: usize) -> &'static str {
    if count == 1 { "node" } else { "nodes" }
}

#[cfg(test)]
mod tests;
