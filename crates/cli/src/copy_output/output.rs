//! The printing of one copy, from its first event to its summary.

use std::io;
use std::path::PathBuf;

use tokio::time::{MissedTickBehavior, interval};
use transport::copy::{CopyEventKind, CopySummary, Copying};

use super::failures::{failures, remarks};
use super::items::{self, Items};
use super::progress::{CopyLine, Standing, TICK};
use crate::document::{CopyEventDocument, CopySummaryDocument};
use crate::output::Printer;
use crate::reach::{Reached, Unreached};

/// Which way files go.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Direction {
    /// From here to the nodes.
    Put,
    /// From the nodes to here.
    Get {
        /// Where the nodes' directories are.
        directory: PathBuf,
    },
}

/// The printing of one copy.
#[derive(Debug)]
pub(crate) struct CopyOutput {
    printer: Printer,
    direction: Direction,
    dry_run: bool,
    unreached: Vec<Unreached>,
    items: Items,
    progress: CopyLine,
    standing: Standing,
}

impl CopyOutput {
    /// Nothing is printed yet.
    pub(crate) fn new(
        printer: Printer,
        reached: &Reached,
        direction: Direction,
        dry_run: bool,
    ) -> Self {
        let nodes = reached.nodes.len();
        Self {
            printer,
            direction,
            dry_run,
            unreached: reached.unreached.clone(),
            items: Items::default(),
            progress: CopyLine::new(printer),
            standing: Standing { nodes, ..Standing::default() },
        }
    }

    /// Follows the copying to its end and says what came of it. Whether
    /// everything is where it should be.
    ///
    /// # Errors
    /// Nobody reads the output.
    pub(crate) async fn follow(mut self, mut copying: Copying) -> io::Result<bool> {
        let mut ticks = interval(TICK);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                biased;
                event = copying.events.recv() => match event {
                    None => break,
                    Some(event) => {
                        self.event(&event.kind, &event.node);
                        if self.printer.is_json() {
                            self.printer.document_line(&CopyEventDocument::new(&event))?;
                        }
                    }
                },
                _ = ticks.tick() => {
                    self.standing.moved = copying.meter.moved();
                    self.standing.expected = copying.meter.expected();
                    self.progress.show(self.standing);
                }
            }
        }
        let summary = copying.summary().await;
        self.progress.end();
        self.end(&summary)?;
        Ok(summary.all_succeeded() && self.unreached.is_empty())
    }

    fn event(&mut self, kind: &CopyEventKind, node: &str) {
        match kind {
            CopyEventKind::Connecting | CopyEventKind::Started => {}
            CopyEventKind::Item { path, end } => {
                if self.dry_run {
                    self.items.add(node, path, end);
                }
            }
            CopyEventKind::Finished { outcome, .. } => {
                let is_done = outcome.end == transport::copy::CopyEnd::Done;
                self.standing.done += usize::from(is_done);
                self.standing.failed += usize::from(!is_done);
            }
        }
    }

    fn end(&self, summary: &CopySummary) -> io::Result<()> {
        let printer = self.printer;
        if printer.is_json() {
            return printer.document_line(&CopySummaryDocument::new(summary, &self.unreached));
        }
        if self.dry_run {
            printer.lines(self.items.lines())?;
        }
        if !printer.is_quiet() {
            printer.lines(items::done(summary, &self.direction, self.dry_run))?;
        }
        for line in failures(summary, &self.unreached, printer.err) {
            printer.say_always(line);
        }
        for line in remarks(summary, printer.err) {
            printer.say_always(line);
        }
        Ok(())
    }
}
