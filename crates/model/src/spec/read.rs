//! One declaration per key. A [`Key`] says what a key is called, what it means
//! and of which type its value is; the reader, the JSON Schema, the reference
//! and the list of what a later release brings are all made from it. Every
//! problem is reported and reading goes on.

use std::marker::PhantomData;

use super::complain;
use super::tree::{Node, Scalar};
use crate::diagnostic::Diagnostic;
use crate::resolved::UpdatePolicy;
use crate::span::{Span, Spanned};

/// What a value looks like, for the schema and the reference.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Shape {
    /// Text, with a pattern where it has one and an example of it.
    Text {
        /// Regular expression of the whole text, in the schema's dialect.
        pattern: Option<&'static str>,
        /// What it is, for the reference: "text", "CIDR".
        what: &'static str,
    },
    /// Text, a number or a boolean, kept as written.
    Scalar,
    /// `yes` or `no`, and the other words for them.
    Boolean,
    /// A whole number within bounds.
    Integer {
        /// Least.
        min: i64,
        /// Greatest.
        max: i64,
    },
    /// One of some words.
    Words(&'static [&'static str]),
    /// A list.
    List(&'static Self),
    /// A list, or one value for a list of one.
    OneOrList(&'static Self),
    /// Keys of the user's own.
    MapOf(&'static Self),
    /// A value, or a map of one value per provider.
    PerProvider(&'static Self),
    /// A map with known keys.
    Section(&'static Section),
    /// One of several shapes.
    Either(&'static [Self]),
}

/// A map with known keys.
#[derive(Debug)]
pub(crate) struct Section {
    /// What messages and the reference call it: "`nodes`".
    pub(crate) name: &'static str,
    /// What it is for, one sentence.
    pub(crate) doc: &'static str,
    /// Its keys, in the order of the reference.
    pub(crate) keys: &'static [&'static About],
    /// Keys that begin so are the user's own holders of anchors.
    pub(crate) holder_prefix: Option<&'static str>,
}

/// Everything about a key but the type of its value.
#[derive(Debug, Clone, Copy)]
pub(crate) struct About {
    /// The key.
    pub(crate) name: &'static str,
    /// What it means, for the schema and the reference.
    pub(crate) doc: &'static str,
    /// What its value looks like.
    pub(crate) shape: Shape,
    /// Whether it must be there, whatever the provider.
    pub(crate) required: bool,
    /// What this build cannot do of it; reads after "this build cannot".
    pub(crate) later: Option<&'static str>,
    /// Why it has no meaning on this machine.
    pub(crate) not_local: Option<&'static str>,
    /// What `update` does when it changes.
    pub(crate) policy: UpdatePolicy,
}

/// A key and the type of its value.
pub(crate) struct Key<T> {
    pub(crate) about: About,
    value: PhantomData<fn() -> T>,
}

impl<T: Read> Key<T> {
    /// A key that may be left out, and that changes where things stand.
    pub(crate) const fn new(name: &'static str, doc: &'static str) -> Self {
        let about = About {
            name,
            doc,
            shape: T::SHAPE,
            required: false,
            later: None,
            not_local: None,
            policy: UpdatePolicy::Live,
        };
        Self { about, value: PhantomData }
    }

    /// It must be there.
    pub(crate) const fn required(self) -> Self {
        Self { about: About { required: true, ..self.about }, value: PhantomData }
    }

    /// This build reads and checks it, and cannot do it.
    pub(crate) const fn later(self, what: &'static str) -> Self {
        Self { about: About { later: Some(what), ..self.about }, value: PhantomData }
    }

    /// It has no meaning on this machine, because.
    pub(crate) const fn not_local(self, why: &'static str) -> Self {
        Self { about: About { not_local: Some(why), ..self.about }, value: PhantomData }
    }

    /// What `update` does when it changes.
    pub(crate) const fn policy(self, policy: UpdatePolicy) -> Self {
        Self { about: About { policy, ..self.about }, value: PhantomData }
    }
}

/// What can be read from a node.
pub(crate) trait Read: Sized {
    /// What it looks like.
    const SHAPE: Shape;

    /// Reads it, or reports why not.
    fn read(node: &Node, context: &mut Context) -> Option<Self>;
}

/// What reading finds beside the values.
#[derive(Debug, Default)]
pub(crate) struct Context {
    /// What is wrong.
    pub(crate) found: Vec<Diagnostic>,
    /// Keys that are there, and where: for what depends on the provider.
    pub(crate) present: Vec<(&'static About, Span)>,
}

/// The value of a key.
#[derive(Debug, Clone, Default)]
pub(crate) enum Field<T> {
    /// The key is not there.
    #[default]
    Absent,
    /// It is there and its value is of no use; that was reported.
    Bad,
    /// The value, and where the key is.
    Is(Spanned<T>, Span),
}

impl<T> Field<T> {
    /// The value, if there is a good one.
    pub(crate) const fn get(&self) -> Option<&Spanned<T>> {
        match self {
            Self::Is(value, _) => Some(value),
            Self::Absent | Self::Bad => None,
        }
    }

    /// The bare value, if there is a good one.
    pub(crate) fn value(&self) -> Option<&T> {
        self.get().map(|spanned| &spanned.value)
    }

    /// Where the key is, if there is a good value.
    pub(crate) const fn key_span(&self) -> Option<Span> {
        match self {
            Self::Is(_, key) => Some(*key),
            Self::Absent | Self::Bad => None,
        }
    }

    /// Whether the key is there with a value of no use.
    pub(crate) const fn is_bad(&self) -> bool {
        matches!(self, Self::Bad)
    }

    /// Whether the key is not there.
    pub(crate) const fn is_absent(&self) -> bool {
        matches!(self, Self::Absent)
    }
}

/// The keys of a map that is being read. [`Fields::take`] each, then
/// [`Fields::finish`], which reports what is left.
pub(crate) struct Fields<'a> {
    node: &'a Node,
    section: &'static Section,
    #[cfg(test)]
    taken: Vec<&'static str>,
}

impl<'a> Fields<'a> {
    /// Begins to read a map, or reports that it is none.
    pub(crate) fn open(
        node: &'a Node,
        section: &'static Section,
        context: &mut Context,
    ) -> Option<Self> {
        if node.entries().is_none() {
            let expected = format!("a map with the keys of {}", section.name);
            context.found.push(complain::wrong_type(node, &expected));
            return None;
        }
        Some(Self {
            node,
            section,
            #[cfg(test)]
            taken: Vec::new(),
        })
    }

    /// Reads the value of a key.
    pub(crate) fn take<T: Read>(
        &mut self,
        key: &'static Key<T>,
        context: &mut Context,
    ) -> Field<T> {
        let about = &key.about;
        #[cfg(test)]
        self.taken.push(about.name);
        let entries = self.node.entries().unwrap_or_default();
        let Some(entry) = entries.iter().find(|entry| entry.key == about.name) else {
            if about.required {
                context.found.push(self.missing(about));
            }
            return Field::Absent;
        };
        let off = matches!(
            entry.value.scalar(),
            Some(Scalar::Boolean(false) | Scalar::BooleanWord(false, _))
        );
        if !off {
            context.present.push((about, entry.key_span));
        }
        match T::read(&entry.value, context) {
            Some(value) => Field::Is(Spanned::new(value, entry.value.span), entry.key_span),
            None => Field::Bad,
        }
    }

    /// Reports every key that the section does not have.
    pub(crate) fn finish(self, context: &mut Context) {
        #[cfg(test)]
        {
            let declared: Vec<_> = self.section.keys.iter().map(|about| about.name).collect();
            assert_eq!(
                self.taken, declared,
                "{} reads other keys than it declares",
                self.section.name
            );
        }
        let known = self.section.keys.iter().map(|about| about.name);
        for entry in self.node.entries().unwrap_or_default() {
            let held =
                self.section.holder_prefix.is_some_and(|prefix| entry.key.starts_with(prefix));
            if !held && !known.clone().any(|name| name == entry.key) {
                let via = self.node.via;
                let place = self.section.name;
                let problem = match super::section::home_of(&entry.key) {
                    Some(home) if home != place => {
                        complain::misplaced_key(&entry.key, entry.key_span, via, place, home)
                    }
                    Some(_) | None => {
                        complain::unknown_key(&entry.key, entry.key_span, via, place, known.clone())
                    }
                };
                context.found.push(problem);
            }
        }
    }

    fn missing(&self, about: &About) -> Diagnostic {
        let message = format!("`{}` is missing in {}", about.name, self.section.name);
        let problem = complain::at_node(Diagnostic::error("missing-key", message), self.node);
        problem.help(format!("{}: {}", about.name, about.doc))
    }
}
