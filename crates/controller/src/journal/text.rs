//! What goes into the file, bounded and readable.

use model::event::{EventSource, Level};

/// Longest text of a line, in bytes; what is longer is cut. A console or an
/// error of a cloud may be of any length.
const TEXT_BYTES_MAX: usize = 4096;

/// A text short enough for the journal.
pub(super) fn bounded(text: &str) -> &str {
    text.get(..text.floor_char_boundary(TEXT_BYTES_MAX)).unwrap_or(text)
}

pub(super) const fn source(source: EventSource) -> &'static str {
    match source {
        EventSource::Squall => "squall",
        EventSource::Provider => "provider",
    }
}

pub(super) fn read_source(word: &str) -> EventSource {
    if word == "provider" { EventSource::Provider } else { EventSource::Squall }
}

pub(super) const fn level(level: Level) -> &'static str {
    match level {
        Level::Info => "info",
        Level::Warning => "warning",
        Level::Error => "error",
    }
}

pub(super) fn read_level(word: &str) -> Level {
    match word {
        "error" => Level::Error,
        "warning" => Level::Warning,
        _ => Level::Info,
    }
}
