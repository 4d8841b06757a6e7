//! The user's default key: made once, kept, readable by its owner only.

use std::fs;
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};

use super::key::{KeyError, PrivateKey, PublicKey, generate, refuse_open_mode};

/// The user's default key.
#[derive(Debug, Clone)]
pub struct DefaultKey {
    /// Where its private half lives.
    pub path: PathBuf,
    /// The key.
    pub private: PrivateKey,
    /// Its public half.
    pub public: PublicKey,
    /// Whether this call made it.
    pub made: bool,
}

/// The key at `path`, made with `comment` if there is none. When two processes
/// come at once, both end up with the same key. `path` with `.pub` appended
/// gets the public half, for people.
///
/// # Errors
/// The file cannot be made or read, is no usable key, or others may read it.
pub fn ensure_default_key(path: &Path, comment: &str) -> Result<DefaultKey, KeyError> {
    let made = if path.exists() { false } else { make(path, comment)? };
    let opened = fs::File::open(path).map_err(io_error("read", path))?;
    refuse_open_mode(&opened, path)?;
    let private = PrivateKey::load(path)?;
    let public = private.public();
    Ok(DefaultKey { path: path.to_owned(), private, public, made })
}

/// Makes the key under another name and links it into place: a link fails when
/// somebody else was first, and a reader never sees half a key.
fn make(path: &Path, comment: &str) -> Result<bool, KeyError> {
    if let Some(directory) = path.parent() {
        fs::DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(directory)
            .map_err(io_error("create the directory", directory))?;
    }
    let pair = generate(comment)?;
    let draft = Draft(draft_path(path));
    write_private(&draft.0, pair.private_pem.reveal().as_bytes())
        .map_err(io_error("write", &draft.0))?;
    match fs::hard_link(&draft.0, path) {
        Ok(()) => {
            let public_path = with_suffix(path, ".pub");
            fs::write(&public_path, format!("{}\n", pair.public.line()))
                .map_err(io_error("write", &public_path))?;
            Ok(true)
        }
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(false),
        Err(error) => Err(io_error("put in place", path)(error)),
    }
}

/// A name that no other process or thread uses for its draft.
fn draft_path(path: &Path) -> PathBuf {
    static DRAFTS: AtomicU32 = AtomicU32::new(0);
    let number = DRAFTS.fetch_add(1, Ordering::Relaxed);
    with_suffix(path, &format!(".new-{}-{number}", std::process::id()))
}

/// A file that goes away with the value.
struct Draft(PathBuf);

impl Drop for Draft {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.0);
    }
}

fn write_private(path: &Path, bytes: &[u8]) -> io::Result<()> {
    // One left by a process that died with our number is nobody's.
    let _ = fs::remove_file(path);
    let mut file = fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?;
    file.write_all(bytes)?;
    file.sync_all()
}

fn with_suffix(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    PathBuf::from(name)
}

fn io_error<'a>(doing: &'static str, path: &'a Path) -> impl FnOnce(io::Error) -> KeyError + 'a {
    move |source| KeyError::Io { doing, path: path.to_owned(), source }
}

#[cfg(test)]
mod tests {
    use super::ensure_default_key;
    use crate::keys::{KeyError, PrivateKey, PublicKey, generate};
    use std::fs;
    use std::os::unix::fs::PermissionsExt;

    #[test]
    fn it_is_made_once_and_kept() {
        let home = tempfile::tempdir().unwrap();
        let path = home.path().join("keys/id_ed25519");
        let first = ensure_default_key(&path, "someone@somewhere").unwrap();
        let second = ensure_default_key(&path, "another").unwrap();
        assert!(first.made && !second.made);
        assert_eq!(first.public, second.public);
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o7777, 0o600);
        let line = fs::read_to_string(home.path().join("keys/id_ed25519.pub")).unwrap();
        assert!(line.trim_end().ends_with("someone@somewhere"));
        assert_eq!(PublicKey::parse(&line).unwrap(), first.public);
        let names: Vec<_> = fs::read_dir(home.path().join("keys")).unwrap().collect();
        assert_eq!(names.len(), 2, "the draft is gone");
    }

    #[test]
    fn callers_that_race_end_with_one_key() {
        let home = tempfile::tempdir().unwrap();
        let path = home.path().join("id_ed25519");
        let keys: Vec<_> = std::thread::scope(|scope| {
            let threads: Vec<_> =
                (0..8).map(|_| scope.spawn(|| ensure_default_key(&path, "x").unwrap())).collect();
            threads.into_iter().map(|thread| thread.join().unwrap()).collect()
        });
        let again = ensure_default_key(&path, "y").unwrap();
        assert!(keys.iter().all(|key| key.public == again.public));
        assert_eq!(keys.iter().filter(|key| key.made).count(), 1);
    }

    #[test]
    fn a_key_that_others_may_read_is_refused_with_the_mend() {
        let home = tempfile::tempdir().unwrap();
        let path = home.path().join("id");
        ensure_default_key(&path, "x").unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).unwrap();
        let error = ensure_default_key(&path, "x").unwrap_err();
        assert!(matches!(error, KeyError::TooOpen { mode: 0o644, .. }));
        assert!(error.to_string().contains("chmod 600"), "{error}");
    }

    #[test]
    fn debug_shows_fingerprints_only() {
        let pair = generate("c").unwrap();
        let key = PrivateKey::parse(pair.private_pem.reveal(), "it").unwrap();
        let shown = format!("{pair:?} {key:?}");
        assert!(shown.contains(&pair.public.fingerprint()));
        assert!(!shown.contains("PRIVATE") && !shown.contains("b3Blbn"), "{shown}");
    }
}
