//! `squall list`: the clusters there are.

use clap::Args;

use crate::context::{self, Context};
use crate::document::ClustersDocument;
use crate::exit::CommandResult;
use crate::render;

/// List the clusters, by provider and region
#[derive(Debug, Args)]
#[command(
    visible_alias = "ls",
    after_help = "\
Examples:
  squall list
  squall list -C demo
  squall list --json | jq -r '.clusters[].name'"
)]
pub(crate) struct ListArgs {}

/// Lists.
pub(crate) async fn run(context: &Context, _args: &ListArgs) -> CommandResult {
    let printer = context.printer;
    let mut found = context.world.clusters().await;
    if let Some(name) = &context.global.cluster {
        found.keep_only(name)?;
    }
    if printer.is_json() {
        printer.document(&ClustersDocument::new(&found.clusters, found.unavailable()))?;
    } else if found.clusters.is_empty() {
        printer
            .say("There is no cluster. `squall demo` shows one; `squall create SPEC` makes one.");
    } else {
        printer.lines(render::clusters(&found.clusters, context::now(), printer.out))?;
    }
    found.ended(printer)
}
