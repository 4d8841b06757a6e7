//! Looks for words anywhere in what is known of nodes: what a listing does
//! with a text that is no target of anything.

use super::bits::Bits;
use super::pattern::lower;
use super::scope::{Member, Scope};

/// The members that hold one of the terms, which are separated by commas,
/// anywhere: in name, cluster, properties or tags, whatever the case. Places by
/// cluster and natural order of names.
#[must_use]
pub fn search(scope: &Scope, text: &str) -> Vec<usize> {
    let terms: Vec<String> = text
        .split(',')
        .map(|term| lower(term.trim()).into_owned())
        .filter(|term| !term.is_empty())
        .collect();
    let index = scope.index();
    let members = scope.members();
    let found = Bits::of(members.len(), |place| {
        members.get(place).is_some_and(|member| terms.iter().any(|term| holds(member, term)))
    });
    index.in_order(&found.and(&index.within(scope.cluster())))
}

fn holds(member: &Member, term: &str) -> bool {
    let fields = member.fields.values().flatten();
    let tags = member.tags.iter().flat_map(|(key, value)| [key, value]);
    let mut texts = [&member.name, &member.cluster].into_iter().chain(fields).chain(tags);
    texts.any(|text| lower(text).contains(term))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::search;
    use crate::target::{Member, Scope};

    #[test]
    fn a_term_is_found_wherever_it_stands() {
        let member = |name: &str, field: &str, tag: &str| Member {
            cluster: "demo".to_owned(),
            name: name.to_owned(),
            fields: BTreeMap::from([("image".to_owned(), vec![field.to_owned()])]),
            tags: BTreeMap::from([(tag.to_owned(), "x".to_owned())]),
        };
        let members = vec![member("a", "Ubuntu 24", "env"), member("b", "alpine", "Owner")];
        let scope = Scope::new(members, ["demo".to_owned()].into());
        for (text, expected) in
            [("ubuntu", &[0][..]), ("OWN", &[1]), ("24, alp", &[0, 1]), ("none", &[]), (",", &[])]
        {
            assert_eq!(search(&scope, text), expected, "{text}");
        }
    }
}
