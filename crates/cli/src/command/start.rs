//! `squall start`.

use clap::Args;
use clap_complete::engine::ArgValueCompleter;
use model::node::NodeVerb;

use crate::args::ReachArgs;
use crate::context::Context;
use crate::exit::CommandResult;
use crate::{complete, verb};

/// Start stopped nodes
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  squall start worker2
  squall start 'demo:worker[1-4]' --yes
  squall start demo                     every node of the cluster `demo`")]
pub(crate) struct StartArgs {
    /// The nodes
    #[arg(value_name = "TARGET", add = ArgValueCompleter::new(complete::targets))]
    target: String,
    #[command(flatten)]
    reach: ReachArgs,
}

/// Shows what is touched, asks, and does it.
pub(crate) async fn run(context: &Context, args: &StartArgs) -> CommandResult {
    verb::run(context, &args.target, &args.reach, NodeVerb::Start).await
}
