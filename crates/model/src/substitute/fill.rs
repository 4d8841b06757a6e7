//! From a template to each node's own text. Reports every placeholder that
//! cannot be filled, with the nodes that lack its value, before anything runs.

use std::collections::BTreeSet;

use super::scan::{Key, OWN_KEYS, Part, Placeholder, Quotes, Template};
use crate::diagnostic::Diagnostic;
use crate::target::{Member, fold};

/// A difference beyond this is no slip of the fingers.
const SLIP_EDITS_MAX: usize = 3;

/// The text of each member, in their order; a member's rank is its place.
///
/// # Errors
/// Keys that no node has, nodes that lack a value, and values that cannot be
/// written where their placeholder stands.
pub fn fill(template: &Template, members: &[Member]) -> Result<Vec<String>, Vec<Diagnostic>> {
    let mut problems = Vec::new();
    for part in &template.parts {
        if let Part::Value(value) = part {
            problems.extend(problem(value, members));
        }
    }
    if !problems.is_empty() {
        return Err(problems);
    }
    let texts = members.iter().enumerate().map(|(rank, member)| {
        let at = Place { member, rank, count: members.len() };
        template.parts.iter().map(|part| text(part, at)).collect()
    });
    Ok(texts.collect())
}

/// A node and its place among the others.
#[derive(Debug, Clone, Copy)]
struct Place<'a> {
    member: &'a Member,
    rank: usize,
    count: usize,
}

fn text(part: &Part, at: Place<'_>) -> String {
    match part {
        Part::Text(text) => text.clone(),
        // `problem` has seen to it that there is one that can be written.
        Part::Value(value) => {
            value_of(value, at).and_then(|text| quoted(&text, value.quotes)).unwrap_or_default()
        }
    }
}

/// What a placeholder stands for at a node. An empty property is no value.
fn value_of(value: &Placeholder, at: Place<'_>) -> Option<String> {
    let found = match &value.key {
        Key::Name => Some(at.member.name.clone()),
        Key::Rank => Some(at.rank.to_string()),
        Key::Count => Some(at.count.to_string()),
        Key::Cluster => Some(at.member.cluster.clone()),
        Key::Tag(tag) => at.member.tags.get(tag).cloned(),
        Key::Property(key) => property(at.member, key).and_then(|values| values.first().cloned()),
    };
    found.filter(|text| !text.is_empty()).or_else(|| value.default.clone())
}

/// Properties are written as in targets; a hyphen is taken for an underscore.
fn property<'a>(member: &'a Member, key: &str) -> Option<&'a Vec<String>> {
    member.fields.get(key).or_else(|| member.fields.get(&key.replace('-', "_")))
}

fn problem(value: &Placeholder, members: &[Member]) -> Option<Diagnostic> {
    if let Key::Property(key) = &value.key
        && !members.is_empty()
        && members.iter().all(|member| property(member, key).is_none())
    {
        return Some(unknown(value, key, members));
    }
    let count = members.len();
    let mut lacking = Vec::new();
    let mut unwritable = Vec::new();
    for (rank, member) in members.iter().enumerate() {
        match value_of(value, Place { member, rank, count }) {
            None => lacking.push(member),
            Some(text) if quoted(&text, value.quotes).is_none() => unwritable.push(member),
            Some(_) => {}
        }
    }
    if !lacking.is_empty() {
        return Some(missing(value, &lacking));
    }
    (!unwritable.is_empty()).then(|| unclear(value, &unwritable))
}

fn unknown(value: &Placeholder, key: &str, members: &[Member]) -> Diagnostic {
    let known: BTreeSet<&str> = members
        .iter()
        .flat_map(|member| member.fields.keys().map(String::as_str))
        .chain(OWN_KEYS)
        .collect();
    let word = key.to_lowercase();
    let near = known
        .iter()
        .map(|known| (strsim::damerau_levenshtein(known, &word), *known))
        .filter(|(edits, known)| *edits <= SLIP_EDITS_MAX && *edits < known.len())
        .min();
    let is_tag = members.iter().any(|member| member.tags.contains_key(key));
    let meant = match near {
        _ if is_tag => format!("it is a tag: write `%{{tag:{key}}}`"),
        Some((_, known)) => format!("did you mean `%{{{known}}}`?"),
        None => {
            let listed: Vec<&str> = known.into_iter().collect();
            format!("there are {}, and `tag:NAME`", listed.join(", "))
        }
    };
    Diagnostic::error("substitute-key", format!("no node has a value `{key}`"))
        .at(value.span, "")
        .help(meant)
        .help("with --literal every `%` of the command stands for itself")
}

fn missing(value: &Placeholder, members: &[&Member]) -> Diagnostic {
    let (what, written) = match &value.key {
        Key::Tag(tag) => (format!("tag `{tag}`"), format!("tag:{tag}")),
        Key::Property(key) => (format!("value `{key}`"), key.clone()),
        Key::Name | Key::Rank | Key::Count | Key::Cluster => ("value".to_owned(), String::new()),
    };
    let verb = if members.len() == 1 { "has" } else { "have" };
    let message = format!("{} {verb} no {what}", names(members));
    let diagnostic = Diagnostic::error("substitute-value", message).at(value.span, "");
    if written.is_empty() {
        return diagnostic;
    }
    diagnostic.help(format!("give those without it a value: `%{{{written}:-VALUE}}`"))
}

fn unclear(value: &Placeholder, members: &[&Member]) -> Diagnostic {
    let message = format!(
        "the value for {} holds characters that the shell reads, and stands where it cannot be quoted",
        names(members)
    );
    Diagnostic::error("substitute-value", message)
        .at(value.span, "within or after a command substitution, a here-document or a comment")
        .help("hand it over as a variable: --env 'NAME=%{…}', and \"$NAME\" in the command")
}

fn names(members: &[&Member]) -> String {
    fold(members.iter().map(|member| member.name.as_str()))
}

/// The value as it must be written there; none where no way is safe.
fn quoted(text: &str, quotes: Quotes) -> Option<String> {
    let is_plain = !text.is_empty()
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_-./:@%+=,".contains(&byte));
    match quotes {
        _ if is_plain => Some(text.to_owned()),
        Quotes::Raw => Some(text.to_owned()),
        Quotes::Bare => Some(format!("'{}'", text.replace('\'', r"'\''"))),
        Quotes::Single => Some(text.replace('\'', r"'\''")),
        Quotes::Double => Some(text.chars().flat_map(escaped).collect()),
        Quotes::Unclear => None,
    }
}

/// A character within double quotes.
fn escaped(character: char) -> impl Iterator<Item = char> {
    let backslash = "\"\\$`".contains(character).then_some('\\');
    backslash.into_iter().chain([character])
}
