//! The only source of chance in the product: ids and the spread of retries.
//! Keys draw their own randomness in `transport`.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// Fills `bytes` from the system, for those who take a function instead of a
/// [`Random`].
pub fn fill(bytes: &mut [u8]) {
    if let Err(error) = getrandom::fill(bytes) {
        // No Linux that can make namespaces is without getrandom; ids of
        // zeroes would still be refused as taken, not mistaken for others.
        tracing::error!("the system gives no random bytes: {error}");
    }
}

/// Where ids and jitter come from. Clones share one sequence.
#[derive(Debug, Clone)]
pub struct Random(Source);

#[derive(Debug, Clone)]
enum Source {
    System,
    Seeded(Arc<AtomicU64>),
}

impl Random {
    /// The system's.
    #[must_use]
    pub const fn system() -> Self {
        Self(Source::System)
    }

    /// A sequence that a seed decides, for tests.
    #[must_use]
    pub fn seeded(seed: u64) -> Self {
        Self(Source::Seeded(Arc::new(AtomicU64::new(seed))))
    }

    /// The next number.
    #[must_use]
    pub fn number(&self) -> u64 {
        match &self.0 {
            Source::System => {
                let mut bytes = [0; 8];
                fill(&mut bytes);
                u64::from_le_bytes(bytes)
            }
            Source::Seeded(state) => {
                mixed(state.fetch_add(0x9e37_79b9_7f4a_7c15, Ordering::Relaxed))
            }
        }
    }

    /// An id that no cluster had before.
    #[must_use]
    pub fn cluster_id(&self) -> String {
        format!("c-{:012x}", self.number() >> 16)
    }

    /// `length` shortened by a random part of up to a half.
    #[must_use]
    pub fn jittered(&self, length: Duration) -> Duration {
        let part = u32::try_from(self.number() >> 48).unwrap_or(0);
        length - (length / 2).mul_f64(f64::from(part) / 65_536.0)
    }
}

/// SplitMix64's mixing of a counter into a number.
const fn mixed(state: u64) -> u64 {
    let mut mixed = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
    mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    mixed ^ (mixed >> 31)
}

#[cfg(test)]
mod tests {
    use super::Random;
    use std::collections::BTreeSet;
    use std::time::Duration;

    #[test]
    fn ids_differ_and_a_seed_decides_them() {
        let ids = |random: Random| (0..100).map(|_| random.cluster_id()).collect::<BTreeSet<_>>();
        assert_eq!(ids(Random::seeded(1)).len(), 100);
        assert_eq!(ids(Random::seeded(1)), ids(Random::seeded(1)));
        assert_ne!(ids(Random::system()), ids(Random::system()));
        assert!(ids(Random::system()).iter().all(|id| id.len() == 14));
    }

    #[test]
    fn jitter_keeps_at_least_half() {
        let random = Random::seeded(7);
        let second = Duration::from_secs(1);
        for _ in 0..1000 {
            let length = random.jittered(second);
            assert!(length <= second && length >= second / 2, "{length:?}");
        }
    }
}
