//! Finds members by name, cluster and property without walking through all of
//! them with every pattern: names lie in one piece of memory and in a table of
//! their hashes, and each property is a column in which every value is kept,
//! and asked, once.

use std::collections::BTreeMap;
use std::sync::OnceLock;

use super::bits::Bits;
use super::natural::natural_order;
use super::pattern::{Pattern, Scratch, lower};
use super::scope::{Member, same};

/// No member.
const NOBODY: u32 = u32::MAX;

/// The columns of tags and of their keys; no property is called so, since keys
/// hold no colon.
const TAGS: &str = "tags:";
const TAG_KEYS: &str = "tag-keys:";

/// What is known of the members of a scope.
#[derive(Debug, Clone, Default)]
pub(super) struct Index {
    names: Names,
    /// The cluster of each member, by its place in `clusters`.
    cluster_of: Vec<u32>,
    clusters: Vec<String>,
    /// The members by cluster and natural order of names, where that is not
    /// the order they have.
    order: Option<Vec<usize>>,
    columns: OnceLock<BTreeMap<String, OnceLock<Column>>>,
}

/// A property of all members.
#[derive(Debug, Clone, Default)]
pub(super) struct Column {
    /// Each value once.
    pub(super) values: Vec<String>,
    /// The values of each member, one after the other.
    ids: Vec<u32>,
    /// Where those of a member end.
    ends: Vec<u32>,
}

impl Index {
    pub(super) fn of(members: &[Member]) -> Self {
        let mut clusters: Vec<String> = Vec::new();
        let mut cluster_of = Vec::with_capacity(members.len());
        for member in members {
            let last = cluster_of.last().copied().unwrap_or(0);
            let is_it = |at: &usize| clusters.get(*at) == Some(&member.cluster);
            let known = Some(last as usize).filter(is_it);
            let known = known.or_else(|| clusters.iter().position(|name| *name == member.cluster));
            let at = known.unwrap_or_else(|| {
                clusters.push(member.cluster.clone());
                clusters.len() - 1
            });
            cluster_of.push(number(at));
        }
        let order = order(members);
        Self { names: Names::of(members), cluster_of, clusters, order, columns: OnceLock::new() }
    }

    /// The members of a cluster, or all.
    pub(super) fn within(&self, cluster: Option<&str>) -> Bits {
        let len = self.cluster_of.len();
        let Some(cluster) = cluster else {
            return Bits::all(len);
        };
        self.of_clusters(|name| same(name, cluster))
    }

    /// The members of the clusters of which something holds.
    pub(super) fn of_clusters(&self, holds: impl Fn(&str) -> bool) -> Bits {
        let wanted: Vec<bool> = self.clusters.iter().map(|name| holds(name)).collect();
        let is_wanted = |at: u32| wanted.get(at as usize).copied().unwrap_or(false);
        Bits::of(self.cluster_of.len(), |place| {
            self.cluster_of.get(place).is_some_and(|at| is_wanted(*at))
        })
    }

    /// The members whose name matches.
    pub(super) fn named(&self, pattern: &Pattern) -> Bits {
        let len = self.cluster_of.len();
        // Looking up is dearer than comparing, by less than this.
        let few = pattern.combinations().filter(|count| *count <= (len as u64) / 4 + 4);
        if few.is_some() {
            let mut bits = Bits::none(len);
            pattern.each_name(true, &mut |name| self.names.find(name, &mut bits));
            return bits;
        }
        let mut scratch = Scratch::default();
        Bits::of(len, |place| pattern.matches_lower(self.names.get(place), &mut scratch))
    }

    /// The places of a set in the order in which nodes are shown.
    pub(super) fn in_order(&self, chosen: &Bits) -> Vec<usize> {
        match &self.order {
            None => chosen.places().collect(),
            Some(order) => order.iter().copied().filter(|place| chosen.contains(*place)).collect(),
        }
    }

    /// The values of a property; keys ignore case.
    pub(super) fn column(&self, members: &[Member], key: &str) -> Option<&Column> {
        let (key, column) = self.columns(members).get_key_value(&key.to_ascii_lowercase())?;
        Some(column.get_or_init(|| {
            Column::of(members.iter().map(|member| {
                let values = member.fields.get(key).or_else(|| {
                    member.fields.iter().find(|(name, _)| same(name, key)).map(|(_, values)| values)
                });
                values.into_iter().flatten().map(String::as_str)
            }))
        }))
    }

    /// The tags, as `key:value`.
    pub(super) fn tags(&self, members: &[Member]) -> Option<&Column> {
        let column = self.columns(members).get(TAGS)?;
        Some(column.get_or_init(|| {
            let texts: Vec<Vec<String>> = members
                .iter()
                .map(|member| member.tags.iter().map(|(key, value)| format!("{key}:{value}")))
                .map(Iterator::collect)
                .collect();
            Column::of(texts.iter().map(|texts| texts.iter().map(String::as_str)))
        }))
    }

    /// The keys of tags.
    pub(super) fn tag_keys(&self, members: &[Member]) -> Option<&Column> {
        let column = self.columns(members).get(TAG_KEYS)?;
        let keys = members.iter().map(|member| member.tags.keys().map(String::as_str));
        Some(column.get_or_init(|| Column::of(keys)))
    }

    /// The keys of properties.
    pub(super) fn keys(&self, members: &[Member]) -> impl Iterator<Item = &str> {
        self.columns(members).keys().map(String::as_str).filter(|key| !key.ends_with(':'))
    }

    fn columns(&self, members: &[Member]) -> &BTreeMap<String, OnceLock<Column>> {
        self.columns.get_or_init(|| {
            let mut columns: BTreeMap<String, OnceLock<Column>> = BTreeMap::new();
            for own in [TAGS, TAG_KEYS] {
                columns.insert(own.to_owned(), OnceLock::new());
            }
            let mut last: Option<&Member> = None;
            for member in members {
                // Nodes of a kind have the same keys.
                if last.is_some_and(|last| last.fields.keys().eq(member.fields.keys())) {
                    continue;
                }
                for key in member.fields.keys() {
                    columns.entry(key.to_ascii_lowercase()).or_default();
                }
                last = Some(member);
            }
            columns
        })
    }
}

impl Column {
    fn of<'a, V: Iterator<Item = &'a str>>(members: impl Iterator<Item = V>) -> Self {
        let mut column = Self::default();
        let mut known: BTreeMap<&'a str, u32> = BTreeMap::new();
        for values in members {
            for value in values {
                let next = number(column.values.len());
                let id = *known.entry(value).or_insert(next);
                if id == next {
                    column.values.push(value.to_owned());
                }
                column.ids.push(id);
            }
            column.ends.push(number(column.ids.len()));
        }
        column
    }

    /// Which values something holds of.
    pub(super) fn ask(&self, holds: impl Fn(&str) -> bool) -> Vec<bool> {
        self.values.iter().map(|value| holds(value)).collect()
    }

    /// The members of which one value is wanted, given which are.
    pub(super) fn having(&self, wanted: &[bool]) -> Bits {
        let mut start = 0;
        Bits::of(self.ends.len(), |place| {
            let end = self.ends.get(place).map_or(start, |end| *end as usize);
            let ids = self.ids.get(start..end).unwrap_or_default();
            start = end;
            ids.iter().any(|id| wanted.get(*id as usize).copied().unwrap_or(false))
        })
    }
}

/// The order by cluster and name, unless the members have it already.
fn order(members: &[Member]) -> Option<Vec<usize>> {
    let compare = |one: &Member, other: &Member| {
        one.cluster.cmp(&other.cluster).then_with(|| natural_order(&one.name, &other.name))
    };
    if members.is_sorted_by(|one, other| compare(one, other).is_le()) {
        return None;
    }
    let mut sorted: Vec<(usize, &Member)> = members.iter().enumerate().collect();
    sorted.sort_by(|(_, one), (_, other)| compare(one, other));
    Some(sorted.into_iter().map(|(place, _)| place).collect())
}

/// The names in small letters, and who has which.
#[derive(Debug, Clone, Default)]
struct Names {
    text: String,
    /// Where each name ends.
    ends: Vec<u32>,
    /// The last member of each hash, and for each member the one before it of
    /// the same.
    heads: Vec<u32>,
    before: Vec<u32>,
}

impl Names {
    fn of(members: &[Member]) -> Self {
        let slots = (members.len() * 2).next_power_of_two();
        let mut names = Self { heads: vec![NOBODY; slots], ..Self::default() };
        for (place, member) in members.iter().enumerate() {
            let name = lower(&member.name);
            names.text.push_str(&name);
            names.ends.push(number(names.text.len()));
            let slot = names.slot(&name);
            let head = names.heads.get_mut(slot);
            names.before.push(head.map_or(NOBODY, |head| std::mem::replace(head, number(place))));
        }
        names
    }

    fn get(&self, place: usize) -> &str {
        let start = place.checked_sub(1).and_then(|before| self.ends.get(before)).unwrap_or(&0);
        let end = self.ends.get(place).unwrap_or(start);
        self.text.get(*start as usize..*end as usize).unwrap_or_default()
    }

    fn find(&self, name: &str, found: &mut Bits) {
        let mut at = self.heads.get(self.slot(name)).copied().unwrap_or(NOBODY);
        while at != NOBODY {
            if self.get(at as usize) == name {
                found.insert(at as usize);
            }
            at = self.before.get(at as usize).copied().unwrap_or(NOBODY);
        }
    }

    /// FNV-1a; the same on every machine, and good enough for names that
    /// nobody makes to collide.
    fn slot(&self, name: &str) -> usize {
        let hash = name.bytes().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
            (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3)
        });
        let mixed = usize::try_from(hash ^ (hash >> 32)).unwrap_or(usize::MAX);
        mixed & self.heads.len().saturating_sub(1)
    }
}

/// Places are counted in 32 bits: four thousand million nodes are beyond any
/// scope.
fn number(place: usize) -> u32 {
    u32::try_from(place).unwrap_or(NOBODY)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::Index;
    use crate::target::{Member, Pattern};

    fn member(cluster: &str, name: &str) -> Member {
        let fields = BTreeMap::from([("Zone".to_owned(), vec![format!("z{}", name.len())])]);
        Member { cluster: cluster.into(), name: name.into(), fields, ..Member::default() }
    }

    #[test]
    fn looking_up_and_comparing_find_the_same() {
        let names = ["Web1", "web2", "web10", "db", "É1"];
        let mut members: Vec<Member> = names.iter().map(|name| member("b", name)).collect();
        members.extend((0..400).map(|number| member("a", &format!("n{number}"))));
        members.push(member("a", "web1"));
        let index = Index::of(&members);
        for text in ["web1", "WEB[1-10]", "n[7-9]", "n[0-399]", "é1", "n?", "none", "*"] {
            let pattern = Pattern::compile(text).unwrap();
            let expected: Vec<usize> =
                (0..members.len()).filter(|at| pattern.matches(&members[*at].name)).collect();
            assert_eq!(index.named(&pattern).places().collect::<Vec<_>>(), expected, "{text}");
        }
        let web = index.named(&Pattern::compile("web*").unwrap());
        assert_eq!(index.in_order(&web), [405, 0, 1, 2]);
        let zones = index.column(&members, "zone").unwrap();
        assert_eq!(zones.values, ["z4", "z5", "z2", "z3"]);
        assert_eq!(zones.having(&[false, true]).places().collect::<Vec<_>>(), [2]);
        assert!(index.column(&members, "tags:").is_some_and(|column| column.values.is_empty()));
    }
}
