//! A set of places in a list, one bit each: what makes an expression over ten
//! thousand nodes a matter of microseconds.

/// Bits of a word.
const WORD_BITS: usize = 64;

/// A set of places below a length.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Bits {
    words: Vec<u64>,
    len: usize,
}

impl Bits {
    /// No place.
    pub(super) fn none(len: usize) -> Self {
        Self { words: vec![0; len.div_ceil(WORD_BITS)], len }
    }

    /// Every place.
    pub(super) fn all(len: usize) -> Self {
        let mut bits = Self { words: vec![u64::MAX; len.div_ceil(WORD_BITS)], len };
        bits.trim();
        bits
    }

    /// The places of which something holds.
    pub(super) fn of(len: usize, mut holds: impl FnMut(usize) -> bool) -> Self {
        let mut bits = Self::none(len);
        for (word, base) in bits.words.iter_mut().zip((0..len).step_by(WORD_BITS)) {
            for place in base..len.min(base + WORD_BITS) {
                *word |= u64::from(holds(place)) << (place - base);
            }
        }
        bits
    }

    /// Adds a place; one beyond the length is nothing.
    pub(super) fn insert(&mut self, place: usize) {
        if place < self.len
            && let Some(word) = self.words.get_mut(place / WORD_BITS)
        {
            *word |= 1 << (place % WORD_BITS);
        }
    }

    /// Whether a place is in it.
    pub(super) fn contains(&self, place: usize) -> bool {
        let word = self.words.get(place / WORD_BITS).copied().unwrap_or(0);
        word >> (place % WORD_BITS) & 1 == 1
    }

    /// Whether nothing is in it.
    pub(super) fn is_empty(&self) -> bool {
        self.words.iter().all(|word| *word == 0)
    }

    /// The places, from the least.
    pub(super) fn places(&self) -> impl Iterator<Item = usize> {
        self.words.iter().enumerate().flat_map(|(at, word)| {
            let mut rest = *word;
            std::iter::from_fn(move || {
                let bit = (rest != 0).then(|| rest.trailing_zeros() as usize)?;
                rest &= rest - 1;
                Some(at * WORD_BITS + bit)
            })
        })
    }

    /// Each word joined with that of another set of the same length.
    pub(super) fn join(&mut self, other: &Self, how: impl Fn(u64, u64) -> u64) {
        for (word, other) in self.words.iter_mut().zip(&other.words) {
            *word = how(*word, *other);
        }
        self.trim();
    }

    /// Only what is in another set too.
    pub(super) fn and(mut self, other: &Self) -> Self {
        self.join(other, |one, other| one & other);
        self
    }

    fn trim(&mut self) {
        let used = self.len % WORD_BITS;
        if used > 0
            && let Some(last) = self.words.last_mut()
        {
            *last &= (1 << used) - 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Bits;

    #[test]
    fn places_come_back_in_order_and_never_from_beyond() {
        for len in [0, 1, 63, 64, 65, 200] {
            let thirds = Bits::of(len, |place| place % 3 == 0);
            let expected: Vec<usize> = (0..len).filter(|place| place % 3 == 0).collect();
            assert_eq!(thirds.places().collect::<Vec<_>>(), expected);
            let mut rest = Bits::all(len);
            rest.join(&thirds, |all, third| all & !third);
            assert!(rest.places().all(|place| place % 3 != 0 && place < len));
            let mut flipped = Bits::none(len);
            flipped.join(&thirds, |_, third| !third);
            assert_eq!(flipped, rest);
            flipped.insert(len);
            assert_eq!(flipped, rest);
            assert_eq!(Bits::all(len).and(&thirds), thirds);
            assert!(!thirds.contains(len) && Bits::none(len).is_empty());
        }
    }
}
