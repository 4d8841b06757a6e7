//! What plain `ssh` needs to reach nodes: a block of ssh_config, and a
//! known_hosts file that it names.

use std::collections::BTreeMap;
use std::io::Write as _;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;

use model::Endpoint;
use model::inventory::{Inventory, ObservedNode};
use model::name::NodeName;
use transport::PublicKey;
use transport::sshconfig::{HostBlock, known_hosts_line, render};

use crate::args::quoted;
use crate::exit::{CommandError, Exit};
use crate::paths::{Paths, make_private};

/// The block, and what is not in it.
#[derive(Debug)]
pub(crate) struct Block {
    /// Text for an ssh_config.
    pub(crate) text: String,
    /// Nodes that are left out, and why.
    pub(crate) missing: Vec<String>,
}

/// Writes the known_hosts file of a cluster and answers with its block.
pub(crate) fn write(paths: &Paths, inventory: &Inventory) -> Result<Block, CommandError> {
    let made = make(paths, inventory)?;
    let blocks: Vec<HostBlock> = made.blocks.into_iter().map(|(_, block)| block).collect();
    let text = render(&blocks).map_err(|error| CommandError::failed_to(Exit::Failed, &error))?;
    Ok(Block { text, missing: made.missing })
}

/// Writes the known_hosts file of a cluster and answers with the block of each
/// node that can be reached.
pub(crate) fn blocks(
    paths: &Paths,
    inventory: &Inventory,
) -> Result<BTreeMap<NodeName, HostBlock>, CommandError> {
    Ok(make(paths, inventory)?.blocks.into_iter().collect())
}

struct Made {
    blocks: Vec<(NodeName, HostBlock)>,
    missing: Vec<String>,
}

fn make(paths: &Paths, inventory: &Inventory) -> Result<Made, CommandError> {
    let directory = paths.data.join("known_hosts");
    let file = directory.join(inventory.cluster.slug());
    let mut made = Made { blocks: Vec::new(), missing: Vec::new() };
    let mut known = String::new();
    for node in inventory.nodes().iter().filter(|node| node.state.exists()) {
        match host(paths, inventory, node, &file) {
            Ok((block, line)) => {
                made.blocks.push((node.name.clone(), block));
                known.push_str(&line);
            }
            Err(why) => made.missing.push(format!("{} is left out: {why}", node.name)),
        }
    }
    put(&directory, &file, &known).map_err(|error| {
        let message = format!("failed to write {}", file.display());
        CommandError::new(Exit::Failed, message).cause(error)
    })?;
    Ok(made)
}

fn host(
    paths: &Paths,
    inventory: &Inventory,
    node: &ObservedNode,
    known_hosts: &Path,
) -> Result<(HostBlock, String), String> {
    let cluster = inventory.cluster.slug();
    let endpoint =
        node.endpoint.as_ref().ok_or_else(|| format!("it is {} and has no address", node.state))?;
    let host_key = node.host_key.as_ref().ok_or("its host key is not known")?;
    let key = PublicKey::parse(host_key).map_err(|error| format!("its host key: {error}"))?;
    let alias = format!("squall-{cluster}-{}", node.name.slug());
    let line = known_hosts_line(&alias, &key);
    let block = HostBlock {
        names: vec![node.name.to_string(), format!("{}.{}", node.name, inventory.cluster)],
        host_name: endpoint.host(),
        port: (endpoint.port() != 22).then(|| endpoint.port()),
        user: node.username.clone(),
        identity_file: paths.key().display().to_string(),
        known_hosts_file: known_hosts.display().to_string(),
        host_key_alias: alias,
        proxy_command: match endpoint {
            Endpoint::Tcp { .. } | Endpoint::Host { .. } | Endpoint::Jump { .. } => None,
            Endpoint::Namespace { relay, .. } => Some(proxy_command(relay)?),
        },
    };
    Ok((block, line))
}

/// Our own relay, by the path of this binary; ssh puts in address and port.
fn proxy_command(relay: &str) -> Result<String, String> {
    let program = std::env::current_exe().map_err(|error| error.to_string())?;
    let word = |text: &str| quoted(text).replace('%', "%%");
    let program = word(&program.display().to_string());
    Ok(format!("{program} __proxy {} %h %p", word(relay)))
}

fn put(directory: &Path, file: &Path, text: &str) -> std::io::Result<()> {
    make_private(directory)?;
    let fresh = file.with_extension(format!("new-{}", std::process::id()));
    let mut options = std::fs::OpenOptions::new();
    options.create(true).write(true).truncate(true).mode(0o600);
    options.open(&fresh)?.write_all(text.as_bytes())?;
    std::fs::rename(&fresh, file)
}
