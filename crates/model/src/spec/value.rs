//! How single values are read: text, numbers, words, names. Each
//! type says its shape and reads itself, or reports why it cannot.

use super::complain::{bad_value, nearest, wrong_type};
use super::read::{Context, Read, Shape};
use super::tree::{Node, NodeKind, Scalar, shorten};
use crate::name::{ClusterName, NameError, PoolName};
use crate::resolved::{Count, OnFailure, ProviderKind};
use crate::span::Spanned;

/// Greatest number of nodes that a pool may name. A cluster's own bound
/// depends on its provider.
pub(crate) const COUNT_MAX: u32 = 10_000;

/// Greatest number that a pool's first node may have.
const FIRST_MAX: u32 = 1_000_000;

const NAME_PATTERN: &str = "^[A-Za-z]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?$";

/// One line of text, or reports what is there instead.
pub(crate) fn line<'a>(node: &'a Node, what: &str, context: &mut Context) -> Option<&'a str> {
    let text = text(node, what, context)?;
    if let Some(control) = text.chars().find(|c| c.is_control()) {
        let message = format!("the text holds a control character, {control:?}");
        context.found.push(bad_value(node, message));
        return None;
    }
    Some(text)
}

/// Text of any number of lines, or reports what is there instead.
fn text<'a>(node: &'a Node, what: &str, context: &mut Context) -> Option<&'a str> {
    match node.scalar() {
        Some(Scalar::Text(text) | Scalar::BooleanWord(_, text)) => {
            if text.trim().is_empty() {
                context
                    .found
                    .push(bad_value(node, format!("expected {what}, found an empty text")));
                return None;
            }
            Some(text)
        }
        Some(Scalar::Integer(_) | Scalar::Number(_) | Scalar::Boolean(_)) => {
            let help = format!("if text is meant, put it in quotes: \"{}\"", shorten(node.text()?));
            context.found.push(wrong_type(node, what).help(help));
            None
        }
        Some(Scalar::Null) | None => {
            context.found.push(wrong_type(node, what));
            None
        }
    }
}

impl Read for String {
    const SHAPE: Shape = Shape::Text { pattern: None, what: "text" };

    fn read(node: &Node, context: &mut Context) -> Option<Self> {
        line(node, "text", context).map(ToOwned::to_owned)
    }
}

/// Text, a number or a boolean, kept as written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Loose(pub(crate) String);

impl Read for Loose {
    const SHAPE: Shape = Shape::Scalar;

    fn read(node: &Node, context: &mut Context) -> Option<Self> {
        match node.scalar() {
            Some(Scalar::Integer(_) | Scalar::Number(_) | Scalar::Boolean(_)) => {
                node.text().map(|text| Self(text.to_owned()))
            }
            Some(Scalar::Text("")) => Some(Self(String::new())),
            Some(Scalar::Text(_) | Scalar::BooleanWord(..) | Scalar::Null) | None => {
                line(node, "text or a number", context).map(|text| Self(text.to_owned()))
            }
        }
    }
}

/// A script in the spec itself, or the path of one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Script {
    /// Text that begins with `#!`.
    Inline(String),
    /// Path of a file, relative to the spec.
    Path(String),
}

impl Read for Script {
    const SHAPE: Shape = Shape::Text { pattern: None, what: "path of a script, or its text" };

    fn read(node: &Node, context: &mut Context) -> Option<Self> {
        let text = text(node, "the path of a script, or its text", context)?;
        if text.starts_with("#!") {
            return Some(Self::Inline(text.to_owned()));
        }
        if text.contains('\n') {
            let problem = super::complain::at_node(not_a_script("this text"), node);
            context.found.push(problem);
            return None;
        }
        line(node, "the path of a script", context).map(|path| Self::Path(path.to_owned()))
    }
}

/// A script without the line that says what runs it.
pub(crate) fn not_a_script(what: &str) -> crate::diagnostic::Diagnostic {
    let message = format!("{what} does not begin with `#!`, so nothing can run it");
    crate::diagnostic::Diagnostic::error("not-a-script", message)
        .help("begin it with the program that runs it, as in `#!/bin/sh`")
}

impl Read for bool {
    const SHAPE: Shape = Shape::Boolean;

    fn read(node: &Node, context: &mut Context) -> Option<Self> {
        match node.scalar() {
            Some(Scalar::Boolean(value) | Scalar::BooleanWord(value, _)) => Some(value),
            Some(Scalar::Text(_) | Scalar::Null | Scalar::Integer(_) | Scalar::Number(_))
            | None => {
                let problem = wrong_type(node, "`yes` or `no`");
                context.found.push(match quoted_plain(node) {
                    Some(Scalar::Boolean(_) | Scalar::BooleanWord(..)) => {
                        problem.help("remove the quotes")
                    }
                    _ => problem,
                });
                None
            }
        }
    }
}

/// What a quoted value would be without its quotes.
fn quoted_plain(node: &Node) -> Option<Scalar<'static>> {
    let plain = Node::plain(node.text()?, node.span);
    match plain.scalar()? {
        Scalar::Boolean(value) => Some(Scalar::Boolean(value)),
        Scalar::BooleanWord(value, _) => Some(Scalar::BooleanWord(value, "")),
        Scalar::Integer(value) => Some(Scalar::Integer(value)),
        Scalar::Null | Scalar::Number(_) | Scalar::Text(_) => None,
    }
}

/// A whole number within bounds, or reports what is there instead.
fn integer(node: &Node, (min, max): (u32, u32), what: &str, context: &mut Context) -> Option<u32> {
    match node.scalar() {
        Some(Scalar::Integer(value)) => {
            let small = u32::try_from(value).ok().filter(|value| (min..=max).contains(value));
            if small.is_none() {
                let message = format!("expected {what} from {min} to {max}, found {value}");
                context.found.push(bad_value(node, message));
            }
            small
        }
        Some(
            Scalar::Number(_)
            | Scalar::Text(_)
            | Scalar::BooleanWord(..)
            | Scalar::Boolean(_)
            | Scalar::Null,
        )
        | None => {
            let problem = wrong_type(node, what);
            context.found.push(match quoted_plain(node) {
                Some(Scalar::Integer(_)) => problem.help("remove the quotes"),
                _ => problem,
            });
            None
        }
    }
}

/// Number of a pool's first node.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct First(pub(crate) u32);

impl Read for First {
    const SHAPE: Shape = Shape::Integer { min: 0, max: FIRST_MAX as i64 };

    fn read(node: &Node, context: &mut Context) -> Option<Self> {
        integer(node, (0, FIRST_MAX), "a whole number", context).map(Self)
    }
}

/// A TCP port.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Port(pub(crate) u32);

impl Read for Port {
    const SHAPE: Shape = Shape::Integer { min: 1, max: 65_535 };

    fn read(node: &Node, context: &mut Context) -> Option<Self> {
        integer(node, (1, 65_535), "a port", context).map(Self)
    }
}

impl Read for Count {
    const SHAPE: Shape = Shape::Either(&[
        Shape::Integer { min: 0, max: COUNT_MAX as i64 },
        Shape::Text { pattern: Some("^[0-9]+\\.\\.[0-9]+$"), what: "MIN..MAX" },
    ]);

    fn read(node: &Node, context: &mut Context) -> Option<Self> {
        let range = match node.scalar() {
            Some(Scalar::Text(text)) => text.split_once(".."),
            _ => None,
        };
        let Some((min, max)) = range else {
            let count = integer(node, (0, COUNT_MAX), "a whole number or MIN..MAX", context)?;
            return Some(Self { min: count, max: count });
        };
        let bound = |text: &str| text.parse::<u32>().ok().filter(|bound| *bound <= COUNT_MAX);
        match (bound(min), bound(max)) {
            (Some(min), Some(max)) if min <= max => Some(Self { min, max }),
            (Some(min), Some(max)) => {
                let message = format!("the minimum {min} is above the maximum {max}");
                context.found.push(bad_value(node, message));
                None
            }
            _ => {
                let message = format!("expected MIN..MAX with whole numbers from 0 to {COUNT_MAX}");
                context.found.push(bad_value(node, message).help("for example `count: 1..8`"));
                None
            }
        }
    }
}

fn name<T>(
    node: &Node,
    context: &mut Context,
    parse: fn(&str) -> Result<T, NameError>,
) -> Option<T> {
    let text = text(node, "a name", context)?;
    match parse(text) {
        Ok(name) => Some(name),
        Err(error) => {
            let message = format!("`{}` cannot be used: {error}", shorten(text));
            let problem = crate::diagnostic::Diagnostic::error("bad-name", message);
            context.found.push(super::complain::at_node(problem, node));
            None
        }
    }
}

impl Read for ClusterName {
    const SHAPE: Shape = Shape::Text { pattern: Some(NAME_PATTERN), what: "name" };

    fn read(node: &Node, context: &mut Context) -> Option<Self> {
        name(node, context, Self::parse)
    }
}

impl Read for PoolName {
    const SHAPE: Shape = Shape::Text { pattern: Some(NAME_PATTERN), what: "name" };

    fn read(node: &Node, context: &mut Context) -> Option<Self> {
        name(node, context, Self::parse)
    }
}

/// What a node is for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Role(pub(crate) String);

impl Read for Role {
    const SHAPE: Shape =
        Shape::Text { pattern: Some(NAME_PATTERN), what: "`head`, `worker`, `login` or your own" };

    fn read(node: &Node, context: &mut Context) -> Option<Self> {
        name(node, context, |text| PoolName::parse(text).map(|name| Self(name.as_str().to_owned())))
    }
}

/// One of some words, or reports what is there instead.
pub(crate) fn word<T: Copy>(node: &Node, words: &[(&str, T)], context: &mut Context) -> Option<T> {
    let names = words.iter().map(|(name, _)| *name);
    let list = names.clone().collect::<Vec<_>>().join(", ");
    let expected = format!("one of {list}");
    let text = line(node, &expected, context)?;
    let known = words.iter().find(|(name, _)| *name == text).map(|(_, value)| *value);
    if known.is_none() {
        let problem = bad_value(node, format!("`{}` is none of {list}", shorten(text)));
        context.found.push(match nearest(text, names) {
            Some(near) => problem.help(format!("did you mean `{near}`?")),
            None => problem,
        });
    }
    known
}

impl Read for ProviderKind {
    const SHAPE: Shape = Shape::Words(&["ec2", "openstack", "local", "fake"]);

    fn read(node: &Node, context: &mut Context) -> Option<Self> {
        word(node, &Self::ALL.map(|kind| (kind.as_str(), kind)), context)
    }
}

impl Read for OnFailure {
    const SHAPE: Shape = Shape::Words(&["rollback", "keep", "replace-node"]);

    fn read(node: &Node, context: &mut Context) -> Option<Self> {
        word(node, &Self::ALL.map(|way| (way.as_str(), way)), context)
    }
}

/// Name of a Unix account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct AccountName(pub(crate) String);

impl Read for AccountName {
    const SHAPE: Shape = Shape::Text { pattern: Some("^[a-z_][a-z0-9_-]{0,31}$"), what: "account" };

    fn read(node: &Node, context: &mut Context) -> Option<Self> {
        let text = line(node, "the name of an account", context)?;
        let first = text.starts_with(|c: char| c.is_ascii_lowercase() || c == '_');
        let rest =
            text.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || "_-".contains(c));
        if !first || !rest || text.len() > 32 {
            let message = format!("`{}` is no name of a Unix account", shorten(text));
            let help = "1 to 32 of a-z 0-9 _ -, a letter or _ first";
            context.found.push(bad_value(node, message).help(help));
            return None;
        }
        Some(Self(text.to_owned()))
    }
}

impl<T: Read> Read for Vec<Spanned<T>> {
    const SHAPE: Shape = Shape::List(&T::SHAPE);

    fn read(node: &Node, context: &mut Context) -> Option<Self> {
        let NodeKind::List(items) = &node.kind else {
            let problem = wrong_type(node, "a list");
            context.found.push(match node.scalar() {
                Some(Scalar::Null) => problem,
                _ => problem.help("begin each item with `- `"),
            });
            return None;
        };
        let read = |item| T::read(item, context).map(|value| Spanned::new(value, item.span));
        Some(items.iter().filter_map(read).collect())
    }
}

/// A list, or one value for a list of one.
#[derive(Debug, Clone)]
pub(crate) struct OneOrMore<T>(pub(crate) Vec<Spanned<T>>);

impl<T: Read> Read for OneOrMore<T> {
    const SHAPE: Shape = Shape::OneOrList(&T::SHAPE);

    fn read(node: &Node, context: &mut Context) -> Option<Self> {
        if matches!(node.kind, NodeKind::List(_)) {
            return Vec::read(node, context).map(Self);
        }
        let value = T::read(node, context)?;
        Some(Self(vec![Spanned::new(value, node.span)]))
    }
}
