//! Planning: the plan that is shown, and whether it is still the same one when
//! it is to be carried out.

use engine::PlanContext;
use model::diagnostic::{Diagnostic, Severity};
use model::inventory::Inventory;
use model::name::ClusterName;
use model::plan::{Intent, Plan};
use model::resolved::Resolved;

use crate::controller::Controller;
use crate::error::{FailureKind, OperationError};
use crate::look::within;

/// A plan, and what it was made from.
#[derive(Debug, Clone)]
pub struct Planned {
    /// The plan to show. Its notes hold what the preflight warned of.
    pub plan: Plan,
    /// What was there when it was made.
    pub inventory: Inventory,
    /// The spec it was made for.
    pub(crate) spec: Option<Resolved>,
}

impl Controller {
    /// Plans on a fresh look. Takes no lock: between showing the plan and
    /// [carrying it out](Self::carry_out) somebody else may change the
    /// cluster, which is noticed then.
    ///
    /// # Errors
    /// The planner's and the preflight's refusals, all at once; `NotFound`
    /// with the clusters there are for an unknown one; or when the provider
    /// cannot be asked.
    pub async fn plan(
        &self,
        intent: Intent,
        spec: Option<&Resolved>,
        cluster: &ClusterName,
    ) -> Result<Planned, Box<OperationError>> {
        let inventory = match intent {
            Intent::Create => self.observe(cluster).await?,
            Intent::Update | Intent::Terminate(_) | Intent::Delete => self.require(cluster).await?,
        };
        let id = self.parts.random.cluster_id();
        let mut planned = self.plan_on(intent, spec, inventory, id)?;
        if let Some(spec) = spec.filter(|_| !planned.plan.is_empty()) {
            let warned = self.preflight(spec, &planned.plan).await?;
            planned.plan.notes.extend(warned);
            planned.plan.notes.sort_by_key(|note| note.severity);
        }
        Ok(planned)
    }

    /// Plans on a look; `id` is that of the cluster if it is a new one.
    pub(crate) fn plan_on(
        &self,
        intent: Intent,
        spec: Option<&Resolved>,
        inventory: Inventory,
        id: String,
    ) -> Result<Planned, Box<OperationError>> {
        let context = PlanContext { now: self.parts.clock.now(), new_cluster_id: id };
        let plan = engine::plan(intent, spec, &inventory, &context)
            .map_err(|found| refusal(&inventory.cluster, found))?;
        let flaws = engine::lint(&plan, &inventory);
        if !flaws.is_empty() {
            let mut error = OperationError::new(
                FailureKind::Failed,
                format!("the plan for cluster {} contradicts itself", inventory.cluster),
            );
            error.causes = flaws.iter().map(|flaw| format!("{flaw:?}")).collect();
            return Err(error.hint("this is a mistake in squall; please report it with the spec"));
        }
        Ok(Planned { plan, inventory, spec: spec.cloned() })
    }

    async fn preflight(
        &self,
        spec: &Resolved,
        plan: &Plan,
    ) -> Result<Vec<Diagnostic>, Box<OperationError>> {
        let provider = &self.parts.provider;
        let limit = self.parts.timing.look_timeout;
        let mut found = within(limit, "check the spec", provider.preflight(spec)).await?;
        let nodes_max = provider.capabilities().nodes_per_cluster_max;
        if plan.wanted.len() > nodes_max {
            let text = format!(
                "{} nodes are more than a cluster on {} may have ({nodes_max})",
                plan.wanted.len(),
                provider.kind()
            );
            found.push(Diagnostic::error("too-many-nodes", text));
        }
        let (errors, warned): (Vec<_>, Vec<_>) =
            found.into_iter().partition(|one| one.severity == Severity::Error);
        if errors.is_empty() {
            return Ok(warned);
        }
        let what = format!("cluster {} cannot be made as the spec says", plan.cluster);
        Err(OperationError::refused(FailureKind::Invalid, what, errors))
    }
}

fn refusal(cluster: &ClusterName, found: Vec<Diagnostic>) -> Box<OperationError> {
    let has = |code: &str| found.iter().any(|one| one.code == code);
    let kind = if has("cluster-unknown") || has("node-unknown") {
        FailureKind::NotFound
    } else {
        FailureKind::Refused
    };
    OperationError::refused(kind, format!("cluster {cluster} is left as it is"), found)
}

/// Whether two plans do the same to the same world. Reasons and notes are for
/// readers, and may differ in what they tell.
pub(crate) fn is_same(shown: &Plan, fresh: &Plan) -> bool {
    let changes = |plan: &Plan| {
        let one = |change: &model::plan::Change| {
            (change.subject.clone(), change.action, change.keys.clone())
        };
        plan.changes.iter().map(one).collect::<Vec<_>>()
    };
    shown.intent == fresh.intent
        && shown.cluster_id == fresh.cluster_id
        && shown.base == fresh.base
        && shown.generation == fresh.generation
        && shown.wanted == fresh.wanted
        && shown.removed == fresh.removed
        && shown.spec == fresh.spec
        && shown.record_changes == fresh.record_changes
        && shown.completes == fresh.completes
        && changes(shown) == changes(fresh)
}
