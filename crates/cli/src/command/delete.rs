//! `squall delete`: removes a cluster and all its nodes.

use clap::Args;
use clap_complete::engine::ArgValueCompleter;
use model::plan::Intent;
use model::span::Sources;

use crate::change::{self, Change};
use crate::complete;
use crate::context::Context;
use crate::exit::CommandResult;

/// Remove a cluster and all its nodes; their files are lost
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  squall delete demo
  squall delete demo --yes")]
pub(crate) struct DeleteArgs {
    /// The cluster
    #[arg(value_name = "CLUSTER", add = ArgValueCompleter::new(complete::clusters))]
    pub(crate) name: String,
}

/// Plans, shows, asks, and removes it.
pub(crate) async fn run(context: &Context, args: &DeleteArgs) -> CommandResult {
    let (cluster, controller) = context.world.find(&args.name).await?;
    let change = Change {
        controller,
        intent: Intent::Delete,
        cluster: cluster.name,
        spec: None,
        sources: &Sources::default(),
    };
    change::run(context, &change).await
}
