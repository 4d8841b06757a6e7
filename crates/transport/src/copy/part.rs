//! Names of unfinished files. Pure.

use super::hash::Hash;

/// Bytes of the longest name that file systems take.
const NAME_BYTES_MAX: usize = 255;

const MARK: &[u8] = b".squall-";
const END: &[u8] = b".part";

/// The unfinished file of `name`, beside it and hidden: `.NAME.squall-ID.part`.
/// The id tells the contents, so that what goes on is the same file.
pub(super) fn part_name(name: &[u8], id: &str) -> Vec<u8> {
    let whole = [b".", name, MARK, id.as_bytes(), END].concat();
    if whole.len() <= NAME_BYTES_MAX {
        return whole;
    }
    let short = Hash::of(name).short();
    [b".", short.as_bytes(), MARK, id.as_bytes(), END].concat()
}

/// A path's directory, with its slash, and the name in it.
pub(super) fn split(path: &[u8]) -> (&[u8], &[u8]) {
    let at = path.iter().rposition(|byte| *byte == b'/').map_or(0, |at| at + 1);
    path.split_at(at)
}

/// The path of the unfinished file of a path.
pub(super) fn part_path(path: &[u8], id: &str) -> Vec<u8> {
    let (directory, name) = split(path);
    [directory, &part_name(name, id)].concat()
}

/// A path below a directory.
pub(super) fn join(directory: &[u8], name: &[u8]) -> Vec<u8> {
    match directory {
        [] => name.to_vec(),
        [.., b'/'] => [directory, name].concat(),
        _ => [directory, b"/", name].concat(),
    }
}

#[cfg(test)]
mod tests {
    use super::{join, part_name, part_path};

    #[test]
    fn parts_lie_beside_their_file() {
        assert_eq!(part_path(b"/opt/a b", "12ab"), b"/opt/.a b.squall-12ab.part");
        assert_eq!(part_path(b"x", "1"), b".x.squall-1.part");
        let long = part_name(&[b'x'; 250], "12ab");
        assert!(long.len() <= 255);
        assert_ne!(long, part_name(&[b'y'; 250], "12ab"));
    }

    #[test]
    fn paths_are_joined_with_one_slash() {
        assert_eq!(join(b"/", b"a"), b"/a");
        assert_eq!(join(b"/b", b"a"), b"/b/a");
        assert_eq!(join(b"", b"a"), b"a");
    }
}
