//! The user's terminal in raw mode, for a shell on a node, and without echo,
//! for a secret. Whatever ends us, the terminal is as it was: by drop, which
//! panics run too, and by [`restore`] where we leave without unwinding.

use std::fs::File;
use std::io::{self, IsTerminal as _, Read, Write as _};
use std::os::fd::AsFd as _;
use std::sync::{Mutex, PoisonError};

use indicatif::{ProgressBar, ProgressDrawTarget};
use model::secret::SecretText;
use rustix::termios::{LocalModes, OptionalActions, Termios, tcgetattr, tcgetwinsize, tcsetattr};
use transport::session::PtySize;

/// The terminal of the process, whatever its streams are.
const TERMINAL: &str = "/dev/tty";

/// How the terminal was before we changed it, while it is changed.
static BEFORE: Mutex<Option<Termios>> = Mutex::new(None);

/// What draws over the last line of the terminal, if something does.
static DRAWN: Mutex<Option<ProgressBar>> = Mutex::new(None);

/// Makes known what draws over the last line, for those who need it.
pub(crate) fn draws(bar: &ProgressBar) {
    *DRAWN.lock().unwrap_or_else(PoisonError::into_inner) = Some(bar.clone());
}

/// Does something while nothing is drawn.
pub(crate) fn undrawn<T>(act: impl FnOnce() -> T) -> T {
    let bar = DRAWN.lock().unwrap_or_else(PoisonError::into_inner).clone();
    let Some(bar) = bar.filter(|bar| !bar.is_hidden()) else { return act() };
    bar.set_draw_target(ProgressDrawTarget::hidden());
    // What is drawn already would stand before the question.
    let _ = io::stderr().write_all(b"\r\x1b[2K");
    let done = act();
    bar.set_draw_target(ProgressDrawTarget::stderr());
    done
}

/// The terminal is changed for as long as this lives.
#[derive(Debug)]
struct Changed(());

impl Changed {
    fn enter(terminal: impl std::os::fd::AsFd, change: fn(&mut Termios)) -> io::Result<Self> {
        let before = tcgetattr(&terminal)?;
        let mut changed = before.clone();
        change(&mut changed);
        *BEFORE.lock().unwrap_or_else(PoisonError::into_inner) = Some(before);
        let entered = Self(());
        // Drain, not flush: what was typed ahead belongs to who reads next.
        tcsetattr(&terminal, OptionalActions::Drain, &changed)?;
        Ok(entered)
    }
}

impl Drop for Changed {
    fn drop(&mut self) {
        restore();
    }
}

/// The terminal is raw for as long as this lives.
#[derive(Debug)]
pub(crate) struct RawMode(Changed);

impl RawMode {
    /// Sets standard input, a terminal, to raw mode.
    pub(crate) fn enter() -> io::Result<Self> {
        Ok(Self(Changed::enter(io::stdin(), Termios::make_raw)?))
    }
}

/// Puts the terminal back as it was, if it is changed.
pub(crate) fn restore() {
    let before = BEFORE.lock().unwrap_or_else(PoisonError::into_inner).take();
    let Some(before) = before else { return };
    // Standard input need not be the terminal.
    match File::options().read(true).write(true).open(TERMINAL) {
        Ok(terminal) => drop(tcsetattr(terminal, OptionalActions::Drain, &before)),
        Err(_) => drop(tcsetattr(io::stdin(), OptionalActions::Drain, &before)),
    }
}

/// Whether standard input is a terminal.
pub(crate) fn is_there() -> bool {
    io::stdin().is_terminal()
}

/// Whether a secret can be asked for: there is a terminal that shows what we
/// ask.
pub(crate) fn can_ask_secrets() -> bool {
    io::stderr().is_terminal() && File::options().read(true).write(true).open(TERMINAL).is_ok()
}

/// Asks for a secret on the terminal, without echo. Blocks. None when the
/// input ends or the line is empty.
///
/// # Errors
/// There is no terminal, or the secret is longer than `bytes_max`.
pub(crate) fn ask_secret(prompt: &str, bytes_max: usize) -> io::Result<Option<SecretText>> {
    let mut terminal = File::options().read(true).write(true).open(TERMINAL)?;
    let changed = Changed::enter(terminal.as_fd(), |termios| {
        termios.local_modes.remove(LocalModes::ECHO);
        // The line's own end is shown, so that the cursor moves on.
        termios.local_modes.insert(LocalModes::ECHONL | LocalModes::ICANON | LocalModes::ISIG);
    })?;
    terminal.write_all(prompt.as_bytes())?;
    let secret = read_secret_line(&terminal, bytes_max);
    drop(changed);
    secret
}

/// The first line of something, without its end. None when it is empty.
///
/// # Errors
/// It cannot be read, is no text, or is longer than `bytes_max`.
pub(crate) fn read_secret_line(
    mut from: impl Read,
    bytes_max: usize,
) -> io::Result<Option<SecretText>> {
    // Room for all of it, so that growing leaves no copies behind.
    let mut line = Vec::with_capacity(bytes_max);
    let mut byte = [0_u8; 1];
    while from.read(&mut byte)? > 0 && byte != *b"\n" {
        if line.len() == bytes_max {
            return Err(io::Error::new(io::ErrorKind::InvalidData, "it is too long"));
        }
        line.extend_from_slice(&byte);
    }
    if line.last() == Some(&b'\r') {
        line.pop();
    }
    let text = String::from_utf8(line)
        .map_err(|_| io::Error::new(io::ErrorKind::InvalidData, "it is no text"))?;
    Ok((!text.is_empty()).then(|| SecretText::new(text)))
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

#[cfg(test)]
mod tests {
    use super::read_secret_line;

    #[test]
    fn a_secret_is_the_first_line() {
        let read = |text: &[u8]| {
            let secret = read_secret_line(text, 8).ok()?;
            Some(secret.map(|secret| secret.reveal().to_owned()))
        };
        for (text, expected) in [
            (&b"hunter2\nmore"[..], Some(Some("hunter2"))),
            (b"a b\r\n", Some(Some("a b"))),
            (b"x", Some(Some("x"))),
            (b"\nx", Some(None)),
            (b"", Some(None)),
            (b"123456789", None),
            (b"\xff\n", None),
        ] {
            assert_eq!(read(text), expected.map(|text| text.map(str::to_owned)), "{text:?}");
        }
    }
}
