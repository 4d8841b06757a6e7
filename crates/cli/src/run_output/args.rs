//! The options of a run that say what of it is shown, and how.

use std::path::PathBuf;

use clap::{Args, ValueHint};
use transport::gather::{FoldMode, Text};

/// What is shown of a run.
#[derive(Debug, Clone, Default, Args)]
#[command(next_help_heading = "Output")]
pub(crate) struct OutputArgs {
    /// Show identical standard output once, under the folded names, at the end
    #[arg(short = 'b', long)]
    pub(crate) fold: bool,
    /// As -b, with standard error among it
    #[arg(short = 'B', long)]
    pub(crate) fold_all: bool,
    /// With -b, -B or --by-node: show lines as they come, too
    #[arg(short = 'L', long)]
    pub(crate) live: bool,
    /// Show what each node printed in one block, at the end; with -B with
    /// standard error among it
    #[arg(long, conflicts_with = "fold")]
    pub(crate) by_node: bool,
    /// Fold only what is the same byte for byte; otherwise a node's own name
    /// and address, pids, dates, times and durations may differ
    #[arg(long)]
    pub(crate) exact: bool,
    /// Show outliers whole, not as differences from the biggest group
    #[arg(long)]
    pub(crate) no_diff: bool,
    /// Exit with the largest exit code of any node: 255 for one not reached or
    /// lost, 124 for one out of time, 128 and the signal's number for one ended
    /// by a signal
    #[arg(short = 'S', long)]
    pub(crate) max_exit_code: bool,
    /// Write what each node prints to DIR/NODE.out and DIR/NODE.err; with -q
    /// only there
    #[arg(long, value_name = "DIR", value_hint = ValueHint::DirPath)]
    pub(crate) output_dir: Option<PathBuf>,
    /// With --output-dir: append to what files there are
    #[arg(long, requires = "output_dir", conflicts_with = "overwrite")]
    pub(crate) append: bool,
    /// With --output-dir: replace files that are there
    #[arg(long, requires = "output_dir")]
    pub(crate) overwrite: bool,
}

/// What of the output is shown when.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum View {
    /// Lines as they come.
    Live,
    /// Folded, at the end.
    Folded,
    /// Node by node, at the end.
    ByNode,
}

impl OutputArgs {
    /// The view that is asked for.
    pub(super) const fn view(&self) -> View {
        match (self.by_node, self.fold || self.fold_all) {
            (true, _) => View::ByNode,
            (false, true) => View::Folded,
            (false, false) => View::Live,
        }
    }

    /// What is gathered for the end.
    pub(super) const fn text(&self) -> Text {
        if self.fold_all { Text::Both } else { Text::Out }
    }

    /// What counts as the same.
    pub(super) const fn fold_mode(&self) -> FoldMode {
        if self.exact { FoldMode::Exact } else { FoldMode::Masked }
    }
}
