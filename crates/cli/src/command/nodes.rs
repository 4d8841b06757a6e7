//! `squall nodes`: the nodes that a target selects, for people who want to see
//! before they do, and for scripts.

use clap::Args;
use clap_complete::engine::ArgValueCompleter;

use crate::context::Context;
use crate::document::TargetsDocument;
use crate::exit::{CommandResult, Exit};
use crate::hosts::{self, HostArgs};
use crate::scope::Names;
use crate::{complete, scope};

/// Print the nodes that a target selects
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  squall nodes                          every node of the only cluster, or of all
  squall nodes 'worker[1-8]!worker3'    worker[1-2,4-8]
  squall nodes 'state=stopped' --expand one on each line
  squall nodes 'cores>=8' --count
  squall nodes demo -x 'worker[5-8]'
  squall nodes --hosts hosts.txt 'rack=3'

What is printed is a target itself. Names have their cluster before them, as in
`demo:worker[1-8]`, unless they are taken within one cluster (-C, or the only one
there is). Ends with 3 when nothing is selected.")]
pub(crate) struct NodesArgs {
    /// The nodes; all in scope without it
    #[arg(value_name = "TARGET", add = ArgValueCompleter::new(complete::targets))]
    target: Option<String>,
    /// Leave these nodes out; repeatable
    #[arg(short = 'x', long, value_name = "TARGET")]
    #[arg(add = ArgValueCompleter::new(complete::targets))]
    exclude: Vec<String>,
    /// One name on each line
    #[arg(short, long)]
    expand: bool,
    /// Only how many they are
    #[arg(long, conflicts_with = "expand")]
    count: bool,
    #[command(flatten)]
    hosts: HostArgs,
}

/// Prints them.
pub(crate) async fn run(context: &Context, args: &NodesArgs) -> CommandResult {
    if args.hosts.are_given() {
        let target = args.target.as_deref();
        let selected = hosts::select(context, &args.hosts, target, &args.exclude)?;
        let names = Names { cluster: "", qualified: false, names: selected.names() };
        return print(context, args, &[names]);
    }
    let found = scope::look_without(context, args.target.as_deref(), &args.exclude).await?;
    let names = found.names();
    if names.iter().all(|names| names.names.is_empty()) {
        return Err(found.nothing());
    }
    print(context, args, &names)
}

fn print(context: &Context, args: &NodesArgs, names: &[Names<'_>]) -> CommandResult {
    let printer = context.printer;
    if printer.is_json() {
        let target = args.target.as_deref().unwrap_or("*");
        printer.document(&TargetsDocument::new(target, &args.exclude, names))?;
    } else if args.count {
        let count: usize = names.iter().map(|names| names.names.len()).sum();
        printer.line(count.to_string())?;
    } else if args.expand {
        printer.lines(names.iter().flat_map(Names::each))?;
    } else {
        printer.lines(names.iter().map(Names::folded))?;
    }
    Ok(Exit::Done)
}
