//! From the text of a configuration to its items. Pure: what `Include` names
//! is asked of the caller.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::lex::{Words, words};
use crate::host_pattern::PatternList;
use crate::known_hosts::Place;

/// Files that include one another; more is a circle. As ssh has it.
const INCLUDE_DEPTH_MAX: usize = 16;

/// One item of a configuration.
#[derive(Debug, Clone)]
pub(super) enum Item {
    /// What follows is for these hosts.
    Host { names: Vec<String>, patterns: PatternList },
    /// What follows is for hosts of which all this is true.
    Match(Vec<Criterion>),
    /// The items of other files, as if they stood here.
    Include(Vec<Vec<Self>>),
    /// A setting.
    Set { words: Words, place: Place },
}

/// One condition of `Match`.
#[derive(Debug, Clone)]
pub(super) struct Criterion {
    pub(super) kind: CriterionKind,
    pub(super) negated: bool,
}

#[derive(Debug, Clone)]
pub(super) enum CriterionKind {
    All,
    Host(PatternList),
    OriginalHost(PatternList),
    User(PatternList),
    LocalUser(PatternList),
    /// One that we cannot judge: never true.
    Unknown,
}

/// Something wrong with a configuration.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// Where.
    pub place: Place,
    /// What, in words.
    pub text: String,
    /// Whether nothing can be done before it is mended.
    pub fatal: bool,
}

/// What `Include` names: the files and their texts.
pub(super) type Load<'a> = dyn Fn(&str) -> Vec<(PathBuf, String)> + 'a;

/// Reads a text.
pub(super) fn parse(
    text: &str,
    file: &Path,
    load: &Load<'_>,
    depth: usize,
    found: &mut Vec<Problem>,
) -> Vec<Item> {
    let file = Arc::new(file.to_owned());
    let mut items = Vec::new();
    for (at, line) in text.lines().enumerate() {
        let place = Place { file: Arc::clone(&file), line: at + 1 };
        let parsed = match words(line) {
            Ok(None) => continue,
            Ok(Some(words)) => item(words, &place, load, depth, found),
            Err(text) => Err(text),
        };
        match parsed {
            Ok(item) => items.push(item),
            Err(text) => found.push(Problem { place, text, fatal: true }),
        }
    }
    items
}

fn item(
    words: Words,
    place: &Place,
    load: &Load<'_>,
    depth: usize,
    found: &mut Vec<Problem>,
) -> Result<Item, String> {
    if words.words.is_empty() {
        return Err(format!("`{}` says nothing", words.keyword));
    }
    match words.keyword.as_str() {
        "host" => {
            let patterns = PatternList::exact(words.words.iter().map(String::as_str));
            let is_plain = |name: &&String| !name.contains(['*', '?', '!']);
            let names = words.words.iter().filter(is_plain).cloned().collect();
            Ok(Item::Host { names, patterns })
        }
        "match" => criteria(&words.words, place, found).map(Item::Match),
        "include" if depth >= INCLUDE_DEPTH_MAX => Err("too many files include one another".into()),
        "include" => {
            let files = words.words.iter().flat_map(|pattern| load(pattern));
            Ok(Item::Include(
                files.map(|(file, text)| parse(&text, &file, load, depth + 1, found)).collect(),
            ))
        }
        _ => Ok(Item::Set { words, place: place.clone() }),
    }
}

fn criteria(
    words: &[String],
    place: &Place,
    found: &mut Vec<Problem>,
) -> Result<Vec<Criterion>, String> {
    let mut list = Vec::new();
    let mut words = words.iter();
    while let Some(word) = words.next() {
        let (negated, name) = match word.strip_prefix('!') {
            Some(name) => (true, name),
            None => (false, word.as_str()),
        };
        let name = name.to_ascii_lowercase();
        let mut value = || {
            let list = words.next().ok_or_else(|| format!("`Match {name}` says nothing"))?;
            Ok::<_, String>(list)
        };
        let kind = match name.as_str() {
            "all" => CriterionKind::All,
            "host" => CriterionKind::Host(PatternList::from_commas(value()?)),
            "originalhost" => CriterionKind::OriginalHost(PatternList::from_commas(value()?)),
            "user" => CriterionKind::User(PatternList::exact(value()?.split(','))),
            "localuser" => CriterionKind::LocalUser(PatternList::exact(value()?.split(','))),
            _ => {
                found.push(Problem { place: place.clone(), text: skipped(&name), fatal: false });
                return Ok(vec![Criterion { kind: CriterionKind::Unknown, negated: false }]);
            }
        };
        list.push(Criterion { kind, negated });
    }
    Ok(list)
}

fn skipped(name: &str) -> String {
    if name == "exec" {
        return "what follows `Match exec` is left out: no command is run to read a configuration"
            .to_owned();
    }
    format!(
        "what follows `Match {name}` is left out: only `all`, `host`, `originalhost`, `user` \
             and `localuser` are understood"
    )
}
