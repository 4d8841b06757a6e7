//! `squall demo`: from nothing to a cluster with a job on every node, and back
//! to nothing, with every step said as one would type it.

use clap::Args;

use crate::context::Context;
use crate::demo;
use crate::exit::CommandResult;

/// Make a small cluster on this machine, run a job on it, and remove it
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  squall demo
  squall demo --count 16
  squall demo --keep                 and play with it; it says how to delete it

Asks nothing: it touches only what it made itself. Ctrl-C removes that too.")]
pub(crate) struct DemoArgs {
    /// Leave the cluster there
    #[arg(long)]
    pub(crate) keep: bool,
    /// Nodes to make
    #[arg(long, value_name = "N", default_value_t = 3)]
    #[arg(value_parser = clap::value_parser!(u32).range(1..=200))]
    pub(crate) count: u32,
}

/// Shows it all.
pub(crate) async fn run(context: &Context, args: &DemoArgs) -> CommandResult {
    demo::run(context, args.count, args.keep).await
}
