//! A session on loan.

use std::ops::Deref;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use tokio::time::Instant;

use super::executor::Place;
use super::pool::Kept;
use crate::CancellationToken;
use crate::session::{Exec, ExecOptions, HostKeys, OpenChannel, Session, SessionError};

/// A session that an [`Executor`](super::Executor) lent. Dropping it gives it
/// back for the next one; what still runs on it then is left to end, and the
/// session is not lent again.
pub struct Lease {
    session: Session,
    /// None when the session is shared with other leases.
    own: Option<(Place, HostKeys)>,
    commands: AtomicUsize,
    is_retired: AtomicBool,
    is_used: bool,
}

impl std::fmt::Debug for Lease {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Lease")
            .field("session", &self.session)
            .field("is_shared", &self.own.is_none())
            .finish_non_exhaustive()
    }
}

impl Lease {
    pub(super) fn own(
        session: Session,
        place: Place,
        host_keys: HostKeys,
        commands: usize,
        is_used: bool,
    ) -> Self {
        let own = Some((place, host_keys));
        let (commands, is_retired) = (AtomicUsize::new(commands), AtomicBool::new(false));
        Self { session, own, commands, is_retired, is_used }
    }

    pub(super) fn shared(session: Session) -> Self {
        let (commands, is_retired) = (AtomicUsize::new(0), AtomicBool::new(false));
        Self { session, own: None, commands, is_retired, is_used: true }
    }

    /// As [`Session::exec`]. Where other commands share the connection, the
    /// output of this one is taken off it even while nobody reads.
    ///
    /// # Errors
    /// The connection is gone or the node opens no channel.
    pub async fn exec(&self, command: &str, options: ExecOptions) -> Result<Exec, SessionError> {
        let open = self.open(&options.cancel).await?;
        self.begin(open, command, options).await
    }

    /// The first half of [`exec`](Self::exec): nothing runs yet, so that after
    /// an error it may be done again elsewhere.
    pub(crate) async fn open(
        &self,
        cancel: &CancellationToken,
    ) -> Result<OpenChannel, SessionError> {
        self.session.open_channel(cancel).await
    }

    /// The second half: after an error the command may run.
    pub(crate) async fn begin(
        &self,
        open: OpenChannel,
        command: &str,
        options: ExecOptions,
    ) -> Result<Exec, SessionError> {
        self.commands.fetch_add(1, Ordering::Relaxed);
        let options = ExecOptions { drained: options.drained || self.own.is_none(), ..options };
        self.session.begin(open, command, options).await
    }

    /// Whether somebody had the session before, so that it may have died
    /// unnoticed.
    pub(crate) const fn is_used(&self) -> bool {
        self.is_used
    }

    /// Whether nobody else has the session, and nobody had it before.
    pub(crate) fn is_exclusive(&self) -> bool {
        self.own.is_some() && self.commands.load(Ordering::Relaxed) == 1
    }

    /// The session is not to be lent again.
    pub fn retire(&self) {
        self.is_retired.store(true, Ordering::Relaxed);
    }
}

impl Deref for Lease {
    type Target = Session;

    fn deref(&self) -> &Session {
        &self.session
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        let Some((place, host_keys)) = self.own.take() else {
            // Nobody else would end a shared session that proved bad.
            if self.is_retired.load(Ordering::Relaxed) {
                self.session.abort();
            }
            return;
        };
        let kept = (!self.is_retired.load(Ordering::Relaxed)).then(|| Kept {
            session: self.session.clone(),
            host_keys,
            commands: self.commands.load(Ordering::Relaxed),
            since: Instant::now(),
        });
        place.give_back(kept);
    }
}
