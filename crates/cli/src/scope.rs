//! From a target to nodes: looks at the clusters it may reach, takes the
//! members it selects, and refuses what reaches further than its reader
//! thinks.

use std::collections::BTreeSet;

use model::Diagnostics;
use model::inventory::{ClusterSummary, ObservedNode};
use model::name::NodeName;
use model::target::{self, Expr, ExprKind, Member, Scope};

use crate::args::ReachArgs;
use crate::context::Context;
use crate::exit::{CommandError, Exit};
use crate::view::{self, ClusterView, Declared, Shown};
use crate::world;

/// How a target is called in messages that point into it.
const TARGET_SOURCE: &str = "TARGET";

/// The same for what is left out of a target.
const EXCLUDE_SOURCE: &str = "--exclude";

/// Clusters that were looked at, and the nodes selected of them.
#[derive(Debug)]
pub(crate) struct Found {
    /// The clusters, observed.
    views: Vec<ClusterView>,
    /// The nodes selected: place of the cluster, and which.
    chosen: Vec<(usize, Which)>,
    /// The target as typed.
    target: String,
    /// The cluster that names were taken from.
    within: Option<String>,
    /// Every cluster there is.
    clusters: BTreeSet<String>,
}

#[derive(Debug, Clone)]
enum Which {
    There(Box<ObservedNode>),
    Absent(Declared),
}

/// Looks at what a target may reach and takes what it selects. Without a
/// target everything in scope is selected.
///
/// # Errors
/// What is wrong with the target, or a provider that cannot be asked.
pub(crate) async fn look(context: &Context, text: Option<&str>) -> Result<Found, CommandError> {
    let text = text.unwrap_or_default();
    let mut found = Diagnostics::default();
    let source = found.sources.add(TARGET_SOURCE, text);
    let (expr, problems) = target::parse(source, text);
    found.list = problems;
    if found.has_errors() {
        return Err(wrong_target(text, found));
    }
    let summaries = context.world.clusters().await.all()?;
    let within = within(context, &summaries)?;
    let clusters: BTreeSet<String> = summaries.iter().map(|c| c.name.to_string()).collect();
    let wanted = summaries.iter().filter(|summary| {
        let name = summary.name.as_str();
        reaches_out(&expr, &clusters) || within.as_deref().is_none_or(|within| within == name)
    });
    let views = observe(context, wanted).await?;
    let (places, members) = members(&views);
    let scope = Scope::new(members, clusters.clone()).within(within.clone());
    let chosen = choose(&scope, text, &[])?;
    Ok(Found {
        chosen: chosen.iter().filter_map(|&at| places.get(at).cloned()).collect(),
        views,
        target: text.to_owned(),
        within,
        clusters,
    })
}

/// Takes what a target selects of nodes that the caller collected, and from
/// that what the excludes select. The answer is places in `members`, by cluster
/// and in natural order of names. Names are taken within one cluster, if there
/// is one, unless the target says another.
///
/// # Errors
/// What is wrong with the target or an exclude.
pub(crate) fn select_members(
    _context: &Context,
    members: Vec<Member>,
    clusters: &BTreeSet<String>,
    within: Option<&str>,
    text: &str,
    exclude: &[String],
) -> Result<Vec<usize>, CommandError> {
    let scope = Scope::new(members, clusters.clone()).within(within.map(String::from));
    choose(&scope, text, exclude)
}

/// Excludes are taken from every cluster: what they name must not be left over
/// because names are taken from another.
fn choose(scope: &Scope, text: &str, exclude: &[String]) -> Result<Vec<usize>, CommandError> {
    let mut chosen = take(scope, TARGET_SOURCE, text)?;
    let everywhere = scope.clone().within(None);
    for text in exclude {
        let without = take(&everywhere, EXCLUDE_SOURCE, text)?;
        chosen.retain(|at| !without.contains(at));
    }
    Ok(chosen)
}

fn take(scope: &Scope, source: &str, text: &str) -> Result<Vec<usize>, CommandError> {
    let mut found = Diagnostics::default();
    let source = found.sources.add(source, text);
    let (expr, problems) = target::parse(source, text);
    found.list = problems;
    if !found.has_errors() {
        match target::select(&expr, source, scope) {
            Ok(selection) => return Ok(selection.members),
            Err(problems) => found.list = problems,
        }
    }
    Err(wrong_target(text, found))
}

fn wrong_target(text: &str, found: Diagnostics) -> CommandError {
    let no_such_cluster = found.list.iter().all(|problem| problem.code == "target-cluster");
    let exit = if no_such_cluster { Exit::NotFound } else { Exit::Usage };
    CommandError {
        exit,
        ..CommandError::diagnostics(format!("the target `{text}` selects nothing"), found)
    }
}

/// The cluster that names are taken from: what `-C` says, or the only one.
fn within(context: &Context, summaries: &[ClusterSummary]) -> Result<Option<String>, CommandError> {
    match (&context.global.cluster, summaries) {
        (Some(name), _) => {
            let found = world::named(summaries, name)?;
            Ok(Some(found.name.to_string()))
        }
        (None, [only]) => Ok(Some(only.name.to_string())),
        (None, _) => Ok(None),
    }
}

/// Whether an expression may select nodes outside the cluster that names are
/// taken from.
fn reaches_out(expr: &Expr, clusters: &BTreeSet<String>) -> bool {
    match &expr.kind {
        ExprKind::All | ExprKind::Broken => false,
        ExprKind::Name { cluster, pattern } => {
            cluster.is_some()
                || pattern.literal().is_some_and(|word| {
                    clusters.iter().any(|name| name.eq_ignore_ascii_case(&word))
                })
        }
        ExprKind::Property { cluster, key, .. } => cluster.is_some() || key == "cluster",
        ExprKind::Binary { left, right, .. } => {
            reaches_out(left, clusters) || reaches_out(right, clusters)
        }
    }
}

async fn observe(
    context: &Context,
    clusters: impl Iterator<Item = &ClusterSummary>,
) -> Result<Vec<ClusterView>, CommandError> {
    let mut views = Vec::new();
    for cluster in clusters {
        views.push(ClusterView::new(context.world.observe(cluster).await?));
    }
    Ok(views)
}

fn members(views: &[ClusterView]) -> (Vec<(usize, Which)>, Vec<Member>) {
    let mut places = Vec::new();
    let mut members = Vec::new();
    for (at, cluster) in views.iter().enumerate() {
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
            places.push((at, which));
            members.push(member);
        }
    }
    (places, members)
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

impl Group<'_> {
    /// The names of all of them.
    pub(crate) fn names(&self) -> Vec<NodeName> {
        let there = self.nodes.iter().map(|node| node.name.clone());
        there.chain(self.absent.iter().map(|declared| declared.name.clone())).collect()
    }
}

impl Found {
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
        for (at, cluster) in self.views.iter().enumerate() {
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
    fn keep_head(&mut self) -> Result<(), CommandError> {
        let places: BTreeSet<usize> = self.chosen.iter().map(|(at, _)| *at).collect();
        let head = places.first().and_then(|&at| self.views.get(at)?.head());
        let Some(head) = head else {
            let message = format!("cluster {} has no head", self.target);
            return Err(CommandError::new(Exit::NotFound, message).hint("name one of its nodes"));
        };
        self.chosen.retain(|(_, which)| match which {
            Which::There(node) => node.name == head,
            Which::Absent(declared) => declared.name == head,
        });
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

    fn nothing(&self) -> CommandError {
        if self.clusters.is_empty() {
            return CommandError::new(Exit::NotFound, "there is no cluster")
                .hint("`squall create SPEC` makes one");
        }
        let message = match &self.within {
            Some(within) => format!("`{}` selects no node of cluster {within}", self.target),
            None => format!("`{}` selects no node", self.target),
        };
        let mut error = CommandError::new(Exit::NotFound, message);
        for cluster in &self.views {
            let shown = cluster.shown();
            let names = target::fold(shown.iter().map(|shown| shown.name().as_str()));
            let name = &cluster.inventory.cluster;
            error = error.hint(if names.is_empty() {
                format!("{name} has no nodes")
            } else {
                format!("{name} has {names}")
            });
        }
        error
    }
}

/// Looks for one node: a cluster's name means its head.
///
/// # Errors
/// As [`look`], and when the cluster has no head.
pub(crate) async fn look_for_one(context: &Context, text: &str) -> Result<Found, CommandError> {
    let mut found = look(context, Some(text)).await?;
    let is_cluster = found.clusters.iter().any(|name| name.eq_ignore_ascii_case(text));
    if is_cluster {
        found.keep_head()?;
    }
    Ok(found)
}

fn names_of(group: &Group<'_>) -> String {
    let there = group.nodes.iter().map(|node| node.name.as_str());
    let absent = group.absent.iter().map(|declared| declared.name.as_str());
    target::fold(there.chain(absent))
}

/// Why nothing can be done with a node that is declared and not there.
pub(crate) fn absent(cluster: &ClusterView, declared: &Declared) -> CommandError {
    let message = format!("{} is declared, and there is no such machine", declared.name);
    CommandError::new(Exit::NotFound, message).hint(format!(
        "`squall update SPEC` makes it again; `squall status {}` says what happened",
        cluster.inventory.cluster
    ))
}
