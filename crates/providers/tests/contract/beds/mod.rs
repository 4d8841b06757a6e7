//! The beds there are.

mod fake;
mod local;

use crate::bed::Made;

/// A bed and how to make it.
pub(crate) struct Row {
    /// Its name, the first part of its tests' names.
    pub(crate) name: &'static str,
    /// Makes it; once per scenario.
    pub(crate) make: fn() -> Made,
    /// Runs a scenario, given by the test's full name, outside this process:
    /// `None` when it can run here.
    pub(crate) run_elsewhere: fn(&str) -> Option<Result<(), String>>,
}

/// Every bed.
pub(crate) const ALL: &[Row] = &[
    Row { name: "fake", make: fake::in_memory, run_elsewhere: |_| None },
    Row { name: "fake-in-file", make: fake::in_file, run_elsewhere: |_| None },
    Row { name: "local-root", make: local::as_root, run_elsewhere: |_| None },
    Row { name: "local-user", make: local::as_user, run_elsewhere: local::elsewhere },
];
