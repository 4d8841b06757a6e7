//! `squall completions`: the script that makes a shell complete commands, and,
//! by calling this binary while one types, clusters and targets.

use clap::{Args, CommandFactory as _, ValueEnum};
use clap_complete::env::{Bash, EnvCompleter, Fish, Zsh};

use crate::args::Cli;
use crate::complete::ACTIVATION_VARIABLE;
use crate::context::Context;
use crate::exit::{CommandResult, Exit};

/// Print the completion script of a shell
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  echo 'source <(squall completions bash)' >> ~/.bashrc
  echo 'source <(squall completions zsh)' >> ~/.zshrc
  echo 'squall completions fish | source' >> ~/.config/fish/config.fish

The script belongs to the version that printed it: let the shell print it anew
at each start, as above, rather than keep it in a file.")]
pub(crate) struct CompletionsArgs {
    /// The shell
    #[arg(value_enum)]
    shell: Shell,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Shell {
    Bash,
    Zsh,
    Fish,
}

/// Prints the script.
pub(crate) fn run(context: &Context, args: &CompletionsArgs) -> CommandResult {
    let shell: &dyn EnvCompleter = match args.shell {
        Shell::Bash => &Bash,
        Shell::Zsh => &Zsh,
        Shell::Fish => &Fish,
    };
    let command = Cli::command();
    let name = command.get_name();
    let mut script = Vec::new();
    shell.write_registration(ACTIVATION_VARIABLE, name, name, name, &mut script)?;
    context.printer.bytes(&script)?;
    Ok(Exit::Done)
}
