//! Which failures to connect another try may mend. Pure.

use crate::backoff::Backoff;
use crate::limits;
use crate::session::ConnectError;

/// Whether the node turned us away because it was busy: sshd with
/// `MaxStartups` unfinished log-ins drops further ones before or after its
/// greeting. Everything else is either an answer (a refused key, another host
/// key) or would only make a dead node be waited for longer.
pub(crate) fn is_worth_another_try(error: &ConnectError) -> bool {
    let ConnectError::Handshake { text } = error else { return false };
    ["closed the connection", "reset by peer"].iter().any(|sign| text.contains(sign))
}

/// The pauses between tries to connect to one node.
pub(crate) fn pauses(seed: u64, node: &str) -> Backoff {
    Backoff::new(limits::CONNECT_BACKOFF_FIRST, limits::CONNECT_BACKOFF_MAX, 4, seed, node)
}
