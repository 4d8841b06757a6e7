//! The digest of what a node is made from.

use sha2::{Digest, Sha256};

use super::Pool;

/// Bytes of the hash that are kept: 64 bits tell the few generations of a pool
/// apart, and a tag's value stays short.
const DIGEST_BYTES: usize = 8;

impl Pool {
    /// Digest of everything that a machine of this pool is made from; a
    /// machine with another digest must be replaced. What can change on a
    /// machine that stands (tags, role, count) is not in it.
    ///
    /// The text that is hashed must never change for the same pool, or every
    /// node of every cluster would be replaced by the next update.
    #[must_use]
    pub fn digest(&self) -> String {
        let mut hash = Sha256::new();
        let mut part = |key: &str, value: &str| {
            hash.update(format!("{key}={}:{value};", value.len()).as_bytes());
        };
        part("image", &self.image);
        part("instance_type", &self.instance_type);
        part("memory_bytes", &text(self.limits.memory_bytes));
        part("cores_milli", &text(self.limits.cores_milli));
        part("processes", &text(self.limits.processes));
        part("username", &self.username);
        part("key", &self.key.to_string());
        part("spot", if self.spot { "yes" } else { "no" });
        for script in &self.first_boot {
            part(&script.kind, &script.text);
        }
        hash.finalize().iter().take(DIGEST_BYTES).map(|byte| format!("{byte:02x}")).collect()
    }
}

fn text(number: Option<impl ToString>) -> String {
    number.map(|number| number.to_string()).unwrap_or_default()
}

/// A short digest of a text, to tell two versions of a script apart.
pub(super) fn of_text(text: &str) -> String {
    let hash = Sha256::digest(text.as_bytes());
    hash.iter().take(DIGEST_BYTES / 2).map(|byte| format!("{byte:02x}")).collect()
}
