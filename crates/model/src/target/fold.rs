//! Writes a set of names shortly: `worker1, worker2, worker3` as
//! `worker[1-3]`, and a grid as `r[1-2]n[1-4]`. What it writes, read as a
//! target or by [`super::expand()`], is the same set.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use super::natural::natural_order;

/// Most numbers of a name that are folded; names with more stay as they are.
const DIMENSIONS_MAX: usize = 8;

/// First and last of consecutive numbers.
type Run = (u64, u64);

/// The names as one expression, in natural order of their stems.
pub fn fold<'a>(names: impl IntoIterator<Item = &'a str>) -> String {
    let mut parts: Vec<String> = Vec::new();
    let mut stems = Stems::default();
    let mut cut = Cut::default();
    for name in names {
        if cut.read(name) {
            stems.add(&cut);
        } else {
            parts.push(name.to_owned());
        }
    }
    for stem in &stems.list {
        for (widths, rows) in stem.by_width() {
            for block in blocks(rows, widths.len()) {
                parts.push(written(&stem.texts, &widths, &block));
            }
        }
    }
    parts.sort_by(|one, other| natural_order(one, other));
    parts.dedup();
    parts.join(",")
}

/// A name cut at its numbers: the texts before, between and after them, and
/// the digits of each. Numbers too long for `u64` stay text.
#[derive(Debug, Default)]
struct Cut<'a> {
    texts: Vec<&'a str>,
    numbers: Vec<Digits>,
}

/// A number and how it was written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Digits {
    value: u64,
    length: usize,
    /// Whether zeros stand before it.
    padded: bool,
}

impl<'a> Cut<'a> {
    /// Cuts a name; false when there is nothing to fold in it.
    fn read(&mut self, name: &'a str) -> bool {
        self.texts.clear();
        self.numbers.clear();
        let (mut text_start, mut at) = (0, 0);
        while let Some(rest) = name.get(at..).filter(|rest| !rest.is_empty()) {
            let text = rest.bytes().position(|byte| byte.is_ascii_digit()).unwrap_or(rest.len());
            let digits = rest.get(text..).unwrap_or_default();
            let run = digits.bytes().position(|byte| !byte.is_ascii_digit());
            let digits = digits.get(..run.unwrap_or(digits.len())).unwrap_or_default();
            let start = at + text;
            at = start + digits.len();
            if let Ok(value) = digits.parse() {
                let padded = digits.len() > 1 && digits.starts_with('0');
                self.texts.push(name.get(text_start..start).unwrap_or_default());
                self.numbers.push(Digits { value, length: digits.len(), padded });
                text_start = at;
            }
        }
        self.texts.push(name.get(text_start..).unwrap_or_default());
        (1..=DIMENSIONS_MAX).contains(&self.numbers.len())
    }
}

/// All names with the same texts.
#[derive(Debug)]
struct Stem<'a> {
    texts: Vec<&'a str>,
    /// The numbers of one name after those of another.
    digits: Vec<Digits>,
}

/// The stems. Names come mostly in order, so the last one is tried first.
#[derive(Debug, Default)]
struct Stems<'a> {
    list: Vec<Stem<'a>>,
    places: BTreeMap<Vec<&'a str>, usize>,
    last: usize,
}

impl<'a> Stems<'a> {
    fn add(&mut self, cut: &Cut<'a>) {
        if self.list.get(self.last).is_none_or(|stem| stem.texts != cut.texts) {
            self.last = match self.places.get(cut.texts.as_slice()) {
                Some(place) => *place,
                None => {
                    self.places.insert(cut.texts.clone(), self.list.len());
                    self.list.push(Stem { texts: cut.texts.clone(), digits: Vec::new() });
                    self.list.len() - 1
                }
            };
        }
        if let Some(stem) = self.list.get_mut(self.last) {
            stem.digits.extend_from_slice(&cut.numbers);
        }
    }
}

impl Stem<'_> {
    /// The rows of numbers by how each of a row is padded. `n10` continues
    /// `n09`: a number as long as the padding, or longer, looks the same padded
    /// or not.
    fn by_width(&self) -> BTreeMap<Vec<usize>, Vec<u64>> {
        let dimensions = self.texts.len() - 1;
        let mut paddings: Vec<BTreeSet<usize>> = vec![BTreeSet::new(); dimensions];
        for row in self.digits.chunks(dimensions) {
            for (digits, paddings) in row.iter().zip(&mut paddings) {
                if digits.padded {
                    paddings.insert(digits.length);
                }
            }
        }
        let mut rows: BTreeMap<Vec<usize>, Vec<u64>> = BTreeMap::new();
        if paddings.iter().all(BTreeSet::is_empty) {
            let values = self.digits.iter().map(|digits| digits.value).collect();
            rows.insert(vec![0; dimensions], values);
            return rows;
        }
        for row in self.digits.chunks(dimensions) {
            let widths = row.iter().zip(&paddings).map(|(digits, paddings)| {
                paddings.range(..=digits.length).next_back().copied().unwrap_or(0)
            });
            rows.entry(widths.collect()).or_default().extend(row.iter().map(|one| one.value));
        }
        rows
    }
}

/// Rows of numbers as blocks: in each, every number of a dimension goes with
/// every one of the others.
fn blocks(rows: Vec<u64>, dimensions: usize) -> Vec<Vec<Vec<Run>>> {
    if dimensions == 1 {
        return vec![vec![runs(rows)]];
    }
    let mut sorted: Vec<&[u64]> = rows.chunks(dimensions).collect();
    if !sorted.is_sorted() {
        sorted.sort_unstable();
    }
    sorted.dedup();
    // The numbers of the last dimension, and the rows before it that they go
    // with.
    let mut before: BTreeMap<Vec<Run>, Vec<u64>> = BTreeMap::new();
    let same_start =
        |one: &&[u64], other: &&[u64]| one.get(..dimensions - 1) == other.get(..dimensions - 1);
    for group in sorted.chunk_by(same_start) {
        let last = runs(group.iter().filter_map(|row| row.last().copied()).collect());
        let start = group.first().and_then(|row| row.get(..dimensions - 1)).unwrap_or_default();
        before.entry(last).or_default().extend_from_slice(start);
    }
    let mut all = Vec::new();
    for (last, rows) in before {
        for mut block in blocks(rows, dimensions - 1) {
            block.push(last.clone());
            all.push(block);
        }
    }
    all
}

fn runs(mut numbers: Vec<u64>) -> Vec<Run> {
    numbers.sort_unstable();
    let mut runs: Vec<Run> = Vec::new();
    for number in numbers {
        match runs.last_mut() {
            Some((_, last)) if *last == number => {}
            Some((_, last)) if last.checked_add(1) == Some(number) => *last = number,
            _ => runs.push((number, number)),
        }
    }
    runs
}

fn written(texts: &[&str], widths: &[usize], block: &[Vec<Run>]) -> String {
    let mut name = String::new();
    // Writing to memory cannot fail.
    for (text, (width, runs)) in texts.iter().zip(widths.iter().zip(block)) {
        name.push_str(text);
        match runs.as_slice() {
            [(only, last)] if only == last => {
                let _ = write!(name, "{only:0width$}");
            }
            runs => {
                let mut before = '[';
                for (first, last) in runs {
                    let _ = write!(name, "{before}{first:0width$}");
                    if first != last {
                        let _ = write!(name, "-{last:0width$}");
                    }
                    before = ',';
                }
                name.push(']');
            }
        }
    }
    name.push_str(texts.last().copied().unwrap_or_default());
    name
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
            (&["n8", "n9", "n10", "n11"], "n[8-11]"),
            (&["n08", "n09", "n10", "n11"], "n[08-11]"),
            (&["r1n1", "r1n2", "r2n1"], "r1n[1-2],r2n1"),
            (&["r1n1", "r1n2", "r2n1", "r2n2"], "r[1-2]n[1-2]"),
            (&["r1n1", "r2n2", "r1n2", "r3n1", "r2n1"], "r3n1,r[1-2]n[1-2]"),
            (&["r1n01", "r1n02", "r2n01", "r2n02"], "r[1-2]n[01-02]"),
            (&["a1b1c1", "a1b1c2", "a2b1c1", "a2b1c2"], "a[1-2]b1c[1-2]"),
            (&["node-1-eth", "node-2-eth"], "node-[1-2]-eth"),
            (&["10.0.0.1", "10.0.0.2", "10.0.1.1", "10.0.1.2"], "10.0.[0-1].[1-2]"),
            (
                &["x18446744073709551616", "x18446744073709551615"],
                "x18446744073709551615,x18446744073709551616",
            ),
            (&["a1b1c1d1e1f1g1h1i1", "a1"], "a1,a1b1c1d1e1f1g1h1i1"),
            (&["a", "a"], "a"),
            (&[], ""),
        ] {
            assert_eq!(fold(names.iter().copied()), expected);
        }
    }
}
