//! Values that differ per provider, and instance types by name or by need.

use std::collections::BTreeMap;

use super::complain::{self, wrong_type};
use super::read::{Context, Field, Fields, Key, Read, Section, Shape};
use super::tree::{Node, NodeKind};
use crate::resolved::ProviderKind;
use crate::span::Spanned;
use crate::unit::{Cores, Memory};

/// One value for every provider, or one for each.
#[derive(Debug, Clone)]
pub(crate) enum PerProvider<T> {
    /// The same everywhere; what it means depends on the provider.
    One(Spanned<T>),
    /// One for each provider that is listed.
    Each(BTreeMap<ProviderKind, Spanned<T>>),
}

impl<T: Read> Read for PerProvider<T> {
    const SHAPE: Shape = Shape::PerProvider(&T::SHAPE);

    fn read(node: &Node, context: &mut Context) -> Option<Self> {
        let Some(entries) = node.entries() else {
            let value = T::read(node, context)?;
            return Some(Self::One(Spanned::new(value, node.span)));
        };
        let takes_map = matches!(T::SHAPE, Shape::Either(_));
        let names_provider = entries.iter().any(|entry| ProviderKind::parse(&entry.key).is_some());
        if takes_map && !names_provider {
            let value = T::read(node, context)?;
            return Some(Self::One(Spanned::new(value, node.span)));
        }
        let mut each = BTreeMap::new();
        for entry in entries {
            let value = T::read(&entry.value, context);
            match ProviderKind::parse(&entry.key) {
                Some(kind) => {
                    each.extend(value.map(|value| (kind, Spanned::new(value, entry.value.span))));
                }
                None => {
                    let known = ProviderKind::ALL.map(ProviderKind::as_str);
                    let place = "a map per provider";
                    let problem = complain::unknown_key(
                        &entry.key,
                        entry.key_span,
                        node.via,
                        place,
                        known.into_iter(),
                    );
                    context.found.push(problem);
                }
            }
        }
        Some(Self::Each(each))
    }
}

/// What machine is asked for.
#[derive(Debug, Clone)]
pub(crate) enum InstanceChoice {
    /// By its name at the provider.
    Named(String),
    /// By what is needed.
    Needs(Needs),
}

/// What is needed of a machine.
#[derive(Debug, Clone)]
pub(crate) struct Needs {
    pub(crate) cores: Field<Cores>,
    pub(crate) memory: Field<Memory>,
    pub(crate) gpus: Field<super::value::First>,
}

static CORES: Key<Cores> = Key::new("cores", "Cores, as in `2` or `0.5`.");
static MEMORY: Key<Memory> = Key::new("memory", "Memory with its unit, as in `4GiB`.");
static GPUS: Key<super::value::First> = Key::new("gpus", "Graphics processors; clouds only.");

pub(crate) static NEEDS: Section = Section {
    name: "`instance_type` by need",
    doc: "What a machine must have; on `local` its limits.",
    keys: &[&CORES.about, &MEMORY.about, &GPUS.about],
    holder_prefix: None,
};

impl Read for InstanceChoice {
    const SHAPE: Shape =
        Shape::Either(&[Shape::Text { pattern: None, what: "name" }, Shape::Section(&NEEDS)]);

    fn read(node: &Node, context: &mut Context) -> Option<Self> {
        match &node.kind {
            NodeKind::Scalar(_) => String::read(node, context).map(Self::Named),
            NodeKind::Map(_) => {
                let mut fields = Fields::open(node, &NEEDS, context)?;
                let needs = Needs {
                    cores: fields.take(&CORES, context),
                    memory: fields.take(&MEMORY, context),
                    gpus: fields.take(&GPUS, context),
                };
                fields.finish(context);
                Some(Self::Needs(needs))
            }
            NodeKind::List(_) => {
                context.found.push(wrong_type(
                    node,
                    "a type, needs (`cores`, `memory`) or a map per provider",
                ));
                None
            }
        }
    }
}

/// Old literals and what they stand for at each provider: the user's alias
/// table.
#[derive(Debug, Clone, Default)]
pub(crate) struct AliasTable {
    pub(crate) image: Field<Aliases<String>>,
    pub(crate) instance_type: Field<Aliases<InstanceChoice>>,
}

/// What each literal stands for.
#[derive(Debug, Clone)]
pub(crate) struct Aliases<T>(pub(crate) BTreeMap<String, BTreeMap<ProviderKind, Spanned<T>>>);

static ALIAS_IMAGE: Key<Aliases<String>> =
    Key::new("image", "Images: old literal, then its value for each provider.");
static ALIAS_INSTANCE_TYPE: Key<Aliases<InstanceChoice>> =
    Key::new("instance_type", "Instance types: old literal, then its value for each provider.");

pub(crate) static ALIASES: Section = Section {
    name: "the alias table",
    doc: "What literals of old files stand for at other providers.",
    keys: &[&ALIAS_IMAGE.about, &ALIAS_INSTANCE_TYPE.about],
    holder_prefix: None,
};

impl Read for AliasTable {
    const SHAPE: Shape = Shape::Section(&ALIASES);

    fn read(node: &Node, context: &mut Context) -> Option<Self> {
        let mut fields = Fields::open(node, &ALIASES, context)?;
        let table = Self {
            image: fields.take(&ALIAS_IMAGE, context),
            instance_type: fields.take(&ALIAS_INSTANCE_TYPE, context),
        };
        fields.finish(context);
        Some(table)
    }
}

impl<T: Read> Read for Aliases<T> {
    const SHAPE: Shape = Shape::MapOf(&Shape::PerProvider(&T::SHAPE));

    fn read(node: &Node, context: &mut Context) -> Option<Self> {
        let Some(entries) = node.entries() else {
            context.found.push(wrong_type(node, "a map from literals to maps per provider"));
            return None;
        };
        let mut aliases = BTreeMap::new();
        for entry in entries {
            match PerProvider::<T>::read(&entry.value, context) {
                Some(PerProvider::Each(each)) => {
                    aliases.insert(entry.key.clone(), each);
                }
                Some(PerProvider::One(_)) => {
                    let problem = wrong_type(&entry.value, "a map per provider");
                    context.found.push(problem.help("write `name: {local: host, ec2: …}`"));
                }
                None => {}
            }
        }
        Some(Self(aliases))
    }
}
