//! How the user's tags are read.

use std::collections::BTreeMap;

use super::complain::{bad_value, wrong_type};
use super::read::{Context, Read, Shape};
use super::tree::{Node, shorten};
use super::value::Loose;

/// The user's tags.
#[derive(Debug, Clone, Default)]
pub(crate) struct Tags(pub(crate) BTreeMap<String, String>);

/// Most tags of the user's; EC2 allows 50 and some are ours.
const TAG_COUNT_MAX: usize = 40;
/// Longest key of a tag and longest value, in characters, by EC2.
const TAG_CHARACTERS_MAX: (usize, usize) = (127, 255);

impl Read for Tags {
    const SHAPE: Shape = Shape::MapOf(&Shape::Scalar);

    fn read(node: &Node, context: &mut Context) -> Option<Self> {
        let Some(entries) = node.entries() else {
            context
                .found
                .push(wrong_type(node, "a map of tags").help("write `tags: {owner: ada}`"));
            return None;
        };
        if entries.len() > TAG_COUNT_MAX {
            let message = format!("{} tags, at most {TAG_COUNT_MAX} are possible", entries.len());
            context.found.push(bad_value(node, message));
        }
        let mut tags = BTreeMap::new();
        for entry in entries {
            let key = Node::plain(entry.key.clone(), entry.key_span);
            if let Some(rule) = tag_key_problem(&entry.key) {
                let message =
                    format!("`{}` cannot be the key of a tag: {rule}", shorten(&entry.key));
                context.found.push(bad_value(&key, message));
            }
            let Some(Loose(value)) = Loose::read(&entry.value, context) else { continue };
            if value.chars().count() > TAG_CHARACTERS_MAX.1 {
                let message =
                    format!("a tag's value has at most {} characters", TAG_CHARACTERS_MAX.1);
                context.found.push(bad_value(&entry.value, message));
            }
            tags.insert(entry.key.clone(), value);
        }
        Some(Self(tags))
    }
}

fn tag_key_problem(key: &str) -> Option<String> {
    let lower = key.to_ascii_lowercase();
    let reserved =
        ["aws:", crate::tag::PREFIX].into_iter().find(|prefix| lower.starts_with(prefix));
    if let Some(prefix) = reserved {
        return Some(format!("keys that begin with `{prefix}` are not the user's"));
    }
    if key.is_empty() || key.chars().count() > TAG_CHARACTERS_MAX.0 {
        return Some(format!("it has 1 to {} characters", TAG_CHARACTERS_MAX.0));
    }
    key.chars().any(char::is_control).then(|| "it holds a control character".to_owned())
}
