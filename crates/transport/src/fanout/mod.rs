//! One command on many nodes: a bounded number at once, one stream of events,
//! whole lines, and nobody waits for a dead node.

mod event;
mod lines;
mod node;
mod queue;
mod run;
mod stop;
mod sudo;

pub use event::{
    LineEnd, NodeIndex, NodeOutcome, Outcome, RunEvent, RunEventKind, RunSummary, StreamName,
};
pub use queue::RunEvents;
pub use run::{Assignment, Run, RunOptions, Stop, Target, run};
pub use sudo::Sudo;
