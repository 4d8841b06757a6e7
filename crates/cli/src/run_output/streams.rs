//! The way of a run's output to standard output and standard error: whole lines
//! in few writes, in the order in which they came, and never through the line
//! of progress.

use std::io::{self, IsTerminal as _, Write};

use crate::output::Printer;
use crate::paint::Paint;
use crate::progress_line::ProgressLine;

/// So much waits for a pause, so that a flood is written in large pieces.
const BUFFER_BYTES: usize = 64 * 1024;

/// What a stream looks like.
#[derive(Debug, Clone, Copy)]
pub(super) struct Face {
    /// Whether control characters would reach a terminal.
    pub(super) is_terminal: bool,
    /// Its colours.
    pub(super) paint: Paint,
}

#[cfg(test)]
impl Face {
    pub(super) const fn pipe() -> Self {
        Self { is_terminal: false, paint: Paint::off() }
    }

    pub(super) const fn terminal() -> Self {
        use crate::paint::{Colour, StreamFacts};
        let facts = StreamFacts { is_terminal: true, is_plain: false };
        Self { is_terminal: true, paint: Paint::new(Colour::Always, facts) }
    }
}

/// Which of our streams.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Way {
    Out,
    Err,
}

/// Both streams.
pub(super) struct Streams {
    out: Box<dyn Write + Send>,
    err: Box<dyn Write + Send>,
    pub(super) out_face: Face,
    pub(super) err_face: Face,
    /// What is not written yet, all of it for one way.
    pending: Vec<u8>,
    way: Way,
    /// What is drawn below everything else.
    pub(super) line: ProgressLine,
}

impl std::fmt::Debug for Streams {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter
            .debug_struct("Streams")
            .field("pending", &self.pending.len())
            .finish_non_exhaustive()
    }
}

impl Streams {
    /// Those of this process.
    pub(super) fn of_process(printer: Printer) -> Self {
        let out = Face { is_terminal: io::stdout().is_terminal(), paint: printer.out };
        let err = Face { is_terminal: io::stderr().is_terminal(), paint: printer.err };
        let line = ProgressLine::new(printer);
        Self::new(Box::new(io::stdout()), Box::new(io::stderr()), (out, err), line)
    }

    /// Any two.
    pub(super) fn new(
        out: Box<dyn Write + Send>,
        err: Box<dyn Write + Send>,
        (out_face, err_face): (Face, Face),
        line: ProgressLine,
    ) -> Self {
        Self { out, err, out_face, err_face, pending: Vec::new(), way: Way::Out, line }
    }

    /// Has whole lines appended to what is to be written.
    ///
    /// # Errors
    /// When standard output cannot be written. Nobody reading standard error is
    /// no error.
    pub(super) fn append(&mut self, way: Way, fill: impl FnOnce(&mut Vec<u8>)) -> io::Result<()> {
        if self.way != way {
            self.flush()?;
            self.way = way;
        }
        fill(&mut self.pending);
        if self.pending.len() >= BUFFER_BYTES { self.flush() } else { Ok(()) }
    }

    /// A line to standard error.
    pub(super) fn say(&mut self, line: &str) -> io::Result<()> {
        self.append(Way::Err, |into| {
            into.extend_from_slice(line.as_bytes());
            into.push(b'\n');
        })
    }

    /// Writes what waits.
    ///
    /// # Errors
    /// As [`Self::append`].
    pub(super) fn flush(&mut self) -> io::Result<()> {
        if self.pending.is_empty() {
            return Ok(());
        }
        let (sink, face) = match self.way {
            Way::Out => (&mut self.out, self.out_face),
            Way::Err => (&mut self.err, self.err_face),
        };
        let pending = &self.pending;
        let mut written = Ok(());
        let mut write = || written = sink.write_all(pending).and_then(|()| sink.flush());
        if face.is_terminal {
            self.line.aside(write);
        } else {
            write();
        }
        self.pending.clear();
        if self.way == Way::Err { Ok(()) } else { written }
    }
}

/// A sink for what is long: standard output in pieces of whole buffers.
pub(super) struct OutWriter<'a> {
    pub(super) streams: &'a mut Streams,
}

impl Write for OutWriter<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.streams.append(Way::Out, |into| into.extend_from_slice(bytes))?;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.streams.flush()
    }
}
