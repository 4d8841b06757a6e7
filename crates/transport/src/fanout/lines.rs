//! Bytes into lines, for one stream of one node. Pure. Looks at newlines and
//! at nothing else, so what is not text passes through unharmed.

use bytes::{Bytes, BytesMut};

use super::event::LineEnd;

/// Cuts a stream into lines of at most `bytes_max`.
#[derive(Debug)]
pub(crate) struct LineCutter {
    /// The begin of a line whose newline has not come; shorter than the limit.
    held: BytesMut,
    bytes_max: usize,
    /// Whether the last piece was cut off a line that goes on.
    within_line: bool,
}

impl LineCutter {
    pub(crate) fn new(bytes_max: usize) -> Self {
        Self { held: BytesMut::new(), bytes_max: bytes_max.max(1), within_line: false }
    }

    /// The next whole lines, or piece of a too long one, taken off the front
    /// of `input`. None when `input` is used up. Several lines come at once,
    /// newlines between them; a line that was begun before, or whose begin has
    /// been given away already, comes alone.
    pub(crate) fn next(&mut self, input: &mut Bytes) -> Option<(Bytes, LineEnd)> {
        if input.is_empty() {
            return None;
        }
        if self.held.is_empty()
            && !self.within_line
            && let Some(length) = self.whole_lines(input)
        {
            let lines = input.split_to(length);
            let _newline = input.split_to(1);
            return Some((lines, LineEnd::Newline));
        }
        self.next_line(input)
    }

    /// Length of all the lines that end in `input`, without the last newline,
    /// as far as none of them is too long.
    fn whole_lines(&self, input: &[u8]) -> Option<usize> {
        if input.len() <= self.bytes_max {
            return memchr::memrchr(b'\n', input);
        }
        let mut end = None;
        let mut rest = input;
        loop {
            let window = rest.get(..=self.bytes_max).unwrap_or(rest);
            let Some(length) = memchr::memchr(b'\n', window) else { return end };
            let next = length.saturating_add(1);
            end = Some(end.map_or(length, |end: usize| end.saturating_add(next)));
            rest = rest.get(next..).unwrap_or_default();
        }
    }

    fn next_line(&mut self, input: &mut Bytes) -> Option<(Bytes, LineEnd)> {
        let room = self.bytes_max.saturating_sub(self.held.len()).max(1);
        let window = input.get(..=room).unwrap_or(input);
        match memchr::memchr(b'\n', window) {
            Some(length) => {
                let line = self.take(input, length);
                let _newline = input.split_to(1);
                self.within_line = false;
                Some((line, LineEnd::Newline))
            }
            None if input.len() > room || self.held.len() + input.len() >= self.bytes_max => {
                let length = input.len().min(room);
                let piece = self.take(input, length);
                self.within_line = true;
                Some((self.keep_split_character(piece), LineEnd::Cut))
            }
            None => {
                self.held.extend_from_slice(input);
                input.clear();
                None
            }
        }
    }

    /// What is left when the stream has ended.
    pub(crate) fn finish(&mut self) -> Option<(Bytes, LineEnd)> {
        let rest = self.held.split().freeze();
        let unfinished = std::mem::take(&mut self.within_line) || !rest.is_empty();
        unfinished.then_some((rest, LineEnd::Output))
    }

    /// Held bytes and `length` of `input` as one; without held bytes nothing
    /// is copied.
    fn take(&mut self, input: &mut Bytes, length: usize) -> Bytes {
        let fresh = input.split_to(length);
        if self.held.is_empty() {
            return fresh;
        }
        self.held.extend_from_slice(&fresh);
        self.held.split().freeze()
    }

    /// A cut moves back to before a character that it would split, so that
    /// pieces can be shown one by one.
    fn keep_split_character(&mut self, mut piece: Bytes) -> Bytes {
        let whole = whole_characters(&piece);
        if whole > 0 {
            self.held.extend_from_slice(&piece.split_off(whole));
        }
        piece
    }
}

/// Length without an unfinished UTF-8 character at the end; the whole length
/// when the end is no such thing.
fn whole_characters(bytes: &[u8]) -> usize {
    let tail = bytes.len().saturating_sub(4);
    for (back, byte) in bytes.iter().skip(tail).rev().enumerate() {
        let needed = match byte {
            0b1100_0000..=0b1101_1111 => 2,
            0b1110_0000..=0b1110_1111 => 3,
            0b1111_0000..=0b1111_0111 => 4,
            0b1000_0000..=0b1011_1111 => continue,
            _ => return bytes.len(),
        };
        return if back + 1 < needed { bytes.len() - back - 1 } else { bytes.len() };
    }
    bytes.len()
}

#[cfg(test)]
mod tests {
    use super::{LineCutter, LineEnd};
    use bytes::Bytes;
    use proptest::prelude::*;

    fn cut(chunks: &[&[u8]], bytes_max: usize) -> Vec<(Vec<u8>, LineEnd)> {
        let mut cutter = LineCutter::new(bytes_max);
        let mut lines = Vec::new();
        for chunk in chunks {
            let mut input = Bytes::copy_from_slice(chunk);
            while let Some((bytes, end)) = cutter.next(&mut input) {
                lines.push((bytes.to_vec(), end));
            }
        }
        lines.extend(cutter.finish().map(|(bytes, end)| (bytes.to_vec(), end)));
        lines
    }

    fn shown(chunks: &[&[u8]], bytes_max: usize) -> String {
        let each: Vec<String> = cut(chunks, bytes_max)
            .iter()
            .map(|(bytes, end)| {
                format!("{}:{end:?}", String::from_utf8_lossy(bytes).replace('\n', "|"))
            })
            .collect();
        each.join(" ")
    }

    #[test]
    fn lines_are_whole_whatever_the_packets() {
        let table: &[(&[&[u8]], &str)] = &[
            (&[], ""),
            (&[b"a\nb\n"], "a|b:Newline"),
            (&[b"a\nb\nc"], "a|b:Newline c:Output"),
            (&[b"a", b"b\nc", b"\n"], "ab:Newline c:Newline"),
            (&[b"a", b"b\nc\nd\n"], "ab:Newline c|d:Newline"),
            (&[b"\n\n"], "|:Newline"),
            (&[b"\n"], ":Newline"),
            (&[b"123\n567\n9012345\n"], "123|567|9012345:Newline"),
            (
                &[b"123\n567\n901234567\n1\n2\n"],
                "123|567:Newline 90123456:Cut 7:Newline 1|2:Newline",
            ),
            (&[b"no end"], "no end:Output"),
            (&[b"a\r\nb"], "a\r:Newline b:Output"),
            (&[b"12345678\n"], "12345678:Newline"),
            (&[b"123456789\n"], "12345678:Cut 9:Newline"),
            (&[b"12345678", b"9\n"], "12345678:Cut 9:Newline"),
            (&[b"12345678", b"\n"], "12345678:Cut :Newline"),
            (&[b"12345678"], "12345678:Cut :Output"),
            (&["123456ßx\n".as_bytes()], "123456ß:Cut x:Newline"),
            (&["1234567ß\n".as_bytes()], "1234567:Cut ß:Newline"),
            (&[b"gr\xc3", b"\xbc\xc3\x9fe\n"], "grüße:Newline"),
        ];
        for (chunks, expected) in table {
            assert_eq!(shown(chunks, 8), *expected, "{chunks:?}");
        }
    }

    proptest! {
        #[test]
        fn nothing_is_lost_added_or_too_long(
            chunks in prop::collection::vec(
                prop::collection::vec(prop_oneof![Just(b'\n'), Just(0xc3), Just(0x9f), any::<u8>()], 0..40),
                0..20,
            ),
            bytes_max in 1_usize..20,
        ) {
            let borrowed: Vec<&[u8]> = chunks.iter().map(Vec::as_slice).collect();
            let mut joined = Vec::new();
            for (bytes, end) in cut(&borrowed, bytes_max) {
                for line in bytes.split(|byte| *byte == b'\n') {
                    prop_assert!(line.len() <= bytes_max);
                }
                prop_assert!(end == LineEnd::Newline || !bytes.contains(&b'\n'));
                joined.extend_from_slice(&bytes);
                if end == LineEnd::Newline {
                    joined.push(b'\n');
                }
            }
            prop_assert_eq!(joined, chunks.concat());
        }
    }
}
