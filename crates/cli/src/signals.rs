//! Two-stage interruption: the first signal asks to stop cleanly, the second
//! one to leave at once. Which of them applies to what is the command's
//! business.

use std::io;
use std::time::Duration;

use controller::Cancel;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio_util::sync::CancellationToken;

use crate::args::Command;
use crate::exit::Exit;
use crate::output::Printer;
use crate::terminal;

/// Time that a command has to end by itself after the second signal.
const LAST_GRACE: Duration = Duration::from_secs(2);

/// What the user's signals lead to.
#[derive(Debug, Clone, Default)]
pub(crate) struct Interrupt {
    /// Cancelled at the first signal.
    pub(crate) stop: CancellationToken,
    /// Cancelled at the second one.
    pub(crate) abort: CancellationToken,
}

impl Interrupt {
    /// Whether the user asked to stop.
    pub(crate) fn is_stopping(&self) -> bool {
        self.stop.is_cancelled()
    }

    /// As operations take it.
    pub(crate) fn to_cancel(&self) -> Cancel {
        Cancel { stop: self.stop.clone(), abort: self.abort.clone() }
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
        sources.next().await;
        told.stop.cancel();
        if says_stopping {
            printer.say("\nStopping; Ctrl-C again leaves at once.");
        }
        sources.next().await;
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
    async fn next(&mut self) {
        tokio::select! {
            _ = self.interrupt.recv() => {}
            _ = self.terminate.recv() => {}
            _ = self.hang_up.recv() => {}
        }
    }
}
