//! `squall status`: how a cluster stands, how it came to that, and where it
//! differs from what is declared.

use std::collections::BTreeSet;
use std::time::Duration;

use clap::Args;
use clap_complete::engine::ArgValueCompleter;
use controller::Controller;
use jiff::tz::TimeZone;
use model::event::TimelineEvent;
use model::inventory::Inventory;
use model::name::ClusterName;
use model::plan::{Intent, Plan};
use model::resolved::Resolved;

use crate::complete;
use crate::context::{self, Context};
use crate::document::{EventDocument, StatusDocument};
use crate::exit::{CommandError, CommandResult, Exit};
use crate::render;
use crate::view::ClusterView;

/// How often `--follow` looks. Short enough for a person who waits, long
/// enough for a cloud that counts calls.
const FOLLOW_INTERVAL: Duration = Duration::from_millis(700);

/// Show what happened to a cluster and why, and how it stands
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  squall status demo
  squall status demo --follow        until Ctrl-C

Differs from the spec: what was declared and is not there, or is there
otherwise; `squall update SPEC` mends it.")]
pub(crate) struct StatusArgs {
    /// The cluster; the one of -C, or the only one, without it
    #[arg(value_name = "CLUSTER", add = ArgValueCompleter::new(complete::clusters))]
    name: Option<String>,
    /// Go on telling what happens
    #[arg(short, long)]
    follow: bool,
}

/// Tells.
pub(crate) async fn run(context: &Context, args: &StatusArgs) -> CommandResult {
    let (cluster, controller) = context.world.meant(context, args.name.as_deref()).await?;
    let failed = |error: Box<_>| CommandError::operation(*error, &model::span::Sources::default());
    let inventory = controller.observe(&cluster.name).await.map_err(failed)?;
    let timeline = controller.timeline(&cluster.name, None).await;
    let drift = drift(controller, &inventory).await;
    let view = ClusterView::new(inventory);
    show(context, &view, drift.as_ref(), &timeline.events)?;
    for missing in &timeline.missing {
        context.printer.warn(missing);
    }
    if args.follow {
        follow(context, controller, &cluster.name, &timeline.events).await?;
    }
    Ok(Exit::Done)
}

/// What an update with the accepted spec would mend; nothing where that cannot
/// be told.
async fn drift(controller: &Controller, inventory: &Inventory) -> Option<Plan> {
    let record = inventory.record().filter(|record| !record.deleting)?;
    let spec = Resolved::from_stored(&record.spec).ok()?;
    let planned = controller.plan(Intent::Update, Some(&spec), &inventory.cluster).await;
    planned.ok().map(|planned| planned.plan)
}

fn show(
    context: &Context,
    view: &ClusterView,
    drift: Option<&Plan>,
    events: &[TimelineEvent],
) -> Result<(), CommandError> {
    let printer = context.printer;
    if printer.is_json() {
        printer.document_line(&StatusDocument::new(view, drift, events))?;
        return Ok(());
    }
    let mut lines = render::standing(view, context::now(), printer.out);
    let drift = drift.map(render::drift).unwrap_or_default();
    if !drift.is_empty() {
        lines.push("Differs from the spec:".to_owned());
        lines.extend(drift);
    }
    if !events.is_empty() {
        lines.push("Timeline:".to_owned());
        lines.extend(render::timeline(events, &TimeZone::system(), printer.out));
    }
    printer.lines(lines)?;
    Ok(())
}

/// Tells what happens until the user stops it.
async fn follow(
    context: &Context,
    controller: &Controller,
    cluster: &ClusterName,
    told: &[TimelineEvent],
) -> Result<(), CommandError> {
    let printer = context.printer;
    // Told by their words, not by the last time: two sources do not tell in
    // one order, and a line may come late.
    let key = |event: &TimelineEvent| {
        let node = event.node.as_ref().map(ToString::to_string);
        (event.at, node, event.what.clone(), event.why.clone())
    };
    let mut known: BTreeSet<_> = told.iter().map(key).collect();
    loop {
        tokio::select! {
            () = context.interrupt.stop.cancelled() => return Ok(()),
            () = tokio::time::sleep(FOLLOW_INTERVAL) => {}
        }
        // Looking is what makes a provider notice, and tell.
        let _ = controller.observe(cluster).await;
        let timeline = controller.timeline(cluster, None).await;
        let fresh: Vec<TimelineEvent> =
            timeline.events.into_iter().filter(|event| known.insert(key(event))).collect();
        if printer.is_json() {
            for event in &fresh {
                printer.document_line(&EventDocument::new(event))?;
            }
        } else if !fresh.is_empty() {
            printer.lines(render::timeline(&fresh, &TimeZone::system(), printer.out))?;
        }
    }
}
