//! The order in which people expect names: `worker2` before `worker10`.

use std::cmp::Ordering;

/// A key that sorts digits by value and the rest by letters.
#[must_use]
pub fn natural_key(name: &str) -> Vec<(u64, String)> {
    Chunks(name).map(|(value, text)| (value, text.to_owned())).collect()
}

/// The order of two names by that key, without making it.
#[must_use]
pub fn natural_order(one: &str, other: &str) -> Ordering {
    Chunks(one).cmp(Chunks(other))
}

/// The runs of digits and of other characters. The digits stay beside their
/// value, so that `a1` and `a01` differ.
struct Chunks<'a>(&'a str);

impl<'a> Iterator for Chunks<'a> {
    type Item = (u64, &'a str);

    fn next(&mut self) -> Option<Self::Item> {
        let is_digit = self.0.bytes().next()?.is_ascii_digit();
        let end = self.0.bytes().position(|byte| byte.is_ascii_digit() != is_digit);
        let (chunk, rest) = self.0.split_at_checked(end.unwrap_or(self.0.len()))?;
        self.0 = rest;
        let value = if is_digit { chunk.parse().unwrap_or(u64::MAX) } else { 0 };
        Some((value, chunk))
    }
}

#[cfg(test)]
mod tests {
    use super::{natural_key, natural_order};

    #[test]
    fn numbers_sort_by_value() {
        let mut names = ["worker10", "master", "worker2", "worker1", "w", "worker", "wé2", "wé11"];
        names.sort_by_key(|name| natural_key(name));
        let expected = ["master", "w", "worker", "worker1", "worker2", "worker10", "wé2", "wé11"];
        assert_eq!(names, expected);
        names.reverse();
        names.sort_by(|one, other| natural_order(one, other));
        assert_eq!(names, expected);
    }
}
