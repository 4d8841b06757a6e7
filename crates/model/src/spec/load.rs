//! Bytes to [`Loaded`]: everything that can be said of a spec without the
//! files that it names.

use std::collections::BTreeSet;

use super::overrides;
use super::provider_map::AliasTable;
use super::read::{About, Context, Field, Read};
use super::section::{PoolSpec, Spec};
use super::tree::{Node, NodeKind};
use super::value::Script;
use super::yaml;
use crate::diagnostic::{Diagnostic, Diagnostics};
use crate::resolved::ProviderKind;
use crate::span::{SourceId, Sources, Span, Spanned};

/// Largest spec, in bytes: thousands of pools, and small enough to read a
/// mistaken image or archive in no time.
pub const SPEC_BYTES_MAX: usize = 1 << 20;

/// How much of a file that is no text is shown, in bytes from where it breaks.
const BROKEN_BYTES_SHOWN: usize = 16;

/// A text with the name that users know it by.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NamedText {
    /// The name, as a path.
    pub name: String,
    /// The text.
    pub text: String,
}

/// What the command line and the user's settings say beside the file.
#[derive(Debug, Clone, Default)]
pub struct LoadOptions {
    /// `--provider`, as typed.
    pub provider: Option<String>,
    /// `--name`, as typed.
    pub name: Option<String>,
    /// Every `--set`, as `path=value`.
    pub sets: Vec<String>,
    /// The user's alias table, YAML.
    pub aliases: Option<NamedText>,
}

/// A file that the spec names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileRef {
    /// The path as written, relative to the spec.
    pub path: String,
    /// Where it is written.
    pub span: Span,
    /// The key that names it.
    pub key: &'static str,
}

/// A spec that was read; what is wrong with it is told by
/// [`resolve`](fn@super::resolve), all at once.
#[derive(Debug)]
pub struct Loaded {
    pub(crate) spec: Spec,
    pub(crate) aliases: AliasTable,
    pub(crate) found: Diagnostics,
    pub(crate) present: Vec<(&'static About, Span)>,
    /// The provider that the file itself names, whatever the flags say.
    pub(crate) written_for: Option<ProviderKind>,
    pub(crate) files: Vec<FileRef>,
    /// Whether there is something to resolve at all.
    pub(crate) has_tree: bool,
}

impl Loaded {
    /// The files that the spec names; [`resolve`](fn@super::resolve) wants their
    /// contents, by path as written.
    #[must_use]
    pub fn files(&self) -> &[FileRef] {
        &self.files
    }

    /// The name that the spec or the flags give the cluster, where it is one.
    #[must_use]
    pub fn cluster(&self) -> Option<&crate::name::ClusterName> {
        self.spec.cluster.value().and_then(|cluster| cluster.name.value())
    }

    /// The provider that the spec or the flags name, where there is one.
    #[must_use]
    pub fn provider(&self) -> Option<ProviderKind> {
        self.spec.cloud.value().and_then(|cloud| cloud.provider.value()).copied()
    }
}

/// Reads a spec. `name` is what users call it, a path or `-`.
#[must_use]
pub fn load(name: &str, bytes: &[u8], options: &LoadOptions) -> Loaded {
    let mut sources = Sources::default();
    let mut context = Context::default();
    let root = text(name, bytes, &mut sources, &mut context.found)
        .and_then(|(id, text)| document(id, &text, &mut context.found));
    let mut loaded = Loaded {
        spec: Spec::default(),
        aliases: aliases(options, &mut sources, &mut context),
        found: Diagnostics::default(),
        present: Vec::new(),
        written_for: None,
        files: Vec::new(),
        has_tree: root.is_some(),
    };
    if let Some(mut root) = root {
        let provider = root.get("cloud").and_then(|cloud| cloud.get("provider"));
        loaded.written_for = provider.and_then(Node::text).and_then(ProviderKind::parse);
        apply(&mut root, options, &mut sources, &mut context.found);
        unused_holders(&root, &mut context.found);
        context.present.clear();
        loaded.spec = Spec::read(&root, &mut context).unwrap_or_default();
        loaded.has_tree = root.entries().is_some();
        loaded.files = files(&loaded.spec);
    }
    loaded.present = context.present;
    loaded.found = Diagnostics { sources, list: context.found };
    loaded
}

fn apply(
    root: &mut Node,
    options: &LoadOptions,
    sources: &mut Sources,
    found: &mut Vec<Diagnostic>,
) {
    // `--set` first: the flags of their own are the more special.
    for set in &options.sets {
        overrides::set_path(root, set, sources, found);
    }
    if let Some(provider) = &options.provider {
        overrides::set_flag(root, ("--provider", ["cloud", "provider"]), provider, sources, found);
    }
    if let Some(name) = &options.name {
        overrides::set_flag(root, ("--name", ["cluster", "name"]), name, sources, found);
    }
}

/// The bytes as text, and as a source, or what is wrong with them.
pub(super) fn text(
    name: &str,
    bytes: &[u8],
    sources: &mut Sources,
    found: &mut Vec<Diagnostic>,
) -> Option<(SourceId, String)> {
    let mut refuse = |code, message: String, help: &str| {
        let id = sources.add(name, "");
        found.push(Diagnostic::error(code, message).at(Span::new(id, 0, 0), "").help(help));
        None
    };
    if bytes.starts_with(&[0xff, 0xfe]) || bytes.starts_with(&[0xfe, 0xff]) {
        return refuse("yaml-encoding", "the text is in UTF-16".to_owned(), "save it as UTF-8");
    }
    if bytes.len() > SPEC_BYTES_MAX {
        let message = format!("{} bytes, a spec has at most {SPEC_BYTES_MAX}", bytes.len());
        return refuse("yaml-too-big", message, "is it the file you mean?");
    }
    match std::str::from_utf8(bytes) {
        Ok(text) => {
            let text = text.strip_prefix('\u{feff}').unwrap_or(text).to_owned();
            let id = sources.add(name, text.clone());
            // To the parser it is the end of the text.
            let Some(at) = text.find('\0') else { return Some((id, text)) };
            let message = "a control character, which no YAML text holds";
            found.push(Diagnostic::error("yaml-syntax", message).at(Span::new(id, at, at + 1), ""));
            None
        }
        Err(error) => {
            let at = error.valid_up_to();
            let shown = bytes.get(..bytes.len().min(at + BROKEN_BYTES_SHOWN)).unwrap_or_default();
            let id = sources.add(name, String::from_utf8_lossy(shown));
            let problem = Diagnostic::error("yaml-encoding", "this is not text in UTF-8")
                .at(Span::new(id, at, at + char::REPLACEMENT_CHARACTER.len_utf8()), "");
            found.push(problem.help("a spec is a text file in UTF-8"));
            None
        }
    }
}

fn document(id: SourceId, text: &str, found: &mut Vec<Diagnostic>) -> Option<Node> {
    let before = found.len();
    let root = yaml::parse(id, text, 0, found);
    if root.is_none() && found.len() == before {
        let problem = Diagnostic::error("empty-spec", "there is nothing in this file");
        let help = "the least is: cloud: {provider: local}, cluster: {name: demo}, nodes: [{nodename: master}]";
        found.push(problem.at(Span::new(id, 0, 0), "").help(help));
    }
    root
}

fn aliases(options: &LoadOptions, sources: &mut Sources, context: &mut Context) -> AliasTable {
    let Some(NamedText { name, text }) = &options.aliases else { return AliasTable::default() };
    let id = sources.add(name.as_str(), text.as_str());
    let root = yaml::parse(id, text, 0, &mut context.found);
    root.and_then(|root| AliasTable::read(&root, context)).unwrap_or_default()
}

fn files(spec: &Spec) -> Vec<FileRef> {
    let mut files = Vec::new();
    let pools = spec.nodes.value().into_iter().flatten();
    for Spanned { value: pool, .. } in pools {
        for (key, script) in scripts(pool) {
            if let Some(Spanned { value: Script::Path(path), span }) = script.get() {
                files.push(FileRef { path: path.clone(), span: *span, key });
            }
        }
    }
    for user in spec.users.value().into_iter().flatten() {
        if let Some(key) = user.value.key.get().filter(|key| !is_public_key(&key.value)) {
            files.push(FileRef { path: key.value.clone(), span: key.span, key: "key" });
        }
    }
    files
}

/// The scripts of a pool, in the order they run.
pub(crate) const fn scripts(pool: &PoolSpec) -> [(&'static str, &Field<Script>); 2] {
    [("user_data", &pool.user_data), ("setup", &pool.setup)]
}

/// Whether a text is a public key itself, not the path of one.
pub(crate) fn is_public_key(text: &str) -> bool {
    let word = text.split_whitespace().next().unwrap_or_default();
    let kinds = ["ssh-", "ecdsa-", "sk-ssh-", "sk-ecdsa-"];
    kinds.iter().any(|kind| word.starts_with(kind)) && text.split_whitespace().count() >= 2
}

/// Notes keys that hold no anchor in use: what is in them does nothing.
fn unused_holders(root: &Node, found: &mut Vec<Diagnostic>) {
    let entries = root.entries().unwrap_or_default();
    let mut used = BTreeSet::new();
    entries.iter().for_each(|entry| aliased(&entry.value, &mut used));
    for entry in entries.iter().filter(|entry| entry.key.starts_with("x-")) {
        if !holds(&entry.value, &used) {
            let message = format!("nothing uses what `{}` holds", super::tree::shorten(&entry.key));
            let problem = Diagnostic::note("unused-holder", message).at(entry.key_span, "");
            found.push(
                problem
                    .help("write `&name` in it and `*name` where it is to be used, or remove it"),
            );
        }
    }
}

fn aliased(node: &Node, used: &mut BTreeSet<Span>) {
    if node.via.is_some() {
        used.insert(node.span);
    }
    children(node).for_each(|child| aliased(child, used));
}

fn holds(node: &Node, used: &BTreeSet<Span>) -> bool {
    (node.via.is_none() && used.contains(&node.span))
        || children(node).any(|child| holds(child, used))
}

fn children(node: &Node) -> Box<dyn Iterator<Item = &Node> + '_> {
    match &node.kind {
        NodeKind::Scalar(_) => Box::new(std::iter::empty()),
        NodeKind::List(items) => Box::new(items.iter()),
        NodeKind::Map(entries) => Box::new(entries.iter().map(|entry| &entry.value)),
    }
}
