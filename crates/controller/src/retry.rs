//! How often and after which pauses a step is tried again.

use std::time::Duration;

use crate::controller::Timing;
use crate::random::Random;

/// The tries of one step.
#[derive(Debug)]
pub(crate) struct Retry {
    left: u32,
    next: Duration,
    max: Duration,
}

impl Retry {
    pub(crate) fn new(timing: &Timing) -> Self {
        Self {
            left: timing.tries_max.saturating_sub(1),
            next: timing.retry_first,
            max: timing.retry_max,
        }
    }

    /// The pause before the next try; none when there is no next try.
    pub(crate) fn pause(&mut self, random: &Random) -> Option<Duration> {
        self.left = self.left.checked_sub(1)?;
        let full = self.next.min(self.max);
        self.next = full.saturating_mul(2);
        Some(random.jittered(full))
    }
}

#[cfg(test)]
mod tests {
    use super::Retry;
    use crate::controller::Timing;
    use crate::random::Random;
    use std::time::Duration;

    #[test]
    fn pauses_double_up_to_the_longest_and_end() {
        let second = Duration::from_secs(1);
        let timing = Timing {
            tries_max: 6,
            retry_first: second,
            retry_max: second * 5,
            ..Timing::default()
        };
        let mut retry = Retry::new(&timing);
        let random = Random::seeded(3);
        for full_s in [1, 2, 4, 5, 5] {
            let pause = retry.pause(&random).unwrap();
            assert!(pause <= second * full_s && pause >= second * full_s / 2, "{pause:?}");
        }
        assert_eq!(retry.pause(&random), None);
    }
}
