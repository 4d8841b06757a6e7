//! The version of the documents.

/// Under the key `squall`. Keys are added at will; one that goes or changes its
/// meaning raises it.
pub(crate) const VERSION: u32 = 1;
