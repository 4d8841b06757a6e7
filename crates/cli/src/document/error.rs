//! `{"kind": "error"}`: why a command ended without doing what was asked.

use model::diagnostic::DIAGNOSTICS_MAX;
use model::span::Sources;
use model::{Diagnostic, Severity};
use serde::Serialize;

use super::VERSION;
use crate::exit::CommandError;

/// The document.
#[derive(Debug, Serialize)]
pub(crate) struct ErrorDocument {
    squall: u32,
    kind: &'static str,
    error: Failure,
}

impl ErrorDocument {
    /// Wraps a failure.
    pub(crate) const fn new(error: Failure) -> Self {
        Self { squall: VERSION, kind: "error", error }
    }
}

/// A failure.
#[derive(Debug, Serialize)]
pub(crate) struct Failure {
    reason: &'static str,
    exit_code: u8,
    message: String,
    causes: Vec<String>,
    details: Vec<String>,
    hints: Vec<String>,
    diagnostics: Vec<DiagnosticDocument>,
}

impl Failure {
    /// What an error says.
    pub(crate) fn of(error: &CommandError) -> Self {
        let found = &error.diagnostics;
        Self {
            reason: error.exit.as_str(),
            exit_code: error.exit.code(),
            message: error.message.clone(),
            causes: error.causes.clone(),
            details: error.details.clone(),
            hints: error.hints.clone(),
            diagnostics: DiagnosticDocument::all(&found.list, &found.sources),
        }
    }
}

/// One diagnostic; its place is where its first label stands.
#[derive(Debug, Serialize)]
pub(crate) struct DiagnosticDocument {
    severity: Severity,
    code: &'static str,
    message: String,
    source: Option<String>,
    line: Option<usize>,
    column: Option<usize>,
    help: Vec<String>,
}

impl DiagnosticDocument {
    /// Diagnostics with the places they point to; of very many the first, and
    /// how many more there are.
    pub(crate) fn all(list: &[Diagnostic], sources: &Sources) -> Vec<Self> {
        // A list that was shortened before has one more, which says so.
        let shown_max = DIAGNOSTICS_MAX + 1;
        let more = list.len().saturating_sub(shown_max);
        let note = Diagnostic::note("more", format!("{more} more are not shown"));
        list.iter()
            .take(shown_max)
            .chain((more > 0).then_some(&note))
            .map(|diagnostic| {
                let place = diagnostic.place(sources);
                Self {
                    severity: diagnostic.severity,
                    code: diagnostic.code,
                    message: diagnostic.message.clone(),
                    source: place.map(|(name, _)| name.to_owned()),
                    line: place.map(|(_, at)| at.line),
                    column: place.map(|(_, at)| at.column),
                    help: diagnostic.help.clone(),
                }
            })
            .collect()
    }
}
