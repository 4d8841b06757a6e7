//! A live connection. Commands and terminals share it; it closes with the last
//! of them.

use std::sync::{Arc, OnceLock};
use std::time::Duration;

use model::Endpoint;
use russh::client::{Handle, Msg};
use russh::{Channel, ChannelOpenFailure, Disconnect};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::{Instant, timeout};
use tokio_util::sync::CancellationToken;

use super::connect::{self, ConnectError, HostKeys, Login, Timeouts, Verifier, plain};
use super::exec::{self, Exec, ExecOptions};
use super::exec_event::Output;
use super::pty::{self, PtyOptions, PtySession};
use super::subsystem::{self, Subsystem};
use crate::dial::{Dial, ForwardProblem};
use crate::limits;

/// Why a live connection could not be used. Reads after "failed to".
#[derive(Debug, Clone, thiserror::Error)]
pub enum SessionError {
    /// The connection is gone.
    #[error("use the connection: {0}")]
    Lost(String),
    /// The node would not open another channel.
    #[error("open a channel: {0}")]
    Refused(String),
    /// The node fell silent.
    #[error("{doing}: no answer within {} s", .after.as_secs_f32())]
    Timeout {
        /// What was being done.
        doing: &'static str,
        /// The time that it was given.
        after: Duration,
    },
    /// It was cancelled before it began.
    #[error("begin: cancelled")]
    Cancelled,
}

/// One live SSH connection. Cloning shares it.
#[derive(Clone)]
pub struct Session {
    inner: Arc<Inner>,
}

struct Inner {
    handle: Option<Handle<Verifier>>,
    cut: CancellationToken,
    lost: Arc<OnceLock<String>>,
    channels: Arc<Semaphore>,
    timeouts: Timeouts,
}

impl std::fmt::Debug for Session {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Session").field("lost", &self.inner.lost.get()).finish_non_exhaustive()
    }
}

/// A channel with its place among the channels of its connection.
pub(crate) struct OpenChannel {
    pub(crate) channel: Channel<Msg>,
    pub(crate) place: OwnedSemaphorePermit,
    pub(crate) session: Session,
}

impl Session {
    /// Connects to the node, verifies its host key and logs in, all within
    /// `timeouts.connect`.
    ///
    /// # Errors
    /// The kind of failure; a host key other than `host_keys` is one of them.
    pub async fn connect(
        dial: &dyn Dial,
        endpoint: &Endpoint,
        login: &Login,
        host_keys: &HostKeys,
        timeouts: Timeouts,
    ) -> Result<Self, ConnectError> {
        let connected =
            Box::pin(connect::connect(dial, endpoint, login, host_keys, timeouts)).await?;
        tracing::debug!(address = %endpoint, user = %login.user, "logged in");
        Ok(Self {
            inner: Arc::new(Inner {
                handle: Some(connected.handle),
                cut: connected.cut,
                lost: connected.lost,
                channels: Arc::new(Semaphore::new(limits::CHANNELS_PER_SESSION_MAX)),
                timeouts,
            }),
        })
    }

    /// Begins a command, which the node's login shell interprets. The returned
    /// [`Exec`] must be read to its end or dropped: while it is neither, a
    /// command that prints a lot holds up everything on this connection.
    ///
    /// # Errors
    /// The connection is gone or the node opens no channel.
    pub async fn exec(&self, command: &str, options: ExecOptions) -> Result<Exec, SessionError> {
        let open = self.open_channel(&options.cancel).await?;
        self.begin(open, command, options).await
    }

    /// The second half of [`exec`](Self::exec), on a channel that is open.
    pub(crate) async fn begin(
        &self,
        open: OpenChannel,
        command: &str,
        options: ExecOptions,
    ) -> Result<Exec, SessionError> {
        exec::start(open, command, options, self.inner.timeouts).await
    }

    /// Runs a command to its end and keeps what it printed, up to
    /// [`limits::OUTPUT_BYTES_MAX`] of each stream.
    ///
    /// # Errors
    /// As [`exec`](Self::exec); how the command ended is in the output.
    pub async fn output(
        &self,
        command: &str,
        options: ExecOptions,
    ) -> Result<Output, SessionError> {
        Ok(self.exec(command, options).await?.collect(limits::OUTPUT_BYTES_MAX).await)
    }

    /// Begins a terminal: the user's login shell, or a command in it.
    ///
    /// # Errors
    /// The connection is gone or the node gives no terminal.
    pub async fn pty(&self, options: PtyOptions) -> Result<PtySession, SessionError> {
        let open = self.open_channel(&options.cancel).await?;
        pty::start(open, options).await
    }

    /// Has the node connect to another host on our behalf. The outer error is
    /// about this connection, the inner one about the one asked for. sshd does
    /// not count these among `MaxSessions`, so they take no place here.
    pub(crate) async fn forward(
        &self,
        host: &str,
        port: u16,
    ) -> Result<Result<Channel<Msg>, ForwardProblem>, SessionError> {
        // Where the connection comes from: we have no address to name.
        let from = ("127.0.0.1", 0);
        let opening =
            self.handle()?.channel_open_direct_tcpip(host, u32::from(port), from.0, from.1);
        match opening.await {
            Ok(channel) => Ok(Ok(channel)),
            Err(russh::Error::ChannelOpenFailure(why)) => Ok(Err(match why {
                ChannelOpenFailure::AdministrativelyProhibited
                | ChannelOpenFailure::UnknownChannelType => ForwardProblem::NotAllowed,
                ChannelOpenFailure::ResourceShortage => ForwardProblem::NoRoom,
                _ => ForwardProblem::NoConnection,
            })),
            Err(error) => Err(SessionError::Lost(match self.inner.lost.get() {
                Some(reason) => reason.clone(),
                None => plain(&error),
            })),
        }
    }

    /// Begins a subsystem of the node's ssh server, as `sftp`.
    pub(crate) async fn subsystem(
        &self,
        name: &str,
        cancel: &CancellationToken,
    ) -> Result<Subsystem, SessionError> {
        subsystem::start(self.open_channel(cancel).await?, name).await
    }

    /// Asks the node for a sign of life and says how long it took.
    ///
    /// # Errors
    /// The connection is gone or nothing comes back within
    /// `timeouts.connect`.
    pub async fn ping(&self) -> Result<Duration, SessionError> {
        let after = self.inner.timeouts.connect;
        let begun = Instant::now();
        match timeout(after, self.handle()?.send_ping()).await {
            Ok(Ok(())) if !self.is_closed() => Ok(begun.elapsed()),
            Ok(_) => Err(SessionError::Lost(self.lost_reason())),
            Err(_) => Err(SessionError::Timeout { doing: "ping", after }),
        }
    }

    /// Agrees on new keys with the node now, beside whatever runs. It happens
    /// by itself after [`limits::REKEY_BYTES`] and [`limits::REKEY_AFTER`].
    ///
    /// # Errors
    /// The connection is gone.
    pub async fn rekey(&self) -> Result<(), SessionError> {
        let lost = |_| SessionError::Lost(self.lost_reason());
        self.handle()?.rekey_soon().await.map_err(lost)
    }

    /// Whether the connection is gone.
    #[must_use]
    pub fn is_closed(&self) -> bool {
        self.inner.cut.is_cancelled() || self.inner.handle.as_ref().is_none_or(Handle::is_closed)
    }

    /// Whether nothing runs on it.
    pub(crate) fn is_idle(&self) -> bool {
        self.inner.channels.available_permits() == limits::CHANNELS_PER_SESSION_MAX
    }

    /// Tells the node that we are leaving. [`closed`](Self::closed) says when
    /// that is done.
    pub(crate) async fn say_goodbye(&self) {
        if let Some(handle) = &self.inner.handle {
            let _ = handle.disconnect(Disconnect::ByApplication, "", "").await;
        }
    }

    /// Waits until the connection is closed.
    pub(crate) async fn closed(&self) {
        self.inner.cut.cancelled().await;
    }

    /// Ends the connection at once, whatever still runs on it.
    pub fn abort(&self) {
        self.inner.cut.cancel();
    }

    /// Why the connection is gone, as far as it is known.
    pub(crate) fn lost_reason(&self) -> String {
        self.inner.lost.get().cloned().unwrap_or_else(|| "the node closed the connection".into())
    }

    fn handle(&self) -> Result<&Handle<Verifier>, SessionError> {
        self.inner.handle.as_ref().ok_or_else(|| SessionError::Lost(self.lost_reason()))
    }

    /// The first half of [`exec`](Self::exec). After an error nothing has begun.
    pub(crate) async fn open_channel(
        &self,
        cancel: &CancellationToken,
    ) -> Result<OpenChannel, SessionError> {
        tokio::select! {
            opened = self.open_channel_now() => opened,
            () = cancel.cancelled() => Err(SessionError::Cancelled),
        }
    }

    async fn open_channel_now(&self) -> Result<OpenChannel, SessionError> {
        let handle = self.handle()?;
        let Ok(place) = Arc::clone(&self.inner.channels).acquire_owned().await else {
            return Err(SessionError::Lost(self.lost_reason()));
        };
        let after = limits::CHANNEL_OPEN_TIMEOUT;
        let opening = open_patiently(handle);
        match timeout(after, opening).await {
            Ok(Ok(channel)) => Ok(OpenChannel { channel, place, session: self.clone() }),
            Ok(Err(russh::Error::ChannelOpenFailure(why))) => {
                Err(SessionError::Refused(open_failure(&why).into()))
            }
            Ok(Err(error)) => Err(SessionError::Lost(match self.inner.lost.get() {
                Some(reason) => reason.clone(),
                None => plain(&error),
            })),
            Err(_) => Err(SessionError::Timeout { doing: "open a channel", after }),
        }
    }
}

/// Opens a channel; tries again when the node says that it has none left. sshd
/// counts a command among its `MaxSessions` until it has reaped it, which is
/// after we have seen it end.
async fn open_patiently(handle: &Handle<Verifier>) -> Result<Channel<Msg>, russh::Error> {
    for pause in limits::CHANNEL_OPEN_PAUSES {
        match handle.channel_open_session().await {
            Err(russh::Error::ChannelOpenFailure(
                ChannelOpenFailure::ConnectFailed | ChannelOpenFailure::ResourceShortage,
            )) => tokio::time::sleep(pause).await,
            opened => return opened,
        }
    }
    handle.channel_open_session().await
}

const fn open_failure(why: &ChannelOpenFailure) -> &'static str {
    match why {
        ChannelOpenFailure::AdministrativelyProhibited => "the node does not allow it",
        ChannelOpenFailure::ResourceShortage => "the node has no room for another one",
        _ => "the node would not",
    }
}

impl Drop for Inner {
    fn drop(&mut self) {
        // Dropping the handle lets russh say goodbye with what is queued. A
        // peer that reads nothing would keep that task for ever: cut it then.
        drop(self.handle.take());
        let cut = self.cut.clone();
        match tokio::runtime::Handle::try_current() {
            Ok(runtime) => {
                runtime.spawn(async move {
                    let _ = timeout(limits::GOODBYE_TIMEOUT, cut.cancelled()).await;
                    cut.cancel();
                });
            }
            Err(_) => cut.cancel(),
        }
    }
}
