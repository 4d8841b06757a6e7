//! `squall inventory`: the nodes as Ansible takes them from a program.

use clap::Args;
use clap_complete::engine::ArgValueCompleter;
use serde::Serialize;
use serde_json::{Map, Value};

use crate::context::Context;
use crate::exit::{CommandError, CommandResult, Exit};
use crate::hosts::{self, HostArgs, Inventory, connection};
use crate::view::{self, Shown};
use crate::{complete, plain_ssh, scope};

/// Print the nodes as an inventory of Ansible
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  squall inventory --list
  squall inventory --list -C demo 'worker*'
  squall inventory --host worker1
  squall inventory --list --hosts hosts.txt --user ops

Ansible runs an inventory as `FILE --list`, so it wants a file of two lines:
  #!/bin/sh
  exec squall inventory \"$@\"
With that, executable, as `demo.sh`:  ansible -i demo.sh role_worker -m ping

Groups are `cluster_NAME`, `pool_NAME`, `role_NAME`, `state_running` and
`tag_KEY_VALUE`, with `_` for what Ansible does not take. Nodes of one cluster have
their own names, nodes of several are NODE.CLUSTER.")]
pub(crate) struct InventoryArgs {
    /// The nodes; all in scope without it
    #[arg(value_name = "TARGET", add = ArgValueCompleter::new(complete::targets))]
    target: Option<String>,
    /// Print all of it
    #[arg(long, required_unless_present = "host")]
    list: bool,
    /// Print what is known of one node
    #[arg(long, value_name = "NAME", conflicts_with = "list")]
    host: Option<String>,
    #[command(flatten)]
    hosts: HostArgs,
}

/// Prints it.
pub(crate) async fn run(context: &Context, args: &InventoryArgs) -> CommandResult {
    let inventory = if args.hosts.are_given() {
        of_hosts(context, args)?
    } else {
        of_clusters(context, args).await?
    };
    match &args.host {
        None => print(context, &inventory)?,
        Some(name) => match inventory.host(name) {
            Some(variables) => print(context, variables)?,
            None => {
                let message = format!("there is no node {name} in this inventory");
                return Err(CommandError::new(Exit::NotFound, message)
                    .hint("`squall inventory --list` has the names"));
            }
        },
    }
    Ok(Exit::Done)
}

fn print(context: &Context, document: &impl Serialize) -> Result<(), CommandError> {
    let text = serde_json::to_string_pretty(document).map_err(|error| {
        CommandError::new(Exit::Failed, "failed to write the inventory").cause(error)
    })?;
    Ok(context.printer.bytes(format!("{text}\n").as_bytes())?)
}

fn of_hosts(context: &Context, args: &InventoryArgs) -> Result<Inventory, CommandError> {
    let target = args.target.as_deref();
    let selected = hosts::select(context, &args.hosts, target, &[])?;
    let mut inventory = Inventory::default();
    for (member, variables) in selected.connections(&args.hosts) {
        inventory.add(&member.name, member, variables);
    }
    Ok(inventory)
}

async fn of_clusters(context: &Context, args: &InventoryArgs) -> Result<Inventory, CommandError> {
    let mut inventory = Inventory::default();
    if context.world.clusters().await.all()?.is_empty() {
        return Ok(inventory);
    }
    let found = scope::look(context, args.target.as_deref()).await?;
    let shown = found.shown()?;
    let is_one = shown.len() == 1;
    for (cluster, nodes) in shown {
        let observed = &cluster.inventory;
        let mut blocks = plain_ssh::blocks(&context.paths, observed)?;
        for node in nodes {
            let Shown::There(node) = node else { continue };
            let variables: Map<String, Value> =
                blocks.remove(&node.name).map(|block| connection(&block)).unwrap_or_default();
            let name = match is_one {
                true => node.name.to_string(),
                false => format!("{}.{}", node.name, observed.cluster),
            };
            inventory.add(&name, &view::member(observed, node), variables);
        }
    }
    Ok(inventory)
}
