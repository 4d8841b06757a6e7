//! The section of the page.

use std::fmt::Write;

use super::goals::{Goal, goals};
use super::results::{Results, Row, Spread};

/// Its heading.
pub(super) const HEADING: &str = "Many hosts over ssh";

const HEAD: &str = "\
One machine is client and servers, and all tools took turns within each round:

```
cargo xtask bench ssh --write
```

Two kinds of servers: **sshd** is OpenSSH's, 16 processes with 16 loopback
addresses each; **cheap** is a small server (`crates/transport/examples/cheap_sshd`)
that answers without starting anything, so that the client is what is measured.
Every tool has 64 hosts at once. `hybrid` is the key exchange that squall
chooses, ML-KEM with X25519; `x25519` is what the others have, offered by a
server that knows nothing else or asked for with `-oKexAlgorithms`. Squall, pdsh
and clush verify host keys; parallel-ssh does not.
";

const LEGEND: &str = "
- **CPU**: user and system, of the tool and all processes it started; **wall**:
  from its start to its end; **memory**: peak of the tool and all its processes
  together. Medians, lowest and highest in parentheses.
- **flood**: every host prints 10 MB in lines of 80 bytes; the tool puts the
  host before every line and writes to `/dev/null`.
- **put**: 10 MB that do not compress, into the home of every host. Squall
  compares hashes and renames at the end; the others do neither.
- **warm**: `true` on every host over sessions that are there; memory is what the
  process has more than before it connected, divided by the sessions, when all
  rounds are done.
- **squall's engine**: `crates/transport/examples/engine_rounds`, which is what
  the shell will use: the sessions and the dispatcher, without a command line.
";

/// The whole section, without its heading.
pub(super) fn section(facts: &[(&str, String)], results: &Results) -> String {
    let mut text = HEAD.to_owned();
    let _ = writeln!(text, "\n| | |\n|---|---|");
    for (label, value) in facts {
        let _ = writeln!(text, "| {label} | {value} |");
    }
    let _ = writeln!(text, "\n### Promises\n\n{}", promises(&goals(results)));
    let _ = writeln!(text, "### Measurements\n\n{}{LEGEND}", tables(results).trim_end());
    if !results.choices.is_empty() {
        let _ = writeln!(text, "Key exchange and cipher, as the cheap server saw them:\n");
        for (tool, choice) in &results.choices {
            let _ = writeln!(text, "- {tool}: {choice}");
        }
    }
    if !results.left_out.is_empty() {
        let _ = writeln!(text, "\nNot measured:\n");
        for what in &results.left_out {
            let _ = writeln!(text, "- {}", what.replace('\n', " "));
        }
    }
    text.trim_end().to_owned() + "\n"
}

/// What was promised and what came of it.
pub(super) fn promises(goals: &[Goal]) -> String {
    let mut text = "| promise | wanted | measured | |\n|---|--:|--:|---|\n".to_owned();
    for Goal { what, wanted, got, is_met } in goals {
        let verdict = match (got, is_met) {
            (None, _) => "not measured",
            (_, true) => "met",
            (_, false) => "**missed**",
        };
        let got = got.as_deref().unwrap_or("–");
        let _ = writeln!(text, "| {what} | {wanted} | {got} | {verdict} |");
    }
    text
}

/// All measurements.
pub(super) fn tables(results: &Results) -> String {
    let mut text = String::new();
    if !results.rows.is_empty() {
        text.push_str("| case | hosts | server | tool | runs | CPU | wall | memory |\n");
        text.push_str("|---|--:|---|---|--:|--:|--:|--:|\n");
    }
    for row in &results.rows {
        let _ = writeln!(text, "{}", line(row));
    }
    if results.warm.is_empty() {
        return text;
    }
    text.push_str("\n| warm | hosts | rounds | round | CPU a command | memory a session |\n");
    text.push_str("|---|--:|--:|--:|--:|--:|\n");
    for warm in &results.warm {
        let _ = writeln!(
            text,
            "| {} | {} | {} | {} ms | {:.0} µs | {:.0} KiB |",
            warm.tool,
            warm.nodes,
            warm.rounds,
            spread(warm.round_ms, 0),
            warm.cpu_us_per_command,
            warm.kib_per_session
        );
    }
    text
}

fn line(row: &Row) -> String {
    let Row { case, site, nodes, tool, samples } = row;
    let late = if row.timed_out() { ", not done" } else { "" };
    format!(
        "| {case} | {nodes} | {site} | {tool}{late} | {} | {} s | {} s | {:.0} MiB |",
        samples.len(),
        spread(row.cpu_s(), 2),
        spread(row.wall_s(), 2),
        row.peak_mib().high
    )
}

fn spread(values: Spread, digits: usize) -> String {
    let Spread { median, low, high } = values;
    if low == high {
        return format!("{median:.digits$}");
    }
    format!("{median:.digits$} ({low:.digits$} – {high:.digits$})")
}

#[cfg(test)]
mod tests {
    use super::super::measure::Sample;
    use super::*;

    #[test]
    fn a_row_shows_medians_with_their_spread() {
        let sample = |wall_s| Sample { wall_s, cpu_s: 0.2, peak_mib: 12.0, timed_out: false };
        let samples = [0.5, 0.25, 1.0].map(sample).into();
        let row = Row { case: "cold", site: "sshd", nodes: 64, tool: "squall", samples };
        assert_eq!(
            line(&row),
            "| cold | 64 | sshd | squall | 3 | 0.20 s | 0.50 (0.25 – 1.00) s | 12 MiB |"
        );
    }
}
