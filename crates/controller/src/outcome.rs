//! What an operation that succeeded has to say.

use std::time::Duration;

use model::inventory::Inventory;
use model::name::NodeName;

/// What an operation did.
#[derive(Debug, Clone)]
pub struct Outcome {
    /// Number of steps that changed something.
    pub steps_changed: usize,
    /// The nodes that let us in during the operation, in the order they did.
    pub ready: Vec<NodeName>,
    /// What the reader should know, such as limits that could not be set.
    pub notes: Vec<String>,
    /// How long it took.
    pub duration: Duration,
    /// What is there afterwards, where it could be seen.
    pub inventory: Option<Inventory>,
}
