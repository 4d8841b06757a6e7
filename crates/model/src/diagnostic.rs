//! What is wrong with something a user wrote: what, where, and how to mend it.
//! Plain data; `cli` draws it. Every code is listed in [`CODES`].

use serde::Serialize;

use crate::span::{Place, Sources, Span};

mod codes;
pub use codes::CODES;

/// How grave a diagnostic is. The order is from the gravest.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// Nothing is done until it is mended.
    Error,
    /// Done, and likely not what was meant.
    Warning,
    /// Done; the reader should know.
    Note,
}

impl Severity {
    /// The word for it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Error => "error",
            Self::Warning => "warning",
            Self::Note => "note",
        }
    }
}

/// A piece of source text and what is to be said of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Label {
    /// The place.
    pub span: Span,
    /// What is to be said of it; may be empty.
    pub text: String,
}

/// One thing that a user should know of what they wrote.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Diagnostic {
    /// How grave it is.
    pub severity: Severity,
    /// Which kind it is; one of [`CODES`].
    pub code: &'static str,
    /// What is wrong, one sentence without a full stop.
    pub message: String,
    /// Places: the first is where it is, the others explain it.
    pub labels: Vec<Label>,
    /// How to mend it, one line each.
    pub help: Vec<String>,
}

impl Diagnostic {
    /// A diagnostic of any severity, with no place yet.
    #[must_use]
    pub fn new(severity: Severity, code: &'static str, message: impl Into<String>) -> Self {
        Self { severity, code, message: message.into(), labels: Vec::new(), help: Vec::new() }
    }

    /// An error with no place yet.
    #[must_use]
    pub fn error(code: &'static str, message: impl Into<String>) -> Self {
        Self::new(Severity::Error, code, message)
    }

    /// A warning with no place yet.
    #[must_use]
    pub fn warning(code: &'static str, message: impl Into<String>) -> Self {
        Self::new(Severity::Warning, code, message)
    }

    /// A note with no place yet.
    #[must_use]
    pub fn note(code: &'static str, message: impl Into<String>) -> Self {
        Self::new(Severity::Note, code, message)
    }

    /// Adds a place. The first one added is where it is.
    #[must_use]
    pub fn at(mut self, span: Span, text: impl Into<String>) -> Self {
        self.labels.push(Label { span, text: text.into() });
        self
    }

    /// Adds a line that says how to mend it.
    #[must_use]
    pub fn help(mut self, line: impl Into<String>) -> Self {
        self.help.push(line.into());
        self
    }

    /// Where it is, if it is anywhere.
    #[must_use]
    pub fn span(&self) -> Option<Span> {
        self.labels.first().map(|label| label.span)
    }

    /// Where it is, as people count: the source's name, line and column.
    #[must_use]
    pub fn place<'a>(&self, sources: &'a Sources) -> Option<(&'a str, Place)> {
        self.span().and_then(|span| place(sources, span))
    }

    /// The diagnostic as plain lines, the first as compilers write it:
    /// `name:line:column: error[code]: message`.
    #[must_use]
    pub fn to_plain(&self, sources: &Sources) -> String {
        let mut lines = Vec::new();
        let head = format!("{}[{}]: {}", self.severity.as_str(), self.code, self.message);
        lines.push(match self.place(sources) {
            Some((name, at)) => format!("{name}:{}:{}: {head}", at.line, at.column),
            None => head,
        });
        for (index, label) in self.labels.iter().enumerate() {
            let text = label.text.as_str();
            match place(sources, label.span) {
                _ if text.is_empty() => {}
                Some((name, at)) if index > 0 => {
                    lines.push(format!("  {name}:{}:{}: {text}", at.line, at.column));
                }
                Some(_) | None => lines.push(format!("  {text}")),
            }
        }
        lines.extend(self.help.iter().map(|line| format!("  help: {line}")));
        lines.join("\n")
    }
}

fn place(sources: &Sources, span: Span) -> Option<(&str, Place)> {
    let source = sources.get(span.source)?;
    Some((source.name.as_str(), source.place(span.start)))
}

/// Most diagnostics that are kept of one operation.
pub const DIAGNOSTICS_MAX: usize = 100;

/// Diagnostics of one operation, with the texts they point into.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Diagnostics {
    /// The texts.
    pub sources: Sources,
    /// The diagnostics, in the order of their places once [sorted](Self::sort).
    pub list: Vec<Diagnostic>,
}

impl Diagnostics {
    /// Adds one.
    pub fn push(&mut self, diagnostic: Diagnostic) {
        self.list.push(diagnostic);
    }

    /// Whether there is none.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.list.is_empty()
    }

    /// Whether one of them is an error.
    #[must_use]
    pub fn has_errors(&self) -> bool {
        self.list.iter().any(|diagnostic| diagnostic.severity == Severity::Error)
    }

    /// Orders them by place; what is said twice of the same place, as happens
    /// when an anchor is used several times, is said once.
    pub fn sort(&mut self) {
        self.list.sort_by_key(Diagnostic::span);
        let mut once: Vec<Diagnostic> = Vec::with_capacity(self.list.len());
        for diagnostic in self.list.drain(..) {
            let same = once.iter_mut().rev().take_while(|other| other.span() == diagnostic.span());
            let mut same = same.filter(|other| {
                other.span().is_some()
                    && other.code == diagnostic.code
                    && other.message == diagnostic.message
            });
            match same.next() {
                Some(first) => {
                    for label in diagnostic.labels {
                        if !first.labels.contains(&label) {
                            first.labels.push(label);
                        }
                    }
                }
                None => once.push(diagnostic),
            }
        }
        self.list = once;
        self.shorten();
    }

    /// Leaves the gravest and says how many were left out: nobody reads
    /// thousands, and drawing them would take minutes.
    fn shorten(&mut self) {
        let Some(more) = self.list.len().checked_sub(DIAGNOSTICS_MAX).filter(|more| *more > 0)
        else {
            return;
        };
        // Stable, so that each severity stays in the order of places.
        self.list.sort_by_key(|diagnostic| diagnostic.severity);
        self.list.truncate(DIAGNOSTICS_MAX);
        self.list.sort_by_key(Diagnostic::span);
        self.list.push(Diagnostic::note("more", format!("{more} more are not shown")));
    }

    /// All of them as plain lines.
    #[must_use]
    pub fn to_plain(&self) -> String {
        let each: Vec<String> =
            self.list.iter().map(|diagnostic| diagnostic.to_plain(&self.sources)).collect();
        each.join("\n")
    }
}

#[cfg(test)]
mod tests {
    use super::{Diagnostic, Diagnostics};
    use crate::span::Span;

    #[test]
    fn diagnostics_are_ordered_by_place_and_said_once() {
        let mut found = Diagnostics::default();
        let id = found.sources.add("a.yaml", "one\ntwo\n");
        let at = |start| Span::new(id, start, start + 3);
        found.push(Diagnostic::error("unknown-key", "b").at(at(4), "").at(at(0), "used here"));
        found.push(Diagnostic::warning("unknown-key", "a").at(at(0), "this").help("mend it"));
        found.push(Diagnostic::error("unknown-key", "b").at(at(4), "").at(at(1), "used here"));
        found.push(Diagnostic::note("unknown-key", "nowhere"));
        found.sort();
        assert_eq!(
            found.to_plain(),
            "note[unknown-key]: nowhere\n\
             a.yaml:1:1: warning[unknown-key]: a\n  this\n  help: mend it\n\
             a.yaml:2:1: error[unknown-key]: b\n  a.yaml:1:1: used here\n  a.yaml:1:2: used here"
        );
        assert!(found.has_errors());
    }
}
