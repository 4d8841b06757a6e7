//! What squall promises, held against what was measured.

use super::results::{Results, Row};
use super::sites::{HOMES, HYBRID, X25519};

/// A promise.
#[derive(Debug)]
pub(super) struct Goal {
    pub(super) what: &'static str,
    /// The bound, as it is written.
    pub(super) wanted: &'static str,
    /// What was measured, as it is written; none when it was not.
    pub(super) got: Option<String>,
    pub(super) is_met: bool,
}

/// All promises.
pub(super) fn goals(results: &Results) -> Vec<Goal> {
    let cold = |site: &str, tool: &str| results.find("cold", site, 256, tool);
    let ratio =
        |other: Option<&Row>, of: fn(&Row) -> f64| Some(of(other?) / of(cold(HYBRID, "squall")?));
    let cpu = |row: &Row| row.cpu_s().median;
    let wall = |row: &Row| row.wall_s().median;
    let (python, pdsh) = (cold(X25519, "parallel-ssh"), cold(X25519, "pdsh"));
    let warm = results.warm.iter().find(|warm| warm.tool == "squall's engine");
    let warm = warm.filter(|warm| warm.nodes == 1000);
    let flood = results.find("flood", HYBRID, 64, "squall");
    let put = results.find("put", HOMES, 64, "squall");
    let megabytes = |row: &Row| 64.0 * 10.0 / wall(row);
    vec![
        at_least("cold 256, CPU of parallel-ssh to squall's", "≥ 2", ratio(python, cpu), 2.0, "×"),
        at_least(
            "cold 256, wall of parallel-ssh to squall's",
            "≥ 2.5",
            ratio(python, wall),
            2.5,
            "×",
        ),
        at_least("cold 256, CPU of pdsh to squall's", "≥ 15", ratio(pdsh, cpu), 15.0, "×"),
        at_most("warm round to 1,000", "≤ 120 ms", warm.map(|w| w.round_ms.median), 120.0, "ms"),
        at_most(
            "CPU of a warm command",
            "≤ 100 µs",
            warm.map(|w| w.cpu_us_per_command),
            100.0,
            "µs",
        ),
        at_most(
            "memory of a session after 200 rounds",
            "≤ 100 KiB",
            warm.map(|w| w.kib_per_session),
            100.0,
            "KiB",
        ),
        at_least("flood of 64 × 10 MB", "≥ 150 MB/s", flood.map(megabytes), 150.0, "MB/s"),
        at_most("peak memory of that", "≤ 128 MiB", flood.map(|r| r.peak_mib().high), 128.0, "MiB"),
        at_most("CPU of a verified put of 10 MB to 64", "≤ 1.5 s", put.map(cpu), 1.5, "s"),
    ]
}

fn at_least(
    what: &'static str,
    wanted: &'static str,
    got: Option<f64>,
    bound: f64,
    unit: &str,
) -> Goal {
    let is_met = got.is_some_and(|got| got >= bound);
    Goal { what, wanted, got: got.map(|got| format!("{} {unit}", digits(got))), is_met }
}

fn at_most(
    what: &'static str,
    wanted: &'static str,
    got: Option<f64>,
    bound: f64,
    unit: &str,
) -> Goal {
    let is_met = got.is_some_and(|got| got <= bound);
    Goal { what, wanted, got: got.map(|got| format!("{} {unit}", digits(got))), is_met }
}

fn digits(value: f64) -> String {
    if value < 10.0 { format!("{value:.2}") } else { format!("{value:.0}") }
}

#[cfg(test)]
mod tests {
    use super::super::measure::Sample;
    use super::*;

    #[test]
    fn a_promise_is_met_missed_or_not_measured() {
        let mut results = Results::default();
        let sample = |wall_s, cpu_s| Sample { wall_s, cpu_s, ..Sample::default() };
        results.add(("cold", HYBRID, 256, "squall"), sample(0.3, 0.2));
        results.add(("cold", X25519, 256, "parallel-ssh"), sample(0.6, 0.5));
        let goals = goals(&results);
        let seen: Vec<_> = goals.iter().map(|goal| (goal.got.as_deref(), goal.is_met)).collect();
        assert_eq!(seen[..3], [(Some("2.50 ×"), true), (Some("2.00 ×"), false), (None, false)]);
    }
}
