//! The section of the page on local nodes.

use std::fmt::Write;

/// What one round measured.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Sample {
    /// From the start of `create` until ssh answers on all nodes.
    pub(crate) create_s: f64,
    /// Processor time of `create` itself.
    pub(crate) client_cpu_s: f64,
    /// Processor time of the supervisor and the nodes up to then.
    pub(crate) nodes_cpu_s: f64,
    /// Memory of supervisor and nodes.
    pub(crate) pss_bytes: f64,
    /// Memory charged to the control groups of the nodes.
    pub(crate) charged_bytes: Option<f64>,
    /// `run '*' -- true`.
    pub(crate) run_s: f64,
    /// `delete`.
    pub(crate) delete_s: f64,
}

/// All rounds of one size and one user.
#[derive(Debug)]
pub(crate) struct Row {
    /// How many nodes.
    pub(crate) nodes: u32,
    /// Who ran it.
    pub(crate) runner: &'static str,
    /// One per round; at least one.
    pub(crate) samples: Vec<Sample>,
}

const HEAD: &str = "\
How long it takes until ssh answers on all nodes of a cluster on one machine,
and what the nodes cost. Measured through the built binary by

```
cargo xtask bench local --write
```

";

const LEGEND: &str = "
- **create**: wall time of `squall create`, which ends when every node has let
  us in over ssh; lowest and highest round in parentheses, else medians.
- **CPU/node**: processor time, user and system, divided by the nodes: of
  `squall create` itself, and of the supervisor with all nodes until then.
- **PSS/node**: memory of supervisor and nodes, shared pages by their share,
  divided by the nodes. **charged/node**: what the control groups of the nodes
  are charged with, the kernel's memory included; – where nodes have no groups.
- **run**: `squall run '*' -- true`. **delete**: until nothing is left.

The shell and C prototype this started from took 63 + 4 ms of processor time
and 2.1 MiB per node.
";

/// The whole section, without its heading.
pub(crate) fn section(facts: &[(&str, String)], rows: &[Row]) -> String {
    let mut page = HEAD.to_owned();
    let _ = writeln!(page, "| | |\n|---|---|");
    for (label, value) in facts {
        let _ = writeln!(page, "| {label} | {value} |");
    }
    let _ = writeln!(page, "\n{}{LEGEND}", table(rows).trim_end());
    page.trim_end().to_owned() + "\n"
}

/// The results only.
pub(crate) fn table(rows: &[Row]) -> String {
    let mut table = "| nodes | as | create | CPU/node: create | CPU/node: nodes | PSS/node \
                     | charged/node | run | delete |\n|--:|---|---|--:|--:|--:|--:|--:|--:|\n"
        .to_owned();
    for row in rows {
        let n = f64::from(row.nodes);
        let middle = |of: &dyn Fn(&Sample) -> f64| median(row.samples.iter().map(of).collect());
        let mib = |bytes: f64| format!("{:.2} MiB", bytes / n / 1024.0 / 1024.0);
        let charged: Option<Vec<f64>> = row.samples.iter().map(|s| s.charged_bytes).collect();
        let creates = row.samples.iter().map(|sample| sample.create_s);
        let (low, high) = creates.fold((f64::MAX, 0.0_f64), |(l, h), s| (l.min(s), h.max(s)));
        let _ = writeln!(
            table,
            "| {} | {} | {:.2} s ({low:.2} – {high:.2}) | {:.1} ms | {:.1} ms | {} | {} | {:.2} s | {:.2} s |",
            row.nodes,
            row.runner,
            middle(&|s| s.create_s),
            middle(&|s| s.client_cpu_s) * 1000.0 / n,
            middle(&|s| s.nodes_cpu_s) * 1000.0 / n,
            mib(middle(&|s| s.pss_bytes)),
            charged.map_or_else(|| "–".to_owned(), |amounts| mib(median(amounts))),
            middle(&|s| s.run_s),
            middle(&|s| s.delete_s),
        );
    }
    table
}

/// The value in the middle, or between the middle two.
pub(crate) fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    let half = values.len() / 2;
    match (values.get(half.wrapping_sub(1)), values.get(half)) {
        (Some(low), Some(high)) if values.len().is_multiple_of(2) => f64::midpoint(*low, *high),
        (_, Some(middle)) => *middle,
        _ => f64::NAN,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_shows_medians_per_node() {
        let sample = |create_s| Sample {
            create_s,
            client_cpu_s: 0.2,
            nodes_cpu_s: 0.4,
            pss_bytes: 4.0 * 1024.0 * 1024.0,
            charged_bytes: None,
            run_s: 0.125,
            delete_s: 0.5,
        };
        let rows = [Row { nodes: 2, runner: "user", samples: [3.0, 1.0, 2.0].map(sample).into() }];
        assert_eq!(
            table(&rows).lines().last(),
            Some(
                "| 2 | user | 2.00 s (1.00 – 3.00) | 100.0 ms | 200.0 ms | 2.00 MiB | – | 0.12 s | 0.50 s |"
            )
        );
    }

    #[test]
    fn the_median_of_an_even_number_is_between_the_middle_two() {
        assert!((median(vec![4.0, 1.0, 3.0, 2.0]) - 2.5).abs() < 1e-9);
        assert!((median(vec![5.0]) - 5.0).abs() < 1e-9);
    }
}
