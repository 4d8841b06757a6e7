//! `squall get`: files and trees from many nodes at once.

use std::ffi::OsString;
use std::path::PathBuf;

use clap::Args;
use transport::copy::{self, GetPlan};
use transport::fanout::Stop;

use crate::context::Context;
use crate::copy_output::{CopyArgs, CopyOutput, Direction, GetWords, get_words};
use crate::exit::{CommandResult, Exit};
use crate::pick;

/// Copy files and directories from nodes, each node's into a directory of its own
#[derive(Debug, Args)]
#[command(override_usage = "squall get [OPTIONS] FILE TARGET [DIR]")]
#[command(after_help = "\
Examples:
  squall get results.csv 'worker*'               into ./worker1/results.csv, …
  squall get '/var/log/*.log' demo logs          into logs/NODE/…
  squall get '~/out' 'worker[1-8]' -n            only say what would be copied

FILE is a file, a directory or a quoted glob, which each node expands; relative
to the home directory. What is got lies in DIR/NODE/, also of a single node;
DIR is the current directory, and made if it is not there.

Modes and times are kept, links in directories as links. Each file is verified
by its SHA-256 on the node and renamed over what was there. A file with the same
size and time is left alone (-c: the same hash). What was interrupted goes on
where it stopped. Nothing is ever written outside DIR/NODE/.
Exit code 0 only if everything is here from every node.")]
pub(crate) struct GetArgs {
    /// The file there, the nodes, and where to
    #[arg(value_name = "FILE TARGET [DIR]", required = true)]
    words: Vec<OsString>,
    #[command(flatten)]
    copy: CopyArgs,
}

/// Copies and tells what comes of it.
pub(crate) async fn run(context: &Context, args: &GetArgs) -> CommandResult {
    let GetWords { file, target, directory } = get_words(&args.words)?;
    let reached = pick::pick(context, &args.copy.pick, &target).await?;
    let directory = directory.unwrap_or_else(|| PathBuf::from("."));
    let direction = Direction::Get { directory: directory.clone() };
    let output = CopyOutput::new(context.printer, &reached, direction, args.copy.dry_run);
    // A copy aborts its token when it is over, which nobody else must hear.
    let stop = Stop {
        cancel: context.interrupt.stop.clone(),
        abort: context.interrupt.abort.child_token(),
    };
    let (targets, plan) = (reached.targets(), GetPlan::new(&file, directory));
    let copying = copy::get(reached.dial, targets, plan, args.copy.options(), stop);
    let all_here = output.follow(copying).await?;
    Ok(match (context.interrupt.is_stopping(), all_here) {
        (true, _) => Exit::Interrupted,
        (false, true) => Exit::Done,
        (false, false) => Exit::Failed,
    })
}
