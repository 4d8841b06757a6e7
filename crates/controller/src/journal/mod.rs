//! What this machine remembers of clusters: the lines of their timelines, in
//! one SQLite file with one writer. Losing the file loses history, never a
//! node, so that no trouble with it ever stops an operation.

mod handle;
mod schema;
mod text;
mod writer;

pub use handle::{Journal, JournalError, Scope};
