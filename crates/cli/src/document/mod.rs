//! The documents of `--json`: structs of their own, apart from what we compute
//! with, so that the inside can change and the documents do not. Described in
//! `docs/src/json.md`.

mod change;
mod clusters;
mod copy;
mod doctor;
mod error;
mod forget;
mod nodes;
mod plan;
mod run;
mod status;
mod targets;
mod version;

pub(crate) use change::{ChangeDocument, VerbDocument};
pub(crate) use clusters::ClustersDocument;
pub(crate) use copy::{CopyEventDocument, CopySummaryDocument};
pub(crate) use doctor::DoctorDocument;
pub(crate) use error::{DiagnosticDocument, ErrorDocument, Failure};
pub(crate) use forget::ForgottenDocument;
pub(crate) use nodes::{NodeDocument, NodesDocument};
pub(crate) use plan::{PlanBody, PlanDocument};
pub(crate) use run::{RunEventDocument, RunSummaryDocument};
pub(crate) use status::{EventDocument, StatusDocument};
pub(crate) use targets::TargetsDocument;
use version::VERSION;
