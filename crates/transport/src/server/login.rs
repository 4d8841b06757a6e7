//! Who may log in: the file of authorised keys.

use std::fs::File;
use std::io::Read;
use std::path::Path;

use crate::keys::PublicKey;
use crate::limits;

/// Whether the file lists the key. One that cannot be read lists none.
pub(super) fn is_authorized(path: &Path, key: &PublicKey) -> bool {
    let mut text = String::new();
    let read = File::open(path).and_then(|file| {
        file.take(limits::SERVER_AUTHORIZED_KEYS_BYTES_MAX).read_to_string(&mut text)
    });
    read.is_ok() && lists(&text, key)
}

/// Lines with options before the key do not count: what they forbid is not
/// implemented here, and letting the key in without would widen it.
fn lists(text: &str, key: &PublicKey) -> bool {
    text.lines().filter_map(|line| PublicKey::parse(line).ok()).any(|listed| listed == *key)
}

#[cfg(test)]
mod tests {
    use super::lists;
    use crate::keys::generate;

    #[test]
    fn keys_count_comments_and_options_do_not() {
        let mine = generate("me").unwrap().public;
        let other = generate("other").unwrap().public;
        let (line, bare) = (mine.line(), mine.line().replace(" me", ""));
        let table = [
            (String::new(), false),
            (format!("{line}\n"), true),
            (format!("# {line}\n"), false),
            (format!("\n  {bare}\r\n"), true),
            (format!("nonsense\n{}\n{line}", other.line()), true),
            (format!("command=\"/bin/true\" {line}\n"), false),
            (other.line(), false),
        ];
        for (text, expected) in table {
            assert_eq!(lists(&text, &mine), expected, "{text}");
        }
    }
}
