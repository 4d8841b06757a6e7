//! The only clock of the product. Everything else gets the time from here, or
//! as an argument.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use providers::fake::FakeClock;
use tokio::time::Instant;

/// The time now, for those who take a function instead of a [`Clock`].
#[must_use]
pub fn now() -> Timestamp {
    Timestamp::now()
}

/// Tells the time and lets it pass.
#[derive(Debug, Clone, Default)]
pub enum Clock {
    /// This machine's.
    #[default]
    System,
    /// That of the fake provider: a pause moves it on and takes no real time.
    Virtual(FakeClock),
}

/// A moment to measure from.
#[derive(Debug, Clone, Copy)]
pub struct Mark(Moment);

#[derive(Debug, Clone, Copy)]
enum Moment {
    /// Steady, whatever happens to the wall clock.
    Steady(Instant),
    Virtual(Timestamp),
}

impl Clock {
    /// The time now.
    #[must_use]
    pub fn now(&self) -> Timestamp {
        match self {
            Self::System => now(),
            Self::Virtual(clock) => clock.now(),
        }
    }

    /// This moment.
    #[must_use]
    pub fn mark(&self) -> Mark {
        Mark(match self {
            Self::System => Moment::Steady(Instant::now()),
            Self::Virtual(clock) => Moment::Virtual(clock.now()),
        })
    }

    /// How long ago `mark` was.
    #[must_use]
    pub fn since(&self, mark: Mark) -> Duration {
        match mark.0 {
            Moment::Steady(then) => then.elapsed(),
            Moment::Virtual(then) => {
                Duration::try_from(self.now().duration_since(then)).unwrap_or_default()
            }
        }
    }

    /// Lets time pass.
    pub async fn pause(&self, length: Duration) {
        match self {
            Self::System => tokio::time::sleep(length).await,
            Self::Virtual(clock) => {
                clock.advance(SignedDuration::try_from(length).unwrap_or(SignedDuration::MAX));
                // Whoever else is waiting gets a turn, as in a real pause.
                tokio::task::yield_now().await;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Clock;
    use jiff::Timestamp;
    use providers::fake::FakeClock;
    use std::time::Duration;

    #[tokio::test(start_paused = true)]
    async fn both_clocks_measure_a_pause() {
        let length = Duration::from_secs(90);
        for clock in [Clock::System, Clock::Virtual(FakeClock::starting_at(Timestamp::UNIX_EPOCH))]
        {
            let mark = clock.mark();
            clock.pause(length).await;
            assert!(clock.since(mark) >= length, "{clock:?}");
        }
    }
}
