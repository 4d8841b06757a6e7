//! What a target selected: nodes under their clusters, for showing them and
//! for doing something with them.

use std::collections::BTreeSet;

use model::inventory::ObservedNode;
use model::name::NodeName;
use model::span::SourceId;
use model::target::{self, ExprKind, fold};

use super::observe::{Observed, Which};
use super::{leaving_out, short};
use crate::args::ReachArgs;
use crate::exit::{CommandError, Exit};
use crate::view::{ClusterView, Declared, Shown};

/// Clusters that were looked at, and the nodes selected of them.
#[derive(Debug)]
pub(crate) struct Found {
    /// The clusters, observed.
    observed: Observed,
    /// The nodes selected: place of the cluster, and which.
    chosen: Vec<(usize, Which)>,
    /// The target as typed.
    target: String,
    /// The cluster that names were taken from.
    within: Option<String>,
    /// Every cluster there is.
    clusters: BTreeSet<String>,
    /// What left nothing over, in words; mostly nothing.
    left_out: String,
}

/// Nodes of one cluster that something is to be done with.
#[derive(Debug)]
pub(crate) struct Group<'a> {
    /// Their cluster.
    pub(crate) cluster: &'a ClusterView,
    /// The machines, in natural order of names.
    pub(crate) nodes: Vec<&'a ObservedNode>,
    /// Selected nodes that have no machine.
    pub(crate) absent: Vec<&'a Declared>,
}

/// The names of the nodes selected of a cluster.
#[derive(Debug)]
pub(crate) struct Names<'a> {
    /// The cluster.
    pub(crate) cluster: &'a str,
    /// Whether a target must say the cluster, since names are taken from
    /// another, or from all.
    pub(crate) qualified: bool,
    /// The names, in natural order.
    pub(crate) names: Vec<&'a str>,
}

impl Names<'_> {
    /// All of them as one target.
    pub(crate) fn folded(&self) -> String {
        let folded = fold(self.names.iter().copied());
        if !self.qualified {
            return folded;
        }
        // What follows a comma outside of brackets would be taken from anywhere.
        let (expr, _) = target::parse(SourceId::default(), &folded);
        match expr.kind {
            ExprKind::Chain { .. } => format!("{}:({folded})", self.cluster),
            _ => format!("{}:{folded}", self.cluster),
        }
    }

    /// Each of them as a target.
    pub(crate) fn each(&self) -> impl Iterator<Item = String> {
        self.names.iter().map(|name| {
            if self.qualified { format!("{}:{name}", self.cluster) } else { (*name).to_owned() }
        })
    }
}

impl Group<'_> {
    /// The names of all of them.
    pub(crate) fn names(&self) -> Vec<NodeName> {
        let there = self.nodes.iter().map(|node| node.name.clone());
        there.chain(self.absent.iter().map(|declared| declared.name.clone())).collect()
    }
}

impl Found {
    /// The nodes at some places.
    pub(super) fn new(
        observed: Observed,
        chosen: &[usize],
        target: String,
        within: Option<String>,
        clusters: BTreeSet<String>,
    ) -> Self {
        let chosen = chosen.iter().filter_map(|&at| observed.places.get(at).cloned()).collect();
        Self { observed, chosen, target, within, clusters, left_out: String::new() }
    }

    /// The same, of which everything was left out again.
    pub(super) fn after_leaving_out(self, exclude: &[String]) -> Self {
        Self { left_out: leaving_out(exclude), ..self }
    }

    /// Whether a word is the name of a cluster.
    pub(super) fn is_cluster(&self, word: &str) -> bool {
        self.clusters.iter().any(|name| name.eq_ignore_ascii_case(word))
    }

    /// What `show` lists: every cluster in scope with the nodes selected of it.
    /// With a target, clusters of which nothing is selected are left out, and
    /// selecting nothing at all is an error; save a cluster by its name, which
    /// may have no nodes.
    pub(crate) fn shown(&self) -> Result<Vec<(&ClusterView, Vec<Shown<'_>>)>, CommandError> {
        let is_target = |within: &String| within.eq_ignore_ascii_case(&self.target);
        let every = self.target.is_empty() || self.within.as_ref().is_some_and(is_target);
        if !every && self.chosen.is_empty() {
            return Err(self.nothing());
        }
        let mut listed = Vec::new();
        for (at, cluster) in self.observed.views.iter().enumerate() {
            let in_scope = match &self.within {
                Some(within) => cluster.inventory.cluster.as_str() == within,
                None => true,
            };
            let shown: Vec<Shown<'_>> = self
                .chosen
                .iter()
                .filter(|(place, _)| *place == at)
                .map(|(_, which)| match which {
                    Which::There(node) => Shown::There(node),
                    Which::Absent(declared) => Shown::Absent(declared),
                })
                .collect();
            if !shown.is_empty() || (every && in_scope) {
                listed.push((cluster, shown));
            }
        }
        Ok(listed)
    }

    /// The nodes that something is to be done with, by cluster.
    ///
    /// # Errors
    /// Nothing is selected; nodes of several clusters are, and the user did not
    /// allow that.
    pub(crate) fn groups(&self, reach: &ReachArgs) -> Result<Vec<Group<'_>>, CommandError> {
        let groups: Vec<Group<'_>> = self
            .observed
            .views
            .iter()
            .enumerate()
            .map(|(at, cluster)| self.group(at, cluster))
            .filter(|group| !group.nodes.is_empty() || !group.absent.is_empty())
            .collect();
        match groups.len() {
            0 => Err(self.nothing()),
            1 => Ok(groups),
            _ if reach.all_clusters => Ok(groups),
            _ => Err(self.too_far(&groups)),
        }
    }

    /// The one cluster and node that are meant.
    ///
    /// # Errors
    /// None or several are selected.
    pub(crate) fn one(&self) -> Result<(&ClusterView, &ObservedNode), CommandError> {
        let groups = self.groups(&ReachArgs { all_clusters: false })?;
        let Some(group) = groups.into_iter().next() else {
            return Err(self.nothing());
        };
        match (group.nodes.as_slice(), group.absent.as_slice()) {
            ([node], []) => Ok((group.cluster, node)),
            ([], [declared]) => Err(absent(group.cluster, declared)),
            _ => {
                let names = names_of(&group);
                let error = format!("`{}` selects several nodes: {names}", self.target);
                Err(CommandError::new(Exit::Usage, error).hint("name one of them"))
            }
        }
    }

    /// Of the nodes of a cluster, keeps its head.
    pub(super) fn keep_head(&mut self) -> Result<(), CommandError> {
        let places: BTreeSet<usize> = self.chosen.iter().map(|(at, _)| *at).collect();
        let head = places.first().and_then(|&at| self.observed.views.get(at)?.head());
        let Some(head) = head else {
            let message = format!("cluster {} has no head", self.target);
            return Err(CommandError::new(Exit::NotFound, message).hint("name one of its nodes"));
        };
        let all = std::mem::take(&mut self.chosen);
        let (heads, others): (Vec<_>, Vec<_>) =
            all.into_iter().partition(|(_, which)| *which.name() == head);
        self.chosen = heads;
        if self.chosen.is_empty() {
            let message = format!("{head}, the head of cluster {}, is not there", self.target);
            let others = fold(others.iter().map(|(_, which)| which.name().as_str()));
            let error = CommandError::new(Exit::NotFound, message)
                .hint("`squall update SPEC` with a new count of its pool brings it back");
            return Err(match others.is_empty() {
                true => error,
                false => error.hint(format!("or name one of its other nodes: {others}")),
            });
        }
        Ok(())
    }

    fn group<'a>(&'a self, at: usize, cluster: &'a ClusterView) -> Group<'a> {
        let mut group = Group { cluster, nodes: Vec::new(), absent: Vec::new() };
        for (_, which) in self.chosen.iter().filter(|(place, _)| *place == at) {
            match which {
                Which::There(node) if node.state.exists() => group.nodes.push(node),
                Which::There(_) => {}
                Which::Absent(declared) => group.absent.push(declared),
            }
        }
        group
    }

    fn too_far(&self, groups: &[Group<'_>]) -> CommandError {
        let message = format!("`{}` selects nodes of several clusters", self.target);
        let mut error = CommandError::new(Exit::Refused, message);
        for group in groups {
            let line = format!("{}: {}", group.cluster.inventory.cluster, names_of(group));
            error.causes.push(line);
        }
        error
            .hint("say which cluster: -C CLUSTER, or CLUSTER:NODES")
            .hint("or allow it with --all-clusters")
    }

    /// The nodes selected, by cluster. Those that were terminated are gone.
    pub(crate) fn names(&self) -> Vec<Names<'_>> {
        let mut all = Vec::new();
        for (at, cluster) in self.observed.views.iter().enumerate() {
            let chosen = self.chosen.iter().filter(|(place, _)| *place == at);
            let names: Vec<&str> = chosen
                .filter(|(_, which)| which.exists())
                .map(|(_, which)| which.name().as_str())
                .collect();
            if !names.is_empty() {
                let cluster = cluster.inventory.cluster.as_str();
                let qualified = self.within.as_deref() != Some(cluster);
                all.push(Names { cluster, qualified, names });
            }
        }
        all
    }

    /// That nothing is selected, with what there is.
    pub(crate) fn nothing(&self) -> CommandError {
        if self.clusters.is_empty() {
            return no_cluster();
        }
        let what = if self.target.is_empty() {
            "`*`".to_owned()
        } else {
            format!("`{}`", short(&self.target))
        };
        let message = match &self.within {
            Some(within) => format!("{what} selects no node of cluster {within}"),
            None => format!("{what} selects no node"),
        };
        let message = format!("{message}{}", self.left_out);
        CommandError::new(Exit::NotFound, message).hints(self.observed.there())
    }
}

pub(super) fn no_cluster() -> CommandError {
    CommandError::new(Exit::NotFound, "there is no cluster").hint("`squall create SPEC` makes one")
}

fn names_of(group: &Group<'_>) -> String {
    let there = group.nodes.iter().map(|node| node.name.as_str());
    let absent = group.absent.iter().map(|declared| declared.name.as_str());
    fold(there.chain(absent))
}

/// Why nothing can be done with a node that is declared and not there.
pub(crate) fn absent(cluster: &ClusterView, declared: &Declared) -> CommandError {
    let message = format!("{} is declared, and there is no such machine", declared.name);
    CommandError::new(Exit::NotFound, message).hint(format!(
        "`squall update SPEC` makes it again; `squall status {}` says what happened",
        cluster.inventory.cluster
    ))
}
