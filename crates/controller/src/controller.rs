//! The controller: what an operation is made of, put together once by the
//! caller.

use std::sync::Arc;
use std::time::Duration;

use providers::Provider;
use transport::Dial;

use crate::clock::Clock;
use crate::journal::Journal;
use crate::keys::Keys;
use crate::random::Random;

/// What a controller works with.
pub struct Parts {
    /// Where nodes come from.
    pub provider: Arc<dyn Provider>,
    /// How nodes are reached; [`crate::NodeDial`] knows every way there is.
    pub dial: Arc<dyn Dial>,
    /// What this machine remembers.
    pub journal: Journal,
    /// The time.
    pub clock: Clock,
    /// Ids and jitter.
    pub random: Random,
    /// The user's key.
    pub keys: Keys,
    /// Who orders everything, as `user@host`.
    pub owner: String,
    /// How long things may take.
    pub timing: Timing,
}

/// How long things may take, and how often they are tried.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Timing {
    /// From the last step until every new node must have let us in.
    pub ready_timeout: Duration,
    /// How long a node may refuse our key before that is final: accounts and
    /// keys may come into being a moment after the ssh server.
    pub refused_grace: Duration,
    /// First pause between two looks at nodes that are coming up; each next
    /// one is half as long again.
    pub look_first: Duration,
    /// Longest pause between two looks.
    pub look_max: Duration,
    /// A look, a lock or a list that takes longer is given up.
    pub look_timeout: Duration,
    /// A step that takes longer is given up.
    pub step_timeout: Duration,
    /// First pause before a step is tried again that failed for a passing
    /// reason; each next one is twice as long.
    pub retry_first: Duration,
    /// Longest such pause.
    pub retry_max: Duration,
    /// How often a step is tried in all.
    pub tries_max: u32,
}

impl Default for Timing {
    /// The look intervals keep a waiting command at a fraction of a core; the
    /// retries give a throttling cloud about a minute.
    fn default() -> Self {
        Self {
            ready_timeout: Duration::from_secs(120),
            refused_grace: Duration::from_secs(10),
            look_first: Duration::from_millis(250),
            look_max: Duration::from_secs(2),
            look_timeout: Duration::from_secs(60),
            step_timeout: Duration::from_secs(900),
            retry_first: Duration::from_secs(1),
            retry_max: Duration::from_secs(20),
            tries_max: 6,
        }
    }
}

/// Looks at clusters, plans and carries plans out. A clone is another handle
/// on the same.
#[derive(Clone)]
pub struct Controller {
    pub(crate) parts: Arc<Parts>,
}

impl Controller {
    /// A controller of these parts.
    #[must_use]
    pub fn new(parts: Parts) -> Self {
        Self { parts: Arc::new(parts) }
    }

    /// The provider it works with.
    #[must_use]
    pub fn provider(&self) -> &Arc<dyn Provider> {
        &self.parts.provider
    }

    /// How nodes are reached.
    #[must_use]
    pub fn dial(&self) -> &Arc<dyn Dial> {
        &self.parts.dial
    }

    /// What this machine remembers.
    #[must_use]
    pub fn journal(&self) -> &Journal {
        &self.parts.journal
    }

    /// The time.
    #[must_use]
    pub fn clock(&self) -> &Clock {
        &self.parts.clock
    }
}
