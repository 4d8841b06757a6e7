//! `squall create`: makes a cluster from its spec, or goes on making it.

use clap::Args;
use model::plan::Intent;

use crate::args::SpecArgs;
use crate::change::{self, Change};
use crate::context::Context;
use crate::exit::CommandResult;
use crate::spec_file;

/// Make a cluster from a spec, or go on where making it was interrupted
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  squall create cluster.yaml
  squall create cluster.yaml --provider local --name try --yes
  squall create cluster.yaml --set nodes.worker.count=8

Shows the plan, asks, makes the nodes, and waits until each lets you in. When a
node does not come up, what was made is removed again, unless the spec says
`on_failure: keep`. Ctrl-C stops and leaves what stands: the same command goes
on with it, `squall delete` removes it.
Limits of local nodes on machines with control groups version 2 are written for
and not yet proven.")]
pub(crate) struct CreateArgs {
    #[command(flatten)]
    pub(crate) spec: SpecArgs,
}

/// Plans, shows, asks, and makes it.
pub(crate) async fn run(context: &Context, args: &CreateArgs) -> CommandResult {
    let resolution = spec_file::read(context, &args.spec).await?;
    spec_file::able(context, &resolution)?;
    spec_file::tell(context, &resolution.notes);
    let change = Change {
        controller: context.world.controller(resolution.spec.provider)?,
        intent: Intent::Create,
        cluster: resolution.spec.cluster.clone(),
        spec: Some(&resolution.spec),
        sources: spec_file::sources(&resolution),
    };
    let exit = change::run(context, &change).await?;
    let cluster = &change.cluster;
    context.printer.say(format!(
        "  squall show {cluster}\n  squall run {cluster} -- uname -n\n  squall ssh {cluster}\n  \
         squall delete {cluster}"
    ));
    Ok(exit)
}
