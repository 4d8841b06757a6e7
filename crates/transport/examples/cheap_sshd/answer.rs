//! What a connection is answered.

use std::collections::HashMap;

use russh::server::{Auth, ChannelOpenHandle, Handle, Handler, Msg, Session, VerifiedPublicKey};
use russh::{Channel, ChannelId};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

/// Bytes of a flooded line, its newline included.
const LINE_BYTES: usize = 80;
/// Lines written at once; close below the largest packet.
const LINES_AT_ONCE: usize = 400;
/// What `uptime` prints.
const UPTIME: &[u8] = b" 23:35:28 up 18 min,  0 user,  load average: 3.27, 2.31, 1.03\n";

/// One connection.
#[derive(Default)]
pub(crate) struct Connection {
    channels: HashMap<ChannelId, Channel<Msg>>,
}

/// What a command asks for. Some clients wrap it in a shell, so the word may
/// stand anywhere.
#[derive(Debug, PartialEq, Eq)]
enum Wanted {
    Flood(usize),
    Sink,
    Text(&'static [u8]),
}

fn wanted(command: &str) -> Wanted {
    if let Some((_, rest)) = command.split_once("flood ") {
        let digits: String = rest.chars().take_while(char::is_ascii_digit).collect();
        return Wanted::Flood(digits.parse().unwrap_or(0));
    }
    if command.contains("sink") {
        return Wanted::Sink;
    }
    Wanted::Text(if command.contains("uptime") { UPTIME } else { b"" })
}

impl Handler for Connection {
    type Error = russh::Error;

    async fn auth_publickey(
        &mut self,
        _user: &str,
        _key: VerifiedPublicKey<'_>,
    ) -> Result<Auth, Self::Error> {
        Ok(Auth::Accept)
    }

    async fn channel_open_session(
        &mut self,
        channel: Channel<Msg>,
        reply: ChannelOpenHandle,
        _session: &mut Session,
    ) -> Result<(), Self::Error> {
        self.channels.insert(channel.id(), channel);
        reply.accept().await;
        Ok(())
    }

    async fn env_request(
        &mut self,
        channel: ChannelId,
        _name: &str,
        _value: &str,
        session: &mut Session,
    ) -> Result<(), Self::Error> {
        session.channel_success(channel)
    }

    async fn exec_request(
        &mut self,
        id: ChannelId,
        data: &[u8],
        session: &mut Session,
    ) -> Result<(), Self::Error> {
        session.channel_success(id)?;
        let Some(mut channel) = self.channels.remove(&id) else { return Ok(()) };
        let handle = session.handle();
        match wanted(&String::from_utf8_lossy(data)) {
            Wanted::Flood(lines) => {
                tokio::spawn(async move {
                    flood(&channel, lines).await;
                    end(&handle, id).await;
                });
            }
            Wanted::Sink => {
                tokio::spawn(async move {
                    swallow(&mut channel).await;
                    end(&handle, id).await;
                });
            }
            Wanted::Text(text) => {
                if !text.is_empty() {
                    session.data(id, text)?;
                }
                finish(id, channel, session)?;
            }
        }
        Ok(())
    }
}

/// Success, at once; what still comes is drained.
fn finish(
    id: ChannelId,
    mut channel: Channel<Msg>,
    session: &mut Session,
) -> Result<(), russh::Error> {
    session.exit_status_request(id, 0)?;
    session.eof(id)?;
    session.close(id)?;
    tokio::spawn(async move { while channel.wait().await.is_some() {} });
    Ok(())
}

async fn end(handle: &Handle, id: ChannelId) {
    let _ = handle.exit_status_request(id, 0).await;
    let _ = handle.eof(id).await;
    let _ = handle.close(id).await;
}

async fn flood(channel: &Channel<Msg>, lines: usize) {
    let mut line = vec![b'x'; LINE_BYTES - 1];
    line.push(b'\n');
    let piece = line.repeat(LINES_AT_ONCE);
    let mut writer = channel.make_writer();
    let mut left = lines * LINE_BYTES;
    while left > 0 {
        let count = left.min(piece.len());
        let Some(bytes) = piece.get(..count) else { return };
        if writer.write_all(bytes).await.is_err() {
            return;
        }
        left -= count;
    }
}

async fn swallow(channel: &mut Channel<Msg>) {
    let mut reader = channel.make_reader();
    let mut buffer = vec![0; 64 * 1024];
    while let Ok(1..) = reader.read(&mut buffer).await {}
}
