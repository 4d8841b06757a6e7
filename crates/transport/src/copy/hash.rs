//! SHA-256 as everything here speaks of it.

use sha2::{Digest, Sha256};

/// Length of a hash in hexadecimal digits.
const HEX_DIGITS: usize = 64;

/// Digits of a hash in the name of an unfinished file.
const SHORT_DIGITS: usize = 16;

/// A SHA-256 hash.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Hash([u8; 32]);

impl Hash {
    pub(super) fn of(bytes: &[u8]) -> Self {
        let mut hasher = Hasher::default();
        hasher.update(bytes);
        hasher.finish()
    }

    /// Of hexadecimal digits, whatever follows them.
    pub(super) fn parse(text: &[u8]) -> Option<Self> {
        let digits = text.get(..HEX_DIGITS)?;
        let mut hash = [0; 32];
        for (byte, pair) in hash.iter_mut().zip(digits.chunks_exact(2)) {
            let pair = std::str::from_utf8(pair).ok()?;
            // A sign would be taken for part of a number.
            if !pair.bytes().all(|digit| digit.is_ascii_hexdigit()) {
                return None;
            }
            *byte = u8::from_str_radix(pair, 16).ok()?;
        }
        Some(Self(hash))
    }

    /// Enough of it to tell contents apart in a name.
    pub(super) fn short(&self) -> String {
        self.0.iter().take(SHORT_DIGITS / 2).map(|byte| format!("{byte:02x}")).collect()
    }
}

/// Takes bytes and has their hash at the end.
#[derive(Debug, Clone, Default)]
pub(super) struct Hasher(Sha256);

impl Hasher {
    pub(super) fn update(&mut self, bytes: &[u8]) {
        self.0.update(bytes);
    }

    pub(super) fn finish(self) -> Hash {
        Hash(self.0.finalize().into())
    }
}

#[cfg(test)]
mod tests {
    use super::Hash;

    #[test]
    fn hashes_are_read_as_tools_print_them() {
        let empty = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
        let hash = Hash::parse(format!("{empty}  name").as_bytes()).unwrap();
        assert_eq!(hash, Hash::of(b""));
        assert_eq!(hash.short(), "e3b0c44298fc1c14");
        for wrong in ["", "e3b0", &empty.replace("e3", "+3"), &empty.replace("e3", "g3")] {
            assert_eq!(Hash::parse(wrong.as_bytes()), None, "{wrong}");
        }
    }
}
