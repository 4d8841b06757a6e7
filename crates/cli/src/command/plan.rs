//! `squall plan`: what would be done, and why. Changes nothing.

use clap::Args;
use model::Severity;
use model::plan::Intent;

use crate::args::SpecArgs;
use crate::context::Context;
use crate::document::PlanDocument;
use crate::exit::{CommandError, CommandResult, Exit};
use crate::{render, spec_file};

/// Show what `create` or `update` would do, and why; change nothing
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  squall plan cluster.yaml
  squall plan cluster.yaml --provider local --name try --set nodes.worker.count=8
  squall plan cluster.yaml --json | jq .plan.counts

For a cluster that is there, this is the plan of `squall update`.")]
pub(crate) struct PlanArgs {
    #[command(flatten)]
    spec: SpecArgs,
}

/// Plans, and shows the plan.
pub(crate) async fn run(context: &Context, args: &PlanArgs) -> CommandResult {
    let printer = context.printer;
    let resolution = spec_file::read(context, &args.spec).await?;
    spec_file::tell(context, &resolution.notes);
    // An error is what stops `create`; a plan is made all the same.
    let mut not_yet = resolution.not_yet.clone();
    for found in &mut not_yet.list {
        found.severity = Severity::Warning;
    }
    spec_file::tell(context, &not_yet);
    let spec = &resolution.spec;
    let controller = context.world.controller(spec.provider)?;
    let sources = spec_file::sources(&resolution);
    let failed = |error: Box<_>| CommandError::operation(*error, sources);
    let there = controller.observe(&spec.cluster).await.map_err(failed)?;
    // A cluster whose making was interrupted is gone on with; one that is
    // complete is updated.
    let intent = match there.record() {
        Some(record) if record.completed.is_some() => Intent::Update,
        Some(_) | None => Intent::Create,
    };
    let planned = controller.plan(intent, Some(spec), &spec.cluster).await.map_err(failed)?;
    if printer.is_json() {
        let document =
            PlanDocument::new(&planned.plan, sources).with_spec_notes(&resolution.notes, &not_yet);
        printer.document(&document)?;
    } else {
        printer.lines(render::plan(&planned.plan, sources, printer.out))?;
    }
    Ok(Exit::Done)
}
