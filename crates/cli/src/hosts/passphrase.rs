//! Asks for the passphrase of a key file at the terminal, which shows nothing
//! of it. Without a terminal nobody is asked.

use std::sync::Arc;

use model::secret::SecretText;
use transport::keys::{Ask, Asked};

use crate::terminal;

/// Bytes of a passphrase; more is no person's.
const PASSPHRASE_BYTES_MAX: usize = 1024;

/// Asks at the terminal where `can_ask` allows it.
pub(super) fn asking(can_ask: bool) -> Ask {
    Arc::new(move |asked: &Asked| if can_ask { ask(asked) } else { None })
}

fn ask(asked: &Asked) -> Option<SecretText> {
    let again = if asked.wrong_before > 0 { "Wrong. " } else { "" };
    let prompt = format!("{again}Passphrase for {}: ", asked.file.display());
    terminal::undrawn(|| terminal::ask_secret(&prompt, PASSPHRASE_BYTES_MAX)).ok().flatten()
}
