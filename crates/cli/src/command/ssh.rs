//! `squall ssh`: a shell or a command on one node, in a real terminal.

use std::sync::Arc;

use clap::Args;
use clap_complete::engine::ArgValueCompleter;
use transport::session::PtyOptions;
use transport::{Dial, Session, Target};

use crate::context::Context;
use crate::exit::{CommandError, CommandResult, Exit};
use crate::hosts::HostArgs;
use crate::interactive::{self, Ways};
use crate::{complete, hosts, reach, scope, terminal};

/// Open a shell on a node, or run one command there
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  squall ssh worker1
  squall ssh demo                    the head of the cluster `demo`
  squall ssh worker1 -- df -h /
  tar c . | squall ssh worker1 -- tar x -C /srv
  squall ssh --ssh-config web7       a host of ~/.ssh/config

Without a terminal, or with a command, input and output are pipes as with ssh;
-t asks for a terminal all the same. Ends with the exit code of the remote.")]
pub(crate) struct SshArgs {
    /// A node, or a cluster for its head
    #[arg(value_name = "NODE|CLUSTER", add = ArgValueCompleter::new(complete::targets))]
    target: String,
    /// The command; a shell without it
    #[arg(value_name = "COMMAND", trailing_var_arg = true)]
    command: Vec<String>,
    /// Ask for a terminal on the node even where there is none here
    #[arg(short = 't', long)]
    terminal: bool,
    #[command(flatten)]
    hosts: HostArgs,
}

/// Connects, and hands through until the remote ends.
pub(crate) async fn run(context: &Context, args: &SshArgs) -> CommandResult {
    let (dial, target) = reached(context, args).await?;
    let connecting = Session::connect(
        dial.as_ref(),
        &target.endpoint,
        &target.login,
        &target.host_keys,
        transport::Timeouts::default(),
    );
    let session = tokio::select! {
        connected = connecting => connected.map_err(|error| {
            CommandError::new(Exit::Unavailable, format!("failed to log in to {}", target.name))
                .cause(error.text())
                .hint(error.mend())
        })?,
        () = context.interrupt.stop.cancelled() => return Ok(Exit::Interrupted),
    };
    let command = (!args.command.is_empty()).then(|| args.command.join(" "));
    let with_terminal = args.terminal || (command.is_none() && terminal::is_there());
    let options = PtyOptions {
        command,
        term: std::env::var("TERM").unwrap_or_else(|_| "dumb".to_owned()),
        size: terminal::size(),
        no_terminal: !with_terminal,
        cancel: context.interrupt.abort.clone(),
        ..PtyOptions::default()
    };
    let ways =
        Ways { raw: with_terminal && terminal::is_there(), stop: context.interrupt.stop.clone() };
    interactive::hand_through(&session, options, ways).await
}

/// The one node that is meant, and the way to it.
async fn reached(
    context: &Context,
    args: &SshArgs,
) -> Result<(Arc<dyn Dial>, Target), CommandError> {
    if !args.hosts.are_given() {
        let found = scope::look_for_one(context, &args.target).await?;
        let (cluster, node) = found.one()?;
        return Ok((context.world.dial(), reach::one(context, cluster, node).await?));
    }
    let found = hosts::reach(context, &args.hosts, &args.target, &[]).await?;
    let mut nodes = found.nodes.into_iter();
    match (nodes.next(), nodes.next()) {
        (Some(node), None) => Ok((found.dial, node.target)),
        (Some(one), Some(other)) => {
            let (one, other) = (one.target.name, other.target.name);
            let message = format!("`{}` selects several hosts: {one}, {other} …", args.target);
            Err(CommandError::new(Exit::Usage, message).hint("name one of them"))
        }
        (None, _) => Err(match found.unreached.into_iter().next() {
            Some(host) => {
                let message = format!("{} cannot be reached: {}", host.name, host.why);
                CommandError::new(Exit::Unavailable, message).hints(host.mend)
            }
            None => CommandError::new(Exit::NotFound, "no host is selected"),
        }),
    }
}
