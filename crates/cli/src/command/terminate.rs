//! `squall terminate`: removes nodes for good; they stay away until an update
//! brings them back.

use clap::Args;
use clap_complete::engine::ArgValueCompleter;
use model::plan::Intent;
use model::span::Sources;

use crate::args::ReachArgs;
use crate::change::{self, Change};
use crate::context::Context;
use crate::exit::{CommandResult, Exit};
use crate::{complete, scope};

/// Remove nodes for good; their files are lost
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  squall terminate worker8
  squall terminate 'demo:worker[5-8]' --yes

The cluster remembers that these nodes were removed: `squall update` brings them
back only when the count of their pool changes. `squall delete` removes a whole
cluster.")]
pub(crate) struct TerminateArgs {
    /// The nodes
    #[arg(value_name = "TARGET", add = ArgValueCompleter::new(complete::targets))]
    target: String,
    #[command(flatten)]
    reach: ReachArgs,
}

/// Plans, shows, asks, and removes them, cluster by cluster.
pub(crate) async fn run(context: &Context, args: &TerminateArgs) -> CommandResult {
    let found = scope::look(context, Some(&args.target)).await?;
    let mut exit = Exit::Done;
    for group in found.groups(&args.reach)? {
        let inventory = &group.cluster.inventory;
        let change = Change {
            controller: context.world.controller(inventory.provider)?,
            intent: Intent::Terminate(group.names().into_iter().collect()),
            cluster: inventory.cluster.clone(),
            spec: None,
            sources: &Sources::default(),
        };
        exit = change::run(context, &change).await?;
    }
    Ok(exit)
}
