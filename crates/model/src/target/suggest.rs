//! The word that was perhaps meant.

/// Edits between two words that still look like a slip, by the length of the
/// shorter one.
const fn slips_max(length: usize) -> usize {
    if length < 4 { 1 } else { 2 }
}

/// The nearest of some words to one that is not among them, if one is near.
pub(super) fn nearest<'a>(word: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let wanted = word.to_lowercase();
    known
        .into_iter()
        .filter(|known| known.len().abs_diff(wanted.len()) <= 2)
        .map(|known| (strsim::damerau_levenshtein(&known.to_lowercase(), &wanted), known))
        .filter(|(slips, known)| *slips <= slips_max(known.len().min(wanted.len())))
        .min_by_key(|(slips, _)| *slips)
        .map(|(_, known)| known)
}

#[cfg(test)]
mod tests {
    use super::nearest;

    #[test]
    fn only_a_slip_is_mended() {
        let known = ["state", "ip", "worker1", "worker2"];
        for (word, expected) in [
            ("stat", Some("state")),
            ("wroker2", Some("worker2")),
            ("WORKER12", Some("worker1")),
            ("id", Some("ip")),
            ("xy", None),
            ("master", None),
        ] {
            assert_eq!(nearest(word, known), expected, "{word}");
        }
    }
}
