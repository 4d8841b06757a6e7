//! From nodes to what `transport` runs things on; nodes that cannot be reached
//! come with the reason and what to do.

use std::sync::Arc;

use model::inventory::{Inventory, ObservedNode};
use model::name::NodeName;
use model::node::NodeState;
use transport::{HostKeys, Login, PrivateKey, Target};

use crate::controller::Controller;
use crate::error::OperationError;

/// Nodes as `transport` takes them.
#[derive(Debug, Clone)]
pub struct SshTargets {
    /// Those that can be tried, in the order asked for.
    pub targets: Vec<Target>,
    /// Those that cannot.
    pub unreachable: Vec<UnreachableNode>,
}

/// A node that there is no point in trying.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnreachableNode {
    /// The node.
    pub name: NodeName,
    /// Why, as "stopped: powered off from inside".
    pub why: String,
    /// What the user can do.
    pub hint: Option<String>,
}

impl Controller {
    /// The nodes of an inventory as ssh targets.
    ///
    /// # Errors
    /// When the user's key cannot be read.
    pub async fn ssh_targets(
        &self,
        inventory: &Inventory,
        names: &[NodeName],
    ) -> Result<SshTargets, Box<OperationError>> {
        let mut found = SshTargets { targets: Vec::new(), unreachable: Vec::new() };
        let mut key = None;
        for name in names {
            let Some(node) = inventory.node(name) else {
                found.unreachable.push(missing(inventory, name));
                continue;
            };
            if let Err(unreachable) = reachable(inventory, node) {
                found.unreachable.push(unreachable);
                continue;
            }
            let key = match &key {
                Some(key) => key,
                None => key.insert(self.parts.keys.load().await?),
            };
            match target(node, key) {
                Ok(target) => found.targets.push(target),
                Err(why) => {
                    found.unreachable.push(UnreachableNode { name: name.clone(), why, hint: None });
                }
            }
        }
        Ok(found)
    }
}

fn missing(inventory: &Inventory, name: &NodeName) -> UnreachableNode {
    let (why, hint) = match &inventory.nodes {
        model::inventory::Known::Seen(_) => (
            format!("cluster {} has no such node", inventory.cluster),
            Some(format!("`squall show cluster={}` lists its nodes", inventory.cluster)),
        ),
        model::inventory::Known::Unknown(why) => (format!("its state is not known: {why}"), None),
    };
    UnreachableNode { name: name.clone(), why, hint }
}

fn reachable(inventory: &Inventory, node: &ObservedNode) -> Result<(), UnreachableNode> {
    let (name, cluster) = (&node.name, &inventory.cluster);
    let state = match &node.state_reason {
        Some(reason) => format!("{}: {reason}", node.state),
        None => node.state.to_string(),
    };
    let no = |why: &str, hint: Option<String>| {
        Err(UnreachableNode { name: name.clone(), why: why.to_owned(), hint })
    };
    match node.state {
        NodeState::Running if node.endpoint.is_none() => {
            no(&format!("nodes on {} let nobody in", inventory.provider), None)
        }
        NodeState::Running if node.host_key.is_none() => {
            no("its host key is not known, so it cannot be told from another machine", None)
        }
        NodeState::Running => Ok(()),
        NodeState::Pending => no(&state, Some("it is coming up; try again in a moment".to_owned())),
        NodeState::Stopped | NodeState::Stopping => {
            no(&state, Some(format!("`squall start -C {cluster} {name}` brings it up")))
        }
        NodeState::Terminating | NodeState::Terminated => no(&state, None),
    }
}

/// A running node as a target; the text says what is wrong with its host key.
pub(crate) fn target(node: &ObservedNode, key: &PrivateKey) -> Result<Target, String> {
    let Some(endpoint) = node.endpoint.clone() else {
        return Err("it has no address".to_owned());
    };
    let host_keys = HostKeys::parse(node.host_key.as_slice())
        .map_err(|error| format!("its recorded host key cannot be read: {error}"))?;
    Ok(Target {
        name: Arc::from(node.name.as_str()),
        endpoint,
        login: Login::with_key(&node.username, key.clone()),
        host_keys,
    })
}
