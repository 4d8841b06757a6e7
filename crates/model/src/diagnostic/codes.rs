//! Every code a diagnostic may carry, with one line of documentation each. A
//! test sees to it that each of them is produced by some test.

/// Codes and what they mean, in the order of the alphabet.
pub const CODES: &[(&str, &str)] = &[
    ("target-ambiguous", "a word of a target means two things"),
    ("target-syntax", "a target cannot be understood"),
    ("unknown-key", "a key that the spec does not have"),
];
