//! Which nodes printed the same: first byte for byte, then but for masked
//! places. Pure but for reading outputs back.

use std::collections::BTreeMap;
use std::io::{self, Write};

use super::digest::Digest;
use super::facts::NodeFacts;
use super::keep::Gather;
use super::lines::Lines;
use super::mask::{Mask, MaskKind};
use super::normal::{Normal, NormalForm, Place, write_masked};
use crate::limits;

/// What counts as the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FoldMode {
    /// Every byte.
    Exact,
    /// All but names and addresses of nodes, pids, dates, times, durations.
    Masked,
}

/// Nodes that printed the same.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Group {
    /// Their places, in order.
    pub nodes: Vec<usize>,
    /// The node whose output stands for all.
    pub representative: usize,
    /// Bytes of that output.
    pub length: u64,
    /// How much the same.
    pub likeness: Likeness,
}

/// How much the outputs of a group are the same.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Likeness {
    /// Byte for byte.
    Same,
    /// But for masked places.
    Alike(Alike),
}

/// What differs between alike outputs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Alike {
    /// Kinds of places that differ; empty when only blanks do.
    pub kinds: Vec<MaskKind>,
    /// Which places say the same on all nodes; none when they are too many to
    /// know.
    equal: Option<Vec<bool>>,
}

/// Nodes that printed the same, byte for byte.
struct Class {
    nodes: Vec<usize>,
    representative: usize,
}

/// Folds what these nodes printed. Every one of them is in exactly one group;
/// the biggest group comes first, among equals the one with the first node.
///
/// # Errors
/// When an output cannot be read back.
pub fn fold(gather: &Gather, nodes: &[usize], mode: FoldMode) -> io::Result<Vec<Group>> {
    let classes = exact(gather, nodes);
    let mut groups = match mode {
        FoldMode::Masked if classes.len() > 1 => masked(gather, classes)?,
        FoldMode::Masked | FoldMode::Exact => {
            classes.into_iter().map(|class| same(gather, class)).collect()
        }
    };
    groups.sort_by_key(|group: &Group| {
        (std::cmp::Reverse(group.nodes.len()), group.nodes.first().copied())
    });
    Ok(groups)
}

/// In the order of their first nodes.
fn exact(gather: &Gather, nodes: &[usize]) -> Vec<Class> {
    let mut places: BTreeMap<Digest, usize> = BTreeMap::new();
    let mut classes: Vec<Class> = Vec::new();
    let mut sorted = nodes.to_vec();
    sorted.sort_unstable();
    sorted.dedup();
    for node in sorted {
        let Some(digest) = gather.digest(node) else { continue };
        let at = *places.entry(digest).or_insert(classes.len());
        match classes.get_mut(at) {
            Some(class) => {
                // Whole output stands for the group before output cut off.
                if gather.dropped(class.representative) > gather.dropped(node) {
                    class.representative = node;
                }
                class.nodes.push(node);
            }
            None => classes.push(Class { nodes: vec![node], representative: node }),
        }
    }
    classes
}

fn same(gather: &Gather, class: Class) -> Group {
    Group {
        length: gather.length(class.representative),
        nodes: class.nodes,
        representative: class.representative,
        likeness: Likeness::Same,
    }
}

/// Classes with one normal form.
struct Merging {
    classes: Vec<Class>,
    places: Option<Vec<Place>>,
    equal: Vec<bool>,
    kinds: Vec<MaskKind>,
}

fn masked(gather: &Gather, mut classes: Vec<Class>) -> io::Result<Vec<Group>> {
    // The class that most nodes are in stands for its group.
    classes
        .sort_by_key(|class| (std::cmp::Reverse(class.nodes.len()), class.nodes.first().copied()));
    let mut alone = Vec::new();
    let mut merging: BTreeMap<Digest, Merging> = BTreeMap::new();
    let mut places_left = limits::FOLD_PLACES_MAX;
    let mut with_lines: BTreeMap<u64, usize> = BTreeMap::new();
    for class in &classes {
        *with_lines.entry(gather.lines(class.representative)).or_default() += 1;
    }
    for class in classes {
        // Outputs of other lengths cannot be alike; reading much back for
        // nothing takes long.
        let has_peers = with_lines.get(&gather.lines(class.representative)) > Some(&1);
        let form = if has_peers { normal_form(gather, &class, places_left)? } else { None };
        let Some(form) = form else {
            alone.push(same(gather, class));
            continue;
        };
        match merging.get_mut(&form.digest) {
            Some(merged) => merge(merged, class, form.places),
            None => {
                let count = form.places.as_ref().map_or(0, Vec::len);
                places_left = places_left.saturating_sub(count);
                merging.insert(
                    form.digest,
                    Merging {
                        classes: vec![class],
                        equal: vec![true; count],
                        places: form.places,
                        kinds: form.kinds,
                    },
                );
            }
        }
    }
    alone.extend(merging.into_values().filter_map(|merged| together(gather, merged)));
    Ok(alone)
}

/// None for a class that stays by itself: its output was cut off, or it speaks
/// of some of its nodes by name. When `n2` and `n3` both say `n3`, masking
/// would make it look right on both.
fn normal_form(
    gather: &Gather,
    class: &Class,
    places_max: usize,
) -> io::Result<Option<NormalForm>> {
    if gather.dropped(class.representative) > 0 {
        return Ok(None);
    }
    let facts: Vec<&NodeFacts> =
        class.nodes.iter().filter_map(|node| gather.facts(*node)).collect();
    let mask = Mask::new(facts.iter().copied());
    let mut normal = Normal::new(&mask, places_max);
    let text = gather.text();
    gather.read(class.representative, text, &mut |bytes| normal.feed(bytes))?;
    let form = normal.finish()?;
    let is_personal = form.kinds.contains(&MaskKind::Node) || form.kinds.contains(&MaskKind::Ip);
    Ok((class.nodes.len() == 1 || !is_personal).then_some(form))
}

fn merge(merged: &mut Merging, class: Class, places: Option<Vec<Place>>) {
    merged.classes.push(class);
    match (&merged.places, places) {
        (Some(known), Some(places)) => {
            for (equal, (one, other)) in merged.equal.iter_mut().zip(known.iter().zip(&places)) {
                *equal &= one == other;
            }
        }
        _ => merged.places = None,
    }
}

fn together(gather: &Gather, merged: Merging) -> Option<Group> {
    let Merging { mut classes, places, equal, kinds } = merged;
    if classes.len() < 2 {
        return classes.pop().map(|class| same(gather, class));
    }
    let representative = classes.first()?.representative;
    let mut nodes: Vec<usize> = classes.into_iter().flat_map(|class| class.nodes).collect();
    nodes.sort_unstable();
    let alike = match places {
        Some(places) => {
            let differing = places.iter().zip(&equal).filter(|(_, equal)| !**equal);
            let mut kinds: Vec<MaskKind> = differing.map(|(place, _)| place.kind).collect();
            kinds.sort_unstable();
            kinds.dedup();
            Alike { kinds, equal: Some(equal) }
        }
        None => {
            let mut kinds = kinds;
            kinds.sort_unstable();
            Alike { kinds, equal: None }
        }
    };
    let length = gather.length(representative);
    Some(Group { nodes, representative, length, likeness: Likeness::Alike(alike) })
}

/// Writes the output that stands for a group: the representative's own, with
/// placeholders where the nodes differ.
///
/// # Errors
/// When it cannot be read back, or not be written.
pub fn write_group(gather: &Gather, group: &Group, sink: &mut dyn Write) -> io::Result<()> {
    let Likeness::Alike(alike) = &group.likeness else {
        return gather.write(group.representative, sink);
    };
    let mask = Mask::new(gather.facts(group.representative));
    let mut shown = Shown { mask: &mask, equal: alike.equal.as_deref(), place: 0, sink };
    let mut found = Vec::new();
    let mut lines = Lines::default();
    gather.read(group.representative, gather.text(), &mut |bytes| {
        lines.feed(bytes, &mut |line| shown.line(line, &mut found))
    })?;
    lines.finish(&mut |line| shown.line(line, &mut found))
}

struct Shown<'a> {
    mask: &'a Mask,
    equal: Option<&'a [bool]>,
    /// Place in the whole output of the first place of the next line.
    place: usize,
    sink: &'a mut dyn Write,
}

impl Shown<'_> {
    fn line(&mut self, line: &[u8], found: &mut Vec<super::mask::Masked>) -> io::Result<()> {
        self.mask.find(line, found);
        let (first, equal) = (self.place, self.equal);
        self.place += found.len();
        let keeps =
            |index| equal.is_some_and(|equal| equal.get(first + index).copied().unwrap_or(false));
        write_masked(line, found, keeps, false, self.sink)
    }
}

#[cfg(test)]
mod tests;
