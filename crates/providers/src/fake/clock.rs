//! Virtual time: it stands still until somebody moves it, and never goes back.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use jiff::{SignedDuration, Timestamp};

/// A clock that tests and the fake provider share.
#[derive(Debug, Clone)]
pub struct FakeClock {
    /// Milliseconds since the epoch.
    at_ms: Arc<AtomicI64>,
}

impl FakeClock {
    /// A clock that shows `start`, to the millisecond.
    #[must_use]
    pub fn starting_at(start: Timestamp) -> Self {
        Self { at_ms: Arc::new(AtomicI64::new(start.as_millisecond())) }
    }

    /// The virtual time.
    #[must_use]
    pub fn now(&self) -> Timestamp {
        Timestamp::from_millisecond(self.at_ms.load(Ordering::SeqCst)).unwrap_or(Timestamp::MAX)
    }

    /// Lets time pass; a negative duration changes nothing.
    pub fn advance(&self, by: SignedDuration) {
        let by_ms = i64::try_from(by.as_millis()).unwrap_or(i64::MAX).max(0);
        self.at_ms.fetch_add(by_ms, Ordering::SeqCst);
    }

    /// Moves on to `to`, unless it is later than that already.
    pub fn advance_to(&self, to: Timestamp) {
        self.at_ms.fetch_max(to.as_millisecond(), Ordering::SeqCst);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn time_never_goes_back() {
        let clock = FakeClock::starting_at(Timestamp::UNIX_EPOCH);
        clock.advance(SignedDuration::from_secs(5));
        clock.advance(SignedDuration::from_secs(-3));
        clock.advance_to(Timestamp::UNIX_EPOCH);
        assert_eq!(clock.now().as_second(), 5);
    }
}
