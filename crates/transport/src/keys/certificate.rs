//! Certificates that let a user in, as `ssh-keygen -s` writes them to
//! `KEY-cert.pub`.

use std::fmt;
use std::fs::File;
use std::io::Read;
use std::path::Path;

use russh::keys::Certificate;
use russh::keys::ssh_key::certificate::CertType;

use super::key::{KeyError, PublicKey};
use crate::limits;

/// A certificate of a user's key.
#[derive(Clone)]
pub struct UserCertificate {
    inner: Certificate,
    source: String,
}

impl UserCertificate {
    /// Reads a certificate file.
    ///
    /// # Errors
    /// It cannot be read, or is no certificate for users.
    pub fn load(path: &Path) -> Result<Self, KeyError> {
        let fail = |source| KeyError::Io { doing: "read", path: path.to_owned(), source };
        let mut text = String::new();
        let file = File::open(path).map_err(fail)?;
        file.take(limits::KEY_FILE_BYTES_MAX).read_to_string(&mut text).map_err(fail)?;
        Self::parse(&text, &path.display().to_string())
    }

    /// Reads the line of a certificate file. `what` names it in errors.
    ///
    /// # Errors
    /// [`KeyError::Malformed`].
    pub fn parse(line: &str, what: &str) -> Result<Self, KeyError> {
        let malformed = |text: String| KeyError::Malformed { what: what.to_owned(), text };
        let inner =
            Certificate::from_openssh(line.trim()).map_err(|error| malformed(error.to_string()))?;
        if inner.cert_type() != CertType::User {
            return Err(malformed("it is the certificate of a host".to_owned()));
        }
        Ok(Self { inner, source: what.to_owned() })
    }

    /// Whether it is about this key.
    #[must_use]
    pub fn is_for(&self, key: &PublicKey) -> bool {
        key.same_data(self.inner.public_key())
    }

    /// The file that it came from.
    #[must_use]
    pub fn source(&self) -> &str {
        &self.source
    }

    pub(crate) const fn inner(&self) -> &Certificate {
        &self.inner
    }
}

impl fmt::Debug for UserCertificate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "UserCertificate({}, {})", self.inner.key_id(), self.source)
    }
}
