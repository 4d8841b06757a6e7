//! Steps that make and remove nodes.

use std::net::Ipv4Addr;

use model::event::word;
use model::name::NodeName;
use model::node::NodeId;
use model::plan::{Receipt, WantedNode};

use super::order::NodeOrder;
use super::{Done, StepRun, changed, unchanged};
use crate::error::{ErrorKind, ProviderError};
use crate::local::client::SupervisorClient;
use crate::local::observe::{broken_id, statuses};
use crate::local::status::RunState;
use crate::local::store::{ClusterFile, NodeDir, NodeEntry, NodeFile, ORDER_FILE, Placed, Stage};
use crate::provider::NodeMaterial;

/// Bytes of randomness in a node's id.
const ID_BYTES: usize = 6;

impl StepRun<'_> {
    /// Makes a node, or leaves it when it is already the one ordered.
    pub(super) fn ensure_node(&self, wanted: &WantedNode, material: Option<&NodeMaterial>) -> Done {
        let cluster = self.guarded()?;
        self.refuse_deleting(&cluster.record)?;
        let dir = self.dir.node(&wanted.name.slug());
        match dir.entry().map_err(|error| self.store_failed(error))? {
            Some(NodeEntry::Recorded(file)) if self.is_leftover(&file)? => {
                self.remove_node(&dir, Some(&file))?;
            }
            Some(NodeEntry::Recorded(file)) => return self.ensure_same(&dir, &file, wanted),
            Some(NodeEntry::Broken(_)) => self.remove_node(&dir, None)?,
            None => {}
        }
        let Some(material) = material else {
            return Err(self.fail(ErrorKind::Invalid, "no keys came with the step"));
        };
        self.make_node(&cluster, &dir, wanted, material)
    }

    /// The machine is there: what can be changed where it stands is.
    fn ensure_same(&self, dir: &NodeDir, file: &NodeFile, wanted: &WantedNode) -> Done {
        if file.wanted.name != wanted.name || file.wanted.digest != wanted.digest {
            let cause = format!("machine {} has that name and was made otherwise", file.id);
            return Err(self.fail(ErrorKind::Conflict, cause));
        }
        let id = Some(file.id.clone());
        if dir.is_at_work_on() {
            // Another process is making it, and will say that it is made.
            return Ok(unchanged(id));
        }
        let mut fresh = file.clone();
        fresh.wanted.tags.clone_from(&wanted.tags);
        fresh.wanted.role.clone_from(&wanted.role);
        fresh.stage = Stage::Made;
        if fresh == *file {
            return Ok(unchanged(id));
        }
        dir.write(&fresh).map_err(|error| self.store_failed(error))?;
        let same = fresh.wanted == file.wanted;
        Ok(if same { unchanged(id) } else { changed(id) })
    }

    fn make_node(
        &self,
        cluster: &ClusterFile,
        dir: &NodeDir,
        wanted: &WantedNode,
        material: &NodeMaterial,
    ) -> Done {
        // First, because it takes longest: what follows it is a moment.
        let mut client = self.supervisor_started(cluster)?;
        let id = self.new_id();
        let net = (cluster.network, cluster.prefix_length);
        let taken = self.dir.addresses().take(net, &id);
        let address = taken.map_err(|error| self.store_failed(error))?;
        let made = self
            .order(cluster, dir, wanted, material, (&id, address))
            .and_then(|order| self.place_and_launch(&mut client, dir, order));
        match made {
            Ok(Some(notes)) => Ok(Receipt { changed: true, node_id: Some(id), notes }),
            Ok(None) => {
                self.undo(dir, address, &id);
                match dir.entry().map_err(|error| self.store_failed(error))? {
                    Some(NodeEntry::Recorded(file)) => self.ensure_same(dir, &file, wanted),
                    _ => Err(self.fail(ErrorKind::Conflict, "it is being removed")),
                }
            }
            Err(error) => {
                self.undo(dir, address, &id);
                Err(error)
            }
        }
    }

    /// Records the node and boots it; `None` when another process was faster.
    fn place_and_launch(
        &self,
        client: &mut SupervisorClient,
        dir: &NodeDir,
        order: NodeOrder,
    ) -> Result<Option<Vec<String>>, ProviderError> {
        let NodeOrder { file, launch, mut notes } = order;
        let placed = (|| {
            let staged = self.local.store.stage()?;
            NodeDir::lay_out(staged.path(), &file, &launch)?;
            staged.place(dir.path())
        })();
        let placed_at = (self.local.config.now)();
        let _held_while_it_is_made = match placed.map_err(|error| self.store_failed(error))? {
            Placed::Here(held) => held,
            Placed::Taken => return Ok(None),
        };
        let status = client
            .launch(launch.kept_in(ORDER_FILE))
            .map_err(|error| self.client_failed(&error))?;
        let noted = dir.note_stage(&file, Stage::Made);
        noted.map_err(|error| self.store_failed(error))?;
        self.note(placed_at, Some(&file.wanted.name), word::MADE);
        notes.extend(status.notes);
        Ok(Some(notes))
    }

    /// Removes what a failed making left. When even that fails, `observe` shows
    /// it and the next create or delete clears it away.
    fn undo(&self, dir: &NodeDir, address: Ipv4Addr, id: &NodeId) {
        let undone = match dir.entry() {
            Ok(Some(NodeEntry::Recorded(file))) if file.id == *id => {
                self.remove_node(dir, Some(&file))
            }
            Ok(_) => {
                let freed = self.dir.addresses().free(address, id);
                freed.map_err(|error| self.store_failed(error))
            }
            Err(error) => Err(self.store_failed(error)),
        };
        if let Err(error) = undone {
            tracing::warn!(node = dir.slug(), %error, "a node that failed is not cleared away");
        }
    }

    /// Removes the machine `id` of a node; success when it is gone already.
    pub(super) fn delete_node(&self, name: &NodeName, id: &NodeId) -> Done {
        let Some(cluster) = self.guarded_if_any()? else {
            return Ok(unchanged(None));
        };
        let dir = self.dir.node(&name.slug());
        match dir.entry().map_err(|error| self.store_failed(error))? {
            Some(NodeEntry::Recorded(file)) if file.id == *id && file.wanted.name == *name => {
                if file.cluster_id != cluster.record.id {
                    let cause = format!("machine {id} carries another cluster's tag");
                    return Err(self.fail(ErrorKind::Conflict, cause));
                }
                self.remove_node(&dir, Some(&file))?;
            }
            Some(NodeEntry::Broken(_)) if broken_id(dir.slug()) == *id => {
                self.remove_node(&dir, None)?;
            }
            _ => return Ok(unchanged(None)),
        }
        self.note((self.local.config.now)(), Some(name), word::REMOVED);
        Ok(changed(None))
    }

    /// Removes a node with all its files: marked first, so that what an
    /// interruption leaves is not taken for a machine that was stopped.
    pub(super) fn remove_node(
        &self,
        dir: &NodeDir,
        file: Option<&NodeFile>,
    ) -> Result<(), ProviderError> {
        if let Some(file) = file {
            let noted = dir.note_stage(file, Stage::Removing);
            // A full disk must not keep anybody from making room on it.
            if let Err(error) = noted
                && error.kind() != ErrorKind::Capacity
            {
                return Err(self.store_failed(error));
            }
        }
        if let Some(mut client) = self.supervisor()? {
            client.forget(dir.slug()).map_err(|error| self.client_failed(&error))?;
        }
        let discarded = self.local.store.discard(dir.path());
        discarded.map_err(|error| self.store_failed(error))?;
        if let Some(file) = file {
            let freed = self.dir.addresses().free(file.address, &file.id);
            freed.map_err(|error| self.store_failed(error))?;
        }
        Ok(())
    }

    /// Whether a node runs, or is just coming up or going down.
    pub(super) fn is_up(&self, slug: &str) -> Result<bool, ProviderError> {
        let statuses = statuses(&self.dir).map_err(|error| self.client_failed(&error))?;
        Ok(statuses.get(slug).is_some_and(|status| status.state != RunState::Stopped))
    }

    fn new_id(&self) -> NodeId {
        let mut bytes = [0_u8; ID_BYTES];
        (self.local.config.random)(&mut bytes);
        let hex: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
        NodeId(format!("l-{hex}"))
    }
}
