//! What the client sends to a running command: input, signals, a new size, and
//! its leaving.

use std::collections::VecDeque;
use std::sync::Arc;

use bytes::{Buf, Bytes};
use russh::{ChannelMsg, ChannelReadHalf};
use rustix::process::{Pid, Signal};
use rustix::termios::Winsize;
use tokio::io::AsyncWriteExt;
use tokio::net::unix::pipe;
use tokio::process::ChildStdin;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use super::signal;
use super::terminal::Window;
use crate::limits;
use crate::stream::{Counted, ReadGate};

/// Where a command reads from.
pub(super) enum Sink {
    Pipe(ChildStdin),
    Terminal(pipe::Sender),
}

impl Sink {
    async fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        match self {
            Self::Pipe(pipe) => pipe.write(bytes).await,
            Self::Terminal(terminal) => terminal.write(bytes).await,
        }
    }
}

/// Why the client's side is over.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum InputEnd {
    /// The client closed the channel or is gone.
    Gone,
    /// More input waits than we keep.
    TooMuch,
}

/// The client's side of one command.
pub(super) struct Input {
    reader: ChannelReadHalf,
    sink: Option<Sink>,
    window: Option<Window>,
    /// The command's process group while the shell lives.
    group: watch::Receiver<Option<Pid>>,
    gate: Arc<ReadGate>,
    /// There while enough input waits, so that the client is not read.
    full: Option<Counted>,
    queue: VecDeque<Bytes>,
    queued: usize,
    ended: bool,
}

impl Input {
    pub(super) fn new(
        reader: ChannelReadHalf,
        sink: Option<Sink>,
        window: Option<Window>,
        group: watch::Receiver<Option<Pid>>,
        gate: Arc<ReadGate>,
    ) -> Self {
        let (queue, queued, ended) = (VecDeque::new(), 0, false);
        Self { reader, sink, window, group, gate, full: None, queue, queued, ended }
    }

    /// Serves the client until it leaves.
    pub(super) async fn run(&mut self, gone: &CancellationToken) -> InputEnd {
        loop {
            let front = self.queue.front().cloned().unwrap_or_default();
            tokio::select! {
                () = gone.cancelled() => return InputEnd::Gone,
                message = self.reader.wait() => match message {
                    None | Some(ChannelMsg::Close) => return InputEnd::Gone,
                    Some(message) => self.on_message(message),
                },
                written = write_some(&mut self.sink, &front), if !front.is_empty() => {
                    self.on_written(&written);
                }
            }
            self.pause_or_go_on();
            if self.queued > limits::SERVER_STUCK_INPUT_BYTES_MAX {
                return InputEnd::TooMuch;
            }
        }
    }

    /// Sends a signal to the command, if it still runs.
    pub(super) fn kill(&self, which: Signal) {
        if let Some(group) = *self.group.borrow() {
            signal::send(group, which);
        }
    }

    fn pause_or_go_on(&mut self) {
        if self.queued < limits::SERVER_INPUT_BYTES {
            self.full = None;
        } else if self.full.is_none() {
            self.full = Some(self.gate.full_input());
        }
    }

    fn on_message(&mut self, message: ChannelMsg) {
        match message {
            ChannelMsg::Data { data } if self.sink.is_some() && !data.is_empty() => {
                self.queued += data.len();
                self.queue.push_back(data);
            }
            ChannelMsg::Eof => {
                self.ended = true;
                self.end_if_drained();
            }
            ChannelMsg::Signal { signal } => {
                let name = crate::session::signal_name(&signal);
                if let Some(signal) = signal::by_name(&name) {
                    self.kill(signal);
                }
            }
            ChannelMsg::WindowChange { col_width, row_height, pix_width, pix_height } => {
                if let Some(window) = &self.window {
                    window.resize(window_size(col_width, row_height, pix_width, pix_height));
                }
            }
            _ => {}
        }
    }

    fn on_written(&mut self, written: &std::io::Result<usize>) {
        match written {
            Ok(count) => {
                self.queued = self.queued.saturating_sub(*count);
                if let Some(front) = self.queue.front_mut() {
                    front.advance((*count).min(front.len()));
                    if front.is_empty() {
                        self.queue.pop_front();
                    }
                }
                self.end_if_drained();
            }
            // It closed its input, or ended: nobody wants the rest.
            Err(_) => self.drop_sink(),
        }
    }

    /// The end of input is a closed pipe. A terminal has no such thing: what
    /// is typed there may end a program, never we.
    fn end_if_drained(&mut self) {
        if self.ended && self.queue.is_empty() && matches!(self.sink, Some(Sink::Pipe(_))) {
            self.sink = None;
        }
    }

    fn drop_sink(&mut self) {
        self.sink = None;
        self.queue = VecDeque::new();
        self.queued = 0;
    }
}

async fn write_some(sink: &mut Option<Sink>, bytes: &[u8]) -> std::io::Result<usize> {
    match sink {
        Some(sink) => sink.write(bytes).await,
        None => Err(std::io::ErrorKind::BrokenPipe.into()),
    }
}

/// A size as the protocol has it, cut to what terminals have.
pub(super) fn window_size(columns: u32, rows: u32, width: u32, height: u32) -> Winsize {
    let cut = |value: u32| u16::try_from(value).unwrap_or(u16::MAX);
    Winsize {
        ws_row: cut(rows),
        ws_col: cut(columns),
        ws_xpixel: cut(width),
        ws_ypixel: cut(height),
    }
}
