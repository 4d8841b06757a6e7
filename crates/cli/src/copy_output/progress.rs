//! The line of progress of a copy: how much, how fast, how long to go.

use std::time::{Duration, Instant};

use super::size::size;
use crate::output::Printer;
use crate::progress_line::ProgressLine;

/// How often the line is made anew.
pub(super) const TICK: Duration = Duration::from_millis(200);

/// The rate is taken over the time since about so long ago.
const RATE_TIME: Duration = Duration::from_secs(3);

/// How far everything is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Standing {
    pub(super) moved: u64,
    pub(super) expected: u64,
    pub(super) nodes: usize,
    pub(super) done: usize,
    pub(super) failed: usize,
}

/// The line with its rate.
#[derive(Debug)]
pub(super) struct CopyLine {
    line: ProgressLine,
    rate: Rate,
}

impl CopyLine {
    pub(super) fn new(printer: Printer) -> Self {
        Self { line: ProgressLine::new(printer), rate: Rate::default() }
    }

    pub(super) fn show(&mut self, standing: Standing) {
        self.rate.take(Instant::now(), standing.moved);
        let per_second = self.rate.per_second();
        self.line.show(|| message(standing, per_second));
    }

    /// Takes it away for good.
    pub(super) fn end(&self) {
        self.line.end();
    }
}

/// How fast it goes: the last two points that are far enough apart.
#[derive(Debug, Default)]
struct Rate {
    from: Option<(Instant, u64)>,
    since: Option<(Instant, u64)>,
    per_second: Option<u64>,
}

impl Rate {
    fn take(&mut self, now: Instant, moved: u64) {
        let since = *self.since.get_or_insert((now, moved));
        let (at, before) = *self.from.get_or_insert(since);
        let elapsed = now.saturating_duration_since(at).as_millis();
        if let Some(rate) =
            u128::from(moved.saturating_sub(before)).saturating_mul(1000).checked_div(elapsed)
        {
            self.per_second = u64::try_from(rate).ok();
        }
        if now.saturating_duration_since(since.0) > RATE_TIME {
            self.from = self.since.replace((now, moved));
        }
    }

    const fn per_second(&self) -> Option<u64> {
        self.per_second
    }
}

fn message(standing: Standing, per_second: Option<u64>) -> String {
    let Standing { moved, expected, nodes, done, failed } = standing;
    let mut parts = Vec::new();
    parts.push(match expected {
        0 => size(moved),
        _ => format!("{} of {}", size(moved.min(expected)), size(expected)),
    });
    parts.push(format!("{done}/{nodes} done"));
    if failed > 0 {
        parts.push(format!("{failed} failed"));
    }
    if let Some(rate) = per_second.filter(|rate| *rate > 0) {
        parts.push(format!("{}/s", size(rate)));
        let left = expected.saturating_sub(moved).div_ceil(rate);
        if left > 0 {
            parts.push(format!("{} left", time(left)));
        }
    }
    parts.join(", ")
}

fn time(seconds: u64) -> String {
    match seconds {
        0..60 => format!("{seconds} s"),
        60..3600 => format!("{} min {} s", seconds / 60, seconds % 60),
        _ => format!("{} h {} min", seconds / 3600, seconds % 3600 / 60),
    }
}

#[cfg(test)]
mod tests {
    use super::{Rate, Standing, message};
    use std::time::{Duration, Instant};

    #[test]
    fn the_line_says_how_far_it_is() {
        let standing =
            Standing { moved: 3 << 20, expected: 64 << 20, nodes: 64, done: 2, failed: 1 };
        assert_eq!(
            message(standing, Some(1 << 20)),
            "3.0 MiB of 64.0 MiB, 2/64 done, 1 failed, 1.0 MiB/s, 1 min 1 s left"
        );
        let standing = Standing { nodes: 1, ..Standing::default() };
        assert_eq!(message(standing, None), "0 B, 0/1 done");
    }

    #[test]
    fn the_rate_is_that_of_the_last_seconds() {
        let (mut rate, begin) = (Rate::default(), Instant::now());
        for second in 0..20_u64 {
            let moved = if second < 10 { second * 1000 } else { 10_000 + (second - 10) * 50_000 };
            rate.take(begin + Duration::from_secs(second), moved);
        }
        let seen = rate.per_second().unwrap();
        assert!((40_000..=60_000).contains(&seen), "{seen}");
    }
}
