//! A stream of bytes into packets. Pure.

use bytes::{Buf, Bytes, BytesMut};

use super::wire::WireError;

/// Bytes of the longest packet that either side takes: what OpenSSH allows,
/// and a little more for others' headers.
pub(crate) const FRAME_BYTES_MAX: usize = 256 * 1024 + 1024;

/// Collects bytes until packets are whole.
#[derive(Debug, Default)]
pub(crate) struct Frames {
    held: BytesMut,
}

impl Frames {
    /// More bytes of the stream.
    pub(crate) fn push(&mut self, bytes: &[u8]) {
        self.held.extend_from_slice(bytes);
    }

    /// The next whole packet, without its length.
    pub(crate) fn next(&mut self) -> Result<Option<Bytes>, WireError> {
        let mut head: &[u8] = &self.held;
        let Ok(length) = head.try_get_u32() else { return Ok(None) };
        let length = usize::try_from(length).unwrap_or(usize::MAX);
        if length > FRAME_BYTES_MAX {
            return Err(WireError::Long(length));
        }
        if head.len() < length {
            self.held.reserve(length.saturating_sub(head.len()));
            return Ok(None);
        }
        self.held.advance(4);
        Ok(Some(self.held.split_to(length).freeze()))
    }
}

#[cfg(test)]
mod tests {
    use super::{FRAME_BYTES_MAX, Frames};
    use proptest::prelude::*;

    fn framed(packets: &[Vec<u8>]) -> Vec<u8> {
        let mut stream = Vec::new();
        for packet in packets {
            stream.extend_from_slice(&u32::try_from(packet.len()).unwrap().to_be_bytes());
            stream.extend_from_slice(packet);
        }
        stream
    }

    #[test]
    fn a_packet_that_is_too_long_is_refused_before_it_comes() {
        let mut frames = Frames::default();
        frames.push(&u32::try_from(FRAME_BYTES_MAX + 1).unwrap().to_be_bytes());
        assert!(frames.next().is_err());
    }

    proptest! {
        #[test]
        fn packets_are_whole_however_the_stream_is_cut(
            packets in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..50), 0..20),
            piece in 1_usize..30,
        ) {
            let mut frames = Frames::default();
            let mut seen = Vec::new();
            for bytes in framed(&packets).chunks(piece) {
                frames.push(bytes);
                while let Some(packet) = frames.next().unwrap() {
                    seen.push(packet.to_vec());
                }
            }
            prop_assert_eq!(seen, packets);
        }
    }
}
