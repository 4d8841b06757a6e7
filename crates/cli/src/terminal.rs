//! The user's terminal in raw mode, for a shell on a node. Whatever ends us,
//! the terminal is as it was: by drop, which panics run too, and by
//! [`restore`] where we leave without unwinding.

use std::io::{self, IsTerminal as _};
use std::sync::{Mutex, PoisonError};

use rustix::termios::{OptionalActions, Termios, tcgetattr, tcgetwinsize, tcsetattr};
use transport::session::PtySize;

/// How the terminal was before raw mode, while it is in raw mode.
static BEFORE: Mutex<Option<Termios>> = Mutex::new(None);

/// The terminal is raw for as long as this lives.
#[derive(Debug)]
pub(crate) struct RawMode(());

impl RawMode {
    /// Sets standard input, a terminal, to raw mode.
    pub(crate) fn enter() -> io::Result<Self> {
        let before = tcgetattr(io::stdin())?;
        let mut raw = before.clone();
        raw.make_raw();
        *BEFORE.lock().unwrap_or_else(PoisonError::into_inner) = Some(before);
        let entered = Self(());
        // Drain, not flush: what was typed ahead belongs to the remote program.
        tcsetattr(io::stdin(), OptionalActions::Drain, &raw)?;
        Ok(entered)
    }
}

impl Drop for RawMode {
    fn drop(&mut self) {
        restore();
    }
}

/// Puts the terminal back as it was, if it is in raw mode.
pub(crate) fn restore() {
    let before = BEFORE.lock().unwrap_or_else(PoisonError::into_inner).take();
    if let Some(before) = before {
        let _ = tcsetattr(io::stdin(), OptionalActions::Drain, &before);
    }
}

/// Whether standard input is a terminal.
pub(crate) fn is_there() -> bool {
    io::stdin().is_terminal()
}

/// The size of the terminal.
pub(crate) fn size() -> PtySize {
    match tcgetwinsize(io::stdout()).or_else(|_| tcgetwinsize(io::stdin())) {
        Ok(size) if size.ws_col > 0 && size.ws_row > 0 => {
            PtySize { columns: size.ws_col, rows: size.ws_row }
        }
        Ok(_) | Err(_) => PtySize::default(),
    }
}
