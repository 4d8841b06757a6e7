//! Fixed hardware addresses. Pure.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use sha2::{Digest, Sha256};

/// The hardware address of a node's interface.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct MacAddress(pub [u8; 6]);

impl MacAddress {
    /// The address of a node: always the same for the same cluster and node,
    /// locally administered, unicast.
    #[must_use]
    pub fn of_node(cluster_id: &str, node_id: &str) -> Self {
        let mut hash = Sha256::new();
        hash.update(cluster_id.as_bytes());
        hash.update([0]);
        hash.update(node_id.as_bytes());
        let mut octets = [0_u8; 6];
        for (octet, byte) in octets.iter_mut().zip(hash.finalize()) {
            *octet = byte;
        }
        octets[0] = 0x02;
        Self(octets)
    }
}

impl fmt::Display for MacAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [a, b, c, d, e, g] = self.0;
        write!(f, "{a:02x}:{b:02x}:{c:02x}:{d:02x}:{e:02x}:{g:02x}")
    }
}

/// The text is no hardware address.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is no hardware address of six hexadecimal octets")]
pub struct MacParseError(pub String);

impl FromStr for MacAddress {
    type Err = MacParseError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let wrong = || MacParseError(text.to_owned());
        let mut octets = [0_u8; 6];
        let mut parts = text.split(':');
        for octet in &mut octets {
            let part = parts.next().filter(|part| part.len() == 2).ok_or_else(wrong)?;
            *octet = u8::from_str_radix(part, 16).map_err(|_| wrong())?;
        }
        if parts.next().is_some() { Err(wrong()) } else { Ok(Self(octets)) }
    }
}

impl Serialize for MacAddress {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for MacAddress {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_node_has_the_same_address_always_and_two_nodes_never() {
        let one = MacAddress::of_node("demo", "worker1");
        assert_eq!(one, MacAddress::of_node("demo", "worker1"));
        assert_ne!(one, MacAddress::of_node("demo", "worker2"));
        assert_ne!(one, MacAddress::of_node("demo2", "worker1"));
        assert_ne!(MacAddress::of_node("a", "bc"), MacAddress::of_node("ab", "c"));
        // Locally administered and unicast.
        assert_eq!(one.0[0] & 0b11, 0b10);
    }

    #[test]
    fn text_round_trips_and_nonsense_is_refused() {
        let mac = MacAddress([2, 0xab, 0, 1, 2, 0xff]);
        assert_eq!(mac.to_string(), "02:ab:00:01:02:ff");
        assert_eq!("02:ab:00:01:02:ff".parse(), Ok(mac));
        for wrong in ["", "02:ab", "02:ab:00:01:02:ff:00", "2:ab:00:01:02:ff", "zz:ab:00:01:02:ff"]
        {
            assert!(wrong.parse::<MacAddress>().is_err(), "{wrong}");
        }
    }
}
