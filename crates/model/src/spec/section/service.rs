//! What a cluster offers once its machines run: `scheduler`, `storage`,
//! `users`, `checks`. Read and checked; a later release does them.

use crate::span::{SourceId, Span, Spanned};
use crate::spec::complain::{at_node, bad_value};
use crate::spec::read::{Context, Field, Fields, Key, Read, Section, Shape};
use crate::spec::tree::{Node, shorten};
use crate::spec::value::{AccountName, Loose, OneOrMore, Port, line, word};
use crate::unit::{Memory, Seconds};

/// A path from the root.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct AbsolutePath(pub(crate) String);

impl Read for AbsolutePath {
    const SHAPE: Shape = Shape::Text { pattern: Some("^/"), what: "path from the root" };

    fn read(node: &Node, context: &mut Context) -> Option<Self> {
        let path = line(node, "a path from the root", context)?;
        let climbs = path.split('/').any(|part| part == "..");
        if path == "/" || !path.starts_with('/') || climbs {
            let message = format!("`{}` is no place to mount anything", shorten(path));
            context
                .found
                .push(bad_value(node, message).help("write a path from the root, as in /data"));
            return None;
        }
        Some(Self(path.to_owned()))
    }
}

/// An expression that selects nodes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct TargetText(pub(crate) String);

impl Read for TargetText {
    const SHAPE: Shape = Shape::Text { pattern: None, what: "target" };

    fn read(node: &Node, context: &mut Context) -> Option<Self> {
        let text = line(node, "a target", context)?;
        let (_, problems) = crate::target::parse(SourceId::default(), text);
        for problem in &problems {
            let message = format!("`{}` is no target: {}", shorten(text), problem.message);
            context.found.push(bad_value(node, message));
        }
        problems.is_empty().then(|| Self(text.to_owned()))
    }
}

/// Who shares out the nodes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum SchedulerKind {
    Slurm,
    GridEngine,
    Pbs,
}

impl Read for SchedulerKind {
    const SHAPE: Shape = Shape::Words(&["slurm", "gridengine", "pbs"]);

    fn read(node: &Node, context: &mut Context) -> Option<Self> {
        let words = [("slurm", Self::Slurm), ("gridengine", Self::GridEngine), ("pbs", Self::Pbs)];
        word(node, &words, context)
    }
}

/// What `scheduler` says; nothing is done with it yet.
#[derive(Debug, Clone)]
pub(crate) struct SchedulerSpec;

static TYPE: Key<SchedulerKind> = Key::new("type", "Which scheduler.").required();
static CONF: Key<OneOrMore<String>> = Key::new("conf", "Lines for its configuration, as they are.");

pub(crate) static SCHEDULER: Section = Section {
    name: "`scheduler`",
    doc: "Who shares out the nodes among jobs.",
    keys: &[&TYPE.about, &CONF.about],
    holder_prefix: None,
};

impl Read for SchedulerSpec {
    const SHAPE: Shape = Shape::Section(&SCHEDULER);

    fn read(node: &Node, context: &mut Context) -> Option<Self> {
        let mut fields = Fields::open(node, &SCHEDULER, context)?;
        fields.take(&TYPE, context);
        fields.take(&CONF, context);
        fields.finish(context);
        Some(Self)
    }
}

/// What an entry of `storage` says; nothing is done with it yet.
#[derive(Debug, Clone)]
pub(crate) struct StorageSpec;

static MOUNT: Key<AbsolutePath> = Key::new("mount", "Where every node sees it.").required();
static SIZE: Key<Memory> = Key::new("size", "Size of a new volume.");
static VOLUME: Key<String> = Key::new("volume", "Existing volume behind it.");
static SNAPSHOT: Key<String> = Key::new("snapshot", "Snapshot that a new volume is made from.");
static NFS: Key<String> = Key::new("nfs", "Existing NFS export, as `server:/path`.");
static EFS: Key<String> = Key::new("efs", "Existing file system of EC2.");

pub(crate) static STORAGE: Section = Section {
    name: "`storage`",
    doc: "Files that all nodes share.",
    keys: &[&MOUNT.about, &SIZE.about, &VOLUME.about, &SNAPSHOT.about, &NFS.about, &EFS.about],
    holder_prefix: None,
};

impl Read for StorageSpec {
    const SHAPE: Shape = Shape::Section(&STORAGE);

    fn read(node: &Node, context: &mut Context) -> Option<Self> {
        let mut fields = Fields::open(node, &STORAGE, context)?;
        fields.take(&MOUNT, context);
        fields.take(&SIZE, context);
        let sources = [
            ("volume", fields.take(&VOLUME, context).key_span()),
            ("snapshot", fields.take(&SNAPSHOT, context).key_span()),
            ("nfs", fields.take(&NFS, context).key_span()),
            ("efs", fields.take(&EFS, context).key_span()),
        ];
        fields.finish(context);
        one_of(&sources, "where shared files are kept", context);
        Some(Self)
    }
}

/// What an entry of `users` says.
#[derive(Debug, Clone)]
pub(crate) struct UserSpec {
    /// Public key, or the path of a file that holds it.
    pub(crate) key: Field<String>,
}

static USER_NAME: Key<AccountName> = Key::new("name", "Account on every node.").required();
static USER_KEY: Key<String> =
    Key::new("key", "Public key that opens the account: a path relative to the spec, or its text.");
static SUDO: Key<bool> = Key::new("sudo", "Whether the account may become root.");

pub(crate) static USER: Section = Section {
    name: "`users`",
    doc: "People with an account on every node.",
    keys: &[&USER_NAME.about, &USER_KEY.about, &SUDO.about],
    holder_prefix: None,
};

impl Read for UserSpec {
    const SHAPE: Shape = Shape::Section(&USER);

    fn read(node: &Node, context: &mut Context) -> Option<Self> {
        let mut fields = Fields::open(node, &USER, context)?;
        fields.take(&USER_NAME, context);
        let key = fields.take(&USER_KEY, context);
        fields.take(&SUDO, context);
        fields.finish(context);
        Some(Self { key })
    }
}

/// What an entry of `checks` says; nothing is done with it yet.
#[derive(Debug, Clone)]
pub(crate) struct CheckSpec;

static CHECK_NAME: Key<String> = Key::new("name", "What is checked, for people.").required();
static ON: Key<TargetText> = Key::new("on", "On which nodes, as a target; the head if left out.");
static RUN: Key<String> = Key::new("run", "Command that must succeed.");
static PORT: Key<Port> = Key::new("port", "TCP port that must answer.");
static FILE: Key<AbsolutePath> = Key::new("file", "File that must be there.");
static HTTP: Key<String> = Key::new("http", "URL that must answer with success.");
static EXPECT: Key<Loose> = Key::new("expect", "What the command must print.");
static WITHIN: Key<Seconds> = Key::new("within", "How long it may take until it holds.");

pub(crate) static CHECK: Section = Section {
    name: "`checks`",
    doc: "What must hold before the cluster counts as ready.",
    keys: &[
        &CHECK_NAME.about,
        &ON.about,
        &RUN.about,
        &PORT.about,
        &FILE.about,
        &HTTP.about,
        &EXPECT.about,
        &WITHIN.about,
    ],
    holder_prefix: None,
};

impl Read for CheckSpec {
    const SHAPE: Shape = Shape::Section(&CHECK);

    fn read(node: &Node, context: &mut Context) -> Option<Self> {
        let mut fields = Fields::open(node, &CHECK, context)?;
        fields.take(&CHECK_NAME, context);
        fields.take(&ON, context);
        let probes = [
            fields.take(&RUN, context).key_span().map(|span| ("run", span)),
            fields.take(&PORT, context).key_span().map(|span| ("port", span)),
            fields.take(&FILE, context).key_span().map(|span| ("file", span)),
            fields.take(&HTTP, context).key_span().map(|span| ("http", span)),
        ];
        fields.take(&EXPECT, context);
        fields.take(&WITHIN, context);
        fields.finish(context);
        let written = ["run", "port", "file", "http"].iter().any(|key| node.get(key).is_some());
        if !written {
            let problem = crate::Diagnostic::error("missing-key", "a check says what it probes");
            context.found.push(at_node(problem, node).help("add one of run, port, file, http"));
        }
        let probes = probes.map(|probe| probe.map_or(("", None), |(key, span)| (key, Some(span))));
        one_of(&probes, "what a check probes", context);
        Some(Self)
    }
}

/// Reports keys that exclude each other.
fn one_of(keys: &[(&str, Option<Span>)], what: &str, context: &mut Context) {
    let mut given = keys.iter().filter_map(|(key, span)| span.map(|span| (key, span)));
    if let (Some((first, first_span)), Some((second, span))) = (given.next(), given.next()) {
        let message = format!("`{first}` and `{second}` both say {what}");
        let problem =
            crate::Diagnostic::error("twice", message).at(span, "").at(first_span, "the other");
        context.found.push(problem.help("keep one of them"));
    }
}

/// The entries of a list that are of use.
pub(crate) type Entries<T> = Field<Vec<Spanned<T>>>;
