//! `squall stop`.

use clap::Args;
use clap_complete::engine::ArgValueCompleter;
use model::node::NodeVerb;

use crate::args::ReachArgs;
use crate::context::Context;
use crate::exit::CommandResult;
use crate::{complete, verb};

/// Stop nodes; their files stay
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  squall stop worker2
  squall stop 'demo:worker[1-4]' --yes
  squall stop demo                     every node of the cluster `demo`")]
pub(crate) struct StopArgs {
    /// The nodes
    #[arg(value_name = "TARGET", add = ArgValueCompleter::new(complete::targets))]
    target: String,
    #[command(flatten)]
    reach: ReachArgs,
}

/// Shows what is touched, asks, and does it.
pub(crate) async fn run(context: &Context, args: &StopArgs) -> CommandResult {
    verb::run(context, &args.target, &args.reach, NodeVerb::Stop).await
}
