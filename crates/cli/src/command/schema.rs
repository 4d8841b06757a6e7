//! `squall schema`: the JSON Schema of specs, for editors.

use clap::Args;

use crate::context::Context;
use crate::exit::{CommandResult, Exit};

/// Print the JSON Schema of the spec
#[derive(Debug, Args)]
#[command(after_help = "\
Example, for editors with a YAML language server:
  squall schema > squall.schema.json
  sed -i '1i # yaml-language-server: $schema=squall.schema.json' cluster.yaml")]
pub(crate) struct SchemaArgs {}

/// Prints the schema.
pub(crate) fn run(context: &Context, _args: &SchemaArgs) -> CommandResult {
    let schema = serde_json::to_string_pretty(&model::spec::schema());
    context.printer.line(schema.map_err(std::io::Error::other)?)?;
    Ok(Exit::Done)
}
