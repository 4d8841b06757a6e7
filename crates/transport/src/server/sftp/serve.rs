//! Requests in, answers out, one after the other.

use std::io::{self, Read, Write};

use bytes::Bytes;

use super::answer::Server;
use crate::limits;
use crate::sftp::{Frames, Reply, Request, version};

/// Serves until the client closes its side.
///
/// # Errors
/// The client is gone, or does not speak the protocol.
pub(crate) fn serve(input: &mut impl Read, output: &mut impl Write) -> io::Result<()> {
    let mut server = Server::default();
    let mut frames = Frames::default();
    let mut buffer = vec![0; limits::SERVER_SFTP_BUFFER_BYTES];
    let mut output = io::BufWriter::with_capacity(limits::SERVER_SFTP_BUFFER_BYTES, output);
    loop {
        while let Some(packet) = frames.next().map_err(io::Error::other)? {
            output.write_all(&answer(&mut server, packet)?)?;
        }
        output.flush()?;
        match input.read(&mut buffer) {
            Ok(0) => return Ok(()),
            Ok(count) => frames.push(buffer.get(..count).unwrap_or_default()),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
}

fn answer(server: &mut Server, packet: Bytes) -> io::Result<Bytes> {
    if version::is_init(&packet) {
        return Ok(version::ours());
    }
    // Without a number there is nothing to answer to.
    let id = packet.get(1..5).and_then(|id| <[u8; 4]>::try_from(id).ok());
    let id = id.map(u32::from_be_bytes).ok_or_else(|| io::Error::other("a packet is too short"))?;
    let reply = match Request::decode(packet) {
        Ok((_, request)) => server.answer(request),
        Err(_) => Reply::bad_message(),
    };
    Ok(reply.encode(id))
}

#[cfg(test)]
#[path = "serve_tests.rs"]
mod tests;
