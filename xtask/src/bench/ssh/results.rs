//! Samples of many runs, and what they come to.

use super::measure::Sample;
use crate::bench::table::median;

/// All samples of one tool in one case.
#[derive(Debug, Clone)]
pub(super) struct Row {
    /// What was measured, as [`Case`](super::cases) names it.
    pub(super) case: &'static str,
    /// Against which server.
    pub(super) site: &'static str,
    /// On how many hosts.
    pub(super) nodes: usize,
    /// Which tool, and how.
    pub(super) tool: &'static str,
    pub(super) samples: Vec<Sample>,
}

impl Row {
    pub(super) fn cpu_s(&self) -> Spread {
        self.spread(|sample| sample.cpu_s)
    }

    pub(super) fn wall_s(&self) -> Spread {
        self.spread(|sample| sample.wall_s)
    }

    pub(super) fn peak_mib(&self) -> Spread {
        self.spread(|sample| sample.peak_mib)
    }

    /// Whether a run was ended before it was done.
    pub(super) fn timed_out(&self) -> bool {
        self.samples.iter().any(|sample| sample.timed_out)
    }

    fn spread(&self, of: impl Fn(&Sample) -> f64) -> Spread {
        Spread::of(&self.samples.iter().map(of).collect::<Vec<_>>())
    }
}

/// Median, lowest and highest.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Spread {
    pub(super) median: f64,
    pub(super) low: f64,
    pub(super) high: f64,
}

impl Spread {
    pub(super) fn of(values: &[f64]) -> Self {
        Self {
            median: median(values.to_vec()),
            low: values.iter().copied().fold(f64::MAX, f64::min),
            high: values.iter().copied().fold(f64::MIN, f64::max),
        }
    }
}

/// All rows, in the order in which they were first measured.
#[derive(Debug, Default)]
pub(super) struct Results {
    pub(super) rows: Vec<Row>,
    /// What does not fit a row of runs.
    pub(super) warm: Vec<Warm>,
    /// What was not measured, and why.
    pub(super) left_out: Vec<String>,
    /// Which key exchange and cipher the tools had with which server.
    pub(super) choices: Vec<(String, String)>,
}

/// A tool that keeps its sessions.
#[derive(Debug, Clone)]
pub(super) struct Warm {
    pub(super) tool: &'static str,
    pub(super) nodes: usize,
    pub(super) round_ms: Spread,
    pub(super) rounds: usize,
    pub(super) cpu_us_per_command: f64,
    pub(super) kib_per_session: f64,
}

impl Results {
    pub(super) fn add(
        &mut self,
        (case, site, nodes, tool): (&'static str, &'static str, usize, &'static str),
        sample: Sample,
    ) {
        let is_it =
            |row: &&mut Row| (row.case, row.site, row.nodes, row.tool) == (case, site, nodes, tool);
        match self.rows.iter_mut().find(is_it) {
            Some(row) => row.samples.push(sample),
            None => self.rows.push(Row { case, site, nodes, tool, samples: vec![sample] }),
        }
    }

    /// A row, if it was measured.
    pub(super) fn find(&self, case: &str, site: &str, nodes: usize, tool: &str) -> Option<&Row> {
        self.rows
            .iter()
            .find(|row| (row.case, row.site, row.nodes, row.tool) == (case, site, nodes, tool))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn samples_of_one_tool_come_together() {
        let mut results = Results::default();
        for wall_s in [3.0, 1.0, 2.0] {
            results.add(("cold", "cheap", 64, "squall"), Sample { wall_s, ..Sample::default() });
        }
        results.add(("cold", "cheap", 64, "pdsh"), Sample::default());
        assert_eq!(results.rows.len(), 2);
        let row = results.find("cold", "cheap", 64, "squall").expect("it was added");
        let wall_s = row.wall_s();
        assert_eq!((wall_s.median, wall_s.low, wall_s.high), (2.0, 1.0, 3.0));
    }
}
