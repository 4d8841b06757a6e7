//! Files and trees to and from many nodes: read once, sent over pipelined
//! sftp, verified by a hash that the node makes, renamed into place. Knows
//! sessions and local files; who the nodes are is the caller's business.

mod at_once;
mod event;
mod fetch;
mod get;
mod get_file;
mod glob;
mod hash;
mod local_tree;
mod many;
mod node;
mod part;
mod put;
mod put_file;
mod source;
mod verify;
mod walk;

pub use event::{
    CopyEnd, CopyEvent, CopyEventKind, CopyFailure, CopyFailureKind, CopyOutcome, CopyReport,
    CopySummary, ItemEnd, Meter, NodeCopied,
};
pub use get::GetPlan;
pub use many::{CopyOptions, Copying, get, put};
pub use walk::{PutPlan, PutProblem};
