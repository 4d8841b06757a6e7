//! What each step does to the pretended cloud. Every step is guarded by the
//! record's generation, and done a second time it changes nothing.

use jiff::{SignedDuration, Timestamp};
use model::event::{Level, word};
use model::inventory::{ClusterRecord, ObservedNode};
use model::name::{ClusterName, NodeName};
use model::node::{Generation, NodeId, NodeState};
use model::plan::{ClusterOrder, Receipt, Step, StepKind, WantedNode};
use model::tag;

use super::fault::FaultEffect;
use super::machine::{Due, Machine, later};
use super::state::{Cluster, State, owned};
use crate::error::{ErrorKind, ProviderError};
use crate::provider::NodeMaterial;

/// Largest number of nodes in one cluster, as `capabilities` says.
pub(super) const NODES_PER_CLUSTER_MAX: usize = 10_000;

/// One execution of a step.
pub(super) struct Execution<'a> {
    pub(super) state: &'a mut State,
    pub(super) cluster: &'a ClusterName,
    pub(super) now: Timestamp,
    pub(super) effect: Option<&'a FaultEffect>,
}

type Done = Result<Receipt, ProviderError>;

impl Execution<'_> {
    /// Carries the step out.
    pub(super) fn run(mut self, step: &Step, material: Option<&NodeMaterial>) -> Done {
        match &step.kind {
            StepKind::EnsureCluster { order } => self.ensure_cluster(step, order),
            StepKind::EnsureNode { node } => self.ensure_node(step, node, material),
            StepKind::DeleteNode { name, id } => self.delete_node(step, name, id),
            StepKind::SyncMembers => self.sync_members(step),
            StepKind::StartNode { name } => self.start_node(step, name),
            StepKind::StopNode { name } => self.stop_node(step, name),
            StepKind::RebootNode { name } => self.reboot_node(step, name),
            StepKind::Complete => self.complete(step),
            StepKind::BeginDelete => self.begin_delete(step),
            StepKind::DeleteCluster => self.delete_cluster(step),
        }
    }

    fn ensure_cluster(&mut self, step: &Step, order: &ClusterOrder) -> Done {
        let slug = self.cluster.slug();
        if let Some(other) = self.state.clusters.get(&slug)
            && other.record.name != *self.cluster
        {
            let cause = format!("its name and that of {} differ only by case", other.record.name);
            return Err(fail(step, ErrorKind::Conflict, cause));
        }
        let Some(found) = self.state.cluster_mut(self.cluster) else {
            return self.found_cluster(step, order, slug);
        };
        let record = &mut found.record;
        if record.id != order.cluster_id {
            return Err(fail(step, ErrorKind::Conflict, "it was deleted and made again meanwhile"));
        }
        refuse_deleting(step, record)?;
        if record.accepted == step.generation {
            return if record.spec == order.spec && record.removed == order.removed {
                Ok(unchanged(None))
            } else {
                Err(other_base(step, order.base, record.accepted))
            };
        }
        if order.base != Some(record.accepted) || step.generation < record.accepted {
            return Err(other_base(step, order.base, record.accepted));
        }
        record.accepted = step.generation;
        record.spec.clone_from(&order.spec);
        record.removed.clone_from(&order.removed);
        Ok(changed(None))
    }

    fn found_cluster(&mut self, step: &Step, order: &ClusterOrder, slug: String) -> Done {
        if let Some(base) = order.base {
            let cause = format!("it was at generation {base} and is gone");
            return Err(fail(step, ErrorKind::Conflict, cause));
        }
        let record = ClusterRecord {
            name: self.cluster.clone(),
            id: order.cluster_id.clone(),
            owner: order.owner.clone(),
            created_at: self.now,
            accepted: step.generation,
            completed: None,
            spec: order.spec.clone(),
            removed: order.removed.clone(),
            deleting: false,
        };
        let cluster = Cluster { record, events: Vec::new(), members: String::new() };
        self.state.clusters.insert(slug, cluster);
        self.note(None, word::MADE, None);
        Ok(changed(None))
    }

    fn ensure_node(
        &mut self,
        step: &Step,
        node: &WantedNode,
        material: Option<&NodeMaterial>,
    ) -> Done {
        let record = self.guarded(step)?;
        refuse_deleting(step, &record)?;
        if let Some(at) = self.state.find(&record, &node.name) {
            return self.ensure_same(step, node, at);
        }
        if self.state.machines_of(self.cluster).count() >= NODES_PER_CLUSTER_MAX {
            return Err(fail(step, ErrorKind::Quota, "the cluster has as many nodes as it can"));
        }
        let Some(material) = material else {
            return Err(fail(step, ErrorKind::Invalid, "no keys came with the step"));
        };
        let machine = self.new_machine(step, &record, node, material);
        let id = machine.seen.id.clone();
        self.state.machines.push(machine);
        self.note(Some(&node.name), word::MADE, None);
        Ok(changed(Some(id)))
    }

    /// The machine is there: only its role and tags may be brought up to
    /// date.
    fn ensure_same(&mut self, step: &Step, node: &WantedNode, at: usize) -> Done {
        let Some(machine) = self.state.machines.get_mut(at) else {
            return Err(fail(step, ErrorKind::Other, "the machine is gone"));
        };
        let seen = &mut machine.seen;
        if seen.digest != node.digest {
            let cause = format!("machine {} has that name and was made otherwise", seen.id);
            return Err(fail(step, ErrorKind::Conflict, cause));
        }
        let id = Some(seen.id.clone());
        if tag::of_user(&seen.tags) == node.tags && seen.role == node.role {
            return Ok(unchanged(id));
        }
        seen.role.clone_from(&node.role);
        seen.tags.retain(|key, _| key.starts_with(tag::PREFIX));
        seen.tags.extend(node.tags.clone());
        Ok(changed(id))
    }

    fn new_machine(
        &mut self,
        step: &Step,
        record: &ClusterRecord,
        node: &WantedNode,
        material: &NodeMaterial,
    ) -> Machine {
        let ownership = tag::Ownership {
            cluster: self.cluster,
            cluster_id: &record.id,
            pool: &node.pool,
            node: &node.name,
            generation: step.generation,
            owner: &record.owner,
        };
        let seen = ObservedNode {
            name: node.name.clone(),
            pool: node.pool.clone(),
            role: node.role.clone(),
            id: self.state.new_machine_id(),
            state: NodeState::Pending,
            state_reason: None,
            instance_type: node.instance_type.clone(),
            image: node.image.clone(),
            external_ip: None,
            internal_ip: Some(self.state.free_address(self.cluster)),
            endpoint: None,
            username: node.username.clone(),
            host_key: Some(material.host_key_public.clone()),
            generation: step.generation,
            digest: node.digest.clone(),
            created_at: material.ordered_at,
            started_at: None,
            tags: ownership.tags(&node.tags),
            properties: std::collections::BTreeMap::new(),
        };
        let mut machine = Machine { seen, due: None, console: String::new() };
        machine.power_on(self.now, self.boot());
        machine
    }

    fn delete_node(&mut self, step: &Step, name: &NodeName, id: &NodeId) -> Done {
        let Some(record) = self.guarded_if_any(step)? else {
            return Ok(unchanged(None));
        };
        let found = self
            .state
            .machines
            .iter_mut()
            .find(|machine| machine.seen.id == *id && machine.seen.name == *name);
        let Some(machine) = found else {
            return Ok(unchanged(None));
        };
        if !owned(machine, &record) {
            let cause = format!("machine {id} carries another cluster's tag");
            return Err(fail(step, ErrorKind::Conflict, cause));
        }
        if machine.seen.state == NodeState::Terminating {
            return Ok(unchanged(None));
        }
        if let Some(FaultEffect::Zombie { gone_s }) = self.effect {
            let at = later(self.now, SignedDuration::from_secs(i64::from(*gone_s)));
            machine.seen.state = NodeState::Terminating;
            machine.due = Some(Due { at, state: NodeState::Terminated });
            return Ok(changed(None));
        }
        self.state.machines.retain(|machine| machine.seen.id != *id);
        self.note(Some(name), word::REMOVED, None);
        Ok(changed(None))
    }

    fn sync_members(&mut self, step: &Step) -> Done {
        self.guarded(step)?;
        let members: String = self
            .state
            .machines_of(self.cluster)
            .filter(|machine| machine.seen.state.exists())
            .map(|machine| {
                let address = machine.seen.internal_ip.as_deref().unwrap_or("-");
                format!("{} {address}\n", machine.seen.name)
            })
            .collect();
        let Some(found) = self.state.cluster_mut(self.cluster) else {
            return Err(no_cluster(step));
        };
        if found.members == members {
            return Ok(unchanged(None));
        }
        found.members = members;
        Ok(changed(None))
    }

    fn start_node(&mut self, step: &Step, name: &NodeName) -> Done {
        let boot = self.boot();
        let now = self.now;
        let machine = self.member(step, name)?;
        let id = Some(machine.seen.id.clone());
        match machine.seen.state {
            NodeState::Stopped | NodeState::Stopping => {
                machine.power_on(now, boot);
                Ok(changed(id))
            }
            _ => Ok(unchanged(id)),
        }
    }

    fn stop_node(&mut self, step: &Step, name: &NodeName) -> Done {
        let machine = self.member(step, name)?;
        let id = Some(machine.seen.id.clone());
        if machine.seen.state == NodeState::Stopped {
            return Ok(unchanged(id));
        }
        machine.power_off(None);
        self.note(Some(name), word::STOPPED, None);
        Ok(changed(id))
    }

    fn reboot_node(&mut self, step: &Step, name: &NodeName) -> Done {
        let boot = self.boot();
        let now = self.now;
        let machine = self.member(step, name)?;
        let id = Some(machine.seen.id.clone());
        if machine.seen.state != NodeState::Running {
            let cause = format!("the node is {}", machine.seen.state);
            return Err(fail(step, ErrorKind::Invalid, cause).with_mend("start it instead"));
        }
        machine.power_off(None);
        machine.power_on(now, boot);
        self.note(Some(name), word::REBOOTED, None);
        Ok(changed(id))
    }

    fn complete(&mut self, step: &Step) -> Done {
        let record = self.guarded(step)?;
        refuse_deleting(step, &record)?;
        if record.completed == Some(step.generation) {
            return Ok(unchanged(None));
        }
        if let Some(found) = self.state.cluster_mut(self.cluster) {
            found.record.completed = Some(step.generation);
        }
        Ok(changed(None))
    }

    fn begin_delete(&mut self, step: &Step) -> Done {
        let Some(found) = self.state.cluster_mut(self.cluster) else {
            return Ok(unchanged(None));
        };
        let record = &mut found.record;
        if record.deleting && record.accepted == step.generation {
            return Ok(unchanged(None));
        }
        if record.accepted.next() != step.generation {
            let base = step.generation.0.checked_sub(1).map(Generation);
            return Err(other_base(step, base, record.accepted));
        }
        record.accepted = step.generation;
        record.deleting = true;
        Ok(changed(None))
    }

    fn delete_cluster(&mut self, step: &Step) -> Done {
        let Some(record) = self.guarded_if_any(step)? else {
            return Ok(unchanged(None));
        };
        if !record.deleting {
            return Err(fail(step, ErrorKind::Conflict, "no delete was begun"));
        }
        if let Some(left) = self.state.machines.iter().find(|machine| owned(machine, &record)) {
            let cause = format!("machine {} of {} is still there", left.seen.id, left.seen.name);
            return Err(fail(step, ErrorKind::Conflict, cause));
        }
        self.state.clusters.remove(&self.cluster.slug());
        Ok(changed(None))
    }

    /// The record, if the step is of the generation it is at.
    fn guarded(&self, step: &Step) -> Result<ClusterRecord, ProviderError> {
        self.guarded_if_any(step)?.ok_or_else(|| no_cluster(step))
    }

    fn guarded_if_any(&self, step: &Step) -> Result<Option<ClusterRecord>, ProviderError> {
        let Some(found) = self.state.cluster(self.cluster) else {
            return Ok(None);
        };
        if found.record.accepted != step.generation {
            return Err(moved_on(step, found.record.accepted));
        }
        Ok(Some(found.record.clone()))
    }

    /// The cluster's own machine of that name.
    fn member(&mut self, step: &Step, name: &NodeName) -> Result<&mut Machine, ProviderError> {
        let record = self.guarded(step)?;
        refuse_deleting(step, &record)?;
        self.state
            .find(&record, name)
            .and_then(|at| self.state.machines.get_mut(at))
            .ok_or_else(|| fail(step, ErrorKind::NotFound, "there is no such node"))
    }

    /// How long a machine takes to come up; `None`: it never does.
    fn boot(&self) -> Option<SignedDuration> {
        match self.effect {
            Some(FaultEffect::NeverBoots) => None,
            Some(FaultEffect::SlowBoot { boot_s }) => {
                Some(SignedDuration::from_secs(i64::from(*boot_s)))
            }
            _ => Some(SignedDuration::from_millis(i64::from(self.state.latencies.boot_ms))),
        }
    }

    fn note(&mut self, node: Option<&NodeName>, what: &str, why: Option<&str>) {
        self.state.note(self.cluster, node, self.now, (Level::Info, what, why));
    }
}

fn changed(node_id: Option<NodeId>) -> Receipt {
    Receipt { changed: true, node_id, notes: Vec::new() }
}

fn unchanged(node_id: Option<NodeId>) -> Receipt {
    Receipt { changed: false, node_id, notes: Vec::new() }
}

/// A failure of a step, naming what was being done.
pub(super) fn fail(step: &Step, kind: ErrorKind, cause: impl Into<String>) -> ProviderError {
    let doing = match step.kind.node() {
        Some(node) => format!("{} {node}", step.kind.verb()),
        None => step.kind.verb().to_owned(),
    };
    ProviderError::new(kind, doing, cause)
}

fn no_cluster(step: &Step) -> ProviderError {
    fail(step, ErrorKind::NotFound, "there is no such cluster")
}

fn moved_on(step: &Step, accepted: Generation) -> ProviderError {
    let cause =
        format!("the step is of generation {} and the cluster is at {accepted}", step.generation);
    fail(step, ErrorKind::Conflict, cause).with_mend("look again and plan anew")
}

/// The plan was made on another generation than the record is at.
fn other_base(step: &Step, base: Option<Generation>, accepted: Generation) -> ProviderError {
    let base = base.map_or_else(|| "no cluster".to_owned(), |base| format!("generation {base}"));
    let cause = format!("planned on {base}, and the cluster is at generation {accepted}");
    fail(step, ErrorKind::Conflict, cause).with_mend("look again and plan anew")
}

fn refuse_deleting(step: &Step, record: &ClusterRecord) -> Result<(), ProviderError> {
    if record.deleting {
        return Err(fail(step, ErrorKind::Conflict, "the cluster is being deleted"));
    }
    Ok(())
}
