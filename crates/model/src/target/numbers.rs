//! What a numeric range in brackets holds: `1-8`, `01-64`, `1-9/2`, `1,3,7-9`.
//! Sorted when it is read, so that a set of thousands of numbers, as `fold`
//! writes it, is searched and not walked.

use std::ops::Range;

use super::pattern::PatternProblem;

/// The numbers of one pair of brackets.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Numbers {
    /// As written, in its order.
    written: Vec<Part>,
    /// Those of step 1 by how they are padded, merged and sorted.
    dense: Vec<(usize, Vec<(u64, u64)>)>,
    /// The others.
    stepped: Vec<Part>,
}

/// `first-last/step`, padded with zeros to `width` digits where it was written
/// so.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Part {
    first: u64,
    last: u64,
    step: u64,
    width: usize,
}

impl Numbers {
    /// Reads what stands between brackets, which begin at `at`.
    pub(super) fn parse(body: &str, at: usize) -> Result<Self, PatternProblem> {
        let mut offset = at;
        let mut written = Vec::new();
        for text in body.split(',') {
            let span = offset..offset + text.len();
            written.push(part(text).ok_or_else(|| no_range(text, span))?);
            offset += text.len() + 1;
        }
        let mut dense: Vec<(usize, Vec<(u64, u64)>)> = Vec::new();
        for part in written.iter().filter(|part| part.step == 1) {
            match dense.iter_mut().find(|(width, _)| *width == part.width) {
                Some((_, runs)) => runs.push((part.first, part.last)),
                None => dense.push((part.width, vec![(part.first, part.last)])),
            }
        }
        for (_, runs) in &mut dense {
            *runs = merged(std::mem::take(runs));
        }
        let stepped = written.iter().filter(|part| part.step > 1).copied().collect();
        Ok(Self { written, dense, stepped })
    }

    /// Whether these digits are one of the numbers, written as it is.
    pub(super) fn holds(&self, digits: &str) -> bool {
        let Ok(value) = digits.parse::<u64>() else {
            return false;
        };
        self.dense.iter().any(|(width, runs)| is_written_so(digits, *width) && within(runs, value))
            || self.stepped.iter().any(|part| {
                is_written_so(digits, part.width)
                    && (part.first..=part.last).contains(&value)
                    && (value - part.first).is_multiple_of(part.step)
            })
    }

    /// How many numbers there are, those written twice counted twice.
    pub(super) fn count(&self) -> u64 {
        let counts = self.written.iter().map(|part| (part.last - part.first) / part.step);
        counts.fold(0_u64, |sum, steps| sum.saturating_add(steps).saturating_add(1))
    }

    /// The numbers in the order they were written, with their padding.
    pub(super) fn each(&self) -> impl Iterator<Item = (u64, usize)> {
        self.written.iter().flat_map(|part| {
            let step = usize::try_from(part.step).unwrap_or(usize::MAX);
            (part.first..=part.last).step_by(step).map(|value| (value, part.width))
        })
    }
}

/// Each number has one spelling for a width: padded to it, or longer without
/// zeros before it.
fn is_written_so(digits: &str, width: usize) -> bool {
    digits.len() == width || (digits.len() > width && (!digits.starts_with('0') || digits == "0"))
}

fn within(runs: &[(u64, u64)], value: u64) -> bool {
    let after = runs.partition_point(|(first, _)| *first <= value);
    let before = after.checked_sub(1).and_then(|at| runs.get(at));
    before.is_some_and(|(_, last)| value <= *last)
}

fn merged(mut runs: Vec<(u64, u64)>) -> Vec<(u64, u64)> {
    runs.sort_unstable();
    let mut all: Vec<(u64, u64)> = Vec::with_capacity(runs.len());
    for (first, last) in runs {
        match all.last_mut() {
            Some((_, end)) if first <= end.saturating_add(1) => *end = last.max(*end),
            _ => all.push((first, last)),
        }
    }
    all
}

fn part(text: &str) -> Option<Part> {
    let (range, step) = match text.split_once('/') {
        Some((range, step)) => (range, step.parse().ok()?),
        None => (text, 1),
    };
    let (first, last) = range.split_once('-').unwrap_or((range, range));
    let width = if first.len() > 1 && first.starts_with('0') { first.len() } else { 0 };
    let part = Part { first: first.parse().ok()?, last: last.parse().ok()?, step, width };
    (step > 0 && part.first <= part.last).then_some(part)
}

fn no_range(text: &str, span: Range<usize>) -> PatternProblem {
    PatternProblem {
        span,
        message: format!("`{text}` is no range of numbers"),
        help: "write `1-8`, `01-64`, `1-9/2` or `1,3,7-9`, the smaller number first".into(),
    }
}

#[cfg(test)]
mod tests {
    use super::Numbers;

    #[test]
    fn what_is_held_is_what_is_listed() {
        for body in ["1-8", "01-64", "1-9/2", "3,1,7-9", "098-101", "0-3", "00-3", "1-3,2-5,5-20/3"]
        {
            let numbers = Numbers::parse(body, 0).unwrap();
            let listed: Vec<String> =
                numbers.each().map(|(value, width)| format!("{value:0width$}")).collect();
            assert_eq!(u64::try_from(listed.len()).unwrap(), numbers.count(), "{body}");
            for width in 0..4_usize {
                for value in 0..130 {
                    let digits = format!("{value:0width$}");
                    assert_eq!(numbers.holds(&digits), listed.contains(&digits), "{body} {digits}");
                }
            }
        }
    }

    #[test]
    fn the_ends_of_what_numbers_can_be_are_no_trouble() {
        let most = u64::MAX;
        let numbers = Numbers::parse(&format!("0-{most},1-{most}/{most}"), 0).unwrap();
        assert!(numbers.holds(&most.to_string()) && !numbers.holds("18446744073709551616"));
        assert_eq!(numbers.count(), most);
        assert!(Numbers::parse("18446744073709551616", 0).is_err());
    }
}
