//! What a shell is offered while a command line is typed: clusters, and what
//! may stand in a target. Answers within a moment or not at all, and never says
//! anything else.

use std::collections::BTreeSet;
use std::ffi::OsStr;
use std::future::Future;
use std::time::Duration;

use clap_complete::engine::CompletionCandidate;
use controller::Journal;
use model::inventory::ClusterSummary;
use model::target::{CandidateKind, Scope, complete_at};

use crate::paths::Paths;
use crate::world::World;
use crate::{scope, settings};

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
        clusters.iter().map(named).collect::<Vec<_>>()
    });
    let typed = current.to_string_lossy();
    let names = names.unwrap_or_default().into_iter();
    let fitting = names.filter(|(name, _)| name.starts_with(typed.as_ref()));
    fitting.take(CANDIDATES_MAX).map(|(name, what)| offered(name, what)).collect()
}

/// What may stand where a target ends that is being typed.
pub(crate) fn targets(current: &OsStr) -> Vec<CompletionCandidate> {
    let typed = current.to_string_lossy();
    let scope = ask(|world| async move { Some(scope_of(&world).await) }).flatten();
    let (range, found) = complete_at(&typed, typed.len(), &scope.unwrap_or_default());
    let before = typed.get(..range.start).unwrap_or_default();
    // Result words need a run, which only a shell knows of.
    let known = found.into_iter().filter(|one| one.kind != CandidateKind::Result);
    known
        .take(CANDIDATES_MAX)
        .map(|one| offered(format!("{before}{}", one.text), one.help))
        .collect()
}

/// What targets are taken from, as far as can be seen.
async fn scope_of(world: &World) -> Scope {
    let summaries = world.clusters().await.clusters;
    let clusters: BTreeSet<String> = summaries.iter().map(|c| c.name.to_string()).collect();
    let said = std::env::var("SQUALL_CLUSTER").ok().filter(|name| !name.is_empty());
    let within = match (said, summaries.as_slice()) {
        (Some(said), _) => clusters.iter().find(|name| name.eq_ignore_ascii_case(&said)).cloned(),
        (None, [only]) => Some(only.name.to_string()),
        (None, _) => None,
    };
    let observed = scope::observe(world, summaries).await.unwrap_or_default();
    let sets = Paths::discover().and_then(|paths| settings::read(&paths));
    let there = observed.places.iter().map(|(_, which)| which.exists());
    let members = observed.members.into_iter().zip(there);
    let members = members.filter(|(_, exists)| *exists).map(|(member, _)| member);
    Scope::new(members.collect(), clusters).within(within).with_sets(sets.unwrap_or_default().sets)
}

fn named(cluster: &ClusterSummary) -> (String, String) {
    let count: usize = cluster.nodes.values().sum();
    let what = format!("cluster on {}, nodes: {count}", cluster.provider);
    (cluster.name.to_string(), what)
}

fn offered(text: String, what: String) -> CompletionCandidate {
    CompletionCandidate::new(text).help((!what.is_empty()).then(|| what.into()))
}

fn ask<F, T>(question: impl FnOnce(World) -> F) -> Option<T>
where
    F: Future<Output = T>,
{
    let world = World::open(&Paths::discover().ok()?, &Journal::off()).ok()?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().ok()?;
    let asked = runtime.block_on(async { tokio::time::timeout(PATIENCE, question(world)).await });
    runtime.shutdown_background();
    asked.ok()
}
