//! A network of 127.0.0.0/8 for one lab, that no other lab has at the time.

use std::net::{Ipv4Addr, TcpListener};

use anyhow::{Result, bail};

/// Port of all servers of all labs: out of the range that the kernel gives to
/// outgoing connections.
pub(super) const PORT: u16 = 2222;

/// Second bytes of addresses that labs may have.
const SECOND_BYTES: std::ops::Range<u8> = 16..250;

/// 127.N.0.0/16, held by a listener on its last address.
#[derive(Debug)]
pub(super) struct Network {
    second: u8,
    _held: TcpListener,
}

impl Network {
    /// One that is free.
    pub(super) fn take() -> Result<Self> {
        let span = u32::from(SECOND_BYTES.end - SECOND_BYTES.start);
        for number in 0..span {
            let offset = u8::try_from((std::process::id() + number) % span)?;
            let second = SECOND_BYTES.start + offset;
            let last = Ipv4Addr::new(127, second, 255, 254);
            if let Ok(held) = TcpListener::bind((last, PORT)) {
                return Ok(Self { second, _held: held });
            }
        }
        bail!("no free network")
    }

    /// An address of a server, both counted from zero.
    pub(super) fn address(&self, server: u8, address: u8) -> Ipv4Addr {
        Ipv4Addr::new(127, self.second, server, address + 1)
    }
}
