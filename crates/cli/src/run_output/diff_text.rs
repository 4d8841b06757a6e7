//! Text as lines of words, ready to be compared: each word with what it is
//! compared by. Masked places compare by what they are, not by what they say.
//! Pure.

use transport::gather::{Mask, MaskKind, Masked};

/// A word, a run of blanks, or a single sign.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Word {
    /// What it is compared by.
    pub(super) key: Vec<u8>,
    /// What it says.
    pub(super) shown: Vec<u8>,
}

/// A line without its newline.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Line {
    /// What it is compared by.
    pub(super) key: Vec<u8>,
    pub(super) words: Vec<Word>,
}

impl Line {
    /// What it says.
    pub(super) fn shown(&self) -> Vec<u8> {
        self.words.iter().flat_map(|word| word.shown.iter().copied()).collect()
    }

    /// Bytes of what it is compared by, the newline included.
    pub(super) const fn weight(&self) -> usize {
        self.key.len() + 1
    }
}

/// Takes text apart. With a mask, what it finds counts as the same.
pub(super) fn lines(text: &[u8], mask: Option<&Mask>) -> Vec<Line> {
    let text = text.strip_suffix(b"\n").unwrap_or(text);
    let mut found = Vec::new();
    text.split(|byte| *byte == b'\n')
        .map(|line| {
            if let Some(mask) = mask {
                mask.find(line, &mut found);
            }
            let words = words(line, &found);
            Line { key: words.iter().flat_map(|word| word.key.iter().copied()).collect(), words }
        })
        .collect()
}

fn words(line: &[u8], found: &[Masked]) -> Vec<Word> {
    let mut words: Vec<Word> = Vec::new();
    let mut places = found.iter().peekable();
    let mut at = 0;
    let mut after_place = false;
    while let Some(rest) = line.get(at..).filter(|rest| !rest.is_empty()) {
        let place = match places.next_if(|place| place.start == at) {
            Some(place) => Some((place.end - place.start, place.kind.placeholder())),
            None => placeholder(rest),
        };
        let until = places.peek().map_or(rest.len(), |place| place.start.saturating_sub(at));
        let length = place.map_or_else(|| word(rest).min(until.max(1)), |(length, _)| length);
        let shown = rest.get(..length).unwrap_or(rest).to_vec();
        if place.is_some() {
            // Columns are padded to what they hold: blanks beside a place
            // count as one.
            if let Some(before) = words.last_mut().filter(|word| is_blank(&word.shown)) {
                before.key = b" ".to_vec();
            }
        }
        let key = match place {
            Some((_, placeholder)) => placeholder.as_bytes().to_vec(),
            None if after_place && is_blank(&shown) => b" ".to_vec(),
            None => shown.clone(),
        };
        after_place = place.is_some();
        at += length;
        words.push(Word { key, shown });
    }
    words
}

/// A placeholder that a folded output holds already.
fn placeholder(text: &[u8]) -> Option<(usize, &'static str)> {
    [MaskKind::Node, MaskKind::Ip, MaskKind::Pid, MaskKind::Time]
        .into_iter()
        .map(MaskKind::placeholder)
        .find(|placeholder| text.starts_with(placeholder.as_bytes()))
        .map(|placeholder| (placeholder.len(), placeholder))
}

fn is_blank(text: &[u8]) -> bool {
    text.iter().all(|byte| *byte == b' ')
}

/// Length of the word at the begin: letters and digits with dots among them,
/// blanks, or one sign.
fn word(text: &[u8]) -> usize {
    let blanks = text.iter().take_while(|byte| **byte == b' ').count();
    if blanks > 0 {
        return blanks;
    }
    let mut length = 0;
    while let Some(byte) = text.get(length).copied() {
        let is_dot =
            byte == b'.' && length > 0 && text.get(length + 1).is_some_and(|b| is_letter(*b));
        if !is_letter(byte) && !is_dot {
            break;
        }
        length += 1;
    }
    length.max(1)
}

/// Bytes of characters beyond ASCII stay together.
const fn is_letter(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_' || byte >= 0x80
}

#[cfg(test)]
mod tests {
    use super::lines;
    use transport::gather::{Mask, NodeFacts};

    #[test]
    fn lines_are_taken_apart_and_stay_whole() {
        let mask = Mask::new([&NodeFacts::new("n1")]);
        let text = b"linux-6.1.0 on  n1   at 10:00\n\n{time} x\xc3\xa4=1.\n";
        let lines = lines(text, Some(&mask));
        let shown: Vec<String> = lines
            .iter()
            .map(|line| {
                let words = line.words.iter().map(|word| String::from_utf8_lossy(&word.key));
                words.collect::<Vec<_>>().join("|")
            })
            .collect();
        assert_eq!(shown, ["linux|-|6.1.0| |on| |{node}| |at| |{time}", "", "{time}| |xä|=|1|."]);
        let joined: Vec<Vec<u8>> = lines.iter().map(super::Line::shown).collect();
        assert_eq!(joined.join(&b'\n'), text[..text.len() - 1]);
    }
}
