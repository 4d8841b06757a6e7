//! Numbers and strings as the protocol writes them. Pure.

use bytes::{Buf, BufMut, Bytes, BytesMut};

/// What is wrong with a packet. Reads after "failed to understand a packet:".
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum WireError {
    /// It ends too early.
    #[error("it ends in the middle of {0}")]
    Short(&'static str),
    /// It is of a kind that does not belong here.
    #[error("it is of the unknown kind {0}")]
    Kind(u8),
    /// It is longer than any packet may be.
    #[error("it has {0} bytes")]
    Long(usize),
    /// Something follows its end.
    #[error("{0} bytes follow its end")]
    Rest(usize),
}

/// Takes a packet apart.
#[derive(Debug)]
pub(crate) struct Reader(Bytes);

impl Reader {
    pub(crate) const fn new(bytes: Bytes) -> Self {
        Self(bytes)
    }

    pub(crate) fn u8(&mut self) -> Result<u8, WireError> {
        self.0.try_get_u8().map_err(|_| WireError::Short("a byte"))
    }

    pub(crate) fn u32(&mut self) -> Result<u32, WireError> {
        self.0.try_get_u32().map_err(|_| WireError::Short("a number"))
    }

    pub(crate) fn u64(&mut self) -> Result<u64, WireError> {
        self.0.try_get_u64().map_err(|_| WireError::Short("a number"))
    }

    /// A string: bytes with their length before them.
    pub(crate) fn string(&mut self) -> Result<Bytes, WireError> {
        let length = usize::try_from(self.u32()?).unwrap_or(usize::MAX);
        if length > self.0.len() {
            return Err(WireError::Short("a string"));
        }
        Ok(self.0.split_to(length))
    }

    /// A string that is text; what is not becomes replacement characters.
    pub(crate) fn text(&mut self) -> Result<String, WireError> {
        Ok(String::from_utf8_lossy(&self.string()?).into_owned())
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// What is left, as it is.
    pub(crate) fn rest(&mut self) -> Bytes {
        std::mem::take(&mut self.0)
    }

    /// Nothing may be left.
    pub(crate) fn end(&self) -> Result<(), WireError> {
        if self.0.is_empty() { Ok(()) } else { Err(WireError::Rest(self.0.len())) }
    }
}

/// Puts a packet together, with its length before it.
#[derive(Debug)]
pub(crate) struct Writer(BytesMut);

impl Writer {
    pub(crate) fn new(kind: u8) -> Self {
        let mut bytes = BytesMut::with_capacity(64);
        bytes.put_u32(0);
        bytes.put_u8(kind);
        Self(bytes)
    }

    pub(crate) fn u32(&mut self, value: u32) -> &mut Self {
        self.0.put_u32(value);
        self
    }

    pub(crate) fn u64(&mut self, value: u64) -> &mut Self {
        self.0.put_u64(value);
        self
    }

    /// A string. One longer than any packet is cut; nobody sends such.
    pub(crate) fn string(&mut self, bytes: &[u8]) -> &mut Self {
        let length = u32::try_from(bytes.len()).unwrap_or(u32::MAX);
        self.0.put_u32(length);
        self.0.put_slice(bytes);
        self
    }

    /// Bytes as they are.
    pub(crate) fn raw(&mut self, bytes: &[u8]) -> &mut Self {
        self.0.put_slice(bytes);
        self
    }

    /// The packet.
    pub(crate) fn finish(self) -> Bytes {
        self.finish_before(0)
    }

    /// The packet, whose last `follow` bytes are sent behind it.
    pub(crate) fn finish_before(mut self, follow: usize) -> Bytes {
        let length = self.0.len().saturating_sub(4).saturating_add(follow);
        let length = u32::try_from(length).unwrap_or(u32::MAX).to_be_bytes();
        for (place, byte) in self.0.iter_mut().zip(length) {
            *place = byte;
        }
        self.0.freeze()
    }
}
