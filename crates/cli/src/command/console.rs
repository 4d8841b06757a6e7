//! `squall console`: what a node printed on its console.

use clap::Args;
use clap_complete::engine::ArgValueCompleter;
use model::span::Sources;

use crate::context::Context;
use crate::exit::{CommandError, CommandResult, Exit};
use crate::{complete, scope};

/// Print what a node wrote on its console: boot, first-boot scripts
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  squall console worker1
  squall console demo:worker1 | tail

The bytes are printed as they are, also with --json.")]
pub(crate) struct ConsoleArgs {
    /// The node, or a cluster for its head
    #[arg(value_name = "NODE", add = ArgValueCompleter::new(complete::targets))]
    target: String,
}

/// Prints it.
pub(crate) async fn run(context: &Context, args: &ConsoleArgs) -> CommandResult {
    let found = scope::look_for_one(context, &args.target).await?;
    let (cluster, node) = found.one()?;
    let inventory = &cluster.inventory;
    let controller = context.world.controller(inventory.provider)?;
    let printed = controller
        .console(&inventory.cluster, &node.name)
        .await
        .map_err(|error| CommandError::operation(*error, &Sources::default()))?;
    context.printer.bytes(&printed)?;
    Ok(Exit::Done)
}
