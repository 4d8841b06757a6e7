//! Keeps the consoles of nodes from filling the disk: what is older than a
//! bound goes to a second file, which the next such step replaces.

use std::fs::{File, OpenOptions};
use std::io::{self, Read, Seek, SeekFrom};
use std::path::Path;

use crate::local::status::{CONSOLE_FILE, CONSOLE_OLD_FILE};

/// The largest console, in bytes.
const CONSOLE_BYTES_MAX: u64 = 8 * 1024 * 1024;
/// How much of its end is kept, in bytes.
const KEPT_BYTES: u64 = 4 * 1024 * 1024;

/// Cuts one node's console if it has grown too large. Its writers append, so
/// they go on at the beginning of the emptied file; lines written during the
/// cut may be lost.
pub(super) fn bound(node_dir: &Path) -> io::Result<()> {
    let path = node_dir.join(CONSOLE_FILE);
    let length = path.metadata()?.len();
    if length <= CONSOLE_BYTES_MAX {
        return Ok(());
    }
    let mut console = OpenOptions::new().read(true).write(true).open(&path)?;
    console.seek(SeekFrom::Start(length - KEPT_BYTES))?;
    let mut old = File::create(node_dir.join(CONSOLE_OLD_FILE))?;
    let copied = io::copy(&mut console.by_ref().take(KEPT_BYTES), &mut old);
    // Emptied also when the copy failed, as on the full disk that it is.
    console.set_len(0)?;
    copied.map(drop)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;

    #[test]
    fn a_large_console_keeps_its_end_and_its_writers() {
        let node = tempfile::tempdir().unwrap();
        let path = node.path().join(CONSOLE_FILE);
        let mut writer = OpenOptions::new().append(true).create(true).open(&path).unwrap();
        writer.write_all(b"small").unwrap();
        bound(node.path()).unwrap();
        assert_eq!(std::fs::read(&path).unwrap(), b"small");
        let line = vec![b'x'; usize::try_from(CONSOLE_BYTES_MAX).unwrap()];
        writer.write_all(&line).unwrap();
        writer.write_all(b"end").unwrap();
        bound(node.path()).unwrap();
        writer.write_all(b"new").unwrap();
        assert_eq!(std::fs::read(&path).unwrap(), b"new");
        let old = std::fs::read(node.path().join(CONSOLE_OLD_FILE)).unwrap();
        assert_eq!(u64::try_from(old.len()).unwrap(), KEPT_BYTES);
        assert!(old.ends_with(b"end"));
    }
}
