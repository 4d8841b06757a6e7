//! `squall __proxy`: relays standard input and output to an address inside a
//! cluster's network. What a generated ssh_config names as ProxyCommand, so
//! that plain `ssh` reaches local nodes.

use std::net::SocketAddr;

use clap::Args;
use model::Endpoint;
use tokio::io::{AsyncWriteExt as _, copy, stdin, stdout};
use transport::limits::CONNECT_TIMEOUT;

use crate::context::Context;
use crate::exit::{CommandError, CommandResult, Exit};

/// Relay standard input and output to a node
#[derive(Debug, Args)]
pub(crate) struct ProxyArgs {
    /// Socket of the process that lives in the network
    relay: String,
    /// Address in it
    address: std::net::IpAddr,
    /// Port
    port: u16,
}

/// Relays until one side ends.
pub(crate) async fn run(context: &Context, args: &ProxyArgs) -> CommandResult {
    let endpoint = Endpoint::Namespace {
        relay: args.relay.clone(),
        address: SocketAddr::new(args.address, args.port),
    };
    let stream = context.world.dial().dial(&endpoint, CONNECT_TIMEOUT).await.map_err(|error| {
        CommandError::new(Exit::Unavailable, "failed to reach the node").cause(error)
    })?;
    let (mut from_node, mut to_node) = tokio::io::split(stream);
    let (mut input, mut output) = (stdin(), stdout());
    // The node closing its side is the end; our input ending is not, since
    // what the node still has to say follows.
    let sending = async {
        let _ = copy(&mut input, &mut to_node).await;
        // The node sees the end of our input, and may still answer.
        let _ = to_node.shutdown().await;
        std::future::pending::<()>().await;
    };
    tokio::select! {
        received = copy(&mut from_node, &mut output) => { received?; }
        () = sending => {}
        () = context.interrupt.stop.cancelled() => return Ok(Exit::Interrupted),
    }
    Ok(Exit::Done)
}
