//! Asks for the passphrase of a key file at the terminal, which shows nothing
//! of it. Without a terminal nobody is asked.

use std::fs::File;
use std::io::{Read as _, Write as _};
use std::sync::Arc;

use model::secret::SecretText;
use rustix::termios::{LocalModes, OptionalActions, Termios, tcgetattr, tcsetattr};
use transport::keys::{Ask, Asked};
use zeroize::Zeroizing;

/// Bytes of a passphrase; more is no person's.
const PASSPHRASE_BYTES_MAX: usize = 1024;

/// Asks at the terminal where `can_ask` allows it.
pub(super) fn asking(can_ask: bool) -> Ask {
    Arc::new(move |asked: &Asked| if can_ask { ask(asked) } else { None })
}

fn ask(asked: &Asked) -> Option<SecretText> {
    // Standard input may be a pipe that belongs to the remote command.
    let mut terminal = File::options().read(true).write(true).open("/dev/tty").ok()?;
    let again = if asked.wrong_before > 0 { "Wrong. " } else { "" };
    let _ = write!(terminal, "{again}Passphrase for {}: ", asked.file.display());
    let hidden = Hidden::begin(terminal.try_clone().ok()?)?;
    // A terminal hands over a line at a time; nothing of it stays behind.
    let mut line = Zeroizing::new([0; PASSPHRASE_BYTES_MAX]);
    let read = terminal.read(line.as_mut_slice());
    drop(hidden);
    let _ = writeln!(terminal);
    let typed = line.get(..read.ok()?)?.split(|&byte| byte == b'\n' || byte == b'\r').next()?;
    let text = std::str::from_utf8(typed).ok()?;
    (!text.is_empty()).then(|| SecretText::new(text.to_owned()))
}

/// The terminal echoes nothing for as long as this lives.
struct Hidden {
    terminal: File,
    before: Termios,
}

impl Hidden {
    fn begin(terminal: File) -> Option<Self> {
        let before = tcgetattr(&terminal).ok()?;
        let mut quiet = before.clone();
        quiet.local_modes.remove(LocalModes::ECHO);
        tcsetattr(&terminal, OptionalActions::Flush, &quiet).ok()?;
        Some(Self { terminal, before })
    }
}

impl Drop for Hidden {
    fn drop(&mut self) {
        let _ = tcsetattr(&self.terminal, OptionalActions::Flush, &self.before);
    }
}
