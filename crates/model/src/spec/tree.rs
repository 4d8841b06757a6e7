//! A YAML document as a tree in which every node knows where it was written.
//! Only the shape: what keys and values mean is decided by [`super::read`].

use crate::span::Span;

/// One value of a document.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Node {
    /// What it is.
    pub(crate) kind: NodeKind,
    /// Where it was written.
    pub(crate) span: Span,
    /// The alias through which it got here, if it was written elsewhere.
    pub(crate) via: Option<Span>,
}

/// What a value is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum NodeKind {
    /// A single value; what it stands for depends on whether it was quoted.
    Scalar(ScalarText),
    /// A sequence.
    List(Vec<Node>),
    /// A mapping; keys are unique.
    Map(Vec<Entry>),
}

/// A key and its value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Entry {
    /// The key's text.
    pub(crate) key: String,
    /// Where the key was written.
    pub(crate) key_span: Span,
    /// The value.
    pub(crate) value: Node,
}

/// A single value as written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ScalarText {
    /// The text, without quotes.
    pub(crate) text: String,
    /// Whether it is text whatever it looks like: quoted, or a block.
    pub(crate) quoted: bool,
}

/// What a single value stands for, by the core schema of YAML 1.2, plus the
/// words of 1.1 that stand for booleans where a boolean is meant.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Scalar<'a> {
    /// Nothing: `~`, `null` or no text at all.
    Null,
    /// `true` and `false`.
    Boolean(bool),
    /// `yes no on off`: text, unless a boolean is meant.
    BooleanWord(bool, &'a str),
    /// A whole number that fits.
    Integer(i64),
    /// A number that is not whole, or too large.
    Number(&'a str),
    /// Anything else.
    Text(&'a str),
}

impl Node {
    /// A value written in one place.
    pub(crate) const fn new(kind: NodeKind, span: Span) -> Self {
        Self { kind, span, via: None }
    }

    /// A plain value, as in `count: 2`.
    pub(crate) fn plain(text: impl Into<String>, span: Span) -> Self {
        let scalar = ScalarText { text: text.into(), quoted: false };
        Self::new(NodeKind::Scalar(scalar), span)
    }

    /// The value as a map's entries.
    pub(crate) fn entries(&self) -> Option<&[Entry]> {
        match &self.kind {
            NodeKind::Map(entries) => Some(entries),
            NodeKind::Scalar(_) | NodeKind::List(_) => None,
        }
    }

    /// The value under a key of a map.
    pub(crate) fn get(&self, key: &str) -> Option<&Self> {
        self.entries()?.iter().find(|entry| entry.key == key).map(|entry| &entry.value)
    }

    /// What a single value stands for.
    pub(crate) fn scalar(&self) -> Option<Scalar<'_>> {
        match &self.kind {
            NodeKind::Scalar(scalar) => Some(scalar.meaning()),
            NodeKind::List(_) | NodeKind::Map(_) => None,
        }
    }

    /// The text of a single value, whatever it stands for.
    pub(crate) fn text(&self) -> Option<&str> {
        match &self.kind {
            NodeKind::Scalar(scalar) => Some(&scalar.text),
            NodeKind::List(_) | NodeKind::Map(_) => None,
        }
    }

    /// What it is, for messages: "the number `2`".
    pub(crate) fn describe(&self) -> String {
        match (&self.kind, self.scalar()) {
            (NodeKind::List(_), _) => "a list".to_owned(),
            (NodeKind::Map(_), _) => "a map".to_owned(),
            (_, Some(Scalar::Null)) => "nothing".to_owned(),
            (_, Some(Scalar::Boolean(value))) => format!("the boolean `{value}`"),
            (_, Some(Scalar::Integer(value))) => format!("the number {value}"),
            (_, Some(Scalar::Number(text))) => format!("the number {}", shorten(text)),
            (_, Some(Scalar::Text(text) | Scalar::BooleanWord(_, text))) => {
                format!("the text `{}`", shorten(text))
            }
            (_, None) => "nothing".to_owned(),
        }
    }

    /// Number of nodes in it, itself included.
    pub(crate) fn size(&self) -> usize {
        match &self.kind {
            NodeKind::Scalar(_) => 1,
            NodeKind::List(items) => 1 + items.iter().map(Self::size).sum::<usize>(),
            NodeKind::Map(entries) => {
                1 + entries.iter().map(|entry| entry.value.size()).sum::<usize>()
            }
        }
    }

    /// Depth of it, itself included.
    pub(crate) fn depth(&self) -> usize {
        match &self.kind {
            NodeKind::Scalar(_) => 1,
            NodeKind::List(items) => 1 + items.iter().map(Self::depth).max().unwrap_or(0),
            NodeKind::Map(entries) => {
                1 + entries.iter().map(|entry| entry.value.depth()).max().unwrap_or(0)
            }
        }
    }

    /// Notes of it and all in it that it got here through an alias.
    pub(crate) fn set_via(&mut self, alias: Span) {
        self.via = Some(alias);
        match &mut self.kind {
            NodeKind::Scalar(_) => {}
            NodeKind::List(items) => items.iter_mut().for_each(|item| item.set_via(alias)),
            NodeKind::Map(entries) => {
                entries.iter_mut().for_each(|entry| entry.value.set_via(alias));
            }
        }
    }
}

impl ScalarText {
    fn meaning(&self) -> Scalar<'_> {
        let text = self.text.as_str();
        if self.quoted {
            return Scalar::Text(text);
        }
        match text {
            "" | "~" | "null" | "Null" | "NULL" => Scalar::Null,
            "true" | "True" | "TRUE" => Scalar::Boolean(true),
            "false" | "False" | "FALSE" => Scalar::Boolean(false),
            "yes" | "Yes" | "YES" | "on" | "On" | "ON" => Scalar::BooleanWord(true, text),
            "no" | "No" | "NO" | "off" | "Off" | "OFF" => Scalar::BooleanWord(false, text),
            _ => number(text).unwrap_or(Scalar::Text(text)),
        }
    }
}

fn number(text: &str) -> Option<Scalar<'_>> {
    let radix = |digits: &str, radix| {
        let all = !digits.is_empty() && digits.chars().all(|c| c.is_digit(radix));
        all.then(|| {
            i64::from_str_radix(digits, radix).map_or(Scalar::Number(text), Scalar::Integer)
        })
    };
    if let Some(digits) = text.strip_prefix("0x") {
        return radix(digits, 16);
    }
    if let Some(digits) = text.strip_prefix("0o") {
        return radix(digits, 8);
    }
    let digits = text.strip_prefix(['-', '+']).unwrap_or(text);
    if !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_digit()) {
        return Some(text.parse().map_or(Scalar::Number(text), Scalar::Integer));
    }
    if matches!(digits, ".inf" | ".Inf" | ".INF" | ".nan" | ".NaN" | ".NAN") {
        return Some(Scalar::Number(text));
    }
    let starts = digits.starts_with(|c: char| c.is_ascii_digit() || c == '.');
    (starts && digits.parse::<f64>().is_ok()).then_some(Scalar::Number(text))
}

/// Text for a message: control characters made visible, long text cut.
pub(crate) fn shorten(text: &str) -> String {
    const CHARACTERS_MAX: usize = 40;
    let mut short: String =
        text.chars().take(CHARACTERS_MAX).flat_map(char::escape_debug).collect();
    if text.chars().nth(CHARACTERS_MAX).is_some() {
        short.push('…');
    }
    short.replace("\\'", "'").replace("\\\"", "\"")
}

#[cfg(test)]
mod tests {
    use super::{Node, Scalar};
    use crate::span::{SourceId, Span};

    #[test]
    fn plain_values_stand_for_what_yaml_1_2_says() {
        let span = Span::new(SourceId::default(), 0, 0);
        for (text, expected) in [
            ("", Scalar::Null),
            ("~", Scalar::Null),
            ("2", Scalar::Integer(2)),
            ("010", Scalar::Integer(10)),
            ("0o10", Scalar::Integer(8)),
            ("0x1F", Scalar::Integer(31)),
            ("-3", Scalar::Integer(-3)),
            ("2.0", Scalar::Number("2.0")),
            ("1e3", Scalar::Number("1e3")),
            ("99999999999999999999", Scalar::Number("99999999999999999999")),
            ("1..4", Scalar::Text("1..4")),
            ("4GiB", Scalar::Text("4GiB")),
            ("inf", Scalar::Text("inf")),
            ("nan", Scalar::Text("nan")),
            ("0x", Scalar::Text("0x")),
            ("yes", Scalar::BooleanWord(true, "yes")),
            ("Off", Scalar::BooleanWord(false, "Off")),
            ("y", Scalar::Text("y")),
            ("TRUE", Scalar::Boolean(true)),
        ] {
            assert_eq!(Node::plain(text, span).scalar(), Some(expected), "{text:?}");
        }
    }
}
