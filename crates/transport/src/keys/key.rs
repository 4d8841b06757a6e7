//! Making, reading and naming keys.

use std::fmt;
use std::fs::File;
use std::io::Read;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use model::secret::SecretText;
use russh::keys::ssh_key::LineEnding;
use russh::keys::{Algorithm, HashAlg};

use crate::limits;

/// Why a key could not be had. Reads after "failed to".
#[derive(Debug, thiserror::Error)]
pub enum KeyError {
    /// The system would not.
    #[error("{doing} {}", .path.display())]
    Io {
        /// What was being done.
        doing: &'static str,
        /// With which file.
        path: PathBuf,
        /// The system's words.
        #[source]
        source: std::io::Error,
    },
    /// It is not a key in OpenSSH's format.
    #[error("read {what}: {text}")]
    Malformed {
        /// Which key: a path, or words.
        what: String,
        /// What is wrong with it.
        text: String,
    },
    /// It has a passphrase.
    #[error(
        "use {what}: it is protected by a passphrase; make a copy without one \
         (`ssh-keygen -p -N '' -f COPY`) or use another key"
    )]
    Encrypted {
        /// Which key: a path, or words.
        what: String,
    },
    /// Others may read it.
    #[error(
        "use {}: others may read it (mode {mode:04o}); run `chmod 600 {}`",
        .path.display(),
        .path.display()
    )]
    TooOpen {
        /// The file.
        path: PathBuf,
        /// Its permission bits.
        mode: u32,
    },
    /// The key could not be made.
    #[error("make a key: {0}")]
    Make(String),
}

impl KeyError {
    /// What is wrong, without what was being done; for those who say that
    /// themselves.
    #[must_use]
    pub fn reason(&self) -> String {
        match self {
            Self::Malformed { text, .. } => text.clone(),
            other => other.to_string(),
        }
    }
}

/// A private key, ready for use. Cloning shares it; it is wiped from memory
/// with the last clone.
#[derive(Clone)]
pub struct PrivateKey {
    key: Arc<russh::keys::PrivateKey>,
    source: Arc<str>,
}

impl PrivateKey {
    /// Reads OpenSSH's private key format. `what` names the key in errors.
    ///
    /// # Errors
    /// [`KeyError::Malformed`] or [`KeyError::Encrypted`].
    pub fn parse(pem: &str, what: &str) -> Result<Self, KeyError> {
        let key = russh::keys::PrivateKey::from_openssh(pem)
            .map_err(|error| KeyError::Malformed { what: what.into(), text: error.to_string() })?;
        if key.is_encrypted() {
            return Err(KeyError::Encrypted { what: what.into() });
        }
        Ok(Self::from_russh(key, what))
    }

    /// Reads a private key file.
    ///
    /// # Errors
    /// As [`parse`](Self::parse), and when the file cannot be read.
    pub fn load(path: &Path) -> Result<Self, KeyError> {
        let fail = |source| KeyError::Io { doing: "read", path: path.to_owned(), source };
        let file = File::open(path).map_err(fail)?;
        let mut pem = zeroize::Zeroizing::new(String::new());
        file.take(limits::KEY_FILE_BYTES_MAX).read_to_string(&mut pem).map_err(fail)?;
        Self::parse(&pem, &path.display().to_string())
    }

    /// Its public half.
    #[must_use]
    pub fn public(&self) -> PublicKey {
        PublicKey(self.key.public_key().clone())
    }

    /// What it is called in errors: its file, or words.
    #[must_use]
    pub fn source(&self) -> &str {
        &self.source
    }

    pub(crate) fn shared(&self) -> Arc<russh::keys::PrivateKey> {
        Arc::clone(&self.key)
    }

    pub(crate) fn from_russh(key: russh::keys::PrivateKey, source: &str) -> Self {
        Self { key: Arc::new(key), source: source.into() }
    }
}

impl fmt::Debug for PrivateKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PrivateKey({})", self.public().fingerprint())
    }
}

/// Refuses a private key file that others may read, as ssh does. One that is
/// not ours is its owner's business.
pub(super) fn refuse_open_mode(file: &File, path: &Path) -> Result<(), KeyError> {
    let fail = |source| KeyError::Io { doing: "look at", path: path.to_owned(), source };
    let metadata = file.metadata().map_err(fail)?;
    let mode = metadata.mode() & 0o7777;
    if mode & 0o077 == 0 || metadata.uid() != rustix::process::getuid().as_raw() {
        return Ok(());
    }
    Err(KeyError::TooOpen { path: path.to_owned(), mode })
}

/// A public key. Two are equal when the key is, whatever their comments.
#[derive(Clone)]
pub struct PublicKey(russh::keys::PublicKey);

impl PublicKey {
    /// Reads one line, `ssh-ed25519 AAAA… comment`.
    ///
    /// # Errors
    /// [`KeyError::Malformed`].
    pub fn parse(line: &str) -> Result<Self, KeyError> {
        russh::keys::PublicKey::from_openssh(line.trim()).map(Self).map_err(|error| {
            KeyError::Malformed { what: "a public key".into(), text: error.to_string() }
        })
    }

    /// The key as one line, without a newline.
    #[must_use]
    pub fn line(&self) -> String {
        // Encoding a key that was decoded cannot fail; an empty line would
        // let nobody in, which is the safe end.
        self.0.to_openssh().map(|line| line.trim_end().to_owned()).unwrap_or_default()
    }

    /// The key as one line without its comment.
    #[must_use]
    pub fn bare_line(&self) -> String {
        let line = self.line();
        line.splitn(3, ' ').take(2).collect::<Vec<_>>().join(" ")
    }

    /// Its type, as `ssh-ed25519`.
    #[must_use]
    pub fn kind(&self) -> String {
        self.0.algorithm().to_string()
    }

    /// What its owner calls it; may be empty.
    #[must_use]
    pub fn comment(&self) -> String {
        self.0.comment().to_string()
    }

    /// `SHA256:…`, as `ssh-keygen -l` shows it.
    #[must_use]
    pub fn fingerprint(&self) -> String {
        self.0.fingerprint(HashAlg::Sha256).to_string()
    }

    pub(crate) const fn from_russh(key: russh::keys::PublicKey) -> Self {
        Self(key)
    }

    pub(crate) fn into_russh(self) -> russh::keys::PublicKey {
        self.0
    }

    pub(crate) fn same_data(&self, data: &russh::keys::ssh_key::public::KeyData) -> bool {
        self.0.key_data() == data
    }

    pub(crate) fn algorithm(&self) -> Algorithm {
        self.0.algorithm()
    }
}

impl PartialEq for PublicKey {
    fn eq(&self, other: &Self) -> bool {
        self.0.key_data() == other.0.key_data()
    }
}

impl Eq for PublicKey {}

impl fmt::Debug for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PublicKey({})", self.fingerprint())
    }
}

/// A new key pair, to be handed to whoever keeps it.
#[derive(Debug, Clone)]
pub struct KeyPair {
    /// The private half in OpenSSH's format, with a final newline.
    pub private_pem: SecretText,
    /// The public half.
    pub public: PublicKey,
}

/// Makes an ed25519 pair.
///
/// # Errors
/// [`KeyError::Make`].
pub fn generate(comment: &str) -> Result<KeyPair, KeyError> {
    let fail = |error: russh::keys::ssh_key::Error| KeyError::Make(error.to_string());
    let mut random = russh::keys::key::safe_rng();
    let mut key = russh::keys::PrivateKey::random(&mut random, Algorithm::Ed25519).map_err(fail)?;
    key.set_comment(comment);
    let pem = key.to_openssh(LineEnding::LF).map_err(fail)?;
    Ok(KeyPair {
        private_pem: SecretText::new(pem.as_str().to_owned()),
        public: PublicKey(key.public_key().clone()),
    })
}

#[cfg(test)]
mod tests {
    use super::{KeyError, PrivateKey, PublicKey, generate};

    // Made by ssh-keygen for this test; the first has a passphrase, and neither
    // opens anything.
    const LOCKED: &str = "-----BEGIN OPENSSH PRIVATE KEY-----
b3BlbnNzaC1rZXktdjEAAAAACmFlczI1Ni1jdHIAAAAGYmNyeXB0AAAAGAAAABBulU4gjg
D45t54fsAmqCLVAAAAAQAAAAEAAAAzAAAAC3NzaC1lZDI1NTE5AAAAIBP9hSuvBggAeMIW
OkWSSd22dDyBgDNOH0Qgqcmis2ekAAAAkC0YULFhHEiQrX1L8c/Jhk608Mqppd36ZPd1Qm
zRMt3z+cUqijTbfGHPSBUbbtGTStKddHEqS6dXLtLvOG67LN0jZ7YYJmo5um0aL4l5huaQ
fkypwdcsUPTHbpOs+RhX+m6Wge5v45/zxDJhcYsxV+X/XWvRR2JEzIedZ3beuiuihyXVfk
YdQ9LDFhUcsVfnJQ==
-----END OPENSSH PRIVATE KEY-----
";
    const PUBLIC: &str = "ssh-ed25519 \
        AAAAC3NzaC1lZDI1NTE5AAAAILAJjpZuaaQ0wOx3OE4puyNUo8PfMM6mEhM/z61LQDt5 plain one";

    #[test]
    fn a_pair_reads_back_as_it_was_made() {
        let pair = generate("a comment").unwrap();
        let key = PrivateKey::parse(pair.private_pem.reveal(), "it").unwrap();
        assert_eq!(key.public(), pair.public);
        assert!(pair.public.line().starts_with("ssh-ed25519 AAAA"));
        assert!(pair.public.line().ends_with(" a comment"));
        assert!(pair.private_pem.reveal().ends_with("-----END OPENSSH PRIVATE KEY-----\n"));
        assert_ne!(generate("a comment").unwrap().public, pair.public);
    }

    #[test]
    fn fingerprints_are_those_of_ssh_keygen() {
        let key = PublicKey::parse(PUBLIC).unwrap();
        assert_eq!(key.fingerprint(), "SHA256:0QV14p2EGPp0NwZBsJ2U59oOMczQf6bhVPkyEleJhp8");
        assert_eq!(key.line(), PUBLIC);
    }

    #[test]
    fn what_cannot_be_used_is_refused_with_the_reason() {
        let error = PrivateKey::parse(LOCKED, "/home/me/id").unwrap_err();
        assert!(matches!(error, KeyError::Encrypted { .. }));
        assert!(error.to_string().contains("/home/me/id"), "{error}");
        for text in ["", "nonsense", "-----BEGIN OPENSSH PRIVATE KEY-----\nAAAA\n"] {
            let error = PrivateKey::parse(text, "it").unwrap_err();
            assert!(matches!(error, KeyError::Malformed { .. }), "{text:?}: {error}");
            assert!(PublicKey::parse(text).is_err());
        }
    }
}
