//! From an intent, a spec and an inventory to a [`model::plan::Plan`], as a
//! list of passes: see what is there, choose what should be, compare machine by
//! machine, describe the frame, refuse what must not be done on such ground,
//! and tell the reader what else there is to know. Every change has a reason.

mod aim;
mod codes;
mod compare;
mod frame;
mod ground;
mod keys;
mod notes;
mod planner;
mod sight;
#[cfg(test)]
mod tests;

pub use codes::CODES;
pub use planner::{PlanContext, plan};
