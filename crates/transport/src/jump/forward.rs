//! A connection that a bastion makes for us, as a byte stream.
//!
//! What arrives is always taken at once: the library stops reading the whole
//! connection while one channel of it is not read, so a node whose reader is
//! slow would stop every other node behind the bastion. What is taken and not
//! read yet is bounded by the windows of the node's own channels.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll, ready};

use bytes::{Buf, Bytes};
use russh::client::Msg;
use russh::{ChannelMsg, ChannelReadHalf, ChannelWriteHalf};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::sync::mpsc;
use tokio_util::sync::{CancellationToken, DropGuard};

use crate::dial::{Dialled, ForwardProblem};
use crate::limits;
use crate::session::{Session, SessionError};

/// Has the bastion connect to `host`.
pub(super) async fn open(
    session: &Session,
    host: &str,
    port: u16,
) -> Result<Result<Dialled, ForwardProblem>, SessionError> {
    let channel = match session.forward(host, port).await? {
        Ok(channel) => channel,
        Err(problem) => return Ok(Err(problem)),
    };
    let (reader, writer) = channel.split();
    let gone = CancellationToken::new();
    let held = Arc::new(AtomicUsize::new(0));
    let (taken, incoming) = mpsc::unbounded_channel();
    let output = Box::pin(writer.make_writer());
    tokio::spawn(take(reader, writer, taken, Arc::clone(&held), gone.clone()));
    Ok(Ok(Dialled::Other(Box::new(Forwarded {
        incoming,
        current: Bytes::new(),
        held,
        output,
        _session: session.clone(),
        _guard: gone.drop_guard(),
    }))))
}

/// Takes what arrives until one side ends, and closes the channel.
async fn take(
    mut reader: ChannelReadHalf,
    writer: ChannelWriteHalf<Msg>,
    taken: mpsc::UnboundedSender<Bytes>,
    held: Arc<AtomicUsize>,
    gone: CancellationToken,
) {
    loop {
        let message = tokio::select! {
            message = reader.wait() => message,
            () = gone.cancelled() => break,
        };
        match message {
            Some(ChannelMsg::Data { data }) => {
                let size = data.len();
                let before = held.fetch_add(size, Ordering::AcqRel);
                // A peer that does not heed windows is given up, not its
                // neighbours.
                if before + size > limits::FORWARD_BYTES_MAX || taken.send(data).is_err() {
                    break;
                }
            }
            Some(ChannelMsg::Eof | ChannelMsg::Close) | None => break,
            Some(_) => {}
        }
    }
    drop(taken);
    gone.cancelled().await;
    let _ = writer.close().await;
}

struct Forwarded {
    incoming: mpsc::UnboundedReceiver<Bytes>,
    current: Bytes,
    held: Arc<AtomicUsize>,
    output: Pin<Box<dyn AsyncWrite + Send>>,
    /// The bastion's session lives as long as what goes through it.
    _session: Session,
    _guard: DropGuard,
}

impl AsyncRead for Forwarded {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        if self.current.is_empty() {
            match ready!(self.incoming.poll_recv(cx)) {
                Some(bytes) => {
                    self.held.fetch_sub(bytes.len(), Ordering::AcqRel);
                    self.current = bytes;
                }
                None => return Poll::Ready(Ok(())),
            }
        }
        let size = self.current.len().min(buffer.remaining());
        let part = self.current.split_to(size);
        buffer.put_slice(part.chunk());
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Forwarded {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        self.output.as_mut().poll_write(cx, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.output.as_mut().poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.output.as_mut().poll_shutdown(cx)
    }
}
