//! Dates, times of day and durations in text, as programs print them. Pure.
//! Asks for a unit, a separator or the name of a month: a bare number is none.

use super::mask::{MaskKind, Masked, is_word};

const MONTHS: [&str; 12] =
    ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"];
const WEEKDAYS: [&str; 7] = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"];
const ZONES: [&str; 16] = [
    "UTC", "GMT", "CET", "CEST", "BST", "EST", "EDT", "CST", "CDT", "MST", "MDT", "PST", "PDT",
    "JST", "AM", "PM",
];

/// Units that may follow a number directly.
const UNITS: [&str; 17] = [
    "ns", "us", "µs", "ms", "s", "sec", "secs", "second", "seconds", "min", "mins", "minute",
    "minutes", "h", "hr", "hours", "hour",
];

/// Units that need a blank before them, or stand in a row of units.
const LONG_UNITS: [&str; 6] = ["day", "days", "week", "weeks", "m", "d"];

/// Length of the date, time or duration that the text begins with. The text
/// begins with a word.
pub(super) fn at(text: &[u8]) -> Option<usize> {
    let first = *text.first()?;
    if first.is_ascii_digit() {
        return iso_date(text)
            .map(|length| length + clock_after(text, length))
            .or_else(|| slash_date(text))
            .or_else(|| clock(text))
            .or_else(|| day_first(text))
            .or_else(|| duration(text));
    }
    // What no name of a month or a day begins with needs no closer look.
    if b"ADFJMNOSTW".contains(&first) { named_date(text) } else { None }
}

/// Length of the seconds since boot at `at`, as the kernel's log has them:
/// `[   12.345678]`.
pub(super) fn since_boot(line: &[u8], at: usize) -> Option<usize> {
    let rest = line.get(at..)?;
    let whole = digits(rest);
    let fraction = rest.get(whole).filter(|byte| **byte == b'.').map(|_| rest.get(whole + 1..));
    let length = whole + 7;
    let is_stamp = fraction.flatten().is_some_and(|fraction| digits(fraction) == 6)
        && rest.get(length) == Some(&b']');
    let before = line.get(..at)?.trim_ascii_end();
    (is_stamp && before.ends_with(b"[")).then_some(length)
}

/// Joins times that follow each other: `Nov 21 14:04:38 UTC 2026` and
/// `3 days,  2:01` are one moment and one duration.
pub(super) fn join(line: &[u8], found: &mut Vec<Masked>) {
    let mut joined: Vec<Masked> = Vec::with_capacity(found.len());
    for place in found.drain(..) {
        match joined.last_mut() {
            Some(last)
                if place.kind == MaskKind::Time
                    && last.kind == MaskKind::Time
                    && is_gap(line.get(last.end..place.start).unwrap_or_default()) =>
            {
                last.end = place.end;
            }
            _ => joined.push(place),
        }
    }
    for place in joined.iter_mut().filter(|place| place.kind == MaskKind::Time) {
        place.end += tail(line.get(place.end..).unwrap_or_default());
    }
    *found = joined;
}

fn is_gap(between: &[u8]) -> bool {
    between.len() <= 3 && between.iter().all(|byte| b" ,".contains(byte))
}

/// A zone and a year after a time: ` UTC 2026`, ` +0000`.
fn tail(text: &[u8]) -> usize {
    let mut length = 0;
    for part in [zone, year] {
        let rest = text.get(length..).unwrap_or_default();
        if let Some(blanks) = gap(rest) {
            let found = part(rest.get(blanks..).unwrap_or_default());
            length += found.map_or(0, |found| found + blanks);
        }
    }
    length
}

fn zone(text: &[u8]) -> Option<usize> {
    if let Some(offset) = offset(text) {
        return Some(offset);
    }
    let word = word(text);
    ZONES.iter().any(|zone| zone.as_bytes() == word).then_some(word.len())
}

/// `+0000`, `-07:00`.
fn offset(text: &[u8]) -> Option<usize> {
    let sign = text.first().filter(|byte| b"+-".contains(byte))?;
    let _ = sign;
    let rest = text.get(1..)?;
    let length = match digits(rest) {
        4 => 5,
        2 if rest.get(2) == Some(&b':') && digits(rest.get(3..)?) == 2 => 6,
        _ => return None,
    };
    ends(text, length).then_some(length)
}

fn year(text: &[u8]) -> Option<usize> {
    let is_year = digits(text) == 4 && (text.starts_with(b"19") || text.starts_with(b"20"));
    (is_year && ends(text, 4)).then_some(4)
}

/// `2026-11-21`.
fn iso_date(text: &[u8]) -> Option<usize> {
    let parts = [4, 2, 2];
    let mut at = 0;
    for (place, length) in parts.into_iter().enumerate() {
        if place > 0 {
            at += usize::from(text.get(at) == Some(&b'-'));
        }
        (digits(text.get(at..)?) == length).then_some(())?;
        at += length;
    }
    (at == 10).then_some(at).filter(|_| !text.get(at).is_some_and(u8::is_ascii_digit))
}

/// What follows a date directly: `T14:04:38.123Z`.
fn clock_after(text: &[u8], at: usize) -> usize {
    let separated = text.get(at).is_some_and(|byte| b"Tt_ ".contains(byte));
    let rest = text.get(at + 1..).unwrap_or_default();
    if separated { clock(rest).map_or(0, |length| length + 1) } else { 0 }
}

/// `11/21/2026`, `21/Nov/2026:14:04:38`, `21.11.2026`.
fn slash_date(text: &[u8]) -> Option<usize> {
    let first = digits(text);
    let separator = *text.get(first).filter(|byte| b"/.".contains(byte))?;
    let middle = text.get(first + 1..)?;
    let length = match digits(middle) {
        0 => month(middle).filter(|length| *length == 3)?,
        length => length,
    };
    let at = first + 1 + length;
    let is_date = first <= 2
        && length <= 3
        && text.get(at) == Some(&separator)
        && digits(text.get(at + 1..)?) == 4;
    let at = at + 5;
    let clock = (text.get(at) == Some(&b':')).then(|| clock(text.get(at + 1..)?)).flatten();
    let at = at + clock.map_or(0, |length| length + 1);
    (is_date && ends(text, at)).then_some(at)
}

/// `14:04`, `14:04:38.123`, `1-02:03:04` of ps, with a zone glued to it.
fn clock(text: &[u8]) -> Option<usize> {
    let mut at = digits(text);
    if text.get(at) == Some(&b'-') && at <= 4 {
        let hours = text.get(at + 1..)?;
        if digits(hours) == 2 && hours.get(2) == Some(&b':') {
            at += 3;
        }
    }
    (1..=8).contains(&at).then_some(())?;
    let mut parts = 0;
    while text.get(at) == Some(&b':') && parts < 2 {
        let rest = text.get(at + 1..)?;
        let sixty = digits(rest) == 2 && rest.first().is_some_and(|byte| *byte < b'6');
        sixty.then_some(())?;
        at += 3;
        parts += 1;
    }
    (parts > 0).then_some(())?;
    if text.get(at).is_some_and(|byte| b".,".contains(byte)) {
        let fraction = digits(text.get(at + 1..).unwrap_or_default());
        at += if fraction > 0 { fraction + 1 } else { 0 };
    }
    let glued = match text.get(at) {
        Some(b'Z') => 1,
        Some(b'+' | b'-') => offset(text.get(at..)?).unwrap_or(0),
        _ => 0,
    };
    at += glued;
    (ends(text, at) && text.get(at) != Some(&b':') || is_sentence_end(text, at)).then_some(at)
}

/// A colon that ends what was said, as in `14:04: done`.
fn is_sentence_end(text: &[u8], at: usize) -> bool {
    text.get(at) == Some(&b':') && text.get(at + 1).is_none_or(|byte| b" \t\n".contains(byte))
}

/// `Sat Nov 21`, `Nov  1`, `Sat, 21 Nov`, `Sat 2026-11-21`.
fn named_date(text: &[u8]) -> Option<usize> {
    let weekday = name(text, &WEEKDAYS);
    let start = match weekday {
        Some(length) => length + gap(text.get(length..)?)?,
        None => 0,
    };
    let rest = text.get(start..)?;
    if weekday.is_some()
        && let Some(length) = iso_date(rest).or_else(|| day_first(rest))
    {
        return Some(start + length);
    }
    let month = month(rest)?;
    let after = month + gap(rest.get(month..)?)?;
    let day = rest.get(after..)?;
    let length = digits(day);
    ((1..=2).contains(&length) && ends(day, length)).then_some(start + after + length)
}

/// `21 Nov`, `21 Nov 2026`.
fn day_first(text: &[u8]) -> Option<usize> {
    let day = digits(text);
    let after = day + text.get(day..).filter(|_| day <= 2).and_then(gap)?;
    let length = after + month(text.get(after..)?)?;
    let after = text.get(length..).filter(|rest| rest.first() == Some(&b' '));
    let with_year = after.and_then(|rest| year(rest.get(1..)?)).map_or(0, |year| year + 1);
    ends(text, length).then_some(length + with_year)
}

fn month(text: &[u8]) -> Option<usize> {
    name(text, &MONTHS)
}

/// Length of a name of the list, or of a longer word that begins with it
/// (`November`), with a capital letter.
fn name(text: &[u8], list: &[&str]) -> Option<usize> {
    let word = word(text);
    let three = word.get(..3)?;
    let known = three.first().is_some_and(u8::is_ascii_uppercase)
        && list.iter().any(|name| three.eq_ignore_ascii_case(name.as_bytes()));
    let is_long = word.ends_with(b"day") || word.ends_with(b"ber") || word.ends_with(b"ary");
    (known && (word.len() == 3 || is_long)).then_some(word.len())
}

/// `12.5s`, `3 ms`, `1h2m3s`, `0m0.003s`, `5min 3.2s`, `3 days`.
fn duration(text: &[u8]) -> Option<usize> {
    let mut at = 0;
    let mut parts = 0;
    let mut strong = false;
    loop {
        let rest = text.get(at..)?;
        let Some(number) = number(rest) else { break };
        let blank = usize::from(rest.get(number) == Some(&b' '));
        let unit = letters(rest.get(number + blank..)?);
        let known = |list: &[&str]| list.iter().any(|known| known.as_bytes() == unit);
        let short = known(&UNITS);
        if !short && !known(&LONG_UNITS) {
            break;
        }
        strong |= short || unit.len() > 2;
        at += number + blank + unit.len();
        parts += 1;
        // Only units in a row may be glued: `1h2m3s`.
        if blank > 0 || !text.get(at).is_some_and(u8::is_ascii_digit) {
            break;
        }
    }
    let ends = !text.get(at).is_some_and(|byte| is_word(*byte));
    (parts > 0 && strong && ends).then_some(at)
}

fn number(text: &[u8]) -> Option<usize> {
    let whole = digits(text);
    (whole > 0).then_some(())?;
    let has_fraction = text.get(whole).is_some_and(|byte| b".,".contains(byte));
    let fraction = text.get(whole + 1..).map_or(0, digits);
    Some(if has_fraction && fraction > 0 { whole + 1 + fraction } else { whole })
}

/// One to three blanks and commas.
fn gap(text: &[u8]) -> Option<usize> {
    let length = text.iter().take_while(|byte| b" ,".contains(byte)).count();
    (1..=3).contains(&length).then_some(length)
}

fn digits(text: &[u8]) -> usize {
    text.iter().take_while(|byte| byte.is_ascii_digit()).count()
}

/// Letters, the micro sign included.
fn letters(text: &[u8]) -> &[u8] {
    let length =
        text.iter().take_while(|byte| byte.is_ascii_alphabetic() || **byte >= 0x80).count();
    text.get(..length).unwrap_or_default()
}

fn word(text: &[u8]) -> &[u8] {
    let length = text.iter().take_while(|byte| is_word(**byte)).count();
    text.get(..length).unwrap_or_default()
}

/// Whether a word ends at `at`.
fn ends(text: &[u8], at: usize) -> bool {
    text.get(at).is_none_or(|byte| !is_word(*byte))
}
