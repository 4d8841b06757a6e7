//! What every command is given: flags, the way out, the user's directories,
//! the clusters there are, and the signals.

use jiff::Timestamp;

use crate::args::GlobalArgs;
use crate::output::Printer;
use crate::paths::Paths;
use crate::signals::Interrupt;
use crate::world::World;

/// The surroundings of a command.
#[derive(Debug, Clone)]
pub(crate) struct Context {
    /// Flags of every command.
    pub(crate) global: GlobalArgs,
    /// The way out.
    pub(crate) printer: Printer,
    /// The user's directories.
    pub(crate) paths: Paths,
    /// The providers, and what is there.
    pub(crate) world: World,
    /// What the user's signals lead to.
    pub(crate) interrupt: Interrupt,
}

impl Context {
    /// The same, for something that is not asked about, with its own way to
    /// stop.
    pub(crate) fn assured(&self, interrupt: Interrupt) -> Self {
        let mut assured = self.clone();
        assured.global.yes = true;
        assured.interrupt = interrupt;
        assured
    }
}

/// The time, for ages in listings.
pub(crate) fn now() -> Timestamp {
    controller::clock::now()
}
