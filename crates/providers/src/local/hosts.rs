//! The part of `/etc/hosts` that is ours: the lines between two marks. What
//! else a user put into the file stays. Pure.

use std::net::Ipv4Addr;

use serde::{Deserialize, Serialize};

/// First line of our part.
const BEGIN: &str = "# squall: members of the cluster, kept up to date";
/// Last line of our part.
const END: &str = "# squall: end";

/// One member as its peers know it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct HostEntry {
    /// Its address.
    pub address: Ipv4Addr,
    /// Its names, the short one first as a rule.
    pub names: Vec<String>,
}

/// The whole file of a new node.
#[must_use]
pub fn render(entries: &[HostEntry]) -> String {
    rewrite("127.0.0.1 localhost\n::1 localhost ip6-localhost ip6-loopback\n", entries)
}

/// The file with our part replaced, or added at its end. Other lines are kept
/// as they are; a part without an end (the user cut it) ends with the file.
#[must_use]
pub fn rewrite(old: &str, entries: &[HostEntry]) -> String {
    let mut text = String::with_capacity(old.len() + entries.len() * 48);
    let mut written = false;
    let mut inside = false;
    for line in old.lines() {
        if inside {
            inside = line != END;
        } else if line == BEGIN {
            if !written {
                write_part(&mut text, entries);
                written = true;
            }
            inside = true;
        } else {
            text.push_str(line);
            text.push('\n');
        }
    }
    if !written {
        write_part(&mut text, entries);
    }
    text
}

fn write_part(text: &mut String, entries: &[HostEntry]) {
    text.push_str(BEGIN);
    text.push('\n');
    for entry in entries {
        text.push_str(&entry.address.to_string());
        for name in &entry.names {
            text.push(' ');
            text.push_str(name);
        }
        text.push('\n');
    }
    text.push_str(END);
    text.push('\n');
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(last: u8, name: &str) -> HostEntry {
        HostEntry {
            address: Ipv4Addr::new(10, 77, 0, last),
            names: vec![name.to_owned(), format!("{name}.demo")],
        }
    }

    #[test]
    fn a_new_file_has_localhost_and_the_members() {
        insta::assert_snapshot!(render(&[entry(11, "master"), entry(12, "worker1")]), @r"
        127.0.0.1 localhost
        ::1 localhost ip6-localhost ip6-loopback
        # squall: members of the cluster, kept up to date
        10.77.0.11 master master.demo
        10.77.0.12 worker1 worker1.demo
        # squall: end
        ");
    }

    #[test]
    fn rewriting_replaces_our_part_and_keeps_the_users_lines() {
        let mine = format!("10.0.0.1 before\n{}10.0.0.2 after\n", {
            let mut part = String::new();
            write_part(&mut part, &[entry(11, "old")]);
            part
        });
        let new = rewrite(&mine, &[entry(13, "new")]);
        assert!(new.starts_with("10.0.0.1 before\n#"));
        assert!(new.ends_with("# squall: end\n10.0.0.2 after\n"));
        assert!(!new.contains("old") && new.contains("10.77.0.13 new new.demo\n"));
        assert_eq!(rewrite(&new, &[entry(13, "new")]), new, "a second time changes nothing");
    }

    #[test]
    fn a_part_without_end_and_a_doubled_part_are_mended() {
        let cut = format!("a\n{BEGIN}\n10.77.0.9 gone\n");
        assert_eq!(rewrite(&cut, &[]), format!("a\n{BEGIN}\n{END}\n"));
        let doubled = format!("{BEGIN}\n{END}\n{BEGIN}\n{END}\nz\n");
        assert_eq!(rewrite(&doubled, &[]), format!("{BEGIN}\n{END}\nz\n"));
    }
}
