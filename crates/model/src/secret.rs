//! Text that must never be shown: private keys, tokens, passwords.

use std::fmt;

use zeroize::Zeroize;

/// A secret. `Debug` and logs show only that there is one; it is not
/// serialisable on purpose, so that it cannot slip into a record. Its memory
/// is wiped when it goes.
#[derive(Clone, PartialEq, Eq)]
pub struct SecretText(String);

impl SecretText {
    /// Wraps a secret.
    #[must_use]
    pub const fn new(text: String) -> Self {
        Self(text)
    }

    /// The secret itself; every caller is a place to review.
    #[must_use]
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl Drop for SecretText {
    fn drop(&mut self) {
        self.0.zeroize();
    }
}

impl fmt::Debug for SecretText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SecretText(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::SecretText;

    #[test]
    fn debug_never_shows_the_text() {
        assert!(!format!("{:?}", SecretText::new("hunter2".into())).contains("hunter2"));
    }
}
