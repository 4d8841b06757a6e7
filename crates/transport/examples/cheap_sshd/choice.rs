//! Which key exchange and cipher a client chooses, read from the list it sends
//! before anything is encrypted (RFC 4253, section 7.1): the first of its names
//! that the server has, too. Proves that clients were compared with the same.

use std::collections::BTreeMap;
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll};

use russh::{Preferred, kex};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;

/// A client's list begins within this many bytes.
const LIST_BYTES_MAX: usize = 8 * 1024;
/// Message number of the list.
const KEXINIT: u8 = 20;

/// How many connections chose what.
#[derive(Debug)]
pub(crate) struct Choices {
    kex: Vec<String>,
    counts: Mutex<BTreeMap<String, u64>>,
}

impl Choices {
    /// For a server with these key exchanges.
    pub(crate) fn new(kex: &[kex::Name]) -> Self {
        let kex = kex.iter().map(|name| name.as_ref().to_owned()).collect();
        Self { kex, counts: Mutex::default() }
    }

    fn count(&self, choice: String) {
        if let Ok(mut counts) = self.counts.lock() {
            *counts.entry(choice).or_default() += 1;
        }
    }

    /// What was counted since the last time.
    pub(crate) fn take(&self) -> BTreeMap<String, u64> {
        self.counts.lock().map(|mut counts| std::mem::take(&mut *counts)).unwrap_or_default()
    }
}

/// A connection whose first bytes are looked at in passing.
pub(crate) struct Watched {
    stream: TcpStream,
    seen: Option<Vec<u8>>,
    choices: Arc<Choices>,
}

impl Watched {
    pub(crate) fn new(stream: TcpStream, choices: Arc<Choices>) -> Self {
        Self { stream, seen: Some(Vec::new()), choices }
    }

    fn look(&mut self, bytes: &[u8]) {
        let Some(seen) = &mut self.seen else { return };
        seen.extend_from_slice(bytes);
        if let Some(choice) = choice(seen, &self.choices.kex) {
            self.choices.count(choice);
            self.seen = None;
        } else if seen.len() > LIST_BYTES_MAX {
            self.choices.count("not understood".into());
            self.seen = None;
        }
    }
}

/// What a client's first bytes choose; none while the list is not complete.
fn choice(seen: &[u8], kex: &[String]) -> Option<String> {
    let greeting = seen.iter().position(|byte| *byte == b'\n')? + 1;
    let packet = seen.get(greeting..)?;
    let length = u32::from_be_bytes(packet.get(..4)?.try_into().ok()?) as usize;
    // Length of padding, message number, cookie.
    let payload = packet.get(5..4 + length)?;
    if payload.first() != Some(&KEXINIT) {
        return Some("not understood".into());
    }
    let mut rest = payload.get(17..)?;
    let kex = first_known(next_list(&mut rest)?, |name| kex.iter().any(|known| known == name));
    let _host_keys = next_list(&mut rest)?;
    let cipher = first_known(next_list(&mut rest)?, |name| {
        Preferred::DEFAULT.cipher.iter().any(|known| known.as_ref() == name)
    });
    Some(format!("{kex} {cipher}"))
}

fn next_list<'a>(rest: &mut &'a [u8]) -> Option<&'a str> {
    let length = u32::from_be_bytes(rest.get(..4)?.try_into().ok()?) as usize;
    let list = rest.get(4..4 + length)?;
    *rest = rest.get(4 + length..)?;
    std::str::from_utf8(list).ok()
}

fn first_known(list: &str, known: impl Fn(&str) -> bool) -> &str {
    list.split(',').find(|name| known(name)).unwrap_or("nothing")
}

impl AsyncRead for Watched {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<std::io::Result<()>> {
        let before = buffer.filled().len();
        let read = Pin::new(&mut self.stream).poll_read(context, buffer);
        if self.seen.is_some() {
            self.look(buffer.filled().get(before..).unwrap_or_default());
        }
        read
    }
}

impl AsyncWrite for Watched {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<std::io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(context, bytes)
    }

    fn poll_flush(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<std::io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<std::io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}
