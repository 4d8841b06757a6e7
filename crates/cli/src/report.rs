//! Draws what is wrong: diagnostics with the text they point into, and the
//! error a command ends with.

use annotate_snippets::renderer::DecorStyle;
use annotate_snippets::{AnnotationKind, Group, Level, Renderer, Snippet};
use model::span::{Source, SourceId};
use model::{Diagnostic, Diagnostics, Severity};

use crate::exit::CommandError;
use crate::paint::{Look, Paint, printable};

/// Widest drawing, in columns; longer source lines are cut around the place.
const WIDTH_MAX: usize = 140;

/// Diagnostics that are drawn; nobody reads more at once.
const DRAWN_MAX: usize = 20;

/// The error a command ends with: diagnostics first, then what they led to.
pub(crate) fn error(error: &CommandError, paint: Paint) -> String {
    let mut parts = Vec::new();
    if !error.diagnostics.is_empty() {
        parts.push(diagnostics(&error.diagnostics, paint));
        parts.push(String::new());
    }
    parts.push(format!("{} {}", paint.text(Look::Bad, "error:"), printable(&error.message)));
    for cause in &error.causes {
        parts.push(format!("  caused by: {}", cause.replace('\n', "\n    ")));
    }
    for detail in &error.details {
        parts.push(format!("  {}", printable(detail)));
    }
    for hint in &error.hints {
        parts.push(format!("{} {hint}", paint.text(Look::Command, "hint:")));
    }
    parts.join("\n")
}

/// Diagnostics, each with its places. Of many the gravest, and how many more
/// there are.
pub(crate) fn diagnostics(found: &Diagnostics, paint: Paint) -> String {
    let mut gravest: Vec<(usize, &Diagnostic)> = found.list.iter().enumerate().collect();
    // Stable, so that each severity stays in the order of places.
    gravest.sort_by_key(|(_, diagnostic)| diagnostic.severity);
    gravest.truncate(DRAWN_MAX);
    gravest.sort_by_key(|(at, _)| *at);
    let mut drawn: Vec<String> =
        gravest.iter().map(|(_, diagnostic)| draw(found, diagnostic, paint)).collect();
    let more = found.list.len() - gravest.len();
    // The last one may stand for those that were left out before.
    let is_all = found.list.last().is_none_or(|last| last.code != "more");
    match (more, is_all) {
        (0, _) => {}
        (_, true) => drawn.push(format!("and {more} more like these")),
        (_, false) => drawn.push(format!("and at least {more} more like these")),
    }
    drawn.join("\n\n")
}

fn draw(found: &Diagnostics, diagnostic: &Diagnostic, paint: Paint) -> String {
    let level = match diagnostic.severity {
        Severity::Error => Level::ERROR,
        Severity::Warning => Level::WARNING,
        Severity::Note => Level::NOTE,
    };
    let title = level.primary_title(diagnostic.message.as_str()).id(diagnostic.code);
    let mut group = Group::with_title(title);
    for (source, at) in sources_of(found, diagnostic) {
        let mut snippet =
            Snippet::source(source.text.as_str()).path(source.name.as_str()).fold(true);
        for (index, label) in diagnostic.labels.iter().enumerate() {
            if label.span.source != at {
                continue;
            }
            let kind = if index == 0 { AnnotationKind::Primary } else { AnnotationKind::Context };
            let annotation = kind.span(range(&source.text, label.span.start, label.span.end));
            snippet = snippet.annotation(if label.text.is_empty() {
                annotation
            } else {
                annotation.label(label.text.as_str())
            });
        }
        group = group.element(snippet);
    }
    for help in &diagnostic.help {
        group = group.element(Level::HELP.message(help.as_str()));
    }
    let renderer = if paint.is_on() { Renderer::styled() } else { Renderer::plain() };
    renderer.decor_style(DecorStyle::Ascii).term_width(WIDTH_MAX).render(&[group])
}

/// The texts that a diagnostic points into, the one of its first place first.
fn sources_of<'a>(found: &'a Diagnostics, diagnostic: &Diagnostic) -> Vec<(&'a Source, SourceId)> {
    let mut seen: Vec<(&Source, SourceId)> = Vec::new();
    for label in &diagnostic.labels {
        let id = label.span.source;
        if seen.iter().any(|(_, known)| *known == id) {
            continue;
        }
        if let Some(source) = found.sources.get(id) {
            seen.push((source, id));
        }
    }
    seen
}

/// A range that the renderer can draw: within the text, on the boundaries of
/// its characters.
fn range(text: &str, start: usize, end: usize) -> std::ops::Range<usize> {
    let start = text.floor_char_boundary(start.min(text.len()));
    let end = text.ceil_char_boundary(end.min(text.len()));
    start..end.max(start)
}

#[cfg(test)]
mod tests;
