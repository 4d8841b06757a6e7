//! `squall forget`: removes what this machine remembers of a cluster, never a
//! machine.

use clap::Args;
use clap_complete::engine::ArgValueCompleter;
use model::name::ClusterName;
use model::resolved::ProviderKind;
use model::span::Sources;

use crate::context::Context;
use crate::exit::{CommandError, CommandResult, Exit};
use crate::{ask, complete};

/// Forget what this machine remembers of a cluster; touch no node
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  squall forget demo                 its timeline on this machine is gone

Clusters are listed by their providers: one that is still there stays listed.
`squall delete` removes it.")]
pub(crate) struct ForgetArgs {
    /// The cluster
    #[arg(value_name = "CLUSTER", add = ArgValueCompleter::new(complete::clusters))]
    name: String,
}

/// Asks, and forgets.
pub(crate) async fn run(context: &Context, args: &ForgetArgs) -> CommandResult {
    let failed = |error: Box<_>| CommandError::operation(*error, &Sources::default());
    let printer = context.printer;
    let listing = context.world.clusters().await;
    let known = crate::world::named(&listing.clusters, &args.name).ok();
    let name = match known {
        Some(cluster) => cluster.name.clone(),
        None => ClusterName::parse(&args.name).map_err(|error| {
            let message = format!("there is no cluster `{}`", args.name);
            CommandError::new(Exit::NotFound, message).cause(error)
        })?,
    };
    let provider = known.map_or(ProviderKind::Local, |cluster| cluster.provider);
    let controller = context.world.controller(provider)?;
    let question = format!("Forget the timeline of cluster {name} on this machine?");
    ask::confirm(printer, &context.interrupt, context.global.yes, &question).await?;
    let forgotten = controller.forget(&name).await.map_err(failed)?;
    if printer.is_json() {
        let document = crate::document::ForgottenDocument::new(&name, &forgotten);
        printer.document(&document)?;
        return Ok(Exit::Done);
    }
    printer.say(format!("Forgot {} lines of the timeline.", forgotten.events));
    if let Some(why) = &forgotten.still_listed {
        printer.say(format!("{name} is still listed: {why}."));
    }
    Ok(Exit::Done)
}
