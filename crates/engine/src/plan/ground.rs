//! What must not be done on the ground there is: nothing is deleted on an old
//! look at the world.

use jiff::Timestamp;
use model::diagnostic::Diagnostic;
use model::plan::{Action, Change};

use super::sight::Sight;

/// How old, in seconds, an inventory may be that a delete is decided on. Long
/// enough for somebody to read a plan, short enough that the world it shows is
/// still the one there is.
const INVENTORY_AGE_MAX_S: i64 = 600;

/// Refuses deletes for which the inventory is no ground.
pub(super) fn refuse(
    changes: &[Change],
    sight: &Sight<'_>,
    now: Timestamp,
) -> Result<(), Vec<Diagnostic>> {
    let deletes =
        changes.iter().any(|change| matches!(change.action, Action::Delete | Action::Replace));
    let age_s = now.as_second().saturating_sub(sight.inventory.observed_at.as_second());
    if !deletes || age_s <= INVENTORY_AGE_MAX_S {
        return Ok(());
    }
    let text = format!(
        "cluster {} was looked at {age_s} s ago, too long for deleting anything",
        sight.inventory.cluster
    );
    Err(vec![Diagnostic::error("inventory-old", text).help("look again and plan anew")])
}
