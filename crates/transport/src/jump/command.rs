//! A connection made by a command of the user's ssh configuration
//! (`ProxyCommand`): what it reads and writes is the connection.

use std::pin::Pin;
use std::process::Stdio;
use std::task::{Context, Poll};

use tokio::io::{self, AsyncRead, AsyncWrite, ReadBuf};
use tokio::process::{Child, ChildStdin, ChildStdout, Command};

use crate::dial::{DialError, Dialled};

/// Starts the command. It ends with the connection.
pub(super) fn run(line: &str, place: &str) -> Result<Dialled, DialError> {
    let failed = |text: String| {
        DialError::Unreachable(format!("the ProxyCommand of {place} cannot be run: {text}"))
    };
    let mut child = Command::new("/bin/sh")
        .arg("-c")
        // The shell becomes the command, so that ending one ends the other.
        .arg(format!("exec {line}"))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .kill_on_drop(true)
        .spawn()
        .map_err(|error| failed(error.to_string()))?;
    match (child.stdin.take(), child.stdout.take()) {
        (Some(input), Some(output)) => {
            Ok(Dialled::Other(Box::new(Piped { input: Some(input), output, _child: child })))
        }
        _ => Err(failed("it has no input and output".to_owned())),
    }
}

/// Both pipes of a command as one stream.
struct Piped {
    input: Option<ChildStdin>,
    output: ChildStdout,
    /// Ended when dropped.
    _child: Child,
}

impl AsyncRead for Piped {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.output).poll_read(cx, buffer)
    }
}

impl AsyncWrite for Piped {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        match &mut self.input {
            Some(input) => Pin::new(input).poll_write(cx, bytes),
            None => Poll::Ready(Err(io::ErrorKind::BrokenPipe.into())),
        }
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match &mut self.input {
            Some(input) => Pin::new(input).poll_flush(cx),
            None => Poll::Ready(Ok(())),
        }
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        // A pipe has its end only when it is closed.
        self.input = None;
        Poll::Ready(Ok(()))
    }
}
