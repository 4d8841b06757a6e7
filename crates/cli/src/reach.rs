//! From selected nodes to what `transport` takes: where they are, who we are
//! to them, and why some of them cannot even be tried.

use std::sync::Arc;

use controller::SshTargets;
use model::inventory::ObservedNode;
use model::name::NodeName;
use model::span::Sources;
use model::target::Member;
use transport::{Dial, Target};

use crate::context::Context;
use crate::exit::{CommandError, Exit};
use crate::scope::Group;
use crate::view::{self, ClusterView};

/// Nodes to run something on.
pub(crate) struct Reached {
    /// The way to them.
    pub(crate) dial: Arc<dyn Dial>,
    /// Those that can be tried.
    pub(crate) nodes: Vec<ReachedNode>,
    /// Those that cannot.
    pub(crate) unreached: Vec<Unreached>,
}

/// A node that can be tried.
#[derive(Debug, Clone)]
pub(crate) struct ReachedNode {
    /// Where it is, and who we are to it.
    pub(crate) target: Target,
    /// The node as targets see it, for what is put in for `%{…}`.
    pub(crate) member: Member,
}

impl Reached {
    /// The nodes as targets see them, in order.
    pub(crate) fn members(&self) -> Vec<Member> {
        self.nodes.iter().map(|node| node.member.clone()).collect()
    }

    /// Where they are, in order.
    pub(crate) fn targets(&self) -> Vec<Target> {
        self.nodes.iter().map(|node| node.target.clone()).collect()
    }
}

/// A node that cannot be tried.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Unreached {
    /// Its name, with its cluster's where several are meant.
    pub(crate) name: String,
    /// Why.
    pub(crate) why: String,
    /// What the user can do.
    pub(crate) mend: Option<String>,
}

/// Where selected nodes are reached. Names carry their cluster's where nodes
/// of several clusters are meant.
pub(crate) async fn reach(
    context: &Context,
    groups: &[Group<'_>],
) -> Result<Reached, CommandError> {
    let mut reached =
        Reached { dial: context.world.dial(), nodes: Vec::new(), unreached: Vec::new() };
    for group in groups {
        let cluster = &group.cluster.inventory.cluster;
        let full = |name: &str| match groups.len() {
            1 => name.to_owned(),
            _ => format!("{cluster}:{name}"),
        };
        let names: Vec<NodeName> = group.nodes.iter().map(|node| node.name.clone()).collect();
        let found = targets(context, group.cluster, &names).await?;
        // Targets come in the order asked for, and without those unreachable.
        let mut asked = group.nodes.iter();
        for target in found.targets {
            let Some(node) = asked.find(|node| node.name.as_str() == &*target.name) else {
                continue;
            };
            reached.nodes.push(ReachedNode {
                member: view::member(&group.cluster.inventory, node),
                target: Target { name: Arc::from(full(&target.name)), ..target },
            });
        }
        let unreachable = found.unreachable.into_iter();
        reached.unreached.extend(unreachable.map(|node| Unreached {
            name: full(node.name.as_str()),
            why: node.why,
            mend: node.hint,
        }));
        reached.unreached.extend(group.absent.iter().map(|declared| Unreached {
            name: full(declared.name.as_str()),
            why: "it is declared, and there is no such machine".to_owned(),
            mend: Some("`squall update SPEC` makes it again".to_owned()),
        }));
    }
    Ok(reached)
}

/// Where one node is reached.
///
/// # Errors
/// Why it cannot be tried.
pub(crate) async fn one(
    context: &Context,
    cluster: &ClusterView,
    node: &ObservedNode,
) -> Result<Target, CommandError> {
    let found = targets(context, cluster, std::slice::from_ref(&node.name)).await?;
    if let Some(unreachable) = found.unreachable.into_iter().next() {
        let message = format!("{} cannot be reached: {}", node.name, unreachable.why);
        return Err(CommandError::new(Exit::Unavailable, message).hints(unreachable.hint));
    }
    found
        .targets
        .into_iter()
        .next()
        .ok_or_else(|| CommandError::new(Exit::NotFound, format!("there is no node {}", node.name)))
}

async fn targets(
    context: &Context,
    cluster: &ClusterView,
    names: &[NodeName],
) -> Result<SshTargets, CommandError> {
    let inventory = &cluster.inventory;
    let controller = context.world.controller(inventory.provider)?;
    let found = controller.ssh_targets(inventory, names).await;
    found.map_err(|error| CommandError::operation(*error, &Sources::default()))
}
