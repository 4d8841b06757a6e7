//! `squall run`: one command on many nodes at once.

use clap::Args;
use clap_complete::engine::ArgValueCompleter;
use transport::fanout::{self, Assignment, RunOptions, Stop};
use transport::limits::COMMAND_BYTES_MAX;

use crate::complete;
use crate::context::Context;
use crate::exit::{CommandError, CommandResult, Exit};
use crate::pace::PaceArgs;
use crate::pick::{self, PickArgs};
use crate::run::{CommandArgs, Input, InputArgs, SudoArgs, Ways, follow};
use crate::run_output::{OutputArgs, RunNodes, RunOutput};

/// Run a command on nodes, in parallel
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  squall run 'worker*' -- uname -n
  squall run 'worker[1-8]' -x worker3 -b -- 'grep -c processor /proc/cpuinfo && free -m'
  squall run 'worker*' -u 30s -f 16 -- ./step.sh --part %rank --of '%{count}'
  squall run 'worker*' --dir ~/job --env MODE=fast -- make
  squall run 'worker*' --sudo -- systemctl restart munge
  squall run 'worker*' --script ./check.sh -- --quick
  tar c conf | squall run 'worker*' -- tar x -C /etc/app
  squall run --json '*' -- uptime | jq -r 'select(.event == \"line\").text'

Options stand before the first word of the command; what follows is the
command's, and `--` before it is good style. Its words are joined with blanks
and given to the node's shell, as ssh does: quote what the shell there should
see, as in the second example.

For each node `%h` or `%host` is its name, `%rank` its place from 0 on, and
`%{KEY}` a value of it: name, rank, count, cluster, pool, ip, instance_type, …,
tag:TAG; `%{tag:rack:-none}` says what stands where there is none. `%%h` is a
plain `%h`; every other % stands for itself.

Piped or redirected standard input goes to every node (-n: to none).
Ctrl-C at a terminal shows what is still running, twice stops it, three times
leaves at once. A line longer than 64 KiB comes in pieces, the later ones
preceded by `NODE+ `. Exit code 0 only if the command ended with 0 on every node.")]
pub(crate) struct RunArgs {
    /// The nodes
    #[arg(value_name = "TARGET", add = ArgValueCompleter::new(complete::targets))]
    target: String,
    #[command(flatten)]
    pub(crate) command: CommandArgs,
    #[command(flatten)]
    input: InputArgs,
    #[command(flatten)]
    pace: PaceArgs,
    #[command(flatten)]
    pick: PickArgs,
    #[command(flatten)]
    sudo: SudoArgs,
    #[command(flatten)]
    output: OutputArgs,
}

/// Runs the command and tells what comes of it.
pub(crate) async fn run(context: &Context, args: &RunArgs) -> CommandResult {
    let sudo = args.sudo.sudo()?;
    let reached = pick::pick(context, &args.pick, &args.target).await?;
    let worded = args.command.word(&reached.members(), &context.interrupt.stop).await?;
    if let Some(note) = &worded.note {
        context.printer.say(note);
    }
    let input = Input::new(context, &args.input, worded.script)?;
    let nodes = RunNodes::from(&reached);
    let assignments = reached.nodes.iter().zip(worded.commands).map(|(node, command)| Assignment {
        stdin: input.stdin.clone(),
        sudo: sudo.clone(),
        ..Assignment::new(node.target.clone(), command)
    });
    let assignments: Vec<Assignment> = assignments.collect();
    short_enough(assignments.iter().map(Assignment::command_bytes))?;
    let mut output = RunOutput::new(context.printer, &args.output, nodes, &context.paths)?;
    // A run aborts its token when it is over, which nobody else must hear.
    let stop = Stop {
        cancel: context.interrupt.stop.clone(),
        abort: context.interrupt.abort.child_token(),
    };
    let run = fanout::run(reached.dial, assignments, args.options(), stop);
    let ways = Ways { interrupt: &context.interrupt, sudo, input };
    let (summary, broken) = follow(run, &mut output, ways).await?;
    let ending = output.end(&summary)?;
    match broken {
        Some(error) => Err(error),
        None if context.interrupt.is_stopping() => Ok(Exit::Interrupted),
        None => Ok(ending.exit()),
    }
}

/// Refuses what nodes would hang up on.
fn short_enough(lengths: impl Iterator<Item = usize>) -> Result<(), CommandError> {
    let longest = lengths.max().unwrap_or_default();
    if longest <= COMMAND_BYTES_MAX {
        return Ok(());
    }
    let message = format!(
        "nothing was run: the command has {longest} bytes with all that is put around it; \
         nodes take {COMMAND_BYTES_MAX}"
    );
    Err(CommandError::new(Exit::Usage, message)
        .hint("--script sends a script of any length up to 8 MiB, standard input any data"))
}

impl RunArgs {
    fn options(&self) -> RunOptions {
        RunOptions {
            fanout_max: self.pace.fanout_max(),
            timeouts: self.pace.timeouts(),
            ..RunOptions::default()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::short_enough;
    use crate::exit::Exit;
    use transport::limits::COMMAND_BYTES_MAX;

    #[test]
    fn a_command_that_nodes_would_hang_up_on_is_refused() {
        assert!(short_enough([1, COMMAND_BYTES_MAX].into_iter()).is_ok());
        let error = short_enough([1, COMMAND_BYTES_MAX + 1].into_iter()).unwrap_err();
        assert_eq!(error.exit, Exit::Usage);
        assert!(error.message.contains("261121 bytes") && error.message.ends_with("take 261120"));
        assert!(error.hints.iter().any(|hint| hint.contains("--script")));
    }
}
