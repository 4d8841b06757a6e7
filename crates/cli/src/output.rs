//! Everything that is written to the terminal goes through here: results to
//! standard output, what is said beside them to standard error. Decides by
//! mode what is shown; knows nothing of what it is about.

use std::io::{self, IsTerminal as _, Write as _};

use serde::Serialize;

use crate::document::{ErrorDocument, Failure};
use crate::exit::{CommandError, Exit};
use crate::paint::{Colour, Look, Paint, StreamFacts};
use crate::report;

/// What form output takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Mode {
    /// For people.
    Human,
    /// For people who want results and errors only.
    Quiet,
    /// Documents of [`crate::document`].
    Json,
}

/// The way out.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Printer {
    mode: Mode,
    /// Styles of standard output.
    pub(crate) out: Paint,
    /// Styles of standard error.
    pub(crate) err: Paint,
    /// Whether somebody can be asked: both ends are terminals.
    pub(crate) can_ask: bool,
    /// Whether progress may be drawn over.
    pub(crate) can_draw: bool,
}

impl Printer {
    /// Decides by the flags and by what the streams are.
    pub(crate) fn new(mode: Mode, colour: Colour) -> Self {
        let is_plain = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty())
            || std::env::var_os("TERM").is_some_and(|value| value == "dumb");
        let facts = |is_terminal| StreamFacts { is_terminal, is_plain };
        let stderr_is_terminal = io::stderr().is_terminal();
        Self {
            mode,
            out: Paint::new(colour, facts(io::stdout().is_terminal())),
            err: Paint::new(colour, facts(stderr_is_terminal)),
            can_ask: io::stdin().is_terminal() && stderr_is_terminal,
            can_draw: stderr_is_terminal && mode == Mode::Human && colour != Colour::Never,
        }
    }

    /// Whether results are JSON.
    pub(crate) fn is_json(self) -> bool {
        self.mode == Mode::Json
    }

    /// Whether only results and errors are shown.
    pub(crate) fn is_quiet(self) -> bool {
        self.mode == Mode::Quiet
    }

    /// Whether what is going to be touched is shown: always to who is asked.
    pub(crate) fn shows_before(self, yes: bool) -> bool {
        match self.mode {
            Mode::Human => true,
            Mode::Quiet => !yes,
            Mode::Json => false,
        }
    }

    /// A line of the result.
    pub(crate) fn line(self, text: impl AsRef<str>) -> io::Result<()> {
        let mut out = io::stdout().lock();
        out.write_all(text.as_ref().as_bytes())?;
        out.write_all(b"\n")
    }

    /// Lines of the result.
    pub(crate) fn lines<T: AsRef<str>>(self, lines: impl IntoIterator<Item = T>) -> io::Result<()> {
        let mut out = io::BufWriter::new(io::stdout().lock());
        for line in lines {
            out.write_all(line.as_ref().as_bytes())?;
            out.write_all(b"\n")?;
        }
        out.flush()
    }

    /// Bytes of the result, as they are.
    pub(crate) fn bytes(self, bytes: &[u8]) -> io::Result<()> {
        let mut out = io::stdout().lock();
        out.write_all(bytes)?;
        out.flush()
    }

    /// A JSON document, indented where a person may read it.
    pub(crate) fn document(self, document: &impl Serialize) -> io::Result<()> {
        let text = if io::stdout().is_terminal() {
            serde_json::to_string_pretty(document)
        } else {
            serde_json::to_string(document)
        }
        .map_err(io::Error::other)?;
        self.line(text)
    }

    /// One JSON document of a stream: always one line.
    pub(crate) fn document_line(self, document: &impl Serialize) -> io::Result<()> {
        self.line(serde_json::to_string(document).map_err(io::Error::other)?)
    }

    /// What is said beside the result: only to people who want it. Nothing
    /// hangs on it being read.
    pub(crate) fn say(self, text: impl AsRef<str>) {
        if self.mode == Mode::Human {
            self.say_always(text);
        }
    }

    /// What must be said in every mode.
    pub(crate) fn say_always(self, text: impl AsRef<str>) {
        let mut text = text.as_ref().to_owned();
        text.push('\n');
        let _ = io::stderr().lock().write_all(text.as_bytes());
    }

    /// A warning.
    pub(crate) fn warn(self, text: impl AsRef<str>) {
        let word = self.err.text(Look::Doubtful, "warning:");
        self.say_always(format!("{word} {}", text.as_ref()));
    }

    /// The end of a command that failed.
    pub(crate) fn error(self, error: &CommandError) {
        if error.exit == Exit::ReaderGone {
            return;
        }
        if self.is_json() {
            let document = ErrorDocument::new(Failure::of(error));
            if let Ok(text) = serde_json::to_string(&document) {
                self.say_always(text);
            }
            return;
        }
        self.say_always(report::error(error, self.err));
    }
}
