//! `squall reboot`.

use clap::Args;
use clap_complete::engine::ArgValueCompleter;
use model::node::NodeVerb;

use crate::args::ReachArgs;
use crate::context::Context;
use crate::exit::CommandResult;
use crate::{complete, verb};

/// Stop nodes and start them again
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  squall reboot worker2
  squall reboot 'demo:worker[1-4]' --yes
  squall reboot demo                     every node of the cluster `demo`")]
pub(crate) struct RebootArgs {
    /// The nodes
    #[arg(value_name = "TARGET", add = ArgValueCompleter::new(complete::targets))]
    target: String,
    #[command(flatten)]
    reach: ReachArgs,
}

/// Shows what is touched, asks, and does it.
pub(crate) async fn run(context: &Context, args: &RebootArgs) -> CommandResult {
    verb::run(context, &args.target, &args.reach, NodeVerb::Reboot).await
}
