//! Interruption in stages: the first signal asks to stop cleanly, the second
//! one to leave at once. While a command shows what it is doing, Ctrl-C at a
//! terminal asks for that first. Which of them applies to what is the command's
//! business.

use std::io::{self, IsTerminal as _};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use controller::Cancel;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::Notify;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use crate::args::Command;
use crate::exit::Exit;
use crate::output::Printer;
use crate::terminal;

/// Time that a command has to end by itself after the last signal.
const LAST_GRACE: Duration = Duration::from_secs(2);

/// A second Ctrl-C within this time of a look stops; a later one looks again.
pub(crate) const LOOK_AGAIN_TIME: Duration = Duration::from_secs(10);

/// What the user's signals lead to.
#[derive(Debug, Clone, Default)]
pub(crate) struct Interrupt {
    /// Cancelled when all is to stop.
    pub(crate) stop: CancellationToken,
    /// Cancelled at the signal after that.
    pub(crate) abort: CancellationToken,
    look: Arc<Look>,
}

/// The stage before stopping.
#[derive(Debug, Default)]
struct Look {
    /// Whether there is something to look at.
    offered: AtomicBool,
    asked: Notify,
}

impl Interrupt {
    /// One that stops and aborts with one token.
    pub(crate) fn at_once(token: CancellationToken) -> Self {
        Self { stop: token.clone(), abort: token, ..Self::default() }
    }

    /// Whether the user asked to stop.
    pub(crate) fn is_stopping(&self) -> bool {
        self.stop.is_cancelled()
    }

    /// As operations take it.
    pub(crate) fn to_cancel(&self) -> Cancel {
        Cancel { stop: self.stop.clone(), abort: self.abort.clone() }
    }

    /// Until the answer is dropped the first Ctrl-C asks what is going on, if
    /// somebody is there to be told.
    pub(crate) fn look_first(&self) -> Looks {
        let looks = Looks { look: Arc::clone(&self.look), offers: io::stderr().is_terminal() };
        looks.look.offered.store(looks.offers, Ordering::Relaxed);
        looks
    }

    /// What a signal leads to.
    fn on_signal(&self, kind: SignalKind, last_look: Option<Instant>, now: Instant) -> Stage {
        let looked = last_look.is_some_and(|at| now.duration_since(at) <= LOOK_AGAIN_TIME);
        if self.is_stopping() {
            Stage::Abort
        } else if kind == SignalKind::interrupt()
            && self.look.offered.load(Ordering::Relaxed)
            && !looked
        {
            Stage::Look
        } else {
            Stage::Stop
        }
    }
}

/// What a signal leads to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stage {
    Look,
    Stop,
    Abort,
}

/// An offer to show what is going on.
#[derive(Debug)]
pub(crate) struct Looks {
    look: Arc<Look>,
    offers: bool,
}

impl Looks {
    /// Waits until somebody asks.
    pub(crate) async fn asked(&self) {
        self.look.asked.notified().await;
    }

    /// No offer until the answer is dropped.
    pub(crate) fn pause(&self) -> Pause<'_> {
        self.look.offered.store(false, Ordering::Relaxed);
        Pause(self)
    }
}

impl Drop for Looks {
    fn drop(&mut self) {
        self.look.offered.store(false, Ordering::Relaxed);
    }
}

/// An offer that is held back.
#[derive(Debug)]
pub(crate) struct Pause<'a>(&'a Looks);

impl Drop for Pause<'_> {
    fn drop(&mut self) {
        self.0.look.offered.store(self.0.offers, Ordering::Relaxed);
    }
}

/// Listens to SIGINT, SIGTERM and SIGHUP for as long as the runtime lives.
pub(crate) fn listen(printer: Printer, command: &Command) -> io::Result<Interrupt> {
    let interrupt = Interrupt::default();
    let mut sources = Sources {
        interrupt: signal(SignalKind::interrupt())?,
        terminate: signal(SignalKind::terminate())?,
        hang_up: signal(SignalKind::hangup())?,
    };
    let told = interrupt.clone();
    let says_stopping = command.says_stopping();
    tokio::spawn(async move {
        let mut last_look = None;
        loop {
            let kind = sources.next().await;
            match told.on_signal(kind, last_look, Instant::now()) {
                Stage::Look => {
                    last_look = Some(Instant::now());
                    told.look.asked.notify_one();
                }
                Stage::Stop => {
                    told.stop.cancel();
                    if says_stopping {
                        printer.say("\nStopping; Ctrl-C again leaves at once.");
                    }
                }
                Stage::Abort => break,
            }
        }
        told.abort.cancel();
        tokio::time::sleep(LAST_GRACE).await;
        leave();
    });
    Ok(interrupt)
}

/// Ends the process where the command does not: it hangs in a write that
/// nobody reads, or worse.
#[expect(clippy::exit, reason = "the user asked twice, and the command did not end")]
fn leave() -> ! {
    terminal::restore();
    std::process::exit(i32::from(Exit::Interrupted.code()))
}

struct Sources {
    interrupt: Signal,
    terminate: Signal,
    hang_up: Signal,
}

impl Sources {
    async fn next(&mut self) -> SignalKind {
        tokio::select! {
            _ = self.interrupt.recv() => SignalKind::interrupt(),
            _ = self.terminate.recv() => SignalKind::terminate(),
            _ = self.hang_up.recv() => SignalKind::hangup(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Interrupt, LOOK_AGAIN_TIME, Stage};
    use std::sync::atomic::Ordering;
    use std::time::Duration;
    use tokio::signal::unix::SignalKind;
    use tokio::time::Instant;

    #[test]
    fn ctrl_c_looks_then_stops_then_leaves() {
        let now = Instant::now();
        let soon = now + Duration::from_secs(1);
        let late = now + LOOK_AGAIN_TIME + Duration::from_secs(1);
        let (ctrl_c, term) = (SignalKind::interrupt(), SignalKind::terminate());
        let interrupt = Interrupt::default();
        assert_eq!(interrupt.on_signal(ctrl_c, None, now), Stage::Stop);
        interrupt.look.offered.store(true, Ordering::Relaxed);
        assert_eq!(interrupt.on_signal(ctrl_c, None, now), Stage::Look);
        assert_eq!(interrupt.on_signal(ctrl_c, Some(now), soon), Stage::Stop);
        assert_eq!(interrupt.on_signal(ctrl_c, Some(now), late), Stage::Look);
        assert_eq!(interrupt.on_signal(term, None, now), Stage::Stop);
        interrupt.stop.cancel();
        assert_eq!(interrupt.on_signal(ctrl_c, None, now), Stage::Abort);
    }
}
