//! The list of passes.

use jiff::Timestamp;
use model::diagnostic::Diagnostic;
use model::inventory::Inventory;
use model::node::Generation;
use model::plan::{Action, Intent, Plan};
use model::resolved::Resolved;

use super::aim;
use super::sight::Sight;
use super::{compare, frame, ground, notes, sight};

/// What a plan depends on besides spec and inventory.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PlanContext {
    /// The time now; an inventory that is too old is no ground for deleting.
    pub now: Timestamp,
    /// Id for the cluster if it is a new one; never used before.
    pub new_cluster_id: String,
}

/// Decides what to do.
///
/// `spec` is what the user wants; needed for `Create` and `Update`, and not
/// looked at for `Terminate` and `Delete`, which go by the cluster's record. An
/// empty plan means that nothing needs to be done; its notes say more.
///
/// # Errors
/// Everything that forbids the change, all of it at once: what could not be
/// seen, an intent that does not fit what is there, keys that cannot change.
pub fn plan(
    intent: Intent,
    spec: Option<&Resolved>,
    inventory: &Inventory,
    context: &PlanContext,
) -> Result<Plan, Vec<Diagnostic>> {
    let sight = sight::see(inventory)?;
    let aim = aim::choose(&intent, spec, &sight)?;
    let node_changes = compare::nodes(&aim, &sight);
    let frame = frame::change(&aim, &sight);
    let record_changes = frame.action != Action::Keep;
    let mut changes = vec![frame];
    changes.extend(node_changes);
    ground::refuse(&changes, &sight, context.now)?;
    let notes = notes::collect(&aim, &sight, &changes);
    let idle = changes.iter().all(|change| change.action == Action::Keep);
    let (base, generation) = generations(&sight, idle);
    let cluster_id = sight.record.map_or_else(|| context.new_cluster_id.clone(), |r| r.id.clone());
    Ok(Plan {
        intent,
        cluster: inventory.cluster.clone(),
        provider: inventory.provider,
        region: inventory.region.clone(),
        cluster_id,
        base,
        generation,
        changes,
        notes,
        wanted: aim.wanted,
        removed: aim.removed,
        spec: aim.stored,
        record_changes,
        completes: aim.completes,
    })
}

/// The generation the plan stands on and the one it brings. Every plan that
/// does something brings a new one, so that whatever an interrupted process may
/// still do under the old one is refused.
fn generations(sight: &Sight<'_>, idle: bool) -> (Option<Generation>, Generation) {
    match sight.record {
        None => (None, Generation::default().next()),
        Some(record) if idle => (Some(record.accepted), record.accepted),
        Some(record) => (Some(record.accepted), record.accepted.next()),
    }
}
