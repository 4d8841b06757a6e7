//! Several things at once in one task: what waits for a node's answers needs
//! no task of its own.

use std::future::Future;

use futures_util::stream::{StreamExt, iter};

use super::node::Trouble;
use crate::limits;

/// Runs all of them, [`limits::COPY_FILES_AT_ONCE`] at a time; what they give
/// in their order.
pub(super) async fn at_once<F: Future>(futures: Vec<F>) -> Vec<F::Output> {
    iter(futures).buffered(limits::COPY_FILES_AT_ONCE).collect().await
}

/// The same for those that give nothing. A node that is lost ends them all
/// soon enough.
pub(super) async fn all_at_once<F>(futures: Vec<F>) -> Result<(), Trouble>
where
    F: Future<Output = Result<(), Trouble>>,
{
    at_once(futures).await.into_iter().collect()
}
