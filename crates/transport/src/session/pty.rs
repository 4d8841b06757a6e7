//! A terminal on a node: raw bytes both ways, and its size.

use std::sync::Arc;

use bytes::Bytes;
use russh::ChannelWriteHalf;
use russh::client::Msg;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

use super::exec::Exec;
use super::session::{OpenChannel, SessionError};
use crate::limits;

/// Size of a terminal in characters.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PtySize {
    /// Width.
    pub columns: u16,
    /// Height.
    pub rows: u16,
}

impl Default for PtySize {
    fn default() -> Self {
        Self { columns: 80, rows: 24 }
    }
}

/// How a terminal is to be.
#[derive(Debug, Clone, Default)]
pub struct PtyOptions {
    /// What runs in it; none is the login shell.
    pub command: Option<String>,
    /// Value of `TERM`.
    pub term: String,
    /// Its size.
    pub size: PtySize,
    /// Variables to set. A node's sshd accepts only what its `AcceptEnv` says.
    pub env: Vec<(String, String)>,
    /// No terminal after all: the same streams as pipes, with standard error
    /// apart. What `ssh` does when its own input is none.
    pub no_terminal: bool,
    /// Ends it early.
    pub cancel: CancellationToken,
}

/// A terminal. Its output comes as [`Stdout`](super::ExecEvent::Stdout) and
/// must be read while input is sent, or both stand still.
#[derive(Debug)]
pub struct PtySession {
    /// What the user types, and the size of the window.
    pub input: PtyInput,
    /// What the terminal shows, and how it ended.
    pub output: Exec,
}

/// The user's side of a terminal. Cloning shares it.
#[derive(Clone)]
pub struct PtyInput {
    writer: Arc<ChannelWriteHalf<Msg>>,
}

impl std::fmt::Debug for PtyInput {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("PtyInput")
    }
}

impl PtyInput {
    /// Sends what was typed; waits when the node does not read.
    ///
    /// # Errors
    /// The connection is gone.
    pub async fn send(&self, bytes: Bytes) -> Result<(), SessionError> {
        self.writer.data_bytes(bytes).await.map_err(|_| closed())
    }

    /// Tells the node that the window has another size.
    ///
    /// # Errors
    /// The connection is gone.
    pub async fn resize(&self, size: PtySize) -> Result<(), SessionError> {
        let (columns, rows) = (u32::from(size.columns), u32::from(size.rows));
        self.writer.window_change(columns, rows, 0, 0).await.map_err(|_| closed())
    }

    /// Says that nothing more will be typed.
    ///
    /// # Errors
    /// The connection is gone.
    pub async fn end(&self) -> Result<(), SessionError> {
        self.writer.eof().await.map_err(|_| closed())
    }
}

fn closed() -> SessionError {
    SessionError::Lost("the node closed the connection".into())
}

/// Asks for a terminal over a fresh channel.
pub(crate) async fn start(
    open: OpenChannel,
    options: PtyOptions,
) -> Result<PtySession, SessionError> {
    let session = open.session.clone();
    let output = Exec::new(open, options.cancel, None, None);
    let writer = output.writer();
    let request = async {
        let (columns, rows) = (u32::from(options.size.columns), u32::from(options.size.rows));
        if !options.no_terminal {
            writer.request_pty(true, &options.term, columns, rows, 0, 0, &[]).await?;
        }
        for (name, value) in options.env {
            writer.set_env(false, name, value).await?;
        }
        match options.command {
            Some(command) => writer.exec(true, command).await,
            None => writer.request_shell(true).await,
        }
    };
    let after = limits::CHANNEL_OPEN_TIMEOUT;
    timeout(after, request)
        .await
        .map_err(|_| SessionError::Timeout { doing: "open a terminal", after })?
        .map_err(|_| SessionError::Lost(session.lost_reason()))?;
    Ok(PtySession { input: PtyInput { writer }, output })
}
