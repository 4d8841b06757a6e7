//! How many nodes at once, and how long each may take: options of every
//! command that does something on many nodes.

use std::time::Duration;

use clap::Args;
use transport::Timeouts;
use transport::limits::FANOUT_MAX;

use crate::duration;

/// The options.
#[derive(Debug, Clone, Args)]
pub(crate) struct PaceArgs {
    /// Nodes at once
    #[arg(short, long, value_name = "N", default_value_t = FANOUT_MAX as u32)]
    #[arg(value_parser = clap::value_parser!(u32).range(1..=10_000))]
    fanout: u32,
    /// Give each node this long, once it has let us in, as in 30s or 5m
    #[arg(short = 'u', long, value_name = "TIME", value_parser = duration::parse)]
    timeout: Option<Duration>,
    /// Give up a node that does not let us in for this long
    #[arg(short = 't', long, value_name = "TIME", value_parser = duration::parse)]
    #[arg(default_value = "10s")]
    connect_timeout: Duration,
}

impl PaceArgs {
    /// Nodes at once.
    pub(crate) fn fanout_max(&self) -> usize {
        usize::try_from(self.fanout).unwrap_or(FANOUT_MAX)
    }

    /// The times of each node.
    pub(crate) fn timeouts(&self) -> Timeouts {
        Timeouts { connect: self.connect_timeout, total: self.timeout, ..Timeouts::default() }
    }
}
