//! Durations as users type them: `30s`, `500ms`, `2m`, `1h`; a bare number is
//! seconds.

use std::time::Duration;

/// Longest duration anybody may ask for: a year.
const SECONDS_MAX: u64 = 366 * 86_400;

/// Reads a duration; for clap.
pub(crate) fn parse(text: &str) -> Result<Duration, String> {
    let digits = text.len() - text.trim_start_matches(|c: char| c.is_ascii_digit()).len();
    let (number, unit) = text.split_at(digits);
    let number: u64 = number.parse().map_err(|_| wrong())?;
    let duration = match unit {
        "ms" => Some(Duration::from_millis(number)),
        "" | "s" => Some(Duration::from_secs(number)),
        "m" => number.checked_mul(60).map(Duration::from_secs),
        "h" => number.checked_mul(3600).map(Duration::from_secs),
        _ => return Err(wrong()),
    };
    duration
        .filter(|duration| !duration.is_zero() && duration.as_secs() <= SECONDS_MAX)
        .ok_or_else(|| "a duration is more than nothing and less than a year".to_owned())
}

fn wrong() -> String {
    "write a number and a unit, as in 30s, 500ms, 2m or 1h".to_owned()
}

#[cfg(test)]
mod tests {
    use super::parse;
    use std::time::Duration;

    #[test]
    fn durations_have_units() {
        for (text, expected) in [
            ("30s", Some(30_000)),
            ("30", Some(30_000)),
            ("500ms", Some(500)),
            ("2m", Some(120_000)),
            ("1h", Some(3_600_000)),
            ("0", None),
            ("", None),
            ("s", None),
            ("1d", None),
            ("99999999999999999999s", None),
            ("18446744073709551615h", None),
        ] {
            assert_eq!(parse(text).ok(), expected.map(Duration::from_millis), "{text:?}");
        }
    }
}
