//! Files as the protocol shows them.

use std::fs::Metadata;
use std::os::unix::fs::MetadataExt;

use bytes::Bytes;

use crate::sftp::{Attributes, Entry};

/// What a file is.
pub(super) fn attributes(metadata: &Metadata) -> Attributes {
    let seconds = |time: i64| u32::try_from(time.max(0)).unwrap_or(u32::MAX);
    Attributes {
        size: Some(metadata.size()),
        owner: Some((metadata.uid(), metadata.gid())),
        mode: Some(metadata.mode()),
        times: Some((seconds(metadata.atime()), seconds(metadata.mtime()))),
    }
}

/// A name with what it is, also as `ls -l` shows it.
pub(super) fn entry(name: &[u8], metadata: Option<&Metadata>) -> Entry {
    let Some(metadata) = metadata else {
        let name = Bytes::copy_from_slice(name);
        return Entry { long: name.clone(), name, attributes: Attributes::default() };
    };
    let changed = jiff::Timestamp::from_second(metadata.mtime()).unwrap_or_default();
    let mut long = format!(
        "{} {:>4} {:<8} {:<8} {:>8} {} ",
        mode_text(metadata.mode()),
        metadata.nlink(),
        metadata.uid(),
        metadata.gid(),
        metadata.size(),
        changed.strftime("%b %e %Y"),
    )
    .into_bytes();
    long.extend_from_slice(name);
    Entry {
        name: Bytes::copy_from_slice(name),
        long: long.into(),
        attributes: attributes(metadata),
    }
}

/// A mode as `ls -l` shows it, without the bits that hardly anything has.
fn mode_text(mode: u32) -> String {
    let kind = match mode & 0o170_000 {
        0o040_000 => 'd',
        0o120_000 => 'l',
        0o060_000 => 'b',
        0o020_000 => 'c',
        0o010_000 => 'p',
        0o140_000 => 's',
        _ => '-',
    };
    let bits = (0..9).rev().zip("rwxrwxrwx".chars());
    std::iter::once(kind)
        .chain(bits.map(|(bit, letter)| if mode >> bit & 1 == 1 { letter } else { '-' }))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::mode_text;

    #[test]
    fn modes_look_as_ls_shows_them() {
        for (mode, text) in [
            (0o100_644, "-rw-r--r--"),
            (0o040_755, "drwxr-xr-x"),
            (0o120_777, "lrwxrwxrwx"),
            (0o010_600, "prw-------"),
        ] {
            assert_eq!(mode_text(mode), text);
        }
    }
}
