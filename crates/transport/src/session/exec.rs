//! One command on one connection, as a stream of what it prints and how it
//! ended. Reads from the connection only when asked, so a slow reader slows
//! the node and memory stays bounded.

use std::sync::Arc;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use futures_util::FutureExt as _;
use russh::client::Msg;
use russh::{ChannelMsg, ChannelWriteHalf, Sig};
use tokio::sync::OwnedSemaphorePermit;
use tokio::task::AbortHandle;
use tokio::time::{Instant, timeout};
use tokio_util::sync::CancellationToken;

use super::connect::Timeouts;
use super::drain::Source;
use super::exec_event::{ExecEnd, ExecEvent, Output, TimeoutKind};
use super::session::{OpenChannel, Session, SessionError};
use super::stdin::Stdin;
use crate::limits;

/// Code of extended data that carries standard error.
const STDERR: u32 = 1;

/// How a command is to be run.
#[derive(Debug, Clone, Default)]
pub struct ExecOptions {
    /// Standard input.
    pub stdin: Stdin,
    /// Take the output off the connection even while nobody reads it, up to
    /// [`limits::SHARED_BACKLOG_BYTES`], for a command that shares its
    /// connection with others.
    pub drained: bool,
    /// Variables to set. A node's sshd accepts only what its `AcceptEnv` says.
    pub env: Vec<(String, String)>,
    /// Ends the command early.
    pub cancel: CancellationToken,
    /// Overrides the session's idle timeout.
    pub idle: Option<Duration>,
    /// Overrides the session's total timeout.
    pub total: Option<Duration>,
}

/// A running command. Dropping it closes its channel, and the command sees
/// that as a closed terminal or pipe.
pub struct Exec {
    reader: Option<Source>,
    writer: Arc<ChannelWriteHalf<Msg>>,
    feeding: Option<AbortHandle>,
    cancel: CancellationToken,
    idle: Option<Duration>,
    total: Option<Duration>,
    begun: Instant,
    /// Since when we have been waiting; a reader that takes its time is not
    /// the command's silence.
    waiting_since: Option<Instant>,
    exit: Option<ExecEnd>,
    ended: bool,
    left_open: bool,
    /// It gets no signal when we give up on it.
    is_spared: bool,
    /// The node has closed the channel, and so has the library on our side.
    is_closed: bool,
    session: Session,
    _place: OwnedSemaphorePermit,
}

impl std::fmt::Debug for Exec {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Exec").field("ended", &self.ended).finish_non_exhaustive()
    }
}

/// Sends the command over a fresh channel.
pub(crate) async fn start(
    open: OpenChannel,
    command: &str,
    options: ExecOptions,
    timeouts: Timeouts,
) -> Result<Exec, SessionError> {
    let session = open.session.clone();
    let lost = |_| SessionError::Lost(session.lost_reason());
    let idle = options.idle.or(timeouts.idle);
    let total = options.total.or(timeouts.total);
    let mut exec = Exec::new(open, options.cancel, idle, total);
    let ends_at_once = matches!(options.stdin, Stdin::Empty);
    let send = async {
        for (name, value) in options.env {
            exec.writer.set_env(false, name, value).await?;
        }
        exec.writer.exec(true, command).await?;
        // At once, so that it leaves with the command in one packet.
        if ends_at_once { exec.writer.eof().await } else { Ok(()) }
    };
    let after = limits::CHANNEL_OPEN_TIMEOUT;
    timeout(after, send)
        .await
        .map_err(|_| SessionError::Timeout { doing: "begin the command", after })?
        .map_err(lost)?;
    if options.drained {
        exec.reader = exec.reader.take().map(|reader| reader.drained(limits::SHARED_BACKLOG_BYTES));
    }
    if !ends_at_once {
        exec.feed(options.stdin);
    }
    Ok(exec)
}

/// Sends standard input and its end beside the reading of output: waiting for
/// one before the other would block both on a command like `cat`.
async fn feed(writer: Arc<ChannelWriteHalf<Msg>>, stdin: Stdin) {
    let sent = match stdin {
        Stdin::Empty => Ok(()),
        Stdin::Later => return,
        Stdin::Bytes(bytes) => send(&writer, bytes).await,
        Stdin::Spool(spool) => {
            let mut reader = spool.reader();
            loop {
                let Some(piece) = reader.next().await else { break Ok(()) };
                if let Err(error) = send(&writer, piece).await {
                    break Err(error);
                }
            }
        }
    };
    if sent.is_ok() {
        let _ = writer.eof().await;
    }
}

async fn send(writer: &ChannelWriteHalf<Msg>, mut bytes: Bytes) -> Result<(), russh::Error> {
    while !bytes.is_empty() {
        let piece = bytes.split_to(bytes.len().min(limits::STDIN_PIECE_BYTES));
        writer.data_bytes(piece).await?;
    }
    Ok(())
}

/// What woke [`Exec::next`].
enum Woken {
    Message(Option<ChannelMsg>),
    Cancelled,
    Idle(Duration),
    Total(Duration),
    QuietAfterExit,
}

impl Exec {
    pub(crate) fn new(
        open: OpenChannel,
        cancel: CancellationToken,
        idle: Option<Duration>,
        total: Option<Duration>,
    ) -> Self {
        let (reader, writer) = open.channel.split();
        Self {
            reader: Some(Source::Direct(reader)),
            writer: Arc::new(writer),
            feeding: None,
            cancel,
            idle,
            total,
            begun: Instant::now(),
            waiting_since: None,
            exit: None,
            ended: false,
            left_open: false,
            is_spared: false,
            is_closed: false,
            session: open.session,
            _place: open.place,
        }
    }

    /// Says what it reads from now on, after [`Stdin::Later`].
    pub fn feed(&mut self, stdin: Stdin) {
        if self.ended || matches!(stdin, Stdin::Later) {
            return;
        }
        let task = tokio::spawn(feed(Arc::clone(&self.writer), stdin));
        if let Some(before) = self.feeding.replace(task.abort_handle()) {
            before.abort();
        }
    }

    /// Sends it a few bytes beside everything else, after [`Stdin::Later`].
    pub(crate) fn send_aside(&self, bytes: Bytes) {
        let writer = Arc::clone(&self.writer);
        // If they do not arrive the command waits, and its time runs out.
        tokio::spawn(async move { timeout(limits::GOODBYE_TIMEOUT, send(&writer, bytes)).await });
    }

    /// Ends it from our side, for a reason of our own.
    pub(crate) async fn end_with(&mut self, end: ExecEnd) -> ExecEvent {
        if !self.ended {
            self.finish(true).await;
        }
        ExecEvent::Ended(end)
    }

    /// Sends it no signal when we give up on it: whoever asks for this ends it
    /// in another way.
    pub(crate) fn spare(&mut self) {
        self.is_spared = true;
    }

    /// Counts the command's time from now: before, a person was asked.
    pub(crate) fn restart_clock(&mut self) {
        self.begun = Instant::now();
        self.waiting_since = None;
    }

    pub(crate) fn writer(&self) -> Arc<ChannelWriteHalf<Msg>> {
        Arc::clone(&self.writer)
    }

    /// Whether the command ended while something that it left behind still
    /// held its output. What that prints later is not heard.
    #[must_use]
    pub const fn left_open(&self) -> bool {
        self.left_open
    }

    /// The next thing that the command does; none after its end. Safe to drop
    /// and call again.
    pub async fn next(&mut self) -> Option<ExecEvent> {
        while !self.ended {
            let event = match self.wake().await {
                Woken::Message(Some(message)) => self.on_message(message),
                Woken::Message(None) => Some(self.on_closed().await),
                Woken::QuietAfterExit => {
                    self.left_open = true;
                    Some(self.on_closed().await)
                }
                Woken::Cancelled => Some(self.give_up(ExecEnd::Cancelled).await),
                Woken::Idle(after) => {
                    Some(self.give_up(ExecEnd::TimedOut { kind: TimeoutKind::Idle, after }).await)
                }
                Woken::Total(after) => {
                    Some(self.give_up(ExecEnd::TimedOut { kind: TimeoutKind::Total, after }).await)
                }
            };
            if event.is_some() {
                return event;
            }
        }
        None
    }

    /// Reads to the end and keeps up to `bytes_max` of each stream.
    pub async fn collect(mut self, bytes_max: usize) -> Output {
        let (mut stdout, mut stderr) = (BytesMut::new(), BytesMut::new());
        let mut truncated = false;
        let mut end = ExecEnd::Lost(self.session.lost_reason());
        while let Some(event) = self.next().await {
            let (kept, bytes) = match event {
                ExecEvent::Stdout(bytes) => (&mut stdout, bytes),
                ExecEvent::Stderr(bytes) => (&mut stderr, bytes),
                ExecEvent::Ended(how) => {
                    end = how;
                    continue;
                }
            };
            let room = bytes_max.saturating_sub(kept.len());
            truncated |= bytes.len() > room;
            kept.extend_from_slice(bytes.get(..room).unwrap_or(&bytes));
        }
        Output { stdout: stdout.freeze(), stderr: stderr.freeze(), truncated, end }
    }

    async fn wake(&mut self) -> Woken {
        if let Some(message) = self.at_hand() {
            return Woken::Message(message);
        }
        let waiting_since = *self.waiting_since.get_or_insert_with(Instant::now);
        let idle_at = self.idle.map(|after| (waiting_since + after, after));
        let total_at = self.total.map(|after| (self.begun + after, after));
        let quiet_at = self.exit.as_ref().map(|_| waiting_since + limits::AFTER_EXIT_QUIET);
        let Some(reader) = self.reader.as_mut() else { return Woken::Message(None) };
        tokio::select! {
            // Time and cancellation first: a flood must not outrun them.
            biased;
            () = self.cancel.cancelled() => Woken::Cancelled,
            after = expiry(total_at) => Woken::Total(after),
            message = reader.next() => Woken::Message(message),
            () = at(quiet_at) => Woken::QuietAfterExit,
            after = expiry(idle_at) => Woken::Idle(after),
        }
    }

    /// What has come already. Setting the alarms that waiting takes costs more
    /// than a small message.
    fn at_hand(&mut self) -> Option<Option<ChannelMsg>> {
        let is_overdue = self.total.is_some_and(|after| self.begun.elapsed() >= after);
        if is_overdue || self.cancel.is_cancelled() {
            return None;
        }
        self.reader.as_mut()?.next().now_or_never()
    }

    fn on_message(&mut self, message: ChannelMsg) -> Option<ExecEvent> {
        match message {
            ChannelMsg::Data { data } => {
                self.waiting_since = None;
                Some(ExecEvent::Stdout(data))
            }
            ChannelMsg::ExtendedData { data, ext } => {
                self.waiting_since = None;
                // Kinds other than standard error are not defined.
                (ext == STDERR).then_some(ExecEvent::Stderr(data))
            }
            ChannelMsg::ExitStatus { exit_status } => {
                self.set_exit(ExecEnd::Exited(exit_status));
                None
            }
            ChannelMsg::ExitSignal { signal_name: signal, .. } => {
                self.set_exit(ExecEnd::Signalled(signal_name(&signal)));
                None
            }
            ChannelMsg::Failure if self.exit.is_none() => {
                self.set_exit(ExecEnd::Lost("the node refused to run it".into()));
                None
            }
            ChannelMsg::Close => {
                self.reader = None;
                self.is_closed = true;
                None
            }
            _ => None,
        }
    }

    /// The first report counts; the time of quiet after it begins now.
    fn set_exit(&mut self, exit: ExecEnd) {
        self.exit.get_or_insert(exit);
        self.waiting_since = None;
    }

    /// The channel is closed, or nothing more is to be expected from it.
    async fn on_closed(&mut self) -> ExecEvent {
        let end = match self.exit.take() {
            Some(end) => end,
            None if self.session.is_closed() => ExecEnd::Lost(self.session.lost_reason()),
            None => ExecEnd::Lost("the node closed the command without an exit code".into()),
        };
        self.finish(false).await;
        ExecEvent::Ended(end)
    }

    async fn give_up(&mut self, end: ExecEnd) -> ExecEvent {
        // What is known beats what is feared: an exit code that has come is
        // the command's end even if its children still print.
        let end = self.exit.take().unwrap_or(end);
        self.finish(true).await;
        ExecEvent::Ended(end)
    }

    async fn finish(&mut self, kill: bool) {
        self.ended = true;
        if let Some(task) = self.feeding.take() {
            task.abort();
        }
        if self.is_closed {
            return;
        }
        // The connection may be stuck handing us output: let it go first.
        self.reader = None;
        let goodbye = async {
            if kill && !self.is_spared {
                let _ = self.writer.signal(Sig::TERM).await;
            }
            let _ = self.writer.close().await;
        };
        let _ = timeout(limits::GOODBYE_TIMEOUT, goodbye).await;
    }
}

impl Drop for Exec {
    fn drop(&mut self) {
        if let Some(task) = self.feeding.take() {
            task.abort();
        }
        if self.ended || self.is_closed {
            return;
        }
        self.reader = None;
        if let Ok(runtime) = tokio::runtime::Handle::try_current() {
            let writer = Arc::clone(&self.writer);
            runtime.spawn(async move { timeout(limits::GOODBYE_TIMEOUT, writer.close()).await });
        }
    }
}

/// Waits for a moment; without one, for ever.
async fn at(moment: Option<Instant>) {
    match moment {
        Some(moment) => tokio::time::sleep_until(moment).await,
        None => std::future::pending().await,
    }
}

async fn expiry(moment: Option<(Instant, Duration)>) -> Duration {
    at(moment.map(|(moment, _)| moment)).await;
    moment.map_or(Duration::ZERO, |(_, after)| after)
}

pub(crate) fn signal_name(signal: &Sig) -> String {
    match signal {
        Sig::Custom(name) => name.clone(),
        known => format!("{known:?}"),
    }
}
