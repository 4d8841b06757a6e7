//! Finds two marks in what sudo says before the command begins: its prompt,
//! and the word that the command prints as it begins. Pure.

use bytes::{Bytes, BytesMut};

/// What sudo says for itself (a lecture, why it refuses) is kept up to this.
const SAID_BYTES_MAX: usize = 8 * 1024;

/// Something that was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Found {
    /// It asks for the password.
    Prompt,
    /// The command has begun; this it printed already.
    Start(Bytes),
}

/// The reader of standard error until the command has begun.
#[derive(Debug)]
pub(crate) struct Marks {
    prompt: Vec<u8>,
    start: Vec<u8>,
    /// What may be the beginning of a mark is at its end.
    held: BytesMut,
    said: Vec<u8>,
}

impl Marks {
    /// Two marks, neither within the other.
    pub(crate) fn new(prompt: &str, start: &str) -> Self {
        Self {
            prompt: prompt.as_bytes().to_vec(),
            start: start.as_bytes().to_vec(),
            held: BytesMut::new(),
            said: Vec::new(),
        }
    }

    /// Reads on. After [`Found::Start`] everything is the command's, and must
    /// not come here.
    pub(crate) fn read(&mut self, bytes: &[u8]) -> Vec<Found> {
        self.held.extend_from_slice(bytes);
        let mut found = Vec::new();
        loop {
            let prompt = find(&self.held, &self.prompt);
            let start = find(&self.held, &self.start);
            match (prompt, start) {
                (_, Some(start)) if prompt.is_none_or(|prompt| start < prompt) => {
                    self.say(start, self.start.len());
                    found.push(Found::Start(self.held.split().freeze()));
                    return found;
                }
                (Some(prompt), _) => {
                    self.say(prompt, self.prompt.len());
                    found.push(Found::Prompt);
                }
                (None, _) => break,
            }
        }
        let longest = self.prompt.len().max(self.start.len());
        let surplus = self.held.len().saturating_sub(longest);
        self.say(surplus, 0);
        found
    }

    /// What sudo said for itself, without the marks.
    pub(crate) fn said(&self) -> String {
        let mut said = self.said.clone();
        said.extend_from_slice(&self.held);
        String::from_utf8_lossy(&said).into_owned()
    }

    /// Takes `length` bytes as said and drops the mark behind them.
    fn say(&mut self, length: usize, mark: usize) {
        let said = self.held.split_to(length.min(self.held.len()));
        let room = SAID_BYTES_MAX.saturating_sub(self.said.len());
        self.said.extend_from_slice(said.get(..room).unwrap_or(&said));
        let _mark = self.held.split_to(mark.min(self.held.len()));
    }
}

fn find(hay: &[u8], needle: &[u8]) -> Option<usize> {
    hay.windows(needle.len().max(1)).position(|window| window == needle)
}

#[cfg(test)]
mod tests {
    use super::{Found, Marks};
    use proptest::prelude::*;

    /// Feeds `text` in pieces cut at `cuts`; what was found, what the command
    /// printed, what sudo said.
    fn read(text: &[u8], cuts: &[usize]) -> (usize, Option<Vec<u8>>, String) {
        let mut marks = Marks::new("<P1>", "<S1>");
        let mut cuts: Vec<usize> = cuts.iter().map(|cut| cut % (text.len() + 1)).collect();
        cuts.extend([0, text.len()]);
        cuts.sort_unstable();
        let (mut prompts, mut printed) = (0, None::<Vec<u8>>);
        for pair in cuts.windows(2) {
            let piece = &text[pair[0]..pair[1]];
            if let Some(printed) = printed.as_mut() {
                printed.extend_from_slice(piece);
                continue;
            }
            for found in marks.read(piece) {
                match found {
                    Found::Prompt => prompts += 1,
                    Found::Start(rest) => printed = Some(rest.to_vec()),
                }
            }
        }
        (prompts, printed, marks.said())
    }

    #[test]
    fn marks_are_found_in_every_cut() {
        let text = b"lecture\n<P1>Sorry, try again.\n<P1><S1>err<P1> <S1>\xff";
        let whole = read(text, &[]);
        assert_eq!(
            whole,
            (2, Some(b"err<P1> <S1>\xff".to_vec()), "lecture\nSorry, try again.\n".to_owned())
        );
        for first in 0..=text.len() {
            for second in first..=text.len() {
                assert_eq!(read(text, &[first, second]), whole, "{first} {second}");
            }
        }
    }

    proptest! {
        #[test]
        fn cuts_change_nothing(
            text in "([<>PS1 a\n]|<P1>|<S1>|<P<P1>){0,30}",
            cuts in prop::collection::vec(any::<usize>(), 0..10),
        ) {
            prop_assert_eq!(read(text.as_bytes(), &cuts), read(text.as_bytes(), &[]));
        }

        #[test]
        fn nothing_of_the_command_is_lost(
            before in "[a-z \n]{0,20}", after in prop::collection::vec(any::<u8>(), 0..40),
            cuts in prop::collection::vec(any::<usize>(), 0..10),
        ) {
            let text = [before.as_bytes(), b"<S1>", &after].concat();
            prop_assert_eq!(read(&text, &cuts), (0, Some(after), before));
        }
    }
}
