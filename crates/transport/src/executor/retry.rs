//! Which failures to connect another try may mend. Pure.

use crate::backoff::Backoff;
use crate::limits;
use crate::session::{ConnectError, ConnectErrorKind};

/// Whether the node turned us away, most likely because it was busy: sshd with
/// `MaxStartups` unfinished log-ins drops further ones. Everything else is either an answer (a refused key, another host
/// key) or would only make a dead node be waited for longer.
pub(super) fn is_worth_another_try(error: &ConnectError) -> bool {
    error.kind() == ConnectErrorKind::TurnedAway
}

/// The pauses between tries to connect to one node.
pub(super) fn pauses(seed: u64, node: &str) -> Backoff {
    Backoff::new(limits::CONNECT_BACKOFF_FIRST, limits::CONNECT_BACKOFF_MAX, 4, seed, node)
}
