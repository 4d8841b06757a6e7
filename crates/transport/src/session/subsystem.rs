//! A subsystem of a node's ssh server: a channel of bytes both ways. Knows no
//! subsystem in particular.

use std::sync::Arc;

use bytes::Bytes;
use russh::client::Msg;
use russh::{ChannelMsg, ChannelReadHalf, ChannelWriteHalf};
use tokio::sync::OwnedSemaphorePermit;
use tokio::time::timeout;

use super::session::{OpenChannel, Session, SessionError};
use crate::limits;

/// Code of extended data that carries standard error.
const STDERR: u32 = 1;

/// Both sides of a subsystem.
pub(crate) struct Subsystem {
    pub(crate) input: SubsystemInput,
    pub(crate) output: SubsystemOutput,
}

/// What we send.
pub(crate) struct SubsystemInput {
    writer: Arc<ChannelWriteHalf<Msg>>,
    session: Session,
}

/// What comes back. Must be read or dropped, as [`Exec`](super::Exec).
pub(crate) struct SubsystemOutput {
    reader: Option<ChannelReadHalf>,
    writer: Arc<ChannelWriteHalf<Msg>>,
    session: Session,
    /// The last that it wrote to standard error.
    complaint: String,
    _place: OwnedSemaphorePermit,
}

/// Asks for a subsystem over a fresh channel.
pub(crate) async fn start(open: OpenChannel, name: &str) -> Result<Subsystem, SessionError> {
    let OpenChannel { channel, place, session } = open;
    let (mut reader, writer) = channel.split();
    let begin = async {
        writer.request_subsystem(true, name).await.map_err(|_| None)?;
        loop {
            match reader.wait().await {
                Some(ChannelMsg::Success) => return Ok(()),
                Some(ChannelMsg::Failure) => return Err(Some(())),
                Some(_) => {}
                None => return Err(None),
            }
        }
    };
    let after = limits::CHANNEL_OPEN_TIMEOUT;
    match timeout(after, begin).await {
        Err(_) => return Err(SessionError::Timeout { doing: "begin the subsystem", after }),
        Ok(Err(None)) => return Err(SessionError::Lost(session.lost_reason())),
        Ok(Err(Some(()))) => {
            let _ = writer.close().await;
            return Err(SessionError::Refused(format!("the node has no subsystem `{name}`")));
        }
        Ok(Ok(())) => {}
    }
    let writer = Arc::new(writer);
    let input = SubsystemInput { writer: Arc::clone(&writer), session: session.clone() };
    let complaint = String::new();
    let output =
        SubsystemOutput { reader: Some(reader), writer, session, complaint, _place: place };
    Ok(Subsystem { input, output })
}

impl SubsystemInput {
    /// Sends bytes; waits when the node does not read.
    pub(crate) async fn send(&self, bytes: Bytes) -> Result<(), SessionError> {
        let sent = self.writer.data_bytes(bytes).await;
        sent.map_err(|_| SessionError::Lost(self.session.lost_reason()))
    }
}

impl SubsystemOutput {
    /// The next bytes; none at the end.
    pub(crate) async fn next(&mut self) -> Option<Bytes> {
        loop {
            match self.reader.as_mut()?.wait().await {
                Some(ChannelMsg::Data { data }) => return Some(data),
                Some(ChannelMsg::ExtendedData { data, ext: STDERR }) => {
                    self.complaint =
                        last_line(&data).unwrap_or(std::mem::take(&mut self.complaint));
                }
                Some(ChannelMsg::Close | ChannelMsg::Eof) | None => return None,
                Some(_) => {}
            }
        }
    }

    /// Why there is nothing more.
    pub(crate) fn end(&self) -> String {
        if self.session.is_closed() {
            return self.session.lost_reason();
        }
        match self.complaint.as_str() {
            "" => "the node ended the subsystem".to_owned(),
            said => format!("the node ended the subsystem: {said}"),
        }
    }
}

fn last_line(bytes: &[u8]) -> Option<String> {
    let text = String::from_utf8_lossy(bytes);
    let line = text.lines().rev().map(str::trim).find(|line| !line.is_empty())?;
    Some(line.chars().take(limits::COMPLAINT_CHARACTERS_MAX).collect())
}

impl Drop for SubsystemOutput {
    fn drop(&mut self) {
        // The connection may be stuck handing us output: let it go first.
        self.reader = None;
        if let Ok(runtime) = tokio::runtime::Handle::try_current() {
            let writer = Arc::clone(&self.writer);
            runtime.spawn(async move { timeout(limits::GOODBYE_TIMEOUT, writer.close()).await });
        }
    }
}
