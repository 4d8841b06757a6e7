//! The stream beneath an SSH connection, for both sides. russh runs each
//! connection in one task that either reads or writes; this adds the two
//! things which that task lacks.
//!
//! It can be cut from outside: a silent peer would keep the task for ever.
//!
//! And a flush never waits: when both sides wait for the other to read, as
//! with a large input to `cat`, neither would ever read again. Bytes that the
//! kernel does not take are kept, and go out while we read. Channel windows
//! bound how much that can be.
//!
//! A server may also pause reading, because russh grants a client more window
//! as soon as bytes arrive and not when a command has taken them.

use std::io;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};

use bytes::{Buf, BytesMut};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio_util::sync::{CancellationToken, WaitForCancellationFutureOwned};

use crate::dial::Dialled;
pub(crate) use crate::first_words::FirstWords;
use crate::limits;

/// Whether a connection is read. It is not while some channel has enough
/// input waiting, except when some channel's output is stuck: what frees that
/// comes from the peer.
#[derive(Debug, Default)]
pub(crate) struct ReadGate(Mutex<GateState>);

#[derive(Debug, Default)]
struct GateState {
    full_inputs: usize,
    stuck_outputs: usize,
    reader: Option<Waker>,
}

/// Takes its count back when dropped.
#[derive(Debug)]
pub(crate) struct Counted {
    gate: Arc<ReadGate>,
    field: fn(&mut GateState) -> &mut usize,
}

impl ReadGate {
    /// One more channel has enough input, until the value is dropped.
    pub(crate) fn full_input(self: &Arc<Self>) -> Counted {
        self.count(|state| &mut state.full_inputs)
    }

    /// One more channel's output is stuck, until the value is dropped.
    pub(crate) fn stuck_output(self: &Arc<Self>) -> Counted {
        self.count(|state| &mut state.stuck_outputs)
    }

    fn count(self: &Arc<Self>, field: fn(&mut GateState) -> &mut usize) -> Counted {
        let counted = Counted { gate: Arc::clone(self), field };
        counted.change(|count| count.saturating_add(1));
        counted
    }

    /// Ready when the connection may be read.
    fn poll_open(&self, cx: &Context<'_>) -> Poll<()> {
        let mut state = self.lock();
        if state.full_inputs == 0 || state.stuck_outputs > 0 {
            return Poll::Ready(());
        }
        state.reader = Some(cx.waker().clone());
        Poll::Pending
    }

    fn lock(&self) -> MutexGuard<'_, GateState> {
        // Counters cannot be left half changed.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Counted {
    fn change(&self, how: impl Fn(usize) -> usize) {
        let mut state = self.gate.lock();
        let count = (self.field)(&mut state);
        *count = how(*count);
        let reader = state.reader.take();
        drop(state);
        if let Some(reader) = reader {
            reader.wake();
        }
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        self.change(|count| count.saturating_sub(1));
    }
}

/// A stream that fails once its token is cancelled, and cancels it when it is
/// dropped; whose flush returns at once, and whose small reads are served from
/// a buffer: the library asks for the length of every packet by itself.
pub(crate) struct SshStream {
    stream: Dialled,
    token: CancellationToken,
    cut: Pin<Box<WaitForCancellationFutureOwned>>,
    inbox: Inbox,
    outbox: BytesMut,
    gate: Option<Arc<ReadGate>>,
    listener: Option<FirstWords>,
}

/// Bytes that were read and not yet asked for.
#[derive(Default)]
struct Inbox {
    bytes: Box<[u8]>,
    taken: usize,
    filled: usize,
}

impl Inbox {
    /// Hands out what fits; whether there was anything.
    fn serve(&mut self, buffer: &mut ReadBuf<'_>) -> bool {
        let waiting = self.bytes.get(self.taken..self.filled).unwrap_or_default();
        let part = waiting.get(..buffer.remaining()).unwrap_or(waiting);
        buffer.put_slice(part);
        self.taken = self.taken.saturating_add(part.len());
        !part.is_empty()
    }

    /// Reads as much as fits; to be called when nothing is left.
    fn poll_fill(
        &mut self,
        stream: Pin<&mut Dialled>,
        cx: &mut Context<'_>,
    ) -> Poll<io::Result<()>> {
        if self.bytes.is_empty() {
            self.bytes = vec![0; limits::INBOX_BYTES].into();
        }
        let mut buffer = ReadBuf::new(&mut self.bytes);
        std::task::ready!(stream.poll_read(cx, &mut buffer))?;
        (self.taken, self.filled) = (0, buffer.filled().len());
        Poll::Ready(Ok(()))
    }
}

impl Drop for SshStream {
    fn drop(&mut self) {
        // A peer that does not read would not see the end behind what it has
        // not read: one that is given up learns it at once.
        if self.token.is_cancelled()
            && let Dialled::Tcp(stream) = &self.stream
        {
            let _ = stream.set_zero_linger();
        }
        self.token.cancel();
    }
}

impl SshStream {
    pub(crate) fn new(stream: impl Into<Dialled>, cut: CancellationToken) -> Self {
        Self {
            stream: stream.into(),
            token: cut.clone(),
            cut: Box::pin(cut.cancelled_owned()),
            inbox: Inbox::default(),
            outbox: BytesMut::new(),
            gate: None,
            listener: None,
        }
    }

    /// The same, telling what it hears first.
    pub(crate) fn telling(mut self, listener: FirstWords) -> Self {
        self.listener = Some(listener);
        self
    }

    /// The same, read only while the gate is open.
    pub(crate) fn gated(
        stream: impl Into<Dialled>,
        cut: CancellationToken,
        gate: Arc<ReadGate>,
    ) -> Self {
        let mut stream = Self::new(stream, cut);
        stream.gate = Some(gate);
        stream
    }

    /// Registers the waker with the token, and fails once it is cancelled.
    fn poll_cut(&mut self, cx: &mut Context<'_>) -> io::Result<()> {
        match self.cut.as_mut().poll(cx) {
            Poll::Ready(()) => Err(io::Error::new(io::ErrorKind::ConnectionAborted, "given up")),
            Poll::Pending => Ok(()),
        }
    }

    /// Reads what the peer has sent, ahead if little was asked for.
    fn poll_fresh(
        &mut self,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        let stream = Pin::new(&mut self.stream);
        if buffer.remaining() >= limits::INBOX_BYTES {
            std::task::ready!(stream.poll_read(cx, buffer))?;
        } else {
            std::task::ready!(self.inbox.poll_fill(stream, cx))?;
            self.inbox.serve(buffer);
        }
        let fresh = buffer.filled().get(before..).unwrap_or_default();
        if self.listener.as_ref().is_some_and(|listener| !listener.hear(fresh)) {
            self.listener = None;
        }
        Poll::Ready(Ok(()))
    }

    /// Moves what was kept to the kernel; ready when nothing is left.
    fn poll_outbox(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        while !self.outbox.is_empty() {
            match Pin::new(&mut self.stream).poll_write(cx, &self.outbox) {
                Poll::Ready(Ok(0)) => return Poll::Ready(Err(io::ErrorKind::WriteZero.into())),
                Poll::Ready(Ok(written)) => self.outbox.advance(written),
                Poll::Ready(Err(error)) => return Poll::Ready(Err(error)),
                Poll::Pending => return Poll::Pending,
            }
        }
        // A burst must not be paid for during the rest of the connection.
        self.outbox = BytesMut::new();
        Poll::Ready(Ok(()))
    }
}

impl AsyncRead for SshStream {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        if self.gate.is_none() && self.inbox.serve(buffer) {
            return Poll::Ready(Ok(()));
        }
        self.poll_cut(cx)?;
        if !self.outbox.is_empty()
            && let Poll::Ready(Err(error)) = self.poll_outbox(cx)
        {
            return Poll::Ready(Err(error));
        }
        if let Some(gate) = &self.gate {
            std::task::ready!(gate.poll_open(cx));
        }
        if self.inbox.serve(buffer) {
            return Poll::Ready(Ok(()));
        }
        self.poll_fresh(cx, buffer)
    }
}

impl AsyncWrite for SshStream {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        // The task that writes also reads, and learns of a cut there.
        let free = self.outbox.is_empty() || self.poll_outbox(cx)?.is_ready();
        if free && let Poll::Ready(written) = Pin::new(&mut self.stream).poll_write(cx, bytes) {
            return Poll::Ready(written);
        }
        self.poll_cut(cx)?;
        if self.outbox.len() >= limits::OUTBOX_BYTES_MAX {
            return Poll::Pending;
        }
        self.outbox.extend_from_slice(bytes);
        Poll::Ready(Ok(bytes.len()))
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        if self.outbox.is_empty() {
            return Poll::Ready(Ok(()));
        }
        self.poll_cut(cx)?;
        match self.poll_outbox(cx) {
            Poll::Ready(Err(error)) => Poll::Ready(Err(error)),
            Poll::Ready(Ok(())) | Poll::Pending => Poll::Ready(Ok(())),
        }
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        if self.poll_cut(cx).is_ok() {
            std::task::ready!(self.poll_outbox(cx))?;
        }
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}

#[cfg(test)]
mod tests {
    use super::ReadGate;
    use std::sync::Arc;
    use std::task::Context;

    #[test]
    fn the_gate_closes_for_full_inputs_unless_an_output_is_stuck() {
        let gate = Arc::new(ReadGate::default());
        let open = || gate.poll_open(&Context::from_waker(std::task::Waker::noop())).is_ready();
        assert!(open());
        let first = gate.full_input();
        let second = gate.full_input();
        assert!(!open());
        let stuck = gate.stuck_output();
        assert!(open());
        drop(stuck);
        drop(first);
        assert!(!open());
        drop(second);
        assert!(open());
    }
}
