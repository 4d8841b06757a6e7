//! Every change of a cluster goes this way: the plan is shown, the user is
//! asked, it is carried out under their eyes, and told what came of it.

use controller::{CarryOut, Controller, Outcome, Planned};
use model::event::Progress;
use model::name::{ClusterName, NodeName};
use model::plan::Intent;
use model::resolved::Resolved;
use model::span::Sources;
use model::target::fold;
use tokio::sync::mpsc;

use crate::context::Context;
use crate::document::ChangeDocument;
use crate::exit::{CommandError, CommandResult, Exit};
use crate::progress::ProgressView;
use crate::{ask, render};

/// Progress that waits to be shown; a full queue is the teller's business.
pub(crate) const PROGRESS_MAX: usize = 256;

/// A change that a command asks for.
pub(crate) struct Change<'a> {
    /// Who carries it out.
    pub(crate) controller: &'a Controller,
    /// What is wanted.
    pub(crate) intent: Intent,
    /// Of which cluster.
    pub(crate) cluster: ClusterName,
    /// By which spec.
    pub(crate) spec: Option<&'a Resolved>,
    /// What its diagnostics point into.
    pub(crate) sources: &'a Sources,
}

/// Plans, shows, asks, carries out and tells.
pub(crate) async fn run(context: &Context, change: &Change<'_>) -> CommandResult {
    let printer = context.printer;
    let planning = change.controller.plan(change.intent.clone(), change.spec, &change.cluster);
    let planned = tokio::select! {
        planned = planning => planned.map_err(|error| change.failed(*error))?,
        () = context.interrupt.stop.cancelled() => return Err(stopped()),
    };
    if planned.plan.is_empty() {
        if printer.is_json() {
            printer.document(&ChangeDocument::nothing(&planned.plan, change.sources))?;
        } else {
            printer.line(render::tally(&planned.plan))?;
        }
        return Ok(Exit::Done);
    }
    show(context, change, &planned);
    ask::confirm(printer, &context.interrupt, context.global.yes, &question(change)).await?;
    let outcome = carry_out(context, change, &planned).await?;
    if printer.is_json() {
        printer.document(&ChangeDocument::done(&planned.plan, change.sources, &outcome))?;
    } else {
        printer.line(summary(change, &outcome))?;
    }
    Ok(Exit::Done)
}

/// Shows the plan; also to who wants results only, if they are going to be
/// asked.
fn show(context: &Context, change: &Change<'_>, planned: &Planned) {
    let printer = context.printer;
    if !printer.shows_before(context.global.yes) {
        return;
    }
    let lines = render::plan(&planned.plan, change.sources, printer.err);
    printer.say_always(lines.join("\n"));
}

fn question(change: &Change<'_>) -> String {
    let cluster = &change.cluster;
    match &change.intent {
        Intent::Create => format!("Create cluster {cluster}?"),
        Intent::Update => format!("Update cluster {cluster}?"),
        Intent::Terminate(names) => {
            let names = fold(names.iter().map(NodeName::as_str));
            format!("Terminate {names} of cluster {cluster}?")
        }
        Intent::Delete => format!("Delete cluster {cluster} and all its files?"),
    }
}

async fn carry_out(
    context: &Context,
    change: &Change<'_>,
    planned: &Planned,
) -> Result<Outcome, CommandError> {
    let (sender, receiver) = mpsc::channel(PROGRESS_MAX);
    let watching = watch(context, receiver);
    let cancel = context.interrupt.to_cancel();
    let planned = planned.clone();
    let working = change.controller.carry_out(planned, CarryOut::default(), sender, cancel);
    let (done, ()) = tokio::join!(working, watching);
    done.map_err(|error| change.failed(*error))
}

/// Shows progress until there is no more.
pub(crate) async fn watch(context: &Context, mut progress: mpsc::Receiver<Progress>) {
    let mut view = ProgressView::new(context.printer);
    while let Some(event) = progress.recv().await {
        view.event(&event);
    }
    view.end();
}

fn stopped() -> CommandError {
    CommandError::new(Exit::Interrupted, "stopped; nothing was changed")
}

impl Change<'_> {
    fn failed(&self, error: controller::OperationError) -> CommandError {
        CommandError::operation(error, self.sources)
    }
}

fn summary(change: &Change<'_>, outcome: &Outcome) -> String {
    let cluster = &change.cluster;
    let seconds = outcome.duration.as_secs_f64();
    match &change.intent {
        Intent::Create => {
            let count = outcome.inventory.as_ref().map_or(outcome.ready.len(), |seen| {
                seen.nodes().iter().filter(|node| node.state.exists()).count()
            });
            format!("Cluster {cluster} is ready: {}, {seconds:.1} s.", nodes(count))
        }
        Intent::Update => format!("Cluster {cluster} is as the spec says, {seconds:.1} s."),
        Intent::Terminate(names) => {
            format!("Terminated {} of cluster {cluster}, {seconds:.1} s.", nodes(names.len()))
        }
        Intent::Delete => format!("Cluster {cluster} is deleted, {seconds:.1} s."),
    }
}

/// A number of nodes, in words.
pub(crate) fn nodes(count: usize) -> String {
    match count {
        1 => "1 node".to_owned(),
        count => format!("{count} nodes"),
    }
}
