//! What a node printed, made safe for a terminal: programs may colour their
//! text, and do nothing else to the user's screen. Pure.

/// What becomes of colours.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Colours {
    /// They stay, and end with the line.
    Kept,
    /// They go.
    Dropped,
}

/// Bytes that a terminal could act upon, or that are no text: controls except
/// tab and newline, and everything outside of ASCII, which is looked at.
const fn needs_look(byte: u8) -> bool {
    (byte < 0x20 && byte != b'\t' && byte != b'\n') || byte >= 0x7f
}

/// Appends lines. Controls become visible (`^G`), bytes that are no text become
/// a replacement character, and a carriage return before a newline goes.
pub(super) fn append(text: &[u8], colours: Colours, into: &mut Vec<u8>) {
    if !text.iter().copied().any(needs_look) {
        into.extend_from_slice(text);
        return;
    }
    for line in text.split_inclusive(|byte| *byte == b'\n') {
        let (line, newline) = match line.strip_suffix(b"\n") {
            Some(line) => (line, &b"\n"[..]),
            None => (line, &b""[..]),
        };
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        let coloured = append_line(line, colours, into);
        if coloured {
            into.extend_from_slice(b"\x1b[0m");
        }
        into.extend_from_slice(newline);
    }
}

/// Answers whether a colour was kept.
fn append_line(line: &[u8], colours: Colours, into: &mut Vec<u8>) -> bool {
    let mut coloured = false;
    for chunk in line.utf8_chunks() {
        let mut rest = chunk.valid();
        while let Some(character) = rest.chars().next() {
            if let Some(length) = colour(rest) {
                if colours == Colours::Kept {
                    into.extend_from_slice(rest.get(..length).unwrap_or_default().as_bytes());
                    coloured = true;
                }
                rest = rest.get(length..).unwrap_or_default();
                continue;
            }
            append_character(character, into);
            rest = rest.get(character.len_utf8()..).unwrap_or_default();
        }
        if !chunk.invalid().is_empty() {
            into.extend_from_slice("\u{fffd}".as_bytes());
        }
    }
    coloured
}

fn append_character(character: char, into: &mut Vec<u8>) {
    match u8::try_from(character) {
        Ok(b'\t') => into.push(b'\t'),
        Ok(control @ (0..0x20 | 0x7f)) => into.extend_from_slice(&[b'^', control ^ 0x40]),
        Ok(0x80..=0x9f) => into.extend_from_slice("\u{fffd}".as_bytes()),
        _ => into.extend_from_slice(character.encode_utf8(&mut [0; 4]).as_bytes()),
    }
}

/// Length of the colour sequence (`ESC [ … m`) that the text begins with.
fn colour(text: &str) -> Option<usize> {
    let parameters = text.strip_prefix("\x1b[")?;
    let length = parameters
        .bytes()
        .take_while(|byte| byte.is_ascii_digit() || *byte == b';' || *byte == b':')
        .count();
    (parameters.as_bytes().get(length) == Some(&b'm')).then_some(length + 3)
}

#[cfg(test)]
mod tests {
    use super::{Colours, append};

    fn shown(text: &[u8], colours: Colours) -> String {
        let mut into = Vec::new();
        append(text, colours, &mut into);
        String::from_utf8(into).unwrap()
    }

    #[test]
    fn nothing_but_colours_reaches_the_terminal() {
        for (text, expected) in [
            (&b"plain\ttext\n"[..], "plain\ttext\n"),
            ("grüße ├─ 日本\n".as_bytes(), "grüße ├─ 日本\n"),
            (b"\x1b[31mred\x1b[0m\n", "\x1b[31mred\x1b[0m\x1b[0m\n"),
            (b"\x1b[1;38:5:9mx\ny\n", "\x1b[1;38:5:9mx\x1b[0m\ny\n"),
            (b"\x1b[2Jx\x1b]0;title\x07", "^[[2Jx^[]0;title^G"),
            (b"\x1b[31", "^[[31"),
            (b"10%\r20%\r\n", "10%^M20%\n"),
            (b"a\x00b\x7f", "a^@b^?"),
            (b"\xff\xfe \x9b2J", "\u{fffd}\u{fffd} \u{fffd}2J"),
            ("\u{9b}2J".as_bytes(), "\u{fffd}2J"),
        ] {
            assert_eq!(shown(text, Colours::Kept), expected, "{text:?}");
        }
        assert_eq!(shown(b"\x1b[31mred\x1b[0m", Colours::Dropped), "red");
    }
}
