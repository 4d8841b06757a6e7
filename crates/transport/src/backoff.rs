//! Pauses between tries. Pure: the seed comes from the caller, so that a run
//! can be repeated.

use std::time::Duration;

/// Pauses that grow, each shortened by a random part of up to a half, so that
/// nodes which failed together are not all tried in the same moment.
#[derive(Debug, Clone)]
pub(crate) struct Backoff {
    next: Duration,
    max: Duration,
    /// By how many halves a pause is longer than the one before it.
    growth_halves: u32,
    state: u64,
}

impl Backoff {
    /// Pauses from `first` to `max`, each `growth_halves / 2` times as long as
    /// the one before. `seed` and `node` make the sequence its own.
    pub(crate) fn new(
        first: Duration,
        max: Duration,
        growth_halves: u32,
        seed: u64,
        node: &str,
    ) -> Self {
        // FNV-1a over the name makes every node's sequence its own.
        let state = node.bytes().fold(seed ^ 0xcbf2_9ce4_8422_2325, |hash, byte| {
            (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
        });
        Self { next: first, max, growth_halves, state }
    }

    /// The next pause.
    pub(crate) fn pause(&mut self) -> Duration {
        let full = self.next.min(self.max);
        self.next = full.saturating_mul(self.growth_halves) / 2;
        full - (full / 2).mul_f64(self.fraction())
    }

    /// The next number of a SplitMix64 sequence, in `[0, 1)`.
    fn fraction(&mut self) -> f64 {
        self.state = self.state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.state;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^= mixed >> 31;
        f64::from(u32::try_from(mixed >> 32).unwrap_or(0)) / 4_294_967_296.0
    }
}

#[cfg(test)]
mod tests {
    use super::Backoff;
    use std::time::Duration;

    const MAX: Duration = Duration::from_millis(500);

    fn draw(growth_halves: u32, seed: u64, node: &str) -> Vec<Duration> {
        let mut pauses = Backoff::new(Duration::from_millis(15), MAX, growth_halves, seed, node);
        (0..20).map(|_| pauses.pause()).collect()
    }

    #[test]
    fn pauses_grow_to_the_limit_and_depend_on_seed_and_node() {
        let mine = draw(3, 7, "worker1");
        assert_eq!(mine, draw(3, 7, "worker1"));
        assert_ne!(mine, draw(3, 7, "worker2"));
        assert_ne!(mine, draw(3, 8, "worker1"));
        assert!(mine.iter().all(|pause| *pause <= MAX));
        assert!(*mine.first().unwrap() <= Duration::from_millis(15));
        assert!(*mine.last().unwrap() >= MAX / 2);
    }

    #[test]
    fn a_pause_is_between_half_and_the_whole_of_its_turn() {
        let mut full = Duration::from_millis(15);
        for pause in draw(4, 3, "n") {
            assert!(pause <= full && pause >= full / 2, "{pause:?} of {full:?}");
            full = (full * 2).min(MAX);
        }
    }
}
