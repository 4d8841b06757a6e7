//! Looks at clusters, several at once, and lists their nodes as targets see
//! them.

use std::sync::Arc;

use model::inventory::{ClusterSummary, ObservedNode};
use model::name::NodeName;
use model::target::{Member, fold};
use tokio::sync::Semaphore;
use tokio::task::JoinSet;

use crate::exit::{CommandError, Exit};
use crate::view::{self, ClusterView, Declared, Shown};
use crate::world::World;

/// Clusters that are looked at at once: enough to hide one slow answer behind
/// the others, and few enough for a cloud that counts requests.
const AT_ONCE_MAX: usize = 16;

/// Clusters that were looked at, and their nodes.
#[derive(Debug, Default)]
pub(crate) struct Observed {
    /// The clusters, in the order in which they are listed.
    pub(crate) views: Vec<ClusterView>,
    /// Of each member its cluster, by place in `views`, and what it is.
    pub(crate) places: Vec<(usize, Which)>,
    /// The members.
    pub(crate) members: Vec<Member>,
}

/// A machine, or a node that has none.
#[derive(Debug, Clone)]
pub(crate) enum Which {
    There(Box<ObservedNode>),
    Absent(Declared),
}

impl Which {
    /// The node's name.
    pub(crate) const fn name(&self) -> &NodeName {
        match self {
            Self::There(node) => &node.name,
            Self::Absent(declared) => &declared.name,
        }
    }

    /// Whether there is a machine, or should be one.
    pub(crate) const fn exists(&self) -> bool {
        match self {
            Self::There(node) => node.state.exists(),
            Self::Absent(_) => true,
        }
    }
}

/// Looks at clusters.
///
/// # Errors
/// The first one, in the order of the clusters, that cannot be looked at.
pub(crate) async fn observe(
    world: &World,
    clusters: Vec<ClusterSummary>,
) -> Result<Observed, CommandError> {
    let slots = Arc::new(Semaphore::new(AT_ONCE_MAX));
    let mut looking = JoinSet::new();
    for (at, cluster) in clusters.into_iter().enumerate() {
        let (world, slots) = (world.clone(), Arc::clone(&slots));
        looking.spawn(async move {
            // The semaphore is never closed.
            let _slot = slots.acquire().await;
            (at, world.observe(&cluster).await)
        });
    }
    let mut seen = Vec::with_capacity(looking.len());
    while let Some(done) = looking.join_next().await {
        let failed =
            |error| CommandError::new(Exit::Failed, "failed to look at a cluster").cause(error);
        seen.push(done.map_err(failed)?);
    }
    seen.sort_by_key(|(at, _)| *at);
    let mut observed = Observed::default();
    for (_, inventory) in seen {
        observed.add(ClusterView::new(inventory?));
    }
    Ok(observed)
}

impl Observed {
    fn add(&mut self, cluster: ClusterView) {
        let at = self.views.len();
        for shown in cluster.shown() {
            let (which, member) = match shown {
                Shown::There(node) => {
                    (Which::There(Box::new(node.clone())), view::member(&cluster.inventory, node))
                }
                Shown::Absent(declared) => (
                    Which::Absent(declared.clone()),
                    view::absent_member(&cluster.inventory, declared),
                ),
            };
            self.places.push((at, which));
            self.members.push(member);
        }
        self.views.push(cluster);
    }

    /// Which nodes there are, a line for each cluster.
    pub(crate) fn there(&self) -> Vec<String> {
        let each = self.views.iter().map(|cluster| {
            let shown = cluster.shown();
            let names = fold(shown.iter().map(|shown| shown.name().as_str()));
            let name = &cluster.inventory.cluster;
            if names.is_empty() {
                format!("{name} has no nodes")
            } else {
                format!("{name} has {names}")
            }
        });
        each.collect()
    }
}
