//! `squall run`: one command on many nodes at once.

use std::io;
use std::time::Duration;

use clap::Args;
use clap_complete::engine::ArgValueCompleter;
use transport::Timeouts;
use transport::fanout::{self, Assignment, Run, RunEvent, RunOptions, Stop};
use transport::limits::FANOUT_MAX;

use crate::context::Context;
use crate::exit::{CommandResult, Exit};
use crate::pick::{self, PickArgs};
use crate::run_output::{OutputArgs, RunNodes, RunOutput};
use crate::{complete, duration};

/// Run a command on nodes, in parallel
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  squall run 'worker*' -- uname -n
  squall run demo -- 'grep -c processor /proc/cpuinfo && free -m'
  squall run 'worker[1-8]!worker3' --timeout 30s -- ./step.sh
  squall run --json '*' -- uptime | jq -r 'select(.event == \"line\").text'

The words of the command are joined with blanks and given to the node's shell,
as ssh does: quote what the shell there should see, as in the second example.
Every line is preceded by its node; a line longer than 64 KiB comes in pieces,
of which all but the first are preceded by `NODE+`. Standard error stays apart.
Exit code 0 only if the command ended with 0 on every node.
Ctrl-C stops the command everywhere and says where it was running; a second one
leaves at once.")]
pub(crate) struct RunArgs {
    /// The nodes
    #[arg(value_name = "TARGET", add = ArgValueCompleter::new(complete::targets))]
    target: String,
    /// The command
    #[arg(value_name = "COMMAND", required = true, trailing_var_arg = true)]
    pub(crate) command: Vec<String>,
    #[command(flatten)]
    pick: PickArgs,
    /// Nodes at once
    #[arg(long, value_name = "N", default_value_t = FANOUT_MAX as u32)]
    #[arg(value_parser = clap::value_parser!(u32).range(1..=10_000))]
    fanout: u32,
    /// Give the command this long on each node, as in 30s or 5m
    #[arg(long, value_name = "TIME", value_parser = duration::parse)]
    timeout: Option<Duration>,
    /// Give up a node that does not let us in for this long
    #[arg(long, value_name = "TIME", value_parser = duration::parse, default_value = "10s")]
    connect_timeout: Duration,
    #[command(flatten)]
    output: OutputArgs,
}

/// Runs the command and tells what comes of it.
pub(crate) async fn run(context: &Context, args: &RunArgs) -> CommandResult {
    let reached = pick::pick(context, &args.pick, &args.target).await?;
    let options = RunOptions {
        fanout_max: usize::try_from(args.fanout).unwrap_or(FANOUT_MAX),
        timeouts: Timeouts {
            connect: args.connect_timeout,
            total: args.timeout,
            ..Timeouts::default()
        },
        ..RunOptions::default()
    };
    // A run aborts its token when it is over, which nobody else must hear.
    let stop = Stop {
        cancel: context.interrupt.stop.clone(),
        abort: context.interrupt.abort.child_token(),
    };
    let nodes = RunNodes::from(&reached);
    let mut output = RunOutput::new(context.printer, &args.output, nodes, &context.paths)?;
    let command = args.command.join(" ");
    let assignments = Assignment::each(reached.targets(), &command);
    let mut run = fanout::run(reached.dial, assignments, options, stop);
    while let Some(event) = next(&mut run, &mut output).await? {
        output.event(&event)?;
    }
    let ending = output.end(&run.summary().await)?;
    Ok(if context.interrupt.is_stopping() { Exit::Interrupted } else { ending.exit() })
}

/// The next event. What is printed waits only as long as events come.
async fn next(run: &mut Run, output: &mut RunOutput) -> io::Result<Option<RunEvent>> {
    if let Ok(event) = run.events.try_recv() {
        return Ok(Some(event));
    }
    output.flush()?;
    Ok(run.events.recv().await)
}
