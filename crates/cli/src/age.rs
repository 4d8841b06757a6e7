//! Times as people read them: ages in listings, clock times in timelines.

use jiff::Timestamp;
use jiff::tz::TimeZone;

/// How long ago something was, in its largest unit or two: `42s`, `5m`,
/// `3h12m`, `2d4h`. What lies ahead, as clocks differ, is `0s`.
pub(crate) fn age(since: Timestamp, now: Timestamp) -> String {
    duration(now.as_second().saturating_sub(since.as_second()))
}

/// A duration in seconds, as [`age`] writes it.
pub(crate) fn duration(seconds: i64) -> String {
    let seconds = seconds.max(0);
    let (minutes, hours, days) = (seconds / 60, seconds / 3600, seconds / 86_400);
    match (days, hours, minutes) {
        (0, 0, 0) => format!("{seconds}s"),
        (0, 0, _) => format!("{minutes}m"),
        (0, _, _) => with_rest(hours, "h", minutes % 60, "m"),
        _ => with_rest(days, "d", hours % 24, "h"),
    }
}

fn with_rest(large: i64, unit: &str, small: i64, small_unit: &str) -> String {
    if small == 0 { format!("{large}{unit}") } else { format!("{large}{unit}{small}{small_unit}") }
}

/// The local clock time, to the second.
pub(crate) fn clock(at: Timestamp, zone: &TimeZone) -> String {
    at.to_zoned(zone.clone()).strftime("%Y-%m-%d %H:%M:%S").to_string()
}

#[cfg(test)]
mod tests {
    use super::{age, clock, duration};
    use jiff::Timestamp;
    use jiff::tz::TimeZone;

    #[test]
    fn ages_use_their_largest_units() {
        for (seconds, expected) in [
            (-5, "0s"),
            (0, "0s"),
            (59, "59s"),
            (60, "1m"),
            (3599, "59m"),
            (3600, "1h"),
            (11_520, "3h12m"),
            (86_400, "1d"),
            (187_200, "2d4h"),
        ] {
            assert_eq!(duration(seconds), expected, "{seconds}");
        }
    }

    #[test]
    fn clock_times_are_to_the_second() {
        let at = Timestamp::from_second(1_789_000_000).unwrap();
        assert_eq!(clock(at, &TimeZone::UTC), "2026-09-10 00:26:40");
        assert_eq!(age(at, at), "0s");
    }
}
