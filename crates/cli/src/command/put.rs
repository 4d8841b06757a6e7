//! `squall put`: files and trees to many nodes at once.

use std::ffi::OsString;

use clap::Args;
use transport::copy::{self, PutPlan, PutProblem};
use transport::fanout::Stop;

use crate::context::Context;
use crate::copy_output::{CopyArgs, CopyOutput, Direction, put_words};
use crate::exit::{CommandError, CommandResult, Exit};
use crate::paint::printable;
use crate::pick;

/// Copy files and directories to nodes, verified
#[derive(Debug, Args)]
#[command(override_usage = "squall put [OPTIONS] FILES... TARGET [DIR]\n       \
                            squall put [OPTIONS] FILES... -- TARGET [DIR]")]
#[command(after_help = "\
Examples:
  squall put data.bin 'worker*'                  into the home directory
  squall put data.bin 'worker*' /opt/data        into a directory that is there
  squall put -p conf/ hosts demo /etc/app        makes /etc/app and copies conf, too
  squall put '*.txt' 'worker[1-8]' '~/in'        a quoted glob is expanded as well
  squall put a.bin -- demo data                  see below

The last word is DIR if it has a slash or begins with `.` or `~`, or if it is no
pattern and the word before it is no file here. `--` before TARGET leaves no
doubt.

Directories are copied with all that is in them, links in them as links; modes
and times are kept. Each file is read once for all nodes, sent into a hidden
file beside its place, verified by its SHA-256 on the node, and renamed over
what was there. A file with the same size and time is left alone (-c: the same
hash). What was interrupted goes on where it stopped.
Exit code 0 only if everything is on every node.")]
pub(crate) struct PutArgs {
    /// Files and directories here, then the nodes, then where to
    #[arg(value_name = "FILES... TARGET [DIR]", required = true)]
    #[arg(value_hint = clap::ValueHint::AnyPath)]
    words: Vec<OsString>,
    /// Target and directory, after `--`
    #[arg(value_name = "TARGET [DIR]", last = true, hide = true)]
    last: Vec<OsString>,
    /// Make DIR, and what is above it, if it is not there
    #[arg(short, long)]
    parents: bool,
    #[command(flatten)]
    copy: CopyArgs,
}

/// Copies and tells what comes of it.
pub(crate) async fn run(context: &Context, args: &PutArgs) -> CommandResult {
    let is_there = |word: &std::ffi::OsStr| std::path::Path::new(word).exists();
    let words = put_words(&args.words, &args.last, is_there)?;
    let directory = words.directory.clone();
    let files = words.files.clone();
    let looked =
        tokio::task::spawn_blocking(move || PutPlan::look(&files, directory.as_deref())).await;
    let plan = match looked {
        Ok(plan) => plan.map_err(|problems| wrong_files(&problems))?,
        Err(error) => return Err(CommandError::failed_to(Exit::Failed, &error)),
    };
    let reached = pick::pick(context, &args.copy.pick, &words.target).await;
    let reached = reached.map_err(|error| match words.is_guess {
        true => error.hint(format!(
            "`{}` was taken for the target since it is no file here; `--` before the target \
             leaves no doubt",
            words.target
        )),
        false => error,
    })?;
    let dry_run = args.copy.dry_run;
    let output = CopyOutput::new(context.printer, &reached, Direction::Put, dry_run);
    // A copy aborts its token when it is over, which nobody else must hear.
    let stop = Stop {
        cancel: context.interrupt.stop.clone(),
        abort: context.interrupt.abort.child_token(),
    };
    let (targets, plan) = (reached.targets(), plan.making_directory(args.parents));
    let copying = copy::put(reached.dial, targets, plan, args.copy.options(), stop);
    let all_there = output.follow(copying).await?;
    Ok(match (context.interrupt.is_stopping(), all_there) {
        (true, _) => Exit::Interrupted,
        (false, true) => Exit::Done,
        (false, false) => Exit::Failed,
    })
}

/// Problems said before anything is sent; a tree may have many.
const PROBLEMS_MAX: usize = 20;

fn wrong_files(problems: &[PutProblem]) -> CommandError {
    let mut error = CommandError::new(Exit::Failed, "nothing was copied: not all files can be");
    let said = problems.iter().take(PROBLEMS_MAX);
    error.details.extend(said.map(|problem| printable(&problem.to_string())));
    let more = problems.len().saturating_sub(PROBLEMS_MAX);
    if more > 0 {
        error.details.push(format!("and {more} more"));
    }
    error
}
