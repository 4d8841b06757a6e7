//! The listing of nodes, under their clusters.

use jiff::Timestamp;
use model::inventory::ObservedNode;
use model::node::NodeState;

use super::place;
use crate::age::age;
use crate::paint::{Look, Paint, printable};
use crate::table::Table;
use crate::view::{ClusterView, Declared, Shown};

/// Columns of every listing of nodes, in the words users filter on.
const HEADINGS: [&str; 6] = ["Name", "Instance", "State", "ID", "ext_IP", "int_IP"];
/// Columns that `-v` adds.
const MORE_HEADINGS: [&str; 6] = ["Pool", "Role", "Image", "User", "Up", "Reason"];

/// The state of a node that is declared and not there.
const ABSENT: &str = "absent";

/// How much is shown of a node.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Detail {
    /// One line.
    Line,
    /// One longer line.
    LongLine,
    /// Every property, one per line.
    Everything,
}

/// Nodes under their clusters.
pub(crate) fn nodes(
    clusters: &[(&ClusterView, Vec<Shown<'_>>)],
    detail: Detail,
    now: Timestamp,
    paint: Paint,
) -> Vec<String> {
    let mut lines = Vec::new();
    for (cluster, shown) in clusters {
        if !lines.is_empty() {
            lines.push(String::new());
        }
        lines.push(heading(cluster, paint));
        if shown.is_empty() && cluster.unknown().is_none() {
            lines.push("  no nodes".to_owned());
        } else if detail == Detail::Everything {
            for node in shown {
                lines.extend(everything(node, paint));
            }
        } else if !shown.is_empty() {
            lines.extend(table(shown, detail, now, paint));
        }
    }
    lines
}

fn heading(cluster: &ClusterView, paint: Paint) -> String {
    let inventory = &cluster.inventory;
    let mut facts = vec![place(inventory.provider, &inventory.region)];
    if let Some(record) = inventory.record() {
        facts.push(format!("generation {}", record.accepted));
        facts.push(record.condition().as_str().to_owned());
    }
    if let Some(reason) = cluster.unknown() {
        facts.push(format!("cannot be read: {}", printable(reason)));
    }
    let name = paint.text(Look::Strong, &inventory.cluster);
    format!("{name} ({})", facts.join(", "))
}

fn table(shown: &[Shown<'_>], detail: Detail, now: Timestamp, paint: Paint) -> Vec<String> {
    let mut headings = HEADINGS.to_vec();
    if detail == Detail::LongLine {
        headings.extend(MORE_HEADINGS);
    }
    let mut table = Table::new(&headings).indented(2);
    for node in shown {
        table.row(match node {
            Shown::There(node) => cells(node, detail, now),
            Shown::Absent(declared) => absent_cells(declared, detail),
        });
    }
    table.lines(paint)
}

fn cells(node: &ObservedNode, detail: Detail, now: Timestamp) -> Vec<String> {
    let mut cells = vec![
        node.name.to_string(),
        node.instance_type.clone(),
        node.state.to_string(),
        node.id.to_string(),
        node.external_ip.clone().unwrap_or_default(),
        node.internal_ip.clone().unwrap_or_default(),
    ];
    if detail == Detail::LongLine {
        let up = node.started_at.filter(|_| node.state == NodeState::Running);
        cells.extend([
            node.pool.to_string(),
            node.role.clone(),
            node.image.clone(),
            node.username.clone(),
            up.map(|since| age(since, now)).unwrap_or_default(),
            node.state_reason.clone().unwrap_or_default(),
        ]);
    }
    cells
}

fn absent_cells(declared: &Declared, detail: Detail) -> Vec<String> {
    let mut cells = vec![
        declared.name.to_string(),
        declared.instance_type.clone(),
        ABSENT.to_owned(),
        String::new(),
        String::new(),
        String::new(),
    ];
    if detail == Detail::LongLine {
        cells.extend([
            declared.pool.to_string(),
            declared.role.clone(),
            declared.image.clone(),
            String::new(),
            String::new(),
            "declared, and not at the provider".to_owned(),
        ]);
    }
    cells
}

fn everything(node: &Shown<'_>, paint: Paint) -> Vec<String> {
    let mut lines = vec![format!("  {}:", paint.text(Look::Strong, node.name()))];
    let pairs = match node {
        Shown::There(node) => properties(node),
        Shown::Absent(declared) => vec![
            ("state".to_owned(), ABSENT.to_owned()),
            ("pool".to_owned(), declared.pool.to_string()),
            ("role".to_owned(), declared.role.clone()),
            ("instance_type".to_owned(), declared.instance_type.clone()),
            ("image".to_owned(), declared.image.clone()),
        ],
    };
    lines.extend(
        pairs
            .into_iter()
            .map(|(key, value)| format!("    {}: {}", printable(&key), printable(&value))),
    );
    lines
}

fn properties(node: &ObservedNode) -> Vec<(String, String)> {
    let mut pairs: Vec<(String, String)> = Vec::new();
    let mut put = |key: &str, value: Option<String>| {
        pairs.extend(value.map(|value| (key.to_owned(), value)));
    };
    put("id", Some(node.id.to_string()));
    put("state", Some(node.state.to_string()));
    put("state_reason", node.state_reason.clone());
    put("pool", Some(node.pool.to_string()));
    put("role", Some(node.role.clone()));
    put("instance_type", Some(node.instance_type.clone()));
    put("image", Some(node.image.clone()));
    put("external_ip", node.external_ip.clone());
    put("internal_ip", node.internal_ip.clone());
    let ssh = node.endpoint.as_ref();
    put("ssh_address", ssh.map(ToString::to_string));
    put("username", Some(node.username.clone()));
    put("host_key", node.host_key.clone());
    put("generation", Some(node.generation.to_string()));
    put("digest", Some(node.digest.clone()));
    put("created_at", Some(node.created_at.to_string()));
    put("started_at", node.started_at.map(|at| at.to_string()));
    let tags = node.tags.iter();
    pairs.extend(tags.map(|(key, value)| (format!("tags.{key}"), value.clone())));
    let rest: Vec<(String, String)> = node
        .properties
        .iter()
        .filter(|(key, _)| pairs.iter().all(|(known, _)| known != *key))
        .map(|(key, value)| (key.clone(), value.clone()))
        .collect();
    pairs.extend(rest);
    pairs
}
