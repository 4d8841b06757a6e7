//! The options that `put` and `get` have in common.

use clap::Args;
use transport::copy::CopyOptions;

use crate::pace::PaceArgs;
use crate::pick::PickArgs;

/// How to copy.
#[derive(Debug, Args)]
pub(crate) struct CopyArgs {
    #[command(flatten)]
    pace: PaceArgs,
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
            fanout_max: self.pace.fanout_max(),
            timeouts: self.pace.timeouts(),
            checksum: self.checksum,
            dry_run: self.dry_run,
        }
    }
}
