//! Writes a set of names shortly: `worker1, worker2, worker3` as
//! `worker[1-3]`. What it writes, read as a target, is the same set.

use std::collections::BTreeMap;

use super::natural::natural_key;

/// A name cut at its last number: what comes before, after, and how many
/// digits the number is padded to (0: not padded).
type Stem<'a> = (&'a str, &'a str, usize);

/// The names as one expression, in natural order of their stems.
pub fn fold<'a>(names: impl IntoIterator<Item = &'a str>) -> String {
    let mut stems: BTreeMap<Stem<'a>, Vec<u64>> = BTreeMap::new();
    let mut plain: Vec<&str> = Vec::new();
    for name in names {
        match cut(name) {
            Some((stem, number)) => stems.entry(stem).or_default().push(number),
            None => plain.push(name),
        }
    }
    join_padded(&mut stems);
    let mut parts: Vec<String> = plain.into_iter().map(String::from).collect();
    parts.extend(stems.into_iter().map(|(stem, numbers)| part(stem, numbers)));
    parts.sort_by_key(|part| natural_key(part));
    parts.dedup();
    parts.join(",")
}

/// `n10` continues `n09`: a number as long as the padding, or longer, looks the
/// same padded or not.
fn join_padded(stems: &mut BTreeMap<Stem<'_>, Vec<u64>>) {
    let padded: Vec<Stem<'_>> = stems.keys().filter(|stem| stem.2 > 0).copied().collect();
    for stem in padded {
        let Some(bare) = stems.get_mut(&(stem.0, stem.1, 0)) else {
            continue;
        };
        let (longer, shorter) = bare.iter().partition(|number| number.to_string().len() >= stem.2);
        *bare = shorter;
        stems.entry(stem).or_default().extend::<Vec<u64>>(longer);
    }
    stems.retain(|_, numbers| !numbers.is_empty());
}

/// Cuts a name at its last run of digits. Numbers too long for `u64` stay text.
fn cut(name: &str) -> Option<(Stem<'_>, u64)> {
    let end = name.rfind(|character: char| character.is_ascii_digit())? + 1;
    let head = name.get(..end)?;
    let start = head.rfind(|character: char| !character.is_ascii_digit()).map_or(0, |at| {
        at + head.get(at..).and_then(|r| r.chars().next()).map_or(1, char::len_utf8)
    });
    let digits = head.get(start..)?;
    let padded = digits.len() > 1 && digits.starts_with('0');
    let width = if padded { digits.len() } else { 0 };
    Some(((name.get(..start)?, name.get(end..)?, width), digits.parse().ok()?))
}

fn part((before, after, width): Stem<'_>, mut numbers: Vec<u64>) -> String {
    numbers.sort_unstable();
    numbers.dedup();
    let mut runs: Vec<(u64, u64)> = Vec::new();
    for number in numbers {
        match runs.last_mut() {
            Some((_, last)) if last.checked_add(1) == Some(number) => *last = number,
            _ => runs.push((number, number)),
        }
    }
    if let [(only, last)] = runs.as_slice()
        && only == last
    {
        return format!("{before}{only:0width$}{after}");
    }
    let ranges: Vec<String> = runs
        .into_iter()
        .map(|(first, last)| {
            if first == last {
                format!("{first:0width$}")
            } else {
                format!("{first:0width$}-{last:0width$}")
            }
        })
        .collect();
    format!("{before}[{}]{after}", ranges.join(","))
}

#[cfg(test)]
mod tests {
    use super::fold;

    #[test]
    fn sets_of_names_become_short() {
        for (names, expected) in [
            (&["worker1", "worker3", "worker2", "master"][..], "master,worker[1-3]"),
            (&["worker1"], "worker1"),
            (&["n01", "n02", "n10"], "n[01-02,10]"),
            (&["n1", "n01", "n100"], "n1,n[01,100]"),
            (&["r1n1", "r1n2", "r2n1"], "r1n[1-2],r2n1"),
            (&["node-1-eth", "node-2-eth"], "node-[1-2]-eth"),
            (&["a", "a"], "a"),
            (&[], ""),
        ] {
            assert_eq!(fold(names.iter().copied()), expected);
        }
    }
}
