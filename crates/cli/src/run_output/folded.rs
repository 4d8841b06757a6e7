//! Outputs of many nodes, what is the same once: as clush and dshbak do, the
//! biggest group first, and outliers as what they have differently. Writes to
//! any sink.

use std::io::{self, Write};
use std::time::{Duration, Instant};

use model::target::fold;
use transport::gather::{self, FoldMode, Gather, Group, Likeness, Mask};

use super::diff;
use super::diff_text::{self, Line};
use super::harmless::{self, Colours};
use super::streams::Face;
use crate::paint::Look;

/// As clush and dshbak draw it; scripts look for it.
const RULE: &str = "---------------";

/// Larger outputs are shown whole: nobody reads their differences.
const DIFF_BYTES_MAX: u64 = 256 * 1024;

/// Time for all differences together; what comes later is shown whole.
const DIFF_TIME: Duration = Duration::from_secs(2);

/// Text on its way to a terminal is looked at in pieces of at most this.
const PIECE_BYTES: usize = 64 * 1024;

/// How groups are shown.
#[derive(Debug, Clone, Copy)]
pub(super) struct Style {
    /// What counts as the same.
    pub(super) mode: FoldMode,
    /// Whether outliers are shown as differences.
    pub(super) diff: bool,
    /// What it is written to.
    pub(super) face: Face,
}

/// Folds and writes what these nodes printed.
pub(super) fn write(
    gather: &Gather,
    nodes: &[usize],
    style: Style,
    sink: &mut dyn Write,
) -> io::Result<()> {
    let groups = gather::fold(gather, nodes, style.mode)?;
    let (printed, silent): (Vec<Group>, Vec<Group>) =
        groups.into_iter().partition(|group| group.length > 0);
    let Some(biggest) = printed.first() else { return Ok(()) };
    let deadline = Instant::now() + DIFF_TIME;
    let base = comparable(gather, biggest, style)?;
    for group in &printed {
        let outlier = group.nodes.len() < biggest.nodes.len();
        let changes = match &base {
            Some(base) if outlier => changes(gather, base, group, style, deadline)?,
            _ => None,
        };
        let note = changes.as_ref().map(|_| "changes from the biggest group");
        header(gather, group, note, style.face, sink)?;
        match changes {
            Some(changes) => sink.write_all(&changes)?,
            None => body(gather, group, style.face, sink)?,
        }
    }
    for group in &silent {
        header(gather, group, Some("printed nothing"), style.face, sink)?;
    }
    Ok(())
}

/// The group's output taken apart, if it is small enough to compare with.
fn comparable(gather: &Gather, group: &Group, style: Style) -> io::Result<Option<Vec<Line>>> {
    let is_cut = gather.dropped(group.representative) > 0;
    if !style.diff || group.length > DIFF_BYTES_MAX || is_cut {
        return Ok(None);
    }
    let mut text = Vec::new();
    gather::write_group(gather, group, &mut text)?;
    if style.face.is_terminal {
        let mut safe = Vec::with_capacity(text.len());
        harmless::append(&text, Colours::Dropped, &mut safe);
        text = safe;
    }
    let mask = match style.mode {
        FoldMode::Exact => None,
        FoldMode::Masked => Some(Mask::new(gather.facts(group.representative))),
    };
    Ok(Some(diff_text::lines(&text, mask.as_ref())))
}

fn changes(
    gather: &Gather,
    base: &[Line],
    group: &Group,
    style: Style,
    deadline: Instant,
) -> io::Result<Option<Vec<u8>>> {
    if Instant::now() >= deadline {
        return Ok(None);
    }
    let lines = comparable(gather, group, style)?;
    Ok(lines.and_then(|lines| diff::between(base, &lines, style.face.paint, deadline)))
}

fn header(
    gather: &Gather,
    group: &Group,
    note: Option<&str>,
    face: Face,
    sink: &mut dyn Write,
) -> io::Result<()> {
    let names = group.nodes.iter().filter_map(|node| gather.facts(*node));
    let names = fold(names.map(|facts| facts.name.as_str()));
    let count = group.nodes.len();
    let mut notes = vec![format!("{count} {}", if count == 1 { "node" } else { "nodes" })];
    if let Likeness::Alike(alike) = &group.likeness {
        let kinds: Vec<&str> = alike.kinds.iter().map(|kind| kind.placeholder()).collect();
        let kinds = if kinds.is_empty() { "blanks".to_owned() } else { kinds.join(", ") };
        notes.push(format!("alike but for {kinds}"));
    }
    notes.extend(note.map(str::to_owned));
    title(&names, &notes.join(", "), face, sink)
}

/// A title between two rules.
pub(super) fn title(name: &str, notes: &str, face: Face, sink: &mut dyn Write) -> io::Result<()> {
    let rule = face.paint.text(Look::Faint, RULE);
    let name = face.paint.text(Look::Strong, name);
    let notes = if notes.is_empty() { String::new() } else { format!(" ({notes})") };
    writeln!(sink, "{rule}\n{name}{notes}\n{rule}")
}

fn body(gather: &Gather, group: &Group, face: Face, sink: &mut dyn Write) -> io::Result<()> {
    let mut body = Body::new(face, sink);
    gather::write_group(gather, group, &mut body)?;
    body.finish(gather.dropped(group.representative))
}

/// Output of one node on its way to the sink: harmless on a terminal, and with
/// a newline at its end.
pub(super) struct Body<'a> {
    face: Face,
    sink: &'a mut dyn Write,
    /// What may be no whole line yet, on a terminal.
    held: Vec<u8>,
    last: u8,
}

impl<'a> Body<'a> {
    pub(super) fn new(face: Face, sink: &'a mut dyn Write) -> Self {
        Self { face, sink, held: Vec::new(), last: b'\n' }
    }

    fn show(&mut self, until: usize) -> io::Result<()> {
        let colours = if self.face.paint.is_on() { Colours::Kept } else { Colours::Dropped };
        let mut safe = Vec::with_capacity(until);
        harmless::append(self.held.get(..until).unwrap_or_default(), colours, &mut safe);
        self.held.drain(..until);
        self.sink.write_all(&safe)
    }

    /// Ends the block; says what is missing of it.
    pub(super) fn finish(mut self, dropped: u64) -> io::Result<()> {
        self.show(self.held.len())?;
        if self.last != b'\n' {
            self.sink.write_all(b"\n")?;
        }
        if dropped > 0 {
            let words = format!("[the last {dropped} bytes are not shown: they could not be kept]");
            writeln!(self.sink, "{}", self.face.paint.text(Look::Doubtful, words))?;
        }
        Ok(())
    }
}

impl Write for Body<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.last = bytes.last().copied().unwrap_or(self.last);
        if !self.face.is_terminal {
            self.sink.write_all(bytes)?;
            return Ok(bytes.len());
        }
        self.held.extend_from_slice(bytes);
        match memchr::memrchr(b'\n', &self.held) {
            Some(newline) => self.show(newline + 1)?,
            None if self.held.len() > PIECE_BYTES => self.show(self.held.len())?,
            None => {}
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.sink.flush()
    }
}

#[cfg(test)]
mod tests;
