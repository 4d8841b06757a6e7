//! From a target to nodes: looks at the clusters it may reach, takes the
//! members it selects, and refuses what reaches further than its reader
//! thinks.

use std::borrow::Cow;
use std::collections::BTreeSet;

use model::Diagnostics;
use model::inventory::ClusterSummary;
use model::target::{self, Expr, Member, Scope};

use crate::context::Context;
use crate::exit::{CommandError, Exit};
use crate::{settings, world};

mod found;
mod observe;

pub(crate) use found::{Found, Group, Names, absent};
pub(crate) use observe::{Observed, observe};

/// How a target is called in messages that point into it.
const TARGET_SOURCE: &str = "TARGET";

/// The same for what is left out of a target.
const EXCLUDE_SOURCE: &str = "--exclude";

/// Characters of a target in a message; scripts make targets of many names.
const SHOWN_MAX: usize = 120;

/// Looks at what a target may reach and takes what it selects. Without a
/// target everything in scope is selected.
///
/// # Errors
/// What is wrong with the target, or a provider that cannot be asked.
pub(crate) async fn look(context: &Context, text: Option<&str>) -> Result<Found, CommandError> {
    look_without(context, text, &[]).await
}

/// The same, and leaves out what other targets select.
///
/// # Errors
/// As [`look`].
pub(crate) async fn look_without(
    context: &Context,
    text: Option<&str>,
    exclude: &[String],
) -> Result<Found, CommandError> {
    let seen = see(context, text, exclude).await?;
    let chosen = seen.choose(exclude).map_err(|error| seen.explained(context, error))?;
    let all_left_out = chosen.is_empty() && !exclude.is_empty() && !seen.choose(&[])?.is_empty();
    let found = seen.found(&chosen);
    Ok(if all_left_out { found.after_leaving_out(exclude) } else { found })
}

/// The same, and where a target selects nothing looks for its words in all
/// that is known of nodes. Says so.
///
/// # Errors
/// As [`look`].
pub(crate) async fn look_or_search(
    context: &Context,
    text: Option<&str>,
) -> Result<Found, CommandError> {
    let seen = see(context, text, &[]).await?;
    let error = match seen.choose(&[]) {
        Ok(chosen) => return Ok(seen.found(&chosen)),
        Err(error) => error,
    };
    let only_names = error.diagnostics.list.iter().all(|problem| problem.code == "target-name");
    let hits = if only_names { target::search(&seen.scope, &seen.target) } else { Vec::new() };
    if hits.is_empty() {
        return Err(seen.explained(context, error));
    }
    let message = "no node is called `{}`; these have it in a property or tag:";
    context.printer.say(message.replace("{}", &seen.target));
    Ok(seen.found(&hits))
}

/// Takes what a target selects of nodes that the caller collected, and from
/// that what the excludes select. The answer is places in `members`, by cluster
/// and in natural order of names. Names are taken within one cluster, if there
/// is one, unless the target says another. Without a target everything is
/// selected.
///
/// # Errors
/// What is wrong with the target, an exclude, or the user's settings.
pub(crate) fn select_members(
    context: &Context,
    members: Vec<Member>,
    clusters: &BTreeSet<String>,
    within: Option<&str>,
    text: Option<&str>,
    exclude: &[String],
) -> Result<Vec<usize>, CommandError> {
    refuse_empty(text, exclude)?;
    let scope = Scope::new(members, clusters.clone())
        .within(within.map(String::from))
        .with_sets(settings::read(&context.paths)?.sets);
    let chosen = choose(&scope, text.unwrap_or_default(), exclude);
    chosen.map_err(|error| with_settings(context, error))
}

/// Refuses what is written and names nothing: with a shell's variable that is
/// not set every node would be meant, or left out. Only a target that is not
/// written at all means everything.
///
/// # Errors
/// A target or an exclude that is empty or only blanks.
pub(crate) fn refuse_empty(text: Option<&str>, exclude: &[String]) -> Result<(), CommandError> {
    let message = if text.is_some_and(|text| text.trim().is_empty()) {
        "the target is empty; `*` is every node"
    } else if exclude.iter().any(|text| text.trim().is_empty()) {
        "an empty --exclude leaves out everything"
    } else {
        return Ok(());
    };
    Err(CommandError::new(Exit::Usage, message).hint("is a variable of your shell not set?"))
}

/// What nodes are left over after, as messages say it.
pub(crate) fn leaving_out(exclude: &[String]) -> String {
    let each: Vec<String> = exclude.iter().map(|text| format!("`{}`", short(text))).collect();
    format!(" after leaving out {}", each.join(", "))
}

/// With the file that makes sets, where one was named that is not there.
fn with_settings(context: &Context, error: CommandError) -> CommandError {
    if error.diagnostics.list.iter().all(|problem| problem.code != "target-set") {
        return error;
    }
    error.hint(format!("`sets:` in {} makes sets", context.paths.settings().display()))
}

/// Looks for one node: a cluster's name means its head.
///
/// # Errors
/// As [`look`], and when the cluster has no head.
pub(crate) async fn look_for_one(context: &Context, text: &str) -> Result<Found, CommandError> {
    let mut found = look(context, Some(text)).await?;
    if found.is_cluster(text) {
        found.keep_head()?;
    }
    Ok(found)
}

/// What a target is taken from.
struct Seen {
    target: String,
    scope: Scope,
    observed: Observed,
}

async fn see(
    context: &Context,
    text: Option<&str>,
    exclude: &[String],
) -> Result<Seen, CommandError> {
    refuse_empty(text, exclude)?;
    let text = text.unwrap_or_default();
    let expr = understood(TARGET_SOURCE, text)?;
    let mut all = vec![expr];
    for exclude in exclude {
        all.push(understood(EXCLUDE_SOURCE, exclude)?);
    }
    let sets = settings::read(&context.paths)?.sets;
    let summaries = context.world.clusters().await.all()?;
    let within = within(context, &summaries)?;
    let clusters: BTreeSet<String> = summaries.iter().map(|c| c.name.to_string()).collect();
    let reaches_out = all.iter().any(|expr| expr.reaches_out(&clusters, &sets));
    let wanted = summaries.into_iter().filter(|summary| {
        let name = summary.name.as_str();
        reaches_out || within.as_deref().is_none_or(|within| within == name)
    });
    let mut observed = observe(&context.world, wanted.collect()).await?;
    let members = std::mem::take(&mut observed.members);
    let scope = Scope::new(members, clusters).within(within).with_sets(sets);
    Ok(Seen { target: text.to_owned(), scope, observed })
}

impl Seen {
    fn choose(&self, exclude: &[String]) -> Result<Vec<usize>, CommandError> {
        choose(&self.scope, &self.target, exclude)
    }

    fn found(self, chosen: &[usize]) -> Found {
        let (clusters, within) = (self.scope.clusters().clone(), self.scope.cluster());
        Found::new(self.observed, chosen, self.target, within.map(String::from), clusters)
    }

    /// With the nodes there are, where one was named that is not.
    fn explained(&self, context: &Context, error: CommandError) -> CommandError {
        let error = with_settings(context, error);
        if self.scope.clusters().is_empty() {
            return found::no_cluster();
        }
        let names = error.diagnostics.list.iter().any(|problem| problem.code == "target-name");
        if names { error.hints(self.observed.there()) } else { error }
    }
}

/// The expression of a text, so that what is wrong with it is said before
/// anything is observed.
fn understood(name: &str, text: &str) -> Result<Expr, CommandError> {
    let mut found = Diagnostics::default();
    let source = found.sources.add(name, text);
    let (expr, problems) = target::parse(source, text);
    found.list = problems;
    if found.is_empty() {
        Ok(expr)
    } else {
        Err(wrong_target((name, text), "cannot be read", found))
    }
}

/// Excludes are taken from every cluster: what they name must not be left over
/// because names are taken from another.
fn choose(scope: &Scope, text: &str, exclude: &[String]) -> Result<Vec<usize>, CommandError> {
    let mut chosen = take(scope, TARGET_SOURCE, text)?;
    if exclude.is_empty() {
        return Ok(chosen);
    }
    let everywhere = scope.clone().within(None);
    for text in exclude {
        let without: BTreeSet<usize> =
            take(&everywhere, EXCLUDE_SOURCE, text)?.into_iter().collect();
        chosen.retain(|at| !without.contains(at));
    }
    Ok(chosen)
}

fn take(scope: &Scope, name: &str, text: &str) -> Result<Vec<usize>, CommandError> {
    let expr = understood(name, text)?;
    let mut found = Diagnostics::default();
    let source = found.sources.add(name, text);
    match target::select(&expr, source, scope) {
        Ok(selection) => Ok(selection.members),
        Err(problems) => {
            found.list = problems;
            Err(wrong_target((name, text), "selects nothing", found))
        }
    }
}

fn wrong_target((name, text): (&str, &str), what: &str, found: Diagnostics) -> CommandError {
    let name = if name == TARGET_SOURCE { "the target" } else { name };
    let is_missing = |code| matches!(code, "target-cluster" | "target-name" | "target-set");
    let missing = found.list.iter().all(|problem| is_missing(problem.code));
    let exit = if missing { Exit::NotFound } else { Exit::Usage };
    CommandError {
        exit,
        ..CommandError::diagnostics(format!("{name} `{}` {what}", short(text)), found)
    }
}

/// The beginning of a target, as long as anyone reads in a message.
fn short(text: &str) -> Cow<'_, str> {
    match text.char_indices().nth(SHOWN_MAX) {
        Some((end, _)) => format!("{}…", text.get(..end).unwrap_or_default()).into(),
        None => text.into(),
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
