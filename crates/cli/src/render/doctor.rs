//! What this machine can do for local nodes, for people.

use providers::local::doctor::{ClusterHealth, DoctorReport, SupervisorHealth};
use providers::local::rung::{CgroupKind, RungProbe};

use crate::paint::{Look, Paint, printable};
use crate::table::Table;

/// The report.
pub(crate) fn doctor(report: &DoctorReport, paint: Paint) -> Vec<String> {
    let mut lines = vec![verdict(report, paint), String::new()];
    lines.push(paint.text(Look::Strong, "Ways to make nodes, best first"));
    for probe in &report.rungs {
        lines.extend(way(probe, paint));
    }
    lines.push(String::new());
    lines.push(paint.text(Look::Strong, "This machine"));
    lines.extend(machine(report).lines(paint));
    lines.push(String::new());
    lines.push(paint.text(Look::Strong, "Nodes, about, and what bounds them"));
    let mut bounds = Table::bare(3).indented(2);
    for bound in &report.bounds {
        bounds.row([bound.nodes_max.to_string(), bound.what.clone(), bound.mend.clone()]);
    }
    lines.extend(bounds.lines(paint));
    if !report.clusters.is_empty() {
        lines.push(String::new());
        lines.push(paint.text(Look::Strong, "Clusters here"));
        let mut clusters = Table::bare(3).indented(2);
        for cluster in &report.clusters {
            clusters.row([
                cluster.name.clone(),
                format!("{} nodes", cluster.nodes),
                health(cluster),
            ]);
        }
        lines.extend(clusters.lines(paint));
    }
    if !report.notes.is_empty() {
        lines.push(String::new());
        lines.extend(report.notes.iter().map(|note| format!("note: {}", printable(note))));
    }
    lines
}

fn verdict(report: &DoctorReport, paint: Paint) -> String {
    match report.rung {
        Some(rung) => {
            let chosen = if report.rung_overridden { ", as you chose" } else { "" };
            let yes = paint.text(Look::Good, "This machine can hold nodes");
            format!("{yes}: made as {rung}{chosen}, with the {} ssh server.", report.ssh_server)
        }
        None => paint.text(Look::Bad, "This machine cannot hold nodes."),
    }
}

fn way(probe: &RungProbe, paint: Paint) -> Vec<String> {
    let word = if probe.works {
        paint.text(Look::Good, "works")
    } else {
        paint.text(Look::Doubtful, "does not work")
    };
    let mut lines = vec![format!("  {}: {word}", probe.rung)];
    if let Some(why) = &probe.why {
        lines.push(format!("    because: {}", printable(why)));
    }
    if let Some(mend) = &probe.mend {
        lines.push(format!("    to get it: {}", printable(mend)));
    }
    let optional = probe.steps.iter().filter(|step| !step.required);
    for step in optional.filter(|step| probe.works && step.error.is_some()) {
        let error = step.error.as_deref().unwrap_or_default();
        lines.push(format!("    without: {} ({})", step.name, printable(error)));
    }
    lines
}

fn machine(report: &DoctorReport) -> Table {
    let mut table = Table::bare(2).indented(2);
    let sshd = report.sshd.as_ref();
    let user = match report.user_id {
        0 => "root: nodes are real-root nodes and no security boundary".to_owned(),
        id => format!("number {id}"),
    };
    let limits = match &report.cgroups {
        CgroupKind::V1 => report.limits_kept.join(", "),
        CgroupKind::V2 => {
            format!("{} (control groups version 2: not yet proven)", report.limits_kept.join(", "))
        }
        CgroupKind::None { why } => format!("none: {why}"),
    };
    let store = &report.store;
    let room = match (&store.problem, store.bytes_free) {
        (Some(problem), _) => format!("{}: {problem}", store.path.display()),
        (None, Some(free)) => format!("{} ({} MiB free)", store.path.display(), free >> 20),
        (None, None) => store.path.display().to_string(),
    };
    table.row(["kernel", &report.kernel]);
    table.row(["user", &user]);
    table.row(["limits on nodes", &limits]);
    table.row([
        "sshd of the host",
        &sshd.map_or("none".to_owned(), |path| path.display().to_string()),
    ]);
    table.row(["node store", &room]);
    table
}

fn health(cluster: &ClusterHealth) -> String {
    match &cluster.supervisor {
        SupervisorHealth::Answers { pid, build } => format!("supervisor {pid} answers ({build})"),
        SupervisorHealth::NotRunning => "stopped".to_owned(),
        SupervisorHealth::Failing { why } => format!("supervisor does not answer well: {why}"),
        SupervisorHealth::Unreadable { why } => format!("cannot be read: {why}"),
    }
}
