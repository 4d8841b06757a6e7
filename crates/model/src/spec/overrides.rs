//! What the command line says over the file: `--provider`, `--name` and
//! `--set path=value`. Applied to the tree before it is read, each from a
//! source of its own, so that what is wrong with it points to the flag.

use super::complain;
use super::tree::{Entry, Node, NodeKind, Scalar, shorten};
use super::yaml;
use crate::diagnostic::Diagnostic;
use crate::span::{Sources, Span};

/// Sets `path` to a text that a flag of its own gave, as in `--name demo`.
pub(crate) fn set_flag(
    root: &mut Node,
    (flag, path): (&str, [&str; 2]),
    value: &str,
    sources: &mut Sources,
    found: &mut Vec<Diagnostic>,
) {
    let source = sources.add(flag, value);
    let span = Span::new(source, 0, value.len());
    let steps = path.map(|text| Step { text, span });
    set(root, &steps, Node::plain(value, span), found);
}

/// Sets what one `--set path=value` says.
pub(crate) fn set_path(
    root: &mut Node,
    text: &str,
    sources: &mut Sources,
    found: &mut Vec<Diagnostic>,
) {
    let source = sources.add("--set", text);
    let whole = Span::new(source, 0, text.len());
    let help = "write --set PATH=VALUE, as in --set nodes.worker.count=8";
    let Some((path, value)) = text.split_once('=') else {
        let problem = Diagnostic::error("bad-override", "there is no `=`").at(whole, "");
        found.push(problem.help(help));
        return;
    };
    let mut steps = Vec::new();
    let mut at = 0;
    for part in path.split('.') {
        let span = Span::new(source, at, at + part.len());
        at += part.len() + 1;
        if part.trim().is_empty() {
            let problem =
                Diagnostic::error("bad-override", "a part of the path is empty").at(span, "");
            found.push(problem.help(help));
            return;
        }
        steps.push(Step { text: part, span });
    }
    let base = path.len() + 1;
    let span = Span::new(source, base, text.len());
    // Only what is plainly meant as YAML is read as YAML; everything else is
    // the value as typed, so that no shell text turns into an alias or tag.
    let node = if value.starts_with(['[', '{', '"', '\'']) {
        let Some(node) = yaml::parse(source, value, base, found) else { return };
        node
    } else {
        Node::plain(value, span)
    };
    set(root, &steps, node, found);
}

#[derive(Clone, Copy)]
struct Step<'a> {
    text: &'a str,
    span: Span,
}

fn set(root: &mut Node, steps: &[Step<'_>], value: Node, found: &mut Vec<Diagnostic>) {
    let Some((last, before)) = steps.split_last() else { return };
    let mut node = root;
    for step in before {
        match enter(node, *step) {
            Ok(next) => node = next,
            Err(problem) => {
                found.push(*problem);
                return;
            }
        }
    }
    if value.scalar() == Some(Scalar::Null)
        && let NodeKind::Map(entries) = &mut node.kind
    {
        entries.retain(|entry| entry.key != last.text);
        return;
    }
    match enter(node, *last) {
        Ok(place) => *place = value,
        Err(problem) => found.push(*problem),
    }
}

/// The value under a key, an index or a name; keys are made where they are
/// missing. Values that are no map where one is needed become one: the flag
/// says so.
fn enter<'a>(node: &'a mut Node, step: Step<'_>) -> Result<&'a mut Node, Box<Diagnostic>> {
    if node.scalar() == Some(Scalar::Null) {
        node.kind = NodeKind::Map(Vec::new());
    }
    let described = node.describe();
    match &mut node.kind {
        NodeKind::Scalar(_) => {
            let message = format!("`{}` cannot be set within {described}", shorten(step.text));
            Err(Box::new(
                Diagnostic::error("bad-override", message).at(step.span, "").at(node.span, "this"),
            ))
        }
        NodeKind::Map(entries) => {
            let at = entries.iter().position(|entry| entry.key == step.text).unwrap_or_else(|| {
                let value = Node::plain("", step.span);
                entries.push(Entry { key: step.text.to_owned(), key_span: step.span, value });
                entries.len() - 1
            });
            let missing =
                || Box::new(Diagnostic::error("bad-override", "no such key").at(step.span, ""));
            entries.get_mut(at).map(|entry| &mut entry.value).ok_or_else(missing)
        }
        NodeKind::List(items) => {
            let names: Vec<&str> = items.iter().filter_map(name_of).collect();
            let index = step.text.parse::<usize>().ok();
            let at =
                index.or_else(|| items.iter().position(|item| name_of(item) == Some(step.text)));
            if let Some(at) = at.filter(|at| *at < items.len()) {
                let missing = || {
                    Box::new(Diagnostic::error("bad-override", "no such item").at(step.span, ""))
                };
                return items.get_mut(at).ok_or_else(missing);
            }
            let message = format!("there is no item `{}`", shorten(step.text));
            let problem = Diagnostic::error("bad-override", message)
                .at(step.span, "")
                .at(node.span, "in this list");
            let count = items.len();
            Err(Box::new(problem.help(match complain::nearest(step.text, names.iter().copied()) {
                Some(near) => format!("did you mean `{near}`?"),
                None if names.is_empty() => {
                    format!("name one of its {count} items by number, from 0")
                }
                None => format!("items: {}; or by number, from 0", names.join(", ")),
            })))
        }
    }
}

fn name_of(item: &Node) -> Option<&str> {
    item.get("nodename").or_else(|| item.get("name"))?.text()
}
