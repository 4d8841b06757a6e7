//! Steps about the cluster as a whole: its record and its directory.

use std::time::Duration;

use model::event::word;
use model::inventory::ClusterRecord;
use model::plan::ClusterOrder;
use model::resolved::Resolved;

use super::{Done, StepRun, changed, unchanged};
use crate::error::{ErrorKind, ProviderError};
use crate::local::client::ClientError;
use crate::local::observe::chain;
use crate::local::preflight::bytes_wanted;
use crate::local::store::{
    CLUSTER_VERSION, ClusterDir, ClusterFile, HeldStore, NodeEntry, PREFIX_LENGTH, Placed, Stage,
    free_subnet,
};
use crate::local::teardown::teardown;

/// How long nodes may take to end when their cluster is removed; they are
/// removed with all their files, so that there is nothing to wait for.
const SHUTDOWN_GRACE: Duration = Duration::from_secs(2);

impl StepRun<'_> {
    /// Makes the cluster's frame, or accepts a new generation of it.
    pub(super) fn ensure_cluster(&self, order: &ClusterOrder) -> Done {
        let held = self.local.store.hold().map_err(|error| self.store_failed(error))?;
        self.local.store.sweep(&held).map_err(|error| self.store_failed(error))?;
        let found = self.dir.read().map_err(|error| self.store_failed(error))?;
        let Some(mut file) = found else {
            return self.found_cluster(&held, order);
        };
        if file.record.name != *self.cluster {
            let cause = format!("its name and that of {} differ only by case", file.record.name);
            return Err(self.fail(ErrorKind::Conflict, cause));
        }
        let record = &mut file.record;
        if record.id != order.cluster_id {
            let cause = "it was deleted and made again meanwhile";
            return Err(self.fail(ErrorKind::Conflict, cause));
        }
        self.refuse_deleting(record)?;
        let repeated = record.accepted == self.step.generation;
        if repeated && (record.spec != order.spec || record.removed != order.removed) {
            return Err(self.moved_on(record.accepted));
        }
        if !repeated {
            if order.base != Some(record.accepted) || self.step.generation < record.accepted {
                return Err(self.moved_on(record.accepted));
            }
            record.accepted = self.step.generation;
            record.spec.clone_from(&order.spec);
            record.removed.clone_from(&order.removed);
            self.dir.write(&file).map_err(|error| self.store_failed(error))?;
        }
        drop(held);
        let cleared = self.clear_leftovers()?;
        Ok(if repeated && !cleared { unchanged(None) } else { changed(None) })
    }

    fn found_cluster(&self, _held: &HeldStore, order: &ClusterOrder) -> Done {
        if let Some(base) = order.base {
            let cause = format!("it was at generation {base} and is gone");
            return Err(self.fail(ErrorKind::Conflict, cause));
        }
        self.refuse_full_disk(order)?;
        let rung = self.local.chosen_rung().ok_or_else(|| {
            self.fail(ErrorKind::Invalid, "this machine does not let us make nodes")
                .with_mend("`squall doctor` says why and what helps")
        })?;
        let made = (|| {
            let networks = self.local.store.networks()?;
            let (network, prefix_length) =
                order.subnet.unwrap_or_else(|| (free_subnet(&networks), PREFIX_LENGTH));
            let file = ClusterFile {
                version: CLUSTER_VERSION,
                record: self.new_record(order),
                network,
                prefix_length,
                rung,
            };
            let staged = self.local.store.stage()?;
            ClusterDir::lay_out(staged.path(), &file)?;
            staged.place(self.dir.path())
        })();
        match made.map_err(|error| self.store_failed(error))? {
            Placed::Here(_) => {}
            Placed::Taken => return Err(self.fail(ErrorKind::Conflict, "it was just made")),
        }
        self.note((self.local.config.now)(), None, word::MADE);
        Ok(changed(None))
    }

    fn new_record(&self, order: &ClusterOrder) -> ClusterRecord {
        ClusterRecord {
            name: self.cluster.clone(),
            id: order.cluster_id.clone(),
            owner: order.owner.clone(),
            created_at: (self.local.config.now)(),
            accepted: self.step.generation,
            completed: None,
            spec: order.spec.clone(),
            removed: order.removed.clone(),
            deleting: false,
        }
    }

    /// A disk without room for the cluster is refused before anything is made.
    fn refuse_full_disk(&self, order: &ClusterOrder) -> Result<(), ProviderError> {
        let nodes = Resolved::from_stored(&order.spec).map_or(1, |spec| spec.node_count());
        let room = self.local.store.room().map_err(|error| self.store_failed(error))?;
        let wanted = bytes_wanted(self.local, nodes).map_err(|error| self.store_failed(error))?;
        if room.bytes >= wanted {
            return Ok(());
        }
        let cause = format!(
            "no space left on the disk of the node store ({}): {} MiB are free, {} are needed",
            self.local.store.root().display(),
            room.bytes >> 20,
            wanted.div_ceil(1 << 20)
        );
        Err(self.fail(ErrorKind::Capacity, cause).with_mend("make room there and repeat"))
    }

    /// Removes nodes whose making or removal was interrupted, and gives back
    /// addresses that no node has. Says whether there was anything.
    fn clear_leftovers(&self) -> Result<bool, ProviderError> {
        let mut cleared = false;
        for (slug, entry) in self.dir.nodes().map_err(|error| self.store_failed(error))? {
            if let NodeEntry::Recorded(file) = entry
                && self.is_leftover(&file)?
            {
                self.remove_node(&self.dir.node(&slug), Some(&file))?;
                cleared = true;
            }
        }
        let files = self.dir.node_files().map_err(|error| self.store_failed(error))?;
        let ids = files.into_iter().map(|file| file.id).collect();
        let freed = self.dir.addresses().free_all_but(&ids);
        freed.map_err(|error| self.store_failed(error))?;
        Ok(cleared)
    }

    /// Marks the generation as carried through.
    pub(super) fn complete(&self) -> Done {
        let _held = self.local.store.hold().map_err(|error| self.store_failed(error))?;
        let mut file = self.guarded()?;
        self.refuse_deleting(&file.record)?;
        if file.record.completed == Some(self.step.generation) {
            return Ok(unchanged(None));
        }
        file.record.completed = Some(self.step.generation);
        self.dir.write(&file).map_err(|error| self.store_failed(error))?;
        Ok(changed(None))
    }

    /// Marks the cluster as on its way out.
    pub(super) fn begin_delete(&self) -> Done {
        let store = &self.local.store;
        let held = store.hold().map_err(|error| self.store_failed(error))?;
        store.sweep(&held).map_err(|error| self.store_failed(error))?;
        let Some(mut file) = self.read()? else {
            return Ok(unchanged(None));
        };
        let record = &mut file.record;
        if record.deleting && record.accepted == self.step.generation {
            return Ok(unchanged(None));
        }
        if record.accepted.next() != self.step.generation {
            return Err(self.moved_on(record.accepted));
        }
        record.accepted = self.step.generation;
        record.deleting = true;
        self.dir.write(&file).map_err(|error| self.store_failed(error))?;
        Ok(changed(None))
    }

    /// Removes the frame: supervisor, network, control groups, directory.
    pub(super) fn delete_cluster(&self) -> Done {
        let Some(file) = self.guarded_if_any()? else {
            return Ok(unchanged(None));
        };
        if !file.record.deleting {
            return Err(self.fail(ErrorKind::Conflict, "no delete was begun"));
        }
        self.clear_leftovers()?;
        if let Some((slug, entry)) =
            self.dir.nodes().map_err(|error| self.store_failed(error))?.into_iter().next()
        {
            let cause = match entry {
                NodeEntry::Recorded(node) => {
                    format!("machine {} of {} is still there", node.id, node.wanted.name)
                }
                NodeEntry::Broken(why) => format!("{slug} is still there, and {why}"),
            };
            return Err(self.fail(ErrorKind::Conflict, cause));
        }
        self.end_supervisor()?;
        let store = &self.local.store;
        let removed = (|| {
            store.discard(self.dir.path())?;
            store.sweep(&store.hold()?)
        })();
        removed.map_err(|error| self.store_failed(error))?;
        Ok(changed(None))
    }

    fn end_supervisor(&self) -> Result<(), ProviderError> {
        if let Some(mut client) = self.supervisor()? {
            match client.shutdown(SHUTDOWN_GRACE) {
                Ok(()) => {}
                // What it did not do, the teardown does.
                Err(ClientError::Io { .. } | ClientError::Timeout { .. }) => {}
                Err(error) => return Err(self.client_failed(&error)),
            }
        }
        teardown(self.dir.path()).map_err(|error| self.fail(ErrorKind::Other, chain(&error)))
    }

    /// Whether a node is there only because its making or removal was
    /// interrupted.
    pub(super) fn is_leftover(
        &self,
        file: &crate::local::store::NodeFile,
    ) -> Result<bool, ProviderError> {
        Ok(match file.stage {
            Stage::Removing => true,
            Stage::Made => false,
            Stage::Making => {
                let slug = file.wanted.name.slug();
                !self.dir.node(&slug).is_at_work_on() && !self.is_up(&slug)?
            }
        })
    }
}
