//! Host names that are written as a salted hash, `|1|SALT|HASH`, so that who
//! reads the file does not learn where its owner goes.

use data_encoding::BASE64;
use hmac::{Hmac, KeyInit, Mac};
use sha1::Sha1;

/// What a hashed name begins with: method 1, the only one there is.
const MARK: &str = "|1|";

/// Bytes of salt and of hash.
const LENGTH: usize = 20;

/// A hashed name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct HashedName {
    salt: [u8; LENGTH],
    hash: [u8; LENGTH],
}

impl HashedName {
    /// Whether a field of `known_hosts` is meant to be one.
    pub(crate) fn is_meant(field: &str) -> bool {
        field.starts_with('|')
    }

    /// Reads one; none when it is damaged or of an unknown method.
    pub(crate) fn parse(field: &str) -> Option<Self> {
        let (salt, hash) = field.strip_prefix(MARK)?.split_once('|')?;
        let bytes =
            |text: &str| <[u8; LENGTH]>::try_from(BASE64.decode(text.as_bytes()).ok()?).ok();
        Some(Self { salt: bytes(salt)?, hash: bytes(hash)? })
    }

    /// Hashes a name, which must be in lower case.
    pub(crate) fn new(name: &str, salt: [u8; LENGTH]) -> Self {
        Self { salt, hash: hash(&salt, name) }
    }

    /// Whether it is the hash of `name`, which must be in lower case.
    pub(crate) fn matches(&self, name: &str) -> bool {
        hash(&self.salt, name) == self.hash
    }

    /// As it is written.
    pub(crate) fn text(&self) -> String {
        format!("{MARK}{}|{}", BASE64.encode(&self.salt), BASE64.encode(&self.hash))
    }
}

fn hash(salt: &[u8; LENGTH], name: &str) -> [u8; LENGTH] {
    let mut block = [0; 64];
    if let Some(start) = block.first_chunk_mut() {
        *start = *salt;
    }
    // A key shorter than a block is padded with zeros, which this one is.
    let mut mac = Hmac::<Sha1>::new(&block.into());
    mac.update(name.as_bytes());
    mac.finalize().into_bytes().into()
}

#[cfg(test)]
mod tests {
    use super::HashedName;

    #[test]
    fn hashes_are_those_of_ssh_keygen() {
        // Written by `ssh-keygen -H` for `one.example` and `[two.example]:2222`.
        for (text, name) in [
            ("|1|DeTSQp+7GgAM6griRw8XuSqbXY8=|ncHq7WO1LwnoC36FHAFHyA4oo+0=", "one.example"),
            ("|1|oCrAUg/vJs3BvbGI2Pcdcr/QsPU=|fx2HiFbRPMSwGlgLmJTNBOncq1Y=", "[two.example]:2222"),
        ] {
            let hashed = HashedName::parse(text).unwrap();
            assert!(hashed.matches(name), "{name}");
            assert!(!hashed.matches("two.example"), "{name}");
            assert_eq!(hashed.text(), text);
        }
        let made = HashedName::new("one.example", [7; 20]);
        assert!(made.matches("one.example"));
        assert!(!made.matches("two.example"));
        assert_eq!(HashedName::parse(&made.text()), Some(made));
    }

    #[test]
    fn damaged_ones_are_none() {
        for text in ["", "|1|", "|1|a|b", "|2|AAAA|AAAA", "|1|DeTSQp+7GgAM6griRw8XuSqbXY8="] {
            assert_eq!(HashedName::parse(text), None, "{text}");
        }
    }
}
