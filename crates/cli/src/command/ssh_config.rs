//! `squall ssh-config`: what plain `ssh` needs to reach the nodes of a
//! cluster.

use clap::Args;
use clap_complete::engine::ArgValueCompleter;

use crate::context::Context;
use crate::exit::{CommandResult, Exit};
use crate::{complete, plain_ssh};

/// Print a block of ssh_config, so that plain ssh, scp and rsync reach nodes
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  squall ssh-config demo >> ~/.ssh/config && ssh worker1
  squall ssh-config demo > ~/.ssh/squall-demo       with `Include squall-demo` in ~/.ssh/config
  squall ssh-config demo > demo.ssh && scp -F demo.ssh data worker1:

Every node is known by its name and as NODE.CLUSTER. Host keys are written to a
known_hosts file of their own and always checked.")]
pub(crate) struct SshConfigArgs {
    /// The cluster; the one of -C, or the only one, without it
    #[arg(value_name = "CLUSTER", add = ArgValueCompleter::new(complete::clusters))]
    name: Option<String>,
}

/// Writes known_hosts, and prints the block.
pub(crate) async fn run(context: &Context, args: &SshConfigArgs) -> CommandResult {
    let (cluster, _) = context.world.meant(context, args.name.as_deref()).await?;
    let inventory = context.world.observe(&cluster).await?;
    let block = plain_ssh::write(&context.paths, &inventory)?;
    for missing in &block.missing {
        context.printer.warn(missing);
    }
    context.printer.bytes(block.text.as_bytes())?;
    Ok(Exit::Done)
}
