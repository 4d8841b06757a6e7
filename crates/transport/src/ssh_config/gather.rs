//! Goes through the items of a configuration for one host and keeps what is
//! said first. Pure.

use std::collections::BTreeMap;

use super::config::hop;
use super::lex::Words;
use super::parse::{Criterion, CriterionKind, Item};
use super::settings::Hop;
use crate::known_hosts::Place;

/// Settings of which every value counts.
const REPEATED: [&str; 2] = ["identityfile", "certificatefile"];

/// What was said for one host.
#[derive(Debug, Default)]
pub(super) struct Gathered {
    first: BTreeMap<String, (Words, Place)>,
    repeated: BTreeMap<&'static str, Vec<String>>,
}

struct Walk<'a> {
    host: &'a str,
    user: Option<&'a str>,
    local_user: &'a str,
    said: Gathered,
}

pub(super) fn gather(items: &[Item], host: &str, user: Option<&str>, local_user: &str) -> Gathered {
    let mut walk = Walk { host, user, local_user, said: Gathered::default() };
    walk.items(items);
    walk.said
}

impl Walk<'_> {
    fn items(&mut self, items: &[Item]) {
        let mut active = true;
        for item in items {
            match item {
                Item::Host { patterns, .. } => {
                    active = patterns.matches(self.host);
                }
                Item::Match(criteria) => {
                    active = criteria.iter().all(|criterion| self.holds(criterion));
                }
                Item::Include(files) if active => {
                    for items in files {
                        self.items(items);
                    }
                }
                Item::Set { words, place } if active => self.said.set(words, place),
                Item::Include(_) | Item::Set { .. } => {}
            }
        }
    }

    fn holds(&self, criterion: &Criterion) -> bool {
        let host = || match self.said.one("hostname") {
            Some(name) => name.replace("%h", self.host),
            None => self.host.to_owned(),
        };
        let user = || self.user.or(self.said.one("user")).unwrap_or(self.local_user);
        let holds = match &criterion.kind {
            CriterionKind::All => true,
            CriterionKind::Host(patterns) => patterns.matches(&host().to_lowercase()),
            CriterionKind::OriginalHost(patterns) => patterns.matches(&self.host.to_lowercase()),
            CriterionKind::User(patterns) => patterns.matches(user()),
            CriterionKind::LocalUser(patterns) => patterns.matches(self.local_user),
            CriterionKind::Unknown => return false,
        };
        holds != criterion.negated
    }
}

impl Gathered {
    fn set(&mut self, words: &Words, place: &Place) {
        let keyword = words.keyword.as_str();
        if let Some(key) = REPEATED.iter().find(|key| **key == keyword) {
            let list = self.repeated.entry(key).or_default();
            if let Some(word) = words.words.first().filter(|word| !list.contains(word)) {
                list.push(word.clone());
            }
            return;
        }
        // Whichever comes first shuts out the other; "no bastion" does not
        // forbid a command.
        let is_shut_out = match keyword {
            "proxyjump" => self.first.contains_key("proxycommand"),
            "proxycommand" => self.said_and_not_none("proxyjump"),
            _ => false,
        };
        if is_shut_out {
            return;
        }
        if !self.first.contains_key(keyword) {
            self.first.insert(keyword.to_owned(), (words.clone(), place.clone()));
        }
    }

    /// The first word of a setting.
    pub(super) fn one(&self, key: &str) -> Option<&str> {
        self.first.get(key)?.0.words.first().map(String::as_str)
    }

    /// All words of a setting.
    pub(super) fn many(&self, key: &str) -> Option<&[String]> {
        self.first.get(key).map(|(words, _)| words.words.as_slice())
    }

    /// All values of a setting that may be said several times.
    pub(super) fn all(&self, key: &str) -> &[String] {
        self.repeated.get(key).map_or(&[], Vec::as_slice)
    }

    fn said_and_not_none(&self, key: &str) -> bool {
        self.first.get(key).is_some_and(|(words, _)| !words.rest.eq_ignore_ascii_case("none"))
    }

    /// The bastions, or the command in their stead.
    pub(super) fn proxy(&self) -> (Vec<Hop>, Option<(String, Place)>) {
        if self.said_and_not_none("proxycommand") {
            let command = self.first.get("proxycommand");
            let command = command.map(|(words, place)| (words.rest.clone(), place.clone()));
            return (Vec::new(), command);
        }
        let jumps = self.first.get("proxyjump").filter(|_| self.said_and_not_none("proxyjump"));
        let hops = jumps.and_then(|(words, _)| words.words.first());
        (hops.map(|hops| hops.split(',').filter_map(hop).collect()).unwrap_or_default(), None)
    }
}
