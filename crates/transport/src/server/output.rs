//! What a running command prints and how it ended, on its way to the client.
//! Sends no faster than the client takes.

use std::os::unix::process::ExitStatusExt;
use std::process::ExitStatus;
use std::sync::Arc;

use bytes::{Bytes, BytesMut};
use russh::server::{Handle, Msg};
use russh::{ChannelWriteHalf, Sig};
use rustix::process::Pid;
use tokio::io::{AsyncRead, AsyncReadExt};
use tokio::process::{Child, ChildStderr, ChildStdout};
use tokio::sync::watch;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

use super::signal;
use super::terminal::Screen;
use crate::limits;
use crate::stream::ReadGate;

/// Code of extended data that carries standard error.
const STDERR: u32 = 1;

/// The way to the client of one channel.
pub(super) struct Output {
    writer: ChannelWriteHalf<Msg>,
    handle: Handle,
    gate: Arc<ReadGate>,
}

impl Output {
    pub(super) fn new(writer: ChannelWriteHalf<Msg>, handle: Handle, gate: Arc<ReadGate>) -> Self {
        Self { writer, handle, gate }
    }

    /// Passes everything on until the command has ended and nobody holds its
    /// outputs any more, then closes the channel.
    pub(super) async fn run(
        &self,
        child: &mut Child,
        screen: Option<Screen>,
        group: &watch::Sender<Option<Pid>>,
    ) {
        let (stdout, stderr) = (child.stdout.take(), child.stderr.take());
        let ended = CancellationToken::new();
        let status = async {
            let status = child.wait().await;
            // From here on the number may belong to another process.
            group.send_replace(None);
            ended.cancel();
            self.send_status(status.ok()).await;
        };
        let screen = async {
            if let Some(screen) = screen {
                self.pass_screen(screen, &ended).await;
            }
        };
        let ((), (), (), ()) =
            tokio::join!(status, screen, self.pass_stdout(stdout), self.pass_stderr(stderr));
        self.close().await;
    }

    /// Says on standard error why nothing runs, and ends the channel.
    pub(super) async fn fail(&self, text: &str, code: u32) {
        let line = Bytes::from(format!("{text}\n"));
        let _ = self.writer.extended_data_bytes(STDERR, line).await;
        let _ = self.writer.exit_status(code).await;
        self.close().await;
    }

    pub(super) async fn close(&self) {
        let _ = self.writer.eof().await;
        let _ = self.writer.close().await;
    }

    async fn pass_stdout(&self, pipe: Option<ChildStdout>) {
        if let Some(pipe) = pipe {
            self.pass_pipe(pipe, None).await;
        }
    }

    async fn pass_stderr(&self, pipe: Option<ChildStderr>) {
        if let Some(pipe) = pipe {
            self.pass_pipe(pipe, Some(STDERR)).await;
        }
    }

    async fn pass_pipe<R: AsyncRead + Unpin>(&self, mut pipe: R, extended: Option<u32>) {
        let mut buffer = BytesMut::new();
        loop {
            buffer.reserve(limits::SERVER_READ_BYTES);
            match pipe.read_buf(&mut buffer).await {
                Ok(0) | Err(_) => return,
                Ok(_) => {}
            }
            if !self.send(buffer.split().freeze(), extended).await {
                return;
            }
        }
    }

    async fn pass_screen(&self, mut screen: Screen, ended: &CancellationToken) {
        let mut buffer = vec![0; limits::SERVER_READ_BYTES];
        loop {
            let read = tokio::select! {
                biased;
                read = screen.read(&mut buffer) => read,
                () = quiet_after(ended) => return,
            };
            let Ok(count) = read else { return };
            let bytes = Bytes::copy_from_slice(buffer.get(..count).unwrap_or_default());
            if bytes.is_empty() || !self.send(bytes, None).await {
                return;
            }
        }
    }

    /// False when the client is gone.
    async fn send(&self, bytes: Bytes, extended: Option<u32>) -> bool {
        let sending = async {
            match extended {
                None => self.writer.data_bytes(bytes).await,
                Some(code) => self.writer.extended_data_bytes(code, bytes).await,
            }
        };
        tokio::pin!(sending);
        if let Ok(sent) = timeout(limits::SERVER_STUCK_AFTER, &mut sending).await {
            return sent.is_ok();
        }
        let _stuck = self.gate.stuck_output();
        sending.await.is_ok()
    }

    async fn send_status(&self, status: Option<ExitStatus>) {
        if let Some(number) = status.and_then(|status| status.signal()) {
            let name = Sig::Custom(signal::name_of(number));
            let dumped = status.is_some_and(|status| status.core_dumped());
            let id = self.writer.id();
            let _ = self
                .handle
                .exit_signal_request(id, name, dumped, String::new(), String::new())
                .await;
        } else {
            let code = status.and_then(|status| status.code()).unwrap_or(255);
            let _ = self.writer.exit_status(u32::try_from(code).unwrap_or(255)).await;
        }
    }
}

/// Waits until the shell has ended and its terminal had time to be read.
async fn quiet_after(ended: &CancellationToken) {
    ended.cancelled().await;
    let _ = timeout(limits::SERVER_TERMINAL_QUIET, std::future::pending::<()>()).await;
}
