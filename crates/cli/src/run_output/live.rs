//! Lines as they come, each with its node before it. Pure: fills buffers. Made
//! for floods: one pass over the bytes, one copy.

use transport::fanout::{LineEnd, StreamName};

use super::harmless::{self, Colours};
use super::streams::Face;
use crate::paint::Look;

/// Looks of the names before lines, in turn.
const NAME_LOOKS: [Look; 4] = [Look::Command, Look::Good, Look::Doubtful, Look::Strong];

/// Names are padded to the longest, up to this many columns.
const NAME_COLUMNS_MAX: usize = 24;

/// The lines of one run.
#[derive(Debug)]
pub(super) struct Live {
    nodes: Vec<LiveNode>,
    out: Face,
    err: Face,
}

#[derive(Debug)]
struct LiveNode {
    out: LiveStream,
    err: LiveStream,
}

#[derive(Debug)]
struct LiveStream {
    /// What stands before a line.
    prefix: Vec<u8>,
    /// What stands before the rest of a line that comes in pieces.
    more: Vec<u8>,
    /// Whether the next line is such a rest.
    goes_on: bool,
}

impl Live {
    /// No lines yet. What stands before them depends on the streams.
    pub(super) fn new<'a>(
        names: impl Iterator<Item = &'a str> + Clone,
        out: Face,
        err: Face,
    ) -> Self {
        let longest = names.clone().map(|name| name.chars().count()).max().unwrap_or_default();
        let columns = longest.min(NAME_COLUMNS_MAX);
        let nodes = names.enumerate().map(|(at, name)| {
            let stream = |face: Face| LiveStream {
                prefix: prefix(name, at, ':', columns, face),
                more: prefix(name, at, '+', columns, face),
                goes_on: false,
            };
            LiveNode { out: stream(out), err: stream(err) }
        });
        Self { nodes: nodes.collect(), out, err }
    }

    /// Appends the lines of one event.
    pub(super) fn append(
        &mut self,
        node: usize,
        stream: StreamName,
        bytes: &[u8],
        end: LineEnd,
        into: &mut Vec<u8>,
    ) {
        let Some(node) = self.nodes.get_mut(node) else { return };
        let (stream, face) = match stream {
            StreamName::Out => (&mut node.out, self.out),
            StreamName::Err => (&mut node.err, self.err),
        };
        into.reserve(bytes.len() + bytes.len() / 4 + stream.prefix.len());
        let first = if stream.goes_on { &stream.more } else { &stream.prefix };
        into.extend_from_slice(first);
        let mut at = 0;
        for newline in memchr::memchr_iter(b'\n', bytes) {
            // The newline goes with its line.
            line(bytes.get(at..=newline).unwrap_or_default(), face, into);
            into.extend_from_slice(&stream.prefix);
            at = newline + 1;
        }
        line(bytes.get(at..).unwrap_or_default(), face, into);
        into.push(b'\n');
        stream.goes_on = end == LineEnd::Cut;
    }
}

fn line(bytes: &[u8], face: Face, into: &mut Vec<u8>) {
    if face.is_terminal {
        let colours = if face.paint.is_on() { Colours::Kept } else { Colours::Dropped };
        harmless::append(bytes, colours, into);
    } else {
        into.extend_from_slice(bytes);
    }
}

/// Aligned on a terminal; elsewhere `NAME: `, so that it is easily cut off.
fn prefix(name: &str, at: usize, mark: char, columns: usize, face: Face) -> Vec<u8> {
    let look = NAME_LOOKS.get(at % NAME_LOOKS.len()).copied().unwrap_or(Look::Strong);
    let mut text = face.paint.text(look, format_args!("{name}{mark}"));
    let missing = if face.is_terminal { columns.saturating_sub(name.chars().count()) } else { 0 };
    text.extend(std::iter::repeat_n(' ', missing + 1));
    text.into_bytes()
}

#[cfg(test)]
mod tests {
    use super::{Face, Live};
    use transport::fanout::{LineEnd, StreamName};

    fn live(face: Face) -> Live {
        Live::new(["n1", "n10"].into_iter(), face, face)
    }

    fn shown(live: &mut Live, events: &[(usize, StreamName, &[u8], LineEnd)]) -> Vec<u8> {
        let mut into = Vec::new();
        for (node, stream, bytes, end) in events {
            live.append(*node, *stream, bytes, *end, &mut into);
        }
        into
    }

    #[test]
    fn every_line_has_its_node_and_keeps_its_bytes() {
        use LineEnd::{Cut, Newline, Output};
        use StreamName::{Err, Out};
        let text = shown(
            &mut live(Face::pipe()),
            &[
                (0, Out, b"one\n\ntwo", Newline),
                (1, Out, b"\xff\x00\r", Newline),
                (0, Out, b"a long", Cut),
                (0, Err, b"bad", Newline),
                (0, Out, b" line\nnext", Newline),
                (1, Out, b"no end", Output),
            ],
        );
        let expected = b"n1: one\nn1: \nn1: two\nn10: \xff\x00\r\nn1: a long\nn1: bad\nn1+  line\nn1: next\nn10: no end\n";
        assert_eq!(text, expected, "{}", String::from_utf8_lossy(&text));
    }

    #[test]
    fn on_a_terminal_names_are_aligned_and_controls_harmless() {
        let events = [
            (0, StreamName::Out, &b"x\x1b[2J\ny"[..], LineEnd::Newline),
            (1, StreamName::Out, b"\x1b[32mok", LineEnd::Newline),
        ];
        let text = shown(&mut live(Face::terminal()), &events);
        insta::assert_snapshot!(String::from_utf8(text).unwrap().replace('\x1b', "E"), @r"
        E[36mn1:E[0m  x^[[2J
        E[36mn1:E[0m  y
        E[32mn10:E[0m E[32mokE[0m
        ");
    }
}
