//! `squall doctor`: what this machine can do for local nodes, found by trying.

use clap::Args;

use crate::context::Context;
use crate::document::DoctorDocument;
use crate::exit::{CommandError, CommandResult, Exit};
use crate::render;

/// Say what this machine can do for local nodes, and how to get more
#[derive(Debug, Args)]
#[command(after_help = "\
Tries every way to make nodes, for real and without a trace, and says what of it
failed with the kernel's words. Exit code 5 when no way works.
Limits by control groups version 2 are written for and not yet proven.")]
pub(crate) struct DoctorArgs {}

/// Tries, and tells.
pub(crate) async fn run(context: &Context, _args: &DoctorArgs) -> CommandResult {
    let printer = context.printer;
    let local = context.world.local().clone();
    let report = tokio::task::spawn_blocking(move || local.doctor())
        .await
        .map_err(|error| CommandError::new(Exit::Failed, "failed to look").cause(error))?;
    if printer.is_json() {
        printer.document(&DoctorDocument::new(&report))?;
    } else {
        printer.lines(render::doctor(&report, printer.out))?;
    }
    Ok(if report.is_able() { Exit::Done } else { Exit::Unavailable })
}
