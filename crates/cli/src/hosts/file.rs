//! Lists of hosts: one host or folded list a line, with words `key=value`
//! that become tags, or say where the host is. Pure.

use std::collections::BTreeMap;

use model::span::{SourceId, Span};
use model::target::expand;
use model::{Diagnostic, Diagnostics};

/// A host of a list.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct ListedHost {
    /// Its name, as it is selected and shown.
    pub(super) name: String,
    /// The user's name there.
    pub(super) user: Option<String>,
    /// Port of its ssh server.
    pub(super) port: Option<u16>,
    /// Name or address to dial, where it is not the name.
    pub(super) address: Option<String>,
    /// What else is said of it.
    pub(super) tags: BTreeMap<String, String>,
}

/// Words that say where a host is, and are no tags.
const RESERVED: [&str; 3] = ["user", "port", "address"];

/// Words that mean something else in targets.
const TAKEN: [&str; 6] = ["name", "cluster", "ip", "tags", "tag", "state"];

/// Reads a list. `name` is what it is called in messages.
///
/// # Errors
/// Every line that is wrong.
pub(super) fn parse(name: &str, text: &str) -> Result<Vec<ListedHost>, Diagnostics> {
    let mut found = Diagnostics::default();
    let source = found.sources.add(name, text);
    let mut hosts: Vec<ListedHost> = Vec::new();
    let mut start = 0;
    for raw in text.split_inclusive('\n') {
        let line = Line { source, start, text: uncommented(raw) };
        start += raw.len();
        match line.hosts() {
            Ok(more) => hosts.extend(more),
            Err(problem) => found.push(problem),
        }
    }
    if found.has_errors() {
        return Err(found);
    }
    Ok(once(hosts))
}

/// The line without its comment: `#` begins one at the start of a word.
fn uncommented(raw: &str) -> &str {
    let text = raw.trim_end_matches(['\n', '\r']);
    let begins = |at: usize| {
        text.get(..at).is_some_and(|before| before.is_empty() || before.ends_with([' ', '\t']))
    };
    let comment = text.match_indices('#').map(|(at, _)| at).find(|&at| begins(at));
    comment.and_then(|at| text.get(..at)).unwrap_or(text)
}

/// The last word about a host counts; it keeps its first place.
fn once(hosts: Vec<ListedHost>) -> Vec<ListedHost> {
    let mut places: BTreeMap<String, usize> = BTreeMap::new();
    let mut kept: Vec<ListedHost> = Vec::new();
    for host in hosts {
        match places.get(&host.name).and_then(|&at| kept.get_mut(at)) {
            Some(before) => {
                before.user = host.user.or(before.user.take());
                before.port = host.port.or(before.port);
                before.address = host.address.or(before.address.take());
                before.tags.extend(host.tags);
            }
            None => {
                places.insert(host.name.clone(), kept.len());
                kept.push(host);
            }
        }
    }
    kept
}

struct Line<'a> {
    source: SourceId,
    /// Place of its first byte.
    start: usize,
    text: &'a str,
}

impl Line<'_> {
    fn hosts(&self) -> Result<Vec<ListedHost>, Diagnostic> {
        let mut words = self.text.split_whitespace();
        let Some(first) = words.next() else { return Ok(Vec::new()) };
        let (names, mut common) = self.address(first)?;
        for word in words {
            self.word(word, &mut common)?;
        }
        if common.address.is_some() && names.len() > 1 {
            let message = format!("`{first}` stands for {} hosts", names.len());
            return Err(self.problem(first, message, "give each its own line with its address"));
        }
        Ok(names.into_iter().map(|name| ListedHost { name, ..common.clone() }).collect())
    }

    /// `[user@]names[:port]`; an address of IPv6 with a port has brackets.
    fn address(&self, word: &str) -> Result<(Vec<String>, ListedHost), Diagnostic> {
        if let Some((scheme, host)) = word.split_once("://") {
            let host = host.split('/').next().unwrap_or_default();
            let message = format!("`{scheme}://` cannot stand before a host");
            return Err(self.problem(word, message, &format!("write `{host}`")));
        }
        let (user, rest) = match word.rsplit_once('@') {
            Some(("", _)) => {
                return Err(self.problem(word, "the user's name is missing", USAGE));
            }
            Some((user, rest)) => (Some(user.to_owned()), rest),
            None => (None, word),
        };
        let (host, port) = split_port(rest);
        let port = match port {
            Some(port) => Some(self.port(word, port)?),
            None => None,
        };
        let names = match host.strip_prefix('[').and_then(|host| host.strip_suffix(']')) {
            Some(address) if address.contains(':') => vec![address.to_owned()],
            // An address of IPv6 would be taken for a cluster and its nodes.
            _ if host.contains(':') => vec![host.to_owned()],
            _ => expand(self.source, host).map_err(|problems| {
                let message = problems.into_iter().next().map(|problem| problem.message);
                self.problem(word, message.unwrap_or_default(), USAGE)
            })?,
        };
        if let Some(name) = names.iter().find(|name| !is_name(name)) {
            let message = format!("`{name}` is no name of a host");
            return Err(self.problem(word, message, USAGE));
        }
        Ok((names, ListedHost { user, port, ..ListedHost::default() }))
    }

    fn word(&self, word: &str, host: &mut ListedHost) -> Result<(), Diagnostic> {
        let Some((key, value)) = word.split_once('=').filter(|(key, _)| !key.is_empty()) else {
            let message = format!("`{word}` is no `key=value`");
            return Err(self.problem(word, message, "each host stands on a line of its own"));
        };
        match key {
            "user" => host.user = Some(value.to_owned()),
            "port" => host.port = Some(self.port(word, value)?),
            "address" => host.address = Some(value.to_owned()),
            key if TAKEN.contains(&key) => {
                let message = format!("`{key}` means something else in targets");
                let help =
                    format!("choose another key; these say where it is: {}", RESERVED.join(", "));
                return Err(self.problem(word, message, &help));
            }
            key => {
                host.tags.insert(key.to_owned(), value.to_owned());
            }
        }
        Ok(())
    }

    fn port(&self, word: &str, text: &str) -> Result<u16, Diagnostic> {
        text.parse().ok().filter(|port| *port > 0).ok_or_else(|| {
            self.problem(word, format!("`{text}` is no port"), "ports go from 1 to 65535")
        })
    }

    fn problem(&self, word: &str, message: impl Into<String>, help: &str) -> Diagnostic {
        let at = self.start + self.text.find(word).unwrap_or_default();
        let span = Span::new(self.source, at, at + word.len());
        Diagnostic::error("hosts-line", message).at(span, "").help(help)
    }
}

const USAGE: &str = "write `node7`, `node[1-8]`, `user@host:port` or `[::1]:22`";

/// A host and its port; an address of IPv6 without brackets has none.
fn split_port(text: &str) -> (&str, Option<&str>) {
    match text.rsplit_once(':') {
        Some((host, port)) if host.ends_with(']') || !host.contains(':') => (host, Some(port)),
        _ => (text, None),
    }
}

/// What can be a host's name or address. Nothing else reaches resolvers.
pub(super) fn is_name(text: &str) -> bool {
    let is_letter =
        |byte: u8| byte.is_ascii_alphanumeric() || b".-_:%".contains(&byte) || byte >= 0x80;
    !text.is_empty() && !text.starts_with('-') && text.bytes().all(is_letter)
}

#[cfg(test)]
mod tests {
    use super::{ListedHost, parse};

    fn shown(host: &ListedHost) -> String {
        let mut text = host.name.clone();
        if let Some(user) = &host.user {
            text = format!("{user}@{text}");
        }
        if let Some(port) = host.port {
            text = format!("{text} :{port}");
        }
        if let Some(address) = &host.address {
            text = format!("{text} at {address}");
        }
        for (key, value) in &host.tags {
            text = format!("{text} {key}={value}");
        }
        text
    }

    #[test]
    fn each_line_names_hosts() {
        let table: [(&str, &[&str]); 14] = [
            ("", &[]),
            ("# web\n\n  \t\n", &[]),
            ("web", &["web"]),
            ("web # the first", &["web"]),
            ("we#b=1x\n", &[]),
            ("n[1-3]:2222", &["n1 :2222", "n2 :2222", "n3 :2222"]),
            ("ada@web:22", &["ada@web :22"]),
            ("me@corp@web", &["me@corp@web"]),
            ("::1", &["::1"]),
            ("[::1]:22", &["::1 :22"]),
            ("ada@[fe80::1%eth0]:22", &["ada@fe80::1%eth0 :22"]),
            ("web rack=3 gpu=yes\r\n", &["web gpu=yes rack=3"]),
            ("web address=10.0.0.7 port=2022 user=ada", &["ada@web :2022 at 10.0.0.7"]),
            ("web rack=3\na\nweb rack=4 x=1\n", &["web rack=4 x=1", "a"]),
        ];
        for (text, expected) in table {
            if text.starts_with("we#") {
                assert!(parse("hosts", text).is_err());
                continue;
            }
            let hosts: Vec<String> = parse("hosts", text).unwrap().iter().map(shown).collect();
            assert_eq!(hosts, expected, "{text:?}");
        }
    }

    #[test]
    fn every_wrong_line_is_named_with_its_place() {
        let text = "ok\nweb other\nn[1\nweb:0\n@web\nweb a=1 name=x\nn[1-2] address=1.2.3.4\n-oEvil\n\
             ssh://root@127.0.5.1:22022/\n";
        let found = parse("hosts.txt", text).unwrap_err();
        let lines: Vec<String> = found
            .list
            .iter()
            .map(|problem| {
                let (_, place) = problem.place(&found.sources).unwrap();
                format!("{}:{} {}", place.line, place.column, problem.message)
            })
            .collect();
        assert_eq!(
            lines,
            [
                "2:5 `other` is no `key=value`",
                "3:1 `[` without `]`",
                "4:1 `0` is no port",
                "5:1 the user's name is missing",
                "6:9 `name` means something else in targets",
                "7:1 `n[1-2]` stands for 2 hosts",
                "8:1 `-oEvil` is no name of a host",
                "9:1 `ssh://` cannot stand before a host",
            ]
        );
        assert_eq!(found.list[7].help, ["write `root@127.0.5.1:22022`"]);
    }
}
