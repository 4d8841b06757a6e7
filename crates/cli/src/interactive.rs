//! Hands bytes through between this process's streams and one on a node:
//! keys, output, the size of the window.

use std::os::fd::AsFd as _;
use std::sync::Arc;

use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::{Mutex, mpsc};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;
use transport::session::{PtyInput, PtyOptions, PtySize, SessionError};
use transport::{Bytes, ExecEnd, ExecEvent, Session};

use crate::exit::{CommandError, CommandResult, Exit};
use crate::terminal::{self, RawMode};

/// Input is handed on in pieces of at most this.
const PIECE_BYTES: usize = 32 * 1024;

/// Pieces of input that wait for the node.
const PIECES_MAX: usize = 4;

/// How the streams are handed through.
#[derive(Debug, Clone)]
pub(crate) struct Ways {
    /// Whether our terminal goes to raw mode, so that every key reaches the
    /// node.
    pub(crate) raw: bool,
    /// Ends it from outside.
    pub(crate) stop: CancellationToken,
}

/// Runs until the remote ends; answers with its exit code.
///
/// Input has tasks of its own: a remote program that prints before it reads on
/// makes input wait, and only reading its output ends that wait.
pub(crate) async fn hand_through(
    session: &Session,
    options: PtyOptions,
    ways: Ways,
) -> CommandResult {
    let resized = signal(SignalKind::window_change())?;
    let size = options.size;
    let mut remote = session.pty(options).await.map_err(|error| lost(&error))?;
    let raw = ways.raw.then(RawMode::enter).transpose()?;
    let window = ways.raw.then(|| Window::new(remote.input.clone(), size));
    // Dropping the set ends its tasks.
    let mut tasks = JoinSet::new();
    tasks.spawn(feed(remote.input.clone(), read_input(), window.clone()));
    if let Some(window) = window {
        tasks.spawn(follow(window, resized));
    }
    let ended = loop {
        tokio::select! {
            event = remote.output.next() => match event {
                Some(ExecEvent::Stdout(bytes)) => write(std::io::stdout(), &bytes)?,
                Some(ExecEvent::Stderr(bytes)) => write(std::io::stderr(), &bytes)?,
                Some(ExecEvent::Ended(end)) => break end,
                None => break ExecEnd::Lost("the node closed the connection".to_owned()),
            },
            () = ways.stop.cancelled() => break ExecEnd::Cancelled,
        }
    };
    drop(raw);
    end(ended)
}

/// The size of our terminal, and what the node knows of it.
#[derive(Debug, Clone)]
struct Window {
    input: PtyInput,
    told: Arc<Mutex<PtySize>>,
}

impl Window {
    fn new(input: PtyInput, told: PtySize) -> Self {
        Self { input, told: Arc::new(Mutex::new(told)) }
    }

    /// Tells the node the size if it is another than it knows.
    async fn tell(&self) {
        let mut told = self.told.lock().await;
        let size = terminal::size();
        if *told != size && self.input.resize(size).await.is_ok() {
            *told = size;
        }
    }
}

/// Tells every new size. The first look is for a change while we connected.
async fn follow(window: Window, mut resized: Signal) {
    loop {
        window.tell().await;
        if resized.recv().await.is_none() {
            return;
        }
    }
}

/// Sends what is typed, and then that nothing more comes.
async fn feed(input: PtyInput, mut typed: mpsc::Receiver<Bytes>, window: Option<Window>) {
    while let Some(bytes) = typed.recv().await {
        // The signal of a new size may come after keys that were typed later:
        // a program that they start must see the new size.
        if let Some(window) = &window {
            window.tell().await;
        }
        if input.send(bytes).await.is_err() {
            return;
        }
    }
    let _ = input.end().await;
}

fn write(mut stream: impl std::io::Write, bytes: &[u8]) -> std::io::Result<()> {
    stream.write_all(bytes)?;
    stream.flush()
}

/// Standard input, piece by piece. A thread of its own reads it: a blocked read
/// cannot be cancelled, and must not hold up our exit.
fn read_input() -> mpsc::Receiver<Bytes> {
    let (pieces, received) = mpsc::channel(PIECES_MAX);
    std::thread::spawn(move || {
        let stdin = std::io::stdin();
        let mut buffer = vec![0_u8; PIECE_BYTES];
        loop {
            // Past the buffer of `Stdin`, which would hold keys back.
            match rustix::io::read(stdin.as_fd(), &mut buffer) {
                Ok(0) => return,
                Ok(count) => {
                    let piece = buffer.get(..count).unwrap_or_default();
                    if pieces.blocking_send(Bytes::copy_from_slice(piece)).is_err() {
                        return;
                    }
                }
                Err(rustix::io::Errno::INTR) => {}
                Err(_) => return,
            }
        }
    });
    received
}

fn lost(error: &SessionError) -> CommandError {
    CommandError::failed_to(Exit::Unavailable, error)
}

fn end(ended: ExecEnd) -> CommandResult {
    match ended {
        ExecEnd::Exited(code) => Ok(Exit::Remote(u8::try_from(code).unwrap_or(u8::MAX))),
        ExecEnd::Signalled(signal) => Err(CommandError::new(
            Exit::Failed,
            format!("the command was ended by signal {signal}"),
        )),
        ExecEnd::TimedOut { after, .. } => Err(CommandError::new(
            Exit::Unavailable,
            format!("the node was silent for {} s", after.as_secs_f64()),
        )),
        ExecEnd::Cancelled => Ok(Exit::Interrupted),
        ExecEnd::Lost(why) | ExecEnd::Refused { text: why, .. } => {
            Err(CommandError::new(Exit::Unavailable, format!("the connection was lost: {why}"))
                .hint("did the node stop or reboot? `squall list` says"))
        }
    }
}
