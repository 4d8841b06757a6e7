//! From the command line to the end of the process: parses, makes the
//! surroundings, runs the command, shows how it ended.

use std::process::ExitCode;
use std::time::Duration;

use clap::{CommandFactory as _, Parser as _};
use clap_complete::CompleteEnv;
use controller::Journal;

use crate::args::Cli;
use crate::complete::ACTIVATION_VARIABLE;
use crate::context::Context;
use crate::exit::{CommandError, CommandResult, Exit};
use crate::output::Printer;
use crate::paths::Paths;
use crate::world::World;
use crate::{dispatch, logging, signals};

/// How long tasks may take to end once the command is done. They hold nothing
/// that matters then: connections say goodbye.
const GOODBYE: Duration = Duration::from_millis(100);

/// Runs the whole command.
pub(crate) fn run() -> ExitCode {
    // Answers a shell that completes a command line, and ends the process then.
    CompleteEnv::with_factory(Cli::command).var(ACTIVATION_VARIABLE).complete();
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => {
            // Help and version go to standard output and are no failures.
            let _ = error.print();
            return ExitCode::from(u8::try_from(error.exit_code()).unwrap_or(2));
        }
    };
    let printer = Printer::new(cli.global.mode(), cli.global.color);
    let exit = start(cli, printer).unwrap_or_else(|error| {
        printer.error(&error);
        error.exit
    });
    tracing::info!(code = exit.code(), "end");
    ExitCode::from(exit)
}

fn start(cli: Cli, printer: Printer) -> CommandResult {
    let paths = Paths::discover()?;
    logging::start(&paths.log(), cli.command.trace_level(&cli.global), printer.err);
    tracing::info!(version = env!("CARGO_PKG_VERSION"), command = cli.command.name(), "begin");
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(|error| CommandError::new(Exit::Failed, "failed to start").cause(error))?;
    let result = runtime.block_on(async {
        let context = Context {
            world: World::open(&paths, &Journal::open(&paths.journal()))?,
            interrupt: signals::listen(printer, &cli.command)?,
            global: cli.global,
            printer,
            paths,
        };
        let result = Box::pin(dispatch::run(&context, cli.command)).await;
        context.world.flush().await;
        result
    });
    runtime.shutdown_timeout(GOODBYE);
    result
}
