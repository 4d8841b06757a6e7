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

#[cfg(test)]
mod tests {
    use super::{is_worth_another_try, pauses};
    use crate::dial::DialError;
    use crate::limits;
    use crate::session::ConnectError;
    use std::time::Duration;

    #[test]
    fn only_who_was_turned_away_tries_again() {
        let address = String::from("n1:22");
        let dial = |source| ConnectError::Dial { address: address.clone(), source };
        let text = String::from("the node closed the connection");
        let table = [
            (ConnectError::TurnedAway { address: address.clone(), said: String::new() }, true),
            (ConnectError::Handshake { text: text.clone() }, false),
            (ConnectError::Other { doing: "log in", text }, false),
            (dial(DialError::Refused), false),
            (dial(DialError::NoRoute), false),
            (dial(DialError::Timeout(Duration::from_secs(1))), false),
        ];
        for (error, expected) in table {
            assert_eq!(is_worth_another_try(&error), expected, "{error}");
        }
    }

    #[test]
    fn all_tries_fit_in_the_time_to_connect() {
        let mut pauses = pauses(0, "n");
        let total: Duration = (1..limits::CONNECT_TRIES_MAX).map(|_| pauses.pause()).sum();
        assert!(total < limits::CONNECT_TIMEOUT / 2, "{total:?}");
        assert!(total > Duration::from_secs(1), "{total:?}");
    }
}
