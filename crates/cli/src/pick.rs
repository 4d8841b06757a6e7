//! From a target and what narrows it to nodes that something is run on. The
//! one way in for commands that touch running nodes.

use clap::Args;
use clap_complete::engine::ArgValueCompleter;

use crate::args::ReachArgs;
use crate::complete;
use crate::context::Context;
use crate::exit::CommandError;
use crate::hosts::{self, HostArgs};
use crate::reach::{self, Reached};
use crate::scope;

/// What narrows or widens a target.
#[derive(Debug, Clone, Args)]
pub(crate) struct PickArgs {
    #[command(flatten)]
    pub(crate) reach: ReachArgs,
    /// Leave these nodes out; repeatable
    #[arg(short = 'x', long, value_name = "TARGET", add = ArgValueCompleter::new(complete::targets))]
    pub(crate) exclude: Vec<String>,
    #[command(flatten)]
    pub(crate) hosts: HostArgs,
}

/// The nodes that are meant, and the way to them: of clusters, or of the
/// user's lists of hosts.
///
/// # Errors
/// What is wrong with the target; nothing is selected, or too much.
pub(crate) async fn pick(
    context: &Context,
    args: &PickArgs,
    target: &str,
) -> Result<Reached, CommandError> {
    if args.hosts.are_given() {
        return hosts::reach(context, &args.hosts, target, &args.exclude).await;
    }
    let found = scope::look_without(context, Some(target), &args.exclude).await?;
    let groups = found.groups(&args.reach)?;
    reach::reach(context, &groups).await
}
