//! Lends sessions to nodes.

use std::sync::Arc;

use tokio::time::{Instant, timeout};

use super::lease::Lease;
use super::pool::{Kept, Key, Pool, Shared, Way};
use super::retry::{is_worth_another_try, pauses};
use super::{Slots, files};
use crate::CancellationToken;
use crate::dial::Dial;
use crate::fanout::Target;
use crate::limits;
use crate::session::{ConnectError, Session, Timeouts};

/// How an executor goes about it.
#[derive(Debug, Clone)]
pub struct ExecutorOptions {
    /// Times of connecting, and the pace of probes.
    pub timeouts: Timeouts,
    /// Connections that are being made at once, whatever the fan-out.
    pub connects_max: usize,
    /// Sessions that are kept while nobody has them. With none, each ends with
    /// its lease.
    pub kept_max: usize,
    /// Spreads the tries of many nodes; any number.
    pub seed: u64,
}

impl Default for ExecutorOptions {
    fn default() -> Self {
        Self {
            timeouts: Timeouts::default(),
            connects_max: limits::CONNECTS_MAX,
            kept_max: limits::SESSIONS_KEPT_MAX,
            seed: 0,
        }
    }
}

/// Owns the sessions to nodes and lends them. Cloning shares them. They are
/// kept until [`close`](Self::close), or until the last clone is gone.
#[derive(Clone)]
pub struct Executor {
    inner: Arc<Inner>,
}

struct Inner {
    dial: Arc<dyn Dial>,
    options: ExecutorOptions,
    window: Slots,
    pool: Pool,
}

impl std::fmt::Debug for Executor {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Executor").field("options", &self.inner.options).finish_non_exhaustive()
    }
}

/// One for a single run: sessions end with their commands.
impl From<Arc<dyn Dial>> for Executor {
    fn from(dial: Arc<dyn Dial>) -> Self {
        Self::new(dial, ExecutorOptions { kept_max: 0, ..ExecutorOptions::default() })
    }
}

impl Executor {
    /// One without sessions yet.
    #[must_use]
    pub fn new(dial: Arc<dyn Dial>, options: ExecutorOptions) -> Self {
        let window = Slots::new(options.connects_max);
        let pool = Pool::new(options.kept_max);
        Self { inner: Arc::new(Inner { dial, options, window, pool }) }
    }

    /// Makes room for so many connections: raises this process's soft limit of
    /// open files where it would not do.
    pub fn make_room(&self, connections: usize) {
        files::make_room(connections);
    }

    /// The same for so many nodes, of which `fanout_max` are dealt with at
    /// once.
    pub(crate) fn make_room_for(&self, nodes: usize, fanout_max: usize) {
        let at_once = fanout_max.saturating_add(limits::SLOW_CONNECTS_MAX);
        self.make_room(nodes.min(at_once.max(self.inner.options.kept_max)));
    }

    /// A session to the node: one that is there, or a new one. Dropping the
    /// future gives up as well as `cancel` does.
    ///
    /// # Errors
    /// What the last try to connect met.
    pub async fn session(
        &self,
        target: &Target,
        cancel: &CancellationToken,
    ) -> Result<Lease, ConnectError> {
        tokio::select! {
            biased;
            lease = self.session_within(target, self.inner.options.timeouts) => lease,
            () = cancel.cancelled() => {
                Err(ConnectError::Other { doing: "connect", text: "cancelled".into() })
            }
        }
    }

    /// The same with other times to connect.
    ///
    /// # Errors
    /// What the last try to connect met.
    pub async fn session_within(
        &self,
        target: &Target,
        timeouts: Timeouts,
    ) -> Result<Lease, ConnectError> {
        let key = Key { endpoint: target.endpoint.clone(), user: target.login.user.clone() };
        let way = self.inner.pool.ask(&key, &target.host_keys);
        if let Way::Share(shared) = way {
            return self.share(target, timeouts, shared).await;
        }
        let place = Place { executor: Arc::clone(&self.inner), key: Some(key) };
        let free = match way {
            Way::Free(kept) => usable(kept).await,
            Way::Make | Way::Share(_) => None,
        };
        let (session, commands, is_used) = match free {
            Some(kept) => (kept.session, kept.commands, true),
            None => (Box::pin(self.connect(target, timeouts)).await?, 0, false),
        };
        Ok(Lease::own(session, place, target.host_keys.clone(), commands, is_used))
    }

    /// Says goodbye on every session that nobody has, and waits until the
    /// connections are closed, but no longer than
    /// [`limits::GOODBYE_TIMEOUT`].
    pub async fn close(&self) {
        let sessions = self.inner.pool.drain();
        let goodbyes = async {
            for session in &sessions {
                session.say_goodbye().await;
            }
            for session in &sessions {
                session.closed().await;
            }
        };
        if timeout(limits::GOODBYE_TIMEOUT, goodbyes).await.is_err() {
            sessions.iter().for_each(Session::abort);
        }
    }

    async fn share(
        &self,
        target: &Target,
        timeouts: Timeouts,
        shared: Shared,
    ) -> Result<Lease, ConnectError> {
        let mut slot = shared.lock().await;
        let old = slot.take().filter(|kept| {
            kept.host_keys.is_same(&target.host_keys)
                && !kept.session.is_closed()
                && kept.commands < limits::COMMANDS_PER_CONNECTION_MAX
        });
        let (session, commands) = match old {
            Some(kept) => (kept.session, kept.commands),
            None => (Box::pin(self.connect(target, timeouts)).await?, 0),
        };
        *slot = Some(Kept {
            session: session.clone(),
            host_keys: target.host_keys.clone(),
            commands: commands.saturating_add(1),
            since: Instant::now(),
        });
        Ok(Lease::shared(session))
    }

    /// Connects, and tries again while that helps and there is time.
    async fn connect(&self, target: &Target, timeouts: Timeouts) -> Result<Session, ConnectError> {
        let mut pauses = pauses(self.inner.options.seed, &target.name);
        let mut deadline = None;
        for _ in 1..limits::CONNECT_TRIES_MAX {
            let error = match self.try_to_connect(target, timeouts, &mut deadline).await {
                Ok(session) => return Ok(session),
                Err(error) => error,
            };
            let pause = pauses.pause();
            let in_time = deadline.is_none_or(|deadline| Instant::now() + pause < deadline);
            if !is_worth_another_try(&error) || !in_time {
                return Err(error);
            }
            tracing::debug!(node = %target.name, %error, ?pause, "will try again");
            tokio::time::sleep(pause).await;
        }
        self.try_to_connect(target, timeouts, &mut deadline).await
    }

    /// One try, within the window of connections being made. The time runs
    /// from the first try's begin.
    async fn try_to_connect(
        &self,
        target: &Target,
        timeouts: Timeouts,
        deadline: &mut Option<Instant>,
    ) -> Result<Session, ConnectError> {
        let trying = async {
            let now = Instant::now();
            let deadline = *deadline.get_or_insert(now + timeouts.connect);
            let connect = deadline.saturating_duration_since(now).max(limits::CONNECT_TRY_MIN);
            let times = Timeouts { connect: connect.min(timeouts.connect), ..timeouts };
            let (login, host_keys) = (&target.login, &target.host_keys);
            Session::connect(&*self.inner.dial, &target.endpoint, login, host_keys, times).await
        };
        self.inner.window.hold(trying).await
    }
}

/// The session if it lives. One that has been idle for a while is asked.
async fn usable(kept: Kept) -> Option<Kept> {
    if kept.since.elapsed() < limits::IDLE_TRUSTED_FOR {
        return Some(kept);
    }
    let answer = timeout(limits::IDLE_PING_TIMEOUT, kept.session.ping()).await;
    if matches!(answer, Ok(Ok(_))) {
        return Some(kept);
    }
    kept.session.abort();
    None
}

/// Somebody has a session to themselves, or is about to; counted in the pool
/// until it is dropped.
pub(super) struct Place {
    executor: Arc<Inner>,
    key: Option<Key>,
}

impl Place {
    /// Gives the session back with the place.
    pub(super) fn give_back(mut self, kept: Option<Kept>) {
        if let Some(key) = self.key.take() {
            self.executor.pool.give_back(&key, kept);
        }
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        if let Some(key) = self.key.take() {
            self.executor.pool.give_back(&key, None);
        }
    }
}
