//! The scenarios, by what they are about.

mod delete;
mod generation;
mod identity;
mod lock;
mod making;
mod repeat;
mod resume;
mod telling;
mod verbs;

use crate::run::Scenario;

/// Every scenario.
pub(crate) fn all() -> Vec<Scenario> {
    [
        making::ALL,
        identity::ALL,
        repeat::ALL,
        resume::ALL,
        generation::ALL,
        verbs::ALL,
        delete::ALL,
        lock::ALL,
        telling::ALL,
    ]
    .concat()
}
