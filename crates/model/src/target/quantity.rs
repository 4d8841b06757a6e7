//! What a property is compared with in `cores>=8`, `memory<32GiB`, `age<2h`,
//! `launch_time>=2016-04`: a number, a size, a length of time or a date. Which
//! of them is meant, when the text can be several, is decided by what the
//! nodes have.

use std::cmp::Ordering;
use std::fmt;

use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan as _};

use super::word::Comparator;
use crate::unit::{Memory, Seconds};

/// A value with an order.
#[derive(Debug, Clone, PartialEq)]
pub struct Quantity {
    text: String,
    kinds: Vec<Kind>,
}

// Numbers are never NaN: they are written in digits.
impl Eq for Quantity {}

#[derive(Debug, Clone, Copy, PartialEq)]
enum Kind {
    Number(f64),
    Bytes(u64),
    Seconds(u64),
    /// From, and up to but without: `2016-04` is a whole month.
    Time(Timestamp, Timestamp),
}

impl Quantity {
    /// Reads a value; `None` when it is none of the kinds.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let kinds = [
            number(text).map(Kind::Number),
            bytes(text).map(Kind::Bytes),
            seconds(text).map(Kind::Seconds),
            time(text).map(|(from, to)| Kind::Time(from, to)),
        ];
        let kinds: Vec<Kind> = kinds.into_iter().flatten().collect();
        (!kinds.is_empty()).then(|| Self { text: text.to_owned(), kinds })
    }

    /// Whether what a node has stands so to it; `None` when the two cannot be
    /// compared.
    pub(super) fn holds(&self, comparator: Comparator, found: &str) -> Option<bool> {
        self.kinds.iter().find_map(|kind| kind.holds(comparator, found))
    }

    /// What the value is, for messages.
    pub(super) fn what(&self) -> &'static str {
        match self.kinds.first() {
            Some(Kind::Number(_)) | None => "plain number",
            Some(Kind::Bytes(_)) => "size",
            Some(Kind::Seconds(_)) => "length of time",
            Some(Kind::Time(..)) => "date",
        }
    }
}

impl fmt::Display for Quantity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl Kind {
    fn holds(self, comparator: Comparator, found: &str) -> Option<bool> {
        let order = match self {
            Self::Number(wanted) => number(found)?.partial_cmp(&wanted)?,
            Self::Bytes(wanted) => bytes(found)?.cmp(&wanted),
            Self::Seconds(wanted) => seconds(found)?.cmp(&wanted),
            Self::Time(from, to) => {
                let (found, _) = time(found)?;
                match (found < from, found < to) {
                    (true, _) => Ordering::Less,
                    (false, true) => Ordering::Equal,
                    (false, false) => Ordering::Greater,
                }
            }
        };
        match comparator {
            Comparator::More => Some(order.is_gt()),
            Comparator::AtLeast => Some(order.is_ge()),
            Comparator::Less => Some(order.is_lt()),
            Comparator::AtMost => Some(order.is_le()),
            Comparator::Is => Some(order.is_eq()),
            Comparator::IsNot | Comparator::Like | Comparator::Unlike => None,
        }
    }
}

/// What it should look like, for messages.
pub(super) const EXPECTED: &str =
    "a number, a size as 32GiB, a length of time as 2h, or a date as 2016-04-30";

fn number(text: &str) -> Option<f64> {
    let digits = text.strip_prefix('-').unwrap_or(text);
    let is_plain = digits.starts_with(|c: char| c.is_ascii_digit())
        && digits.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.');
    is_plain.then(|| text.parse().ok())?
}

/// A size with its unit, plain bytes (`512 B`) too, which is how an uneven
/// amount is shown.
fn bytes(text: &str) -> Option<u64> {
    match text.strip_suffix('B').map(str::trim_end) {
        Some(digits) if digits.bytes().all(|byte| byte.is_ascii_digit()) => digits.parse().ok(),
        _ => Memory::parse(text).ok().map(|memory| memory.bytes),
    }
}

/// Zero is no length of time that a spec may ask for, and an age all the same.
fn seconds(text: &str) -> Option<u64> {
    match text {
        "0s" => Some(0),
        _ => Seconds::parse(text).ok().map(|time| time.seconds),
    }
}

/// A year, month, day or time of day; days and times without a zone are UTC.
fn time(text: &str) -> Option<(Timestamp, Timestamp)> {
    if let Ok(exact) = text.parse::<Timestamp>() {
        return Some((exact, exact.checked_add(1.second()).ok()?));
    }
    let (day, clock) = text.split_once(['T', ' ']).map_or((text, None), |(d, t)| (d, Some(t)));
    let mut fields = day.split('-');
    let year: i16 = fields.next().filter(|year| year.len() == 4)?.parse().ok()?;
    let mut two = || {
        let field = fields.next().map(|field| (field.len() == 2).then(|| field.parse::<i8>()));
        match field {
            None => Some(None),
            Some(Some(Ok(number))) => Some(Some(number)),
            Some(_) => None,
        }
    };
    let (month, day) = (two()?, two()?);
    if fields.next().is_some() {
        return None;
    }
    let date = Date::new(year, month.unwrap_or(1), day.unwrap_or(1)).ok()?;
    let (start, span) = match (month, day, clock) {
        (None, None, None) => (date.at(0, 0, 0, 0), 1.year()),
        (Some(_), None, None) => (date.at(0, 0, 0, 0), 1.month()),
        (Some(_), Some(_), None) => (date.at(0, 0, 0, 0), 1.day()),
        (Some(_), Some(_), Some(clock)) => {
            let span = if clock.matches(':').count() > 1 { 1.second() } else { 1.minute() };
            (date.to_datetime(clock.parse().ok()?), span)
        }
        _ => return None,
    };
    let end = start.checked_add(span).ok()?;
    let stamp = |civil: jiff::civil::DateTime| {
        civil.to_zoned(TimeZone::UTC).ok().map(|zoned| zoned.timestamp())
    };
    Some((stamp(start)?, stamp(end)?))
}

#[cfg(test)]
mod tests {
    use super::Quantity;
    use crate::target::word::Comparator;

    #[test]
    fn values_are_compared_by_what_they_are() {
        for (found, comparator, wanted, expected) in [
            ("8", Comparator::AtLeast, "8", Some(true)),
            ("16", Comparator::AtLeast, "8", Some(true)),
            ("7.5", Comparator::AtLeast, "8", Some(false)),
            ("8", Comparator::Less, "10", Some(true)),
            ("-1", Comparator::Less, "0", Some(true)),
            ("32 GiB", Comparator::AtLeast, "32GiB", Some(true)),
            ("32 GiB", Comparator::More, "32GiB", Some(false)),
            ("1536 B", Comparator::AtMost, "1.5KiB", Some(true)),
            ("32 GiB", Comparator::More, "32", None),
            ("7200s", Comparator::Less, "2h", Some(false)),
            ("7199s", Comparator::Less, "2h", Some(true)),
            ("0s", Comparator::Less, "2h", Some(true)),
            ("2016-04-30T10:00:00Z", Comparator::AtLeast, "2016-04", Some(true)),
            ("2016-04-30T10:00:00Z", Comparator::More, "2016-04", Some(false)),
            ("2016-04-30T10:00:00Z", Comparator::AtMost, "2016-04-30", Some(true)),
            ("2016-04-30T10:00:00Z", Comparator::Less, "2016-04-30", Some(false)),
            ("2016-04-30T10:00:00Z", Comparator::More, "2016-04-30T09:59", Some(true)),
            ("2016-04-30T10:00:00Z", Comparator::More, "2015", Some(true)),
            ("running", Comparator::More, "2015", None),
            ("running", Comparator::More, "2h", None),
        ] {
            let quantity = Quantity::parse(wanted).unwrap();
            let said = quantity.holds(comparator, found);
            assert_eq!(said, expected, "{found} {} {wanted}", comparator.as_str());
        }
        for text in ["", "big", "8x", "1.2.3", "2016-4", "2016-13", "2016-04-31", "--1", "nan"] {
            assert_eq!(Quantity::parse(text), None, "{text}");
        }
    }
}
