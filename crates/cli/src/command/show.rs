//! `squall show`: nodes under their clusters.

use clap::Args;
use clap_complete::engine::ArgValueCompleter;

use crate::complete;
use crate::context::{self, Context};
use crate::document::NodesDocument;
use crate::exit::{CommandResult, Exit};
use crate::render::{self, Detail};
use crate::scope;

/// Show nodes, under their clusters
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  squall show                        every node there is
  squall show 'worker[1-4]' -v       some nodes, and more of each
  squall show demo -vv               every property of every node of `demo`
  squall show state=stopped --json
  squall show ubuntu                 what is no name is looked for everywhere

Nodes that a cluster's spec has and its provider lacks are shown as `absent`.
Here -v is for the listing; SQUALL_LOG=debug writes traces to the log file.")]
pub(crate) struct ShowArgs {
    /// The nodes; all there are without it
    #[arg(value_name = "TARGET", add = ArgValueCompleter::new(complete::targets))]
    target: Option<String>,
}

/// Shows.
pub(crate) async fn run(context: &Context, args: &ShowArgs) -> CommandResult {
    let printer = context.printer;
    let found = scope::look_or_search(context, args.target.as_deref()).await?;
    let clusters = found.shown()?;
    if printer.is_json() {
        printer.document(&NodesDocument::new(&clusters))?;
        return Ok(Exit::Done);
    }
    if clusters.is_empty() {
        printer.say("There is no cluster.");
    }
    let detail = match context.global.verbose {
        0 => Detail::Line,
        1 => Detail::LongLine,
        _ => Detail::Everything,
    };
    printer.lines(render::nodes(&clusters, detail, context::now(), printer.out))?;
    Ok(Exit::Done)
}
