//! Futures that answer at once, without a runtime.

use std::future::Future;
use std::pin::pin;
use std::task::{Context, Poll, Waker};

/// The answer of a future that never waits, such as every call of the fake
/// provider.
///
/// # Panics
/// When the future waits for something.
#[expect(clippy::panic, reason = "a test that waits here would hang for ever")]
pub fn now<F: Future>(future: F) -> F::Output {
    match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(answer) => answer,
        Poll::Pending => panic!("the future waits for something"),
    }
}
