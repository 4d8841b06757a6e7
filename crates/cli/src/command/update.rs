//! `squall update`: makes a cluster be what its spec says.

use clap::Args;
use model::plan::Intent;

use crate::args::SpecArgs;
use crate::change::{self, Change};
use crate::context::Context;
use crate::exit::CommandResult;
use crate::spec_file;

/// Make a cluster be what its spec says: only the difference is done
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  squall plan cluster.yaml           the same plan, nothing done
  squall update cluster.yaml
  squall update cluster.yaml --set nodes.worker.count=8 --yes

A changed image or instance type replaces the nodes concerned: their files are
lost. A changed provider or region is refused. Nodes that were terminated stay
away until the count of their pool changes.")]
pub(crate) struct UpdateArgs {
    #[command(flatten)]
    spec: SpecArgs,
}

/// Plans the difference, shows, asks, and does it.
pub(crate) async fn run(context: &Context, args: &UpdateArgs) -> CommandResult {
    let resolution = spec_file::read(context, &args.spec).await?;
    spec_file::able(context, &resolution)?;
    spec_file::tell(context, &resolution.notes);
    let change = Change {
        controller: context.world.controller(resolution.spec.provider)?,
        intent: Intent::Update,
        cluster: resolution.spec.cluster.clone(),
        spec: Some(&resolution.spec),
        sources: spec_file::sources(&resolution),
    };
    change::run(context, &change).await
}
