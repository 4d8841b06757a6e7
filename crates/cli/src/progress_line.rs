//! The line of progress of what is done on many nodes, drawn over on a terminal and gone whenever
//! something else is written.

use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use crate::output::Printer;
use crate::terminal;

/// How often the drawn line moves while nothing happens.
const TICK: Duration = Duration::from_millis(200);

/// The line; nothing where standard error is no terminal.
#[derive(Debug, Default)]
pub(crate) struct ProgressLine {
    bar: Option<ProgressBar>,
    begun: Option<Instant>,
}

impl ProgressLine {
    /// Nothing is drawn before something is shown.
    pub(crate) fn new(printer: Printer) -> Self {
        let bar = printer.can_draw.then(|| {
            let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr());
            if let Ok(style) = ProgressStyle::with_template("{spinner} {wide_msg} {elapsed}") {
                bar.set_style(style);
            }
            terminal::draws(&bar);
            bar
        });
        Self { bar, begun: None }
    }

    /// Shows another text. It is made only where it is drawn.
    pub(crate) fn show(&mut self, text: impl FnOnce() -> String) {
        let Some(bar) = &self.bar else { return };
        let is_first = self.begun.is_none();
        let begun = *self.begun.get_or_insert_with(Instant::now);
        if is_first || bar.is_finished() {
            bar.reset();
            bar.set_elapsed(begun.elapsed());
            bar.set_message(text());
            bar.enable_steady_tick(TICK);
        } else {
            bar.set_message(text());
        }
    }

    /// Writes with the line gone.
    pub(crate) fn aside(&self, write: impl FnOnce()) {
        match &self.bar {
            Some(bar) if !bar.is_finished() => bar.suspend(write),
            _ => write(),
        }
    }

    /// Takes it away, until something is shown again.
    pub(crate) fn end(&self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }
}

impl Drop for ProgressLine {
    fn drop(&mut self) {
        self.end();
    }
}
