//! What a server says first. SSH servers begin with `SSH-`; one that is
//! overloaded, and things that are no SSH server, say something else, which
//! the library does not hand on.

use std::sync::{Arc, Mutex, PoisonError};

use crate::limits;
use crate::session::ConnectStage;

/// The beginning of what a server says. Sharing it is cheap.
#[derive(Debug, Clone, Default)]
pub(crate) struct FirstWords(Arc<Mutex<Vec<u8>>>);

impl FirstWords {
    /// Notes bytes as they come; answers whether more are wanted.
    pub(crate) fn hear(&self, bytes: &[u8]) -> bool {
        let mut heard = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let room = limits::FIRST_WORDS_BYTES_MAX.saturating_sub(heard.len());
        heard.extend(bytes.iter().take(room));
        heard.len() < limits::FIRST_WORDS_BYTES_MAX && !has_protocol(&heard)
    }

    /// The line said before any word of SSH; none once that was said.
    pub(crate) fn before_ssh(&self) -> Option<String> {
        let heard = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if has_protocol(&heard) {
            return None;
        }
        let text = String::from_utf8_lossy(&heard);
        let line = text.lines().next().unwrap_or_default();
        Some(line.chars().filter(|letter| !letter.is_control()).collect())
    }

    /// How far the connection came by what was heard.
    pub(crate) fn stage(&self) -> ConnectStage {
        match self.before_ssh() {
            Some(_) => ConnectStage::Banner,
            None => ConnectStage::Handshake,
        }
    }
}

fn has_protocol(heard: &[u8]) -> bool {
    const PROTOCOL: &[u8] = b"SSH-";
    heard.starts_with(PROTOCOL) || heard.windows(5).any(|part| part == b"\nSSH-")
}

#[cfg(test)]
mod tests {
    use super::FirstWords;

    #[test]
    fn words_before_the_protocol_are_kept_and_the_rest_is_not_wanted() {
        let table: [(&[&str], bool, Option<&str>); 6] = [
            (&[], true, Some("")),
            (&["SSH-2.0-x\r\n"], false, None),
            (&["SS", "H-2.0"], false, None),
            (&["hello\r\nSSH-2.0"], false, None),
            (&["Exceeded MaxStartups\r\n"], true, Some("Exceeded MaxStartups")),
            (&["HTTP/1.1 400\u{7} Bad Request\r\n\r\n"], true, Some("HTTP/1.1 400 Bad Request")),
        ];
        for (parts, wants_more, said) in table {
            let words = FirstWords::default();
            let mut wants = true;
            for part in parts {
                wants = words.hear(part.as_bytes());
            }
            assert_eq!(wants, wants_more, "{parts:?}");
            assert_eq!(words.before_ssh().as_deref(), said, "{parts:?}");
        }
        assert!(!FirstWords::default().hear(&[b'x'; 5000]));
    }
}
