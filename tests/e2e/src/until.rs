//! Waiting for what only time brings: asks again until it is so.

use std::time::{Duration, Instant};

use crate::process::DEADLINE;

/// Pause between two questions.
const PAUSE: Duration = Duration::from_millis(50);

/// Asks until there is an answer, and returns it.
///
/// # Panics
/// With what was waited for, when the answer does not come in time.
#[track_caller]
pub fn until<T>(what: &str, mut answer: impl FnMut() -> Option<T>) -> T {
    let end = Instant::now() + DEADLINE;
    loop {
        if let Some(answer) = answer() {
            return answer;
        }
        assert!(Instant::now() < end, "waited in vain for {what}");
        pause(PAUSE);
    }
}

/// Lets time pass; for questions about other processes, which nothing
/// announces.
pub(crate) fn pause(time: Duration) {
    std::thread::sleep(time);
}
