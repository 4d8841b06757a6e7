//! The options that `put` and `get` have in common.

use std::time::Duration;

use clap::Args;
use transport::Timeouts;
use transport::copy::CopyOptions;
use transport::limits::FANOUT_MAX;

use crate::duration;
use crate::pick::PickArgs;

/// How to copy.
#[derive(Debug, Args)]
pub(crate) struct CopyArgs {
    /// Nodes at once
    #[arg(short, long, value_name = "N", default_value_t = FANOUT_MAX as u32)]
    #[arg(value_parser = clap::value_parser!(u32).range(1..=10_000))]
    fanout: u32,
    /// Give each node this long, as in 30s or 5m
    #[arg(short = 'u', long, value_name = "TIME", value_parser = duration::parse)]
    timeout: Option<Duration>,
    /// Give up a node that does not let us in for this long
    #[arg(short = 't', long, value_name = "TIME", value_parser = duration::parse)]
    #[arg(default_value = "10s")]
    connect_timeout: Duration,
    /// Find out by hash, not by size and time, what is there already
    #[arg(short, long)]
    checksum: bool,
    /// Say what would be copied, and copy nothing
    #[arg(short = 'n', long)]
    pub(crate) dry_run: bool,
    #[command(flatten)]
    pub(crate) pick: PickArgs,
}

impl CopyArgs {
    /// As `transport` takes them.
    pub(crate) fn options(&self) -> CopyOptions {
        CopyOptions {
            fanout_max: usize::try_from(self.fanout).unwrap_or(FANOUT_MAX),
            timeouts: Timeouts {
                connect: self.connect_timeout,
                total: self.timeout,
                ..Timeouts::default()
            },
            checksum: self.checksum,
            dry_run: self.dry_run,
        }
    }
}
