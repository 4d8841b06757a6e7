//! Which algorithms our sessions and our server use, and why.

use std::borrow::Cow;

use russh::keys::Algorithm;
use russh::{Preferred, cipher, compression, kex};

/// Key exchange. The hybrid of ML-KEM and X25519 comes first: what is recorded
/// today stays closed to a quantum computer, for 0.25 ms of CPU per connection
/// (measured). X25519 is for servers before OpenSSH 9.9. Nothing else: finite
/// field groups cost tens of milliseconds and no server needs them.
const KEX: &[kex::Name] = &[
    kex::MLKEM768X25519_SHA256,
    kex::CURVE25519,
    kex::CURVE25519_PRE_RFC_8731,
    kex::EXTENSION_SUPPORT_AS_CLIENT,
    kex::EXTENSION_SUPPORT_AS_SERVER,
    kex::EXTENSION_OPENSSH_STRICT_KEX_AS_CLIENT,
    kex::EXTENSION_OPENSSH_STRICT_KEX_AS_SERVER,
];

/// Ciphers. AES-256-GCM is hardware on every machine that runs clusters and
/// took half of ChaCha20's CPU per gigabyte (measured); the latter is for
/// machines without AES instructions. CTR last, for old servers.
const CIPHERS: &[cipher::Name] =
    &[cipher::AES_256_GCM, cipher::CHACHA20_POLY1305, cipher::AES_256_CTR];

/// No compression: cluster networks are faster than deflate, and compressed
/// secrets leak their length.
const COMPRESSION: &[compression::Name] = &[compression::NONE];

/// Our choice. `host_keys` are the algorithms of the host keys that we know:
/// they go first, or a server with several keys would show one we do not know.
/// Certificates are asked for where an authority may vouch for the host: a
/// server that has one shows it then instead of its bare key.
pub(crate) fn preferred(host_keys: &[Algorithm], certificates: bool) -> Preferred {
    let mut order: Vec<Algorithm> = host_keys.to_vec();
    for algorithm in Preferred::DEFAULT.key.iter() {
        if !order.contains(algorithm) {
            order.push(algorithm.clone());
        }
    }
    let certificates = if certificates { order.clone() } else { Vec::new() };
    Preferred {
        host_key_certificates: Cow::Owned(certificates),
        kex: Cow::Borrowed(KEX),
        cipher: Cow::Borrowed(CIPHERS),
        compression: Cow::Borrowed(COMPRESSION),
        key: Cow::Owned(order),
        ..Preferred::DEFAULT
    }
}
