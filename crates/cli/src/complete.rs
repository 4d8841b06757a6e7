//! What a shell is offered while a command line is typed: clusters, nodes and
//! targets. Answers within a moment or not at all, and never says anything
//! else.

use std::ffi::OsStr;
use std::future::Future;
use std::time::Duration;

use clap_complete::engine::CompletionCandidate;
use controller::Journal;
use model::inventory::ClusterSummary;

use crate::paths::Paths;
use crate::view::ClusterView;
use crate::world::World;

/// The environment variable by which a shell's script asks for candidates.
pub(crate) const ACTIVATION_VARIABLE: &str = "SQUALL_COMPLETE";

/// Longest time that a person who pressed Tab is kept waiting.
const PATIENCE: Duration = Duration::from_secs(2);

/// Most candidates that are offered.
const CANDIDATES_MAX: usize = 500;

/// Names of clusters.
pub(crate) fn clusters(current: &OsStr) -> Vec<CompletionCandidate> {
    let names = ask(|world| async move {
        let clusters = world.clusters().await.clusters;
        clusters.iter().map(named).collect()
    });
    fitting(current, names)
}

/// Names of nodes in scope, of clusters, and `CLUSTER:NODE` after a colon. The
/// last part of a union is completed.
pub(crate) fn targets(current: &OsStr) -> Vec<CompletionCandidate> {
    let typed = current.to_string_lossy().into_owned();
    let names = ask(|world| async move {
        let clusters = world.clusters().await.clusters;
        let within = std::env::var("SQUALL_CLUSTER").ok();
        let mut names = Vec::new();
        for cluster in &clusters {
            let nodes = nodes(&world, cluster).await;
            let name = cluster.name.as_str();
            let bare = clusters.len() == 1
                || within.as_deref().is_some_and(|within| within.eq_ignore_ascii_case(name));
            for (node, state) in nodes {
                if bare {
                    names.push((node.clone(), state.clone()));
                }
                names.push((format!("{name}:{node}"), state));
            }
        }
        names.extend(clusters.iter().map(named));
        names
    });
    let (before, last) = split_union(&typed);
    let mut candidates = fitting(OsStr::new(last), names);
    if !last.contains(':') {
        // Qualified names are for those who began to write one.
        candidates.retain(|candidate| !candidate.get_value().to_string_lossy().contains(':'));
    }
    candidates.into_iter().map(|candidate| candidate.add_prefix(before)).collect()
}

/// What is before the part that is being typed, and that part. A comma within
/// brackets joins numbers, not targets.
fn split_union(typed: &str) -> (&str, &str) {
    let mut depth = 0_usize;
    let mut cut = 0;
    for (at, character) in typed.char_indices() {
        match character {
            '[' => depth += 1,
            ']' => depth = depth.saturating_sub(1),
            ',' | '!' | '&' | '^' if depth == 0 => cut = at + 1,
            _ => {}
        }
    }
    typed.split_at(cut)
}

fn named(cluster: &ClusterSummary) -> (String, String) {
    let count: usize = cluster.nodes.values().sum();
    let what = format!("cluster on {}, nodes: {count}", cluster.provider);
    (cluster.name.to_string(), what)
}

async fn nodes(world: &World, cluster: &ClusterSummary) -> Vec<(String, String)> {
    let Ok(inventory) = world.observe(cluster).await else {
        return Vec::new();
    };
    let view = ClusterView::new(inventory);
    let nodes = view.inventory.nodes().iter();
    nodes
        .filter(|node| node.state.exists())
        .map(|node| (node.name.to_string(), node.state.to_string()))
        .collect()
}

fn fitting(current: &OsStr, names: Vec<(String, String)>) -> Vec<CompletionCandidate> {
    let typed = current.to_string_lossy();
    names
        .into_iter()
        .filter(|(name, _)| name.starts_with(typed.as_ref()))
        .take(CANDIDATES_MAX)
        .map(|(name, what)| CompletionCandidate::new(name).help(Some(what.into())))
        .collect()
}

fn ask<F>(question: impl FnOnce(World) -> F) -> Vec<(String, String)>
where
    F: Future<Output = Vec<(String, String)>>,
{
    let answer = || {
        let world = World::open(&Paths::discover().ok()?, &Journal::off()).ok()?;
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().ok()?;
        let asked =
            runtime.block_on(async { tokio::time::timeout(PATIENCE, question(world)).await });
        runtime.shutdown_background();
        asked.ok()
    };
    answer().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::split_union;

    #[test]
    fn the_last_part_of_a_union_is_completed() {
        for (typed, expected) in [
            ("", ("", "")),
            ("wor", ("", "wor")),
            ("worker1,ma", ("worker1,", "ma")),
            ("worker[1,3", ("", "worker[1,3")),
            ("worker[1,3],m", ("worker[1,3],", "m")),
            ("*!w", ("*!", "w")),
        ] {
            assert_eq!(split_union(typed), expected, "{typed}");
        }
    }
}
