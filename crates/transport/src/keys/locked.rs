//! Key files with a passphrase. It is asked for once per file, by a function
//! that the caller gives, and only when a node would take the key.

use std::fmt;
use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};

use model::secret::SecretText;
use tokio::sync::{Mutex, oneshot};
use zeroize::Zeroizing;

use super::certificate::UserCertificate;
use super::key::{KeyError, PrivateKey, PublicKey};
use crate::limits;

/// What is asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Asked {
    /// The key file.
    pub file: PathBuf,
    /// How often a wrong one was given before.
    pub wrong_before: usize,
}

/// Asks a person for a passphrase; none when there is nobody to ask, or they
/// do not want to. Called where it may block.
pub type Ask = Arc<dyn Fn(&Asked) -> Option<SecretText> + Send + Sync>;

/// A private key file, with a passphrase or without.
#[derive(Debug, Clone)]
pub enum KeyFile {
    /// It is at hand.
    Open(PrivateKey),
    /// It has a passphrase.
    Locked(LockedKey),
}

impl KeyFile {
    /// Reads a private key file.
    ///
    /// # Errors
    /// It cannot be read or is no key; others may read it.
    pub fn load(path: &Path, ask: &Ask) -> Result<Self, KeyError> {
        let fail = |source| KeyError::Io { doing: "read", path: path.to_owned(), source };
        let file = File::open(path).map_err(fail)?;
        super::key::refuse_open_mode(&file, path)?;
        let mut pem = Zeroizing::new(String::new());
        file.take(limits::KEY_FILE_BYTES_MAX).read_to_string(&mut pem).map_err(fail)?;
        let what = path.display().to_string();
        let key = russh::keys::PrivateKey::from_openssh(pem.as_str())
            .or_else(|error| russh::keys::decode_secret_key(&pem, None).map_err(|_| error))
            .map_err(|error| KeyError::Malformed { what: what.clone(), text: error.to_string() })?;
        if key.is_encrypted() {
            return Ok(Self::Locked(LockedKey::new(path, key, Arc::clone(ask))));
        }
        Ok(Self::Open(PrivateKey::from_russh(key, &what)))
    }

    /// The public half, which is readable without the passphrase.
    #[must_use]
    pub fn public(&self) -> PublicKey {
        match self {
            Self::Open(key) => key.public(),
            Self::Locked(key) => key.public().clone(),
        }
    }
}

/// A private key whose passphrase is not known yet. Cloning shares it, so that
/// it is asked for once.
#[derive(Clone)]
pub struct LockedKey {
    inner: Arc<Inner>,
    certificate: Option<Arc<UserCertificate>>,
}

struct Inner {
    file: PathBuf,
    locked: russh::keys::PrivateKey,
    public: PublicKey,
    ask: Ask,
    asking: AtomicBool,
    turn: Mutex<()>,
    outcome: OnceLock<Result<PrivateKey, String>>,
}

impl LockedKey {
    fn new(file: &Path, locked: russh::keys::PrivateKey, ask: Ask) -> Self {
        let public = PublicKey::from_russh(locked.public_key().clone());
        let inner = Inner {
            file: file.to_owned(),
            locked,
            public,
            ask,
            asking: AtomicBool::new(false),
            turn: Mutex::new(()),
            outcome: OnceLock::new(),
        };
        Self { inner: Arc::new(inner), certificate: None }
    }

    /// The same key, vouched for by an authority.
    #[must_use]
    pub fn certified(&self, certificate: Arc<UserCertificate>) -> Self {
        Self { inner: Arc::clone(&self.inner), certificate: Some(certificate) }
    }

    /// Its public half.
    #[must_use]
    pub fn public(&self) -> &PublicKey {
        &self.inner.public
    }

    pub(crate) fn source(&self) -> String {
        match &self.certificate {
            Some(certificate) => certificate.source().to_owned(),
            None => self.inner.file.display().to_string(),
        }
    }

    pub(crate) fn certificate(&self) -> Option<&UserCertificate> {
        self.certificate.as_deref()
    }

    /// Whether somebody is being asked right now.
    pub(crate) fn is_asking(&self) -> bool {
        self.inner.asking.load(Ordering::Relaxed)
    }

    /// The key, if its passphrase was given already.
    pub(crate) fn unlocked(&self) -> Option<PrivateKey> {
        self.inner.outcome.get()?.as_ref().ok().cloned()
    }

    /// The key; asks for the passphrase unless somebody did before. The text
    /// says why there is none.
    pub(crate) async fn unlock(&self) -> Result<PrivateKey, String> {
        let _turn = self.inner.turn.lock().await;
        if let Some(outcome) = self.inner.outcome.get() {
            return outcome.clone();
        }
        self.inner.asking.store(true, Ordering::Relaxed);
        let inner = Arc::clone(&self.inner);
        // A thread of its own, not one of the runtime's: a question at the
        // terminal cannot be cancelled, and must not hold up our exit.
        let (tell, told) = oneshot::channel();
        std::thread::spawn(move || {
            let _ = tell.send(inner.ask_and_unlock());
        });
        let outcome = told.await.unwrap_or_else(|error| Err(error.to_string()));
        self.inner.asking.store(false, Ordering::Relaxed);
        self.inner.outcome.get_or_init(|| outcome).clone()
    }
}

impl Inner {
    fn ask_and_unlock(&self) -> Result<PrivateKey, String> {
        for wrong_before in 0..limits::PASSPHRASE_TRIES_MAX {
            let asked = Asked { file: self.file.clone(), wrong_before };
            let Some(passphrase) = (self.ask)(&asked) else {
                return Err("it has a passphrase, and nobody gave it".to_owned());
            };
            if let Ok(key) = self.locked.decrypt(passphrase.reveal()) {
                return Ok(PrivateKey::from_russh(key, &self.file.display().to_string()));
            }
        }
        Err("the passphrase was wrong".to_owned())
    }
}

impl fmt::Debug for LockedKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "LockedKey({}, {})", self.inner.file.display(), self.inner.public.fingerprint())
    }
}
