//! The listing of clusters.

use jiff::Timestamp;
use model::inventory::ClusterSummary;

use crate::age::age;
use crate::paint::Paint;
use crate::table::Table;

/// One line per cluster, by provider, region and name.
pub(crate) fn clusters(clusters: &[ClusterSummary], now: Timestamp, paint: Paint) -> Vec<String> {
    let mut sorted: Vec<&ClusterSummary> = clusters.iter().collect();
    sorted.sort_by(|a, b| (a.provider, &a.region, &a.name).cmp(&(b.provider, &b.region, &b.name)));
    let mut table =
        Table::new(&["Provider", "Region", "Cluster", "Nodes", "Age", "Condition", "Owner"]);
    for cluster in &sorted {
        table.row([
            cluster.provider.to_string(),
            cluster.region.clone(),
            cluster.name.to_string(),
            node_counts(cluster),
            age(cluster.created_at, now),
            cluster.condition.as_str().to_owned(),
            cluster.owner.clone(),
        ]);
    }
    let mut lines = table.lines(paint);
    for cluster in sorted {
        if let Some(note) = &cluster.note {
            lines.push(format!("{}: {}", cluster.name, crate::paint::printable(note)));
        }
    }
    lines
}

fn node_counts(cluster: &ClusterSummary) -> String {
    let each: Vec<String> = cluster
        .nodes
        .iter()
        .filter(|(_, count)| **count > 0)
        .map(|(state, count)| format!("{count} {state}"))
        .collect();
    if each.is_empty() { "none".to_owned() } else { each.join(", ") }
}
