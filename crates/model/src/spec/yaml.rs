//! YAML text to a [`Node`] tree. Recursion is bounded, aliases are expanded
//! within a budget, and what is wrong is said in our words. Knows nothing of
//! the spec's keys.

use std::collections::BTreeMap;

use saphyr_parser::{Event, Marker, Parser, ScalarStyle, Tag};

use super::complain;
use super::syntax;
use super::tree::{Entry, Node, NodeKind, ScalarText, shorten};
use crate::diagnostic::Diagnostic;
use crate::span::{SourceId, Span};

/// Deepest nesting. A spec needs 6; the bound keeps recursion over the tree
/// far from the end of any stack.
const NESTING_MAX: usize = 32;

/// Most nodes of a document with its aliases expanded: room for thousands of
/// pools, and a few megabytes at the most for a document made to explode.
const NODE_COUNT_MAX: usize = 200_000;

/// Parses the only document of a text. `base` is added to every place, for
/// texts that are part of another one. `None`: there is no document, or it
/// cannot be read and `found` says why.
pub(crate) fn parse(
    source: SourceId,
    text: &str,
    base: usize,
    found: &mut Vec<Diagnostic>,
) -> Option<Node> {
    let mut builder = Builder {
        offsets: Offsets::new(text),
        source,
        text,
        base,
        found,
        open: Vec::new(),
        anchors: BTreeMap::new(),
        node_count: 0,
        root: None,
        documents: 0,
    };
    let mut parser = Parser::new_from_str(text);
    while let Some(event) = parser.next_event() {
        let outcome = match event {
            Ok((event, span)) => builder.event(event, (span.start, span.end)),
            Err(error) => Err(builder.syntax(error.info(), *error.marker())),
        };
        if let Err(problem) = outcome {
            builder.found.push(*problem);
            return None;
        }
    }
    builder.root
}

type Outcome = Result<(), Box<Diagnostic>>;

/// A collection whose end has not been read yet.
struct Open {
    span: Span,
    anchor: usize,
    content: Content,
}

enum Content {
    List(Vec<Node>),
    Map(OpenMap),
}

#[derive(Default)]
struct OpenMap {
    entries: Vec<Entry>,
    /// Keys there are and where, for maps too large to search.
    keys: BTreeMap<String, Span>,
    /// A key whose value has not been read yet, and whether it is `<<`.
    key: Option<(String, Span, bool)>,
    merges: Vec<Node>,
}

struct Builder<'a> {
    offsets: Offsets,
    source: SourceId,
    text: &'a str,
    base: usize,
    found: &'a mut Vec<Diagnostic>,
    open: Vec<Open>,
    anchors: BTreeMap<usize, Node>,
    node_count: usize,
    root: Option<Node>,
    documents: usize,
}

impl Builder<'_> {
    fn event(&mut self, event: Event<'_>, (start, end): (Marker, Marker)) -> Outcome {
        let span = self.span(start.index(), end.index());
        match event {
            Event::Nothing | Event::StreamStart | Event::StreamEnd | Event::DocumentEnd => Ok(()),
            Event::DocumentStart(_) => {
                self.documents += 1;
                if self.documents > 1 {
                    let message = "a spec is one document, here begins a second one";
                    let problem = Diagnostic::error("yaml-documents", message).at(span, "");
                    return Err(Box::new(problem.help("put each spec into a file of its own")));
                }
                Ok(())
            }
            Event::Scalar(text, style, anchor, tag) => {
                let quoted = match tag.as_deref() {
                    None => !matches!(style, ScalarStyle::Plain),
                    Some(tag) => self.scalar_tag(tag, style, span),
                };
                let node = NodeKind::Scalar(ScalarText { text: text.into_owned(), quoted });
                self.place(Node::new(node, span), anchor)
            }
            Event::Alias(anchor) => {
                let node = self.expand(anchor, span)?;
                self.place(node, 0)
            }
            Event::SequenceStart(anchor, tag) => {
                self.collection_tag(tag.as_deref(), "seq", span);
                self.begin(span, anchor, Content::List(Vec::new()))
            }
            Event::MappingStart(anchor, tag) => {
                self.collection_tag(tag.as_deref(), "map", span);
                self.begin(span, anchor, Content::Map(OpenMap::default()))
            }
            Event::SequenceEnd | Event::MappingEnd => self.end(),
        }
    }

    fn span(&self, start: usize, end: usize) -> Span {
        let start = self.base + self.offsets.byte(start);
        Span::new(self.source, start, self.base + self.offsets.byte(end))
    }

    fn begin(&mut self, span: Span, anchor: usize, content: Content) -> Outcome {
        if self.open.len() >= NESTING_MAX {
            let message = format!("nested deeper than {NESTING_MAX} levels");
            return Err(Box::new(Diagnostic::error("yaml-nesting", message).at(span, "")));
        }
        // Where a block begins the parser gives a place without extent.
        let span = Span::new(span.source, span.start, span.end.max(span.start + 1));
        self.open.push(Open { span, anchor, content });
        Ok(())
    }

    fn end(&mut self) -> Outcome {
        let Some(open) = self.open.pop() else { return Ok(()) };
        let (kind, span) = match open.content {
            Content::List(items) => (NodeKind::List(items), open.span),
            Content::Map(mut map) => {
                // Its first key says more than the place where it begins.
                let span = map.entries.first().map_or(open.span, |entry| entry.key_span);
                self.merge(&mut map);
                (NodeKind::Map(map.entries), span)
            }
        };
        self.place(Node::new(kind, span), open.anchor)
    }

    fn place(&mut self, node: Node, anchor: usize) -> Outcome {
        self.node_count += 1;
        if self.node_count > NODE_COUNT_MAX {
            let message = format!("more than {NODE_COUNT_MAX} values");
            return Err(Box::new(Diagnostic::error("yaml-too-big", message).at(node.span, "")));
        }
        if anchor > 0 {
            self.anchors.insert(anchor, node.clone());
        }
        let Some(open) = self.open.last_mut() else {
            self.root = Some(node);
            return Ok(());
        };
        match &mut open.content {
            Content::List(items) => items.push(node),
            Content::Map(map) => match map.key.take() {
                None => return self.key(node),
                Some((_, _, true)) => map.merges.push(node),
                Some((text, key_span, false)) => match map.keys.get(&text) {
                    Some(first) => self.found.push(duplicate(&text, key_span, *first)),
                    None => {
                        map.keys.insert(text.clone(), key_span);
                        map.entries.push(Entry { key: text, key_span, value: node });
                    }
                },
            },
        }
        Ok(())
    }

    fn key(&mut self, node: Node) -> Outcome {
        let span = node.span;
        let NodeKind::Scalar(scalar) = node.kind else {
            let message = format!("a key is text, not {}", node.describe());
            return Err(Box::new(Diagnostic::error("yaml-key", message).at(span, "")));
        };
        let merges = scalar.text == "<<" && !scalar.quoted;
        if let Some(Open { content: Content::Map(map), .. }) = self.open.last_mut() {
            map.key = Some((scalar.text, span, merges));
        }
        Ok(())
    }

    /// `<<: *name`: entries of the other map, where the map has none itself.
    fn merge(&mut self, into: &mut OpenMap) {
        for node in std::mem::take(&mut into.merges) {
            let maps = match node.kind {
                NodeKind::List(items) => items,
                NodeKind::Map(_) | NodeKind::Scalar(_) => vec![node],
            };
            for map in maps {
                match map.kind {
                    NodeKind::Map(others) => {
                        for other in others {
                            if !into.keys.contains_key(&other.key) {
                                into.keys.insert(other.key.clone(), other.key_span);
                                into.entries.push(other);
                            }
                        }
                    }
                    NodeKind::Scalar(_) | NodeKind::List(_) => {
                        self.found.push(complain::wrong_type(&map, "a map to merge"));
                    }
                }
            }
        }
    }

    fn expand(&mut self, anchor: usize, span: Span) -> Result<Node, Box<Diagnostic>> {
        let Some(target) = self.anchors.get(&anchor) else {
            let message = "this alias stands within what it stands for";
            return Err(Box::new(Diagnostic::error("yaml-alias", message).at(span, "")));
        };
        self.node_count += target.size();
        if self.node_count > NODE_COUNT_MAX {
            let message = format!("aliases make more than {NODE_COUNT_MAX} values");
            return Err(Box::new(Diagnostic::error("yaml-too-big", message).at(span, "")));
        }
        if self.open.len() + target.depth() > NESTING_MAX {
            let message = format!("aliases nest deeper than {NESTING_MAX} levels");
            return Err(Box::new(Diagnostic::error("yaml-nesting", message).at(span, "")));
        }
        let mut node = target.clone();
        node.set_via(span);
        Ok(node)
    }

    /// Whether a single value with a tag is text whatever it looks like.
    fn scalar_tag(&mut self, tag: &Tag, style: ScalarStyle, span: Span) -> bool {
        if tag.is_yaml_core_schema() {
            match tag.suffix.as_str() {
                "str" => return true,
                "int" | "bool" | "float" | "null" => return false,
                _ => {}
            }
        }
        self.unknown_tag(tag, span);
        !matches!(style, ScalarStyle::Plain)
    }

    fn collection_tag(&mut self, tag: Option<&Tag>, expected: &str, span: Span) {
        if let Some(tag) = tag.filter(|tag| !(tag.is_yaml_core_schema() && tag.suffix == expected))
        {
            self.unknown_tag(tag, span);
        }
    }

    fn unknown_tag(&mut self, tag: &Tag, span: Span) {
        let message = format!(
            "the tag `{}{}` means nothing here",
            shorten(&tag.handle),
            shorten(&tag.suffix)
        );
        let problem = Diagnostic::error("yaml-tag", message).at(span, "");
        self.found.push(problem.help("leave it out; quote a text that begins with `!`"));
    }

    fn syntax(&self, info: &str, at: Marker) -> Box<Diagnostic> {
        let span = self.span(at.index(), at.index() + 1);
        let span = Span::new(
            span.source,
            span.start,
            span.end.max(span.start + 1).min(self.base + self.text.len()),
        );
        let (message, help) = syntax::words(info);
        if message.starts_with("nested") {
            return Box::new(Diagnostic::error("yaml-nesting", message).at(span, ""));
        }
        let mut problem = Diagnostic::error("yaml-syntax", message).at(span, "");
        if let Some(tab) = self.tab_before(span.start - self.base) {
            let span = Span::new(self.source, self.base + tab, self.base + tab + 1);
            problem = problem.at(span, "a tab").help("indent with spaces, YAML takes no tabs");
        } else if let Some(help) = help {
            problem = problem.help(help);
        }
        Box::new(problem)
    }

    /// A tab in the indentation of the line of a byte, or of the line before.
    fn tab_before(&self, byte: usize) -> Option<usize> {
        let before = self.text.get(..byte)?;
        let mut starts = before.rmatch_indices('\n').map(|(at, _)| at + 1).chain([0]);
        let lines = [starts.next(), starts.next()];
        lines.into_iter().flatten().find_map(|start| {
            let line = self.text.get(start..)?;
            let indent = line.len() - line.trim_start_matches([' ', '\t']).len();
            line.get(..indent)?.find('\t').map(|at| start + at)
        })
    }
}

fn duplicate(key: &str, span: Span, first: Span) -> Diagnostic {
    Diagnostic::error("duplicate-key", format!("`{}` is there twice", shorten(key)))
        .at(span, "again here")
        .at(first, "first here")
        .help("keep one of them")
}

/// From characters, which the parser counts, to bytes.
struct Offsets {
    /// First byte of each character; empty for ASCII text.
    bytes: Vec<usize>,
    len: usize,
}

impl Offsets {
    fn new(text: &str) -> Self {
        let bytes = if text.is_ascii() {
            Vec::new()
        } else {
            text.char_indices().map(|(at, _)| at).collect()
        };
        Self { bytes, len: text.len() }
    }

    fn byte(&self, character: usize) -> usize {
        if self.bytes.is_empty() {
            return character.min(self.len);
        }
        self.bytes.get(character).copied().unwrap_or(self.len)
    }
}
