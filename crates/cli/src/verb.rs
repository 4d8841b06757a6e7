//! `start`, `stop` and `reboot`: what is touched is shown, the user is asked,
//! and it is done cluster by cluster.

use model::name::NodeName;
use model::node::{NodeState, NodeVerb};
use model::span::Sources;
use model::target::fold;
use tokio::sync::mpsc;

use crate::args::ReachArgs;
use crate::change::{PROGRESS_MAX, watch};
use crate::context::Context;
use crate::document::VerbDocument;
use crate::exit::{CommandError, CommandResult, Exit};
use crate::scope::{self, Group};
use crate::{ask, change};

/// Does it with the nodes of a target.
pub(crate) async fn run(
    context: &Context,
    target: &str,
    reach: &ReachArgs,
    verb: NodeVerb,
) -> CommandResult {
    let printer = context.printer;
    let found = scope::look(context, Some(target)).await?;
    let groups = found.groups(reach)?;
    if let Some((group, declared)) =
        groups.iter().find_map(|group| group.absent.first().map(|declared| (group, declared)))
    {
        return Err(scope::absent(group.cluster, declared));
    }
    let count = groups.iter().map(|group| group.nodes.len()).sum();
    if printer.shows_before(context.global.yes) {
        printer.say_always(touched(&groups, verb).join("\n"));
    }
    let question = format!("{} {}?", capital(verb), change::nodes(count));
    ask::confirm(printer, &context.interrupt, context.global.yes, &question).await?;
    let mut done = Vec::new();
    for group in &groups {
        let names = group.names();
        let outcome = act(context, group, &names, verb).await?;
        done.push((group.cluster.inventory.cluster.clone(), names, outcome));
    }
    if printer.is_json() {
        printer.document(&VerbDocument::new(verb, &done))?;
    } else {
        let seconds: f64 = done.iter().map(|(_, _, done)| done.duration.as_secs_f64()).sum();
        let nodes = groups.iter().flat_map(|group| &group.nodes);
        let before = nodes.map(|node| (node.name.as_str(), node.state));
        printer.line(told(verb, before, seconds))?;
    }
    Ok(Exit::Done)
}

/// What was done, apart from what had been so before.
fn told<'a>(
    verb: NodeVerb,
    before: impl Iterator<Item = (&'a str, NodeState)>,
    seconds: f64,
) -> String {
    let is_so = |state| match verb {
        NodeVerb::Start => state == NodeState::Running,
        NodeVerb::Stop => state == NodeState::Stopped,
        NodeVerb::Reboot => false,
    };
    let (already, done): (Vec<_>, Vec<_>) = before.partition(|(_, state)| is_so(*state));
    let names = fold(already.iter().map(|(name, _)| *name));
    let (word, was) =
        if verb == NodeVerb::Start { ("running", "ran") } else { ("stopped", "was stopped") };
    let count = done.len();
    match (already.len(), count) {
        (0, _) => format!("{} {}, {seconds:.1} s.", past(verb), change::nodes(count)),
        (1, 0) => format!("{names} is {word} already."),
        (_, 0) => format!("{names} are {word} already."),
        (1, _) => {
            format!(
                "{} {}, {seconds:.1} s; {names} {was} already.",
                past(verb),
                change::nodes(count)
            )
        }
        (_, _) => {
            let were = was.replace("was", "were");
            format!(
                "{} {}, {seconds:.1} s; {names} {were} already.",
                past(verb),
                change::nodes(count)
            )
        }
    }
}

fn touched(groups: &[Group<'_>], verb: NodeVerb) -> Vec<String> {
    let mut lines = Vec::new();
    for group in groups {
        let cluster = &group.cluster.inventory.cluster;
        lines.push(format!("{} nodes of cluster {cluster}:", capital(verb)));
        let mut by_state: Vec<(&str, Vec<&str>)> = Vec::new();
        for node in &group.nodes {
            match by_state.iter_mut().find(|(state, _)| *state == node.state.as_str()) {
                Some((_, names)) => names.push(node.name.as_str()),
                None => by_state.push((node.state.as_str(), vec![node.name.as_str()])),
            }
        }
        for (state, names) in by_state {
            lines.push(format!("  {} ({state})", fold(names)));
        }
    }
    lines
}

async fn act(
    context: &Context,
    group: &Group<'_>,
    names: &[NodeName],
    verb: NodeVerb,
) -> Result<controller::Outcome, CommandError> {
    let inventory = &group.cluster.inventory;
    let controller = context.world.controller(inventory.provider)?;
    let (sender, receiver) = mpsc::channel(PROGRESS_MAX);
    let cancel = context.interrupt.to_cancel();
    let working = controller.verb(&inventory.cluster, names, verb, true, sender, cancel);
    let (done, ()) = tokio::join!(working, watch(context, receiver));
    done.map_err(|error| CommandError::operation(*error, &Sources::default()))
}

const fn capital(verb: NodeVerb) -> &'static str {
    match verb {
        NodeVerb::Start => "Start",
        NodeVerb::Stop => "Stop",
        NodeVerb::Reboot => "Reboot",
    }
}

const fn past(verb: NodeVerb) -> &'static str {
    match verb {
        NodeVerb::Start => "Started",
        NodeVerb::Stop => "Stopped",
        NodeVerb::Reboot => "Rebooted",
    }
}

#[cfg(test)]
mod tests {
    use super::told;
    use model::node::{NodeState, NodeVerb};

    #[test]
    fn what_was_so_before_is_told_apart() {
        let (up, down) = (NodeState::Running, NodeState::Stopped);
        for (verb, before, expected) in [
            (NodeVerb::Stop, vec![("n1", up), ("n2", up)], "Stopped 2 nodes, 1.5 s."),
            (NodeVerb::Stop, vec![("n1", down)], "n1 is stopped already."),
            (NodeVerb::Stop, vec![("n1", down), ("n2", down)], "n[1-2] are stopped already."),
            (
                NodeVerb::Stop,
                vec![("n1", up), ("n2", down)],
                "Stopped 1 node, 1.5 s; n2 was stopped already.",
            ),
            (
                NodeVerb::Start,
                vec![("n1", up), ("n2", up), ("n3", down)],
                "Started 1 node, 1.5 s; n[1-2] ran already.",
            ),
            (NodeVerb::Reboot, vec![("n1", down)], "Rebooted 1 node, 1.5 s."),
        ] {
            assert_eq!(told(verb, before.into_iter(), 1.5), expected);
        }
    }
}
