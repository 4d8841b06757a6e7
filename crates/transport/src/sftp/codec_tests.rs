use bytes::Bytes;
use proptest::prelude::*;

use super::{OpenFlags, Request, version};
use crate::sftp::attributes::Attributes;
use crate::sftp::error::StatusCode;
use crate::sftp::extension::{Extension, Limits, Offered, Space};
use crate::sftp::reply::{Entry, Reply};

/// What goes over the wire, without the length before it.
fn sent(parts: (Bytes, Bytes)) -> Bytes {
    let whole = [parts.0, parts.1].concat();
    let (length, packet) = whole.split_first_chunk::<4>().unwrap();
    assert_eq!(u32::from_be_bytes(*length) as usize, packet.len());
    Bytes::copy_from_slice(packet)
}

#[test]
fn packets_are_what_the_draft_says() {
    let open = Request::Open {
        path: Bytes::from_static(b"/a"),
        flags: OpenFlags::WRITE.and(OpenFlags::CREATE),
        attributes: Attributes { mode: Some(0o600), ..Attributes::default() },
    };
    let expected = b"\x03\0\0\0\x07\0\0\0\x02/a\0\0\0\x0a\0\0\0\x04\0\0\x01\x80";
    assert_eq!(sent(open.encode(7)).as_ref(), expected);
    let write = Request::Write {
        handle: Bytes::from_static(b"h"),
        offset: 1 << 32,
        data: Bytes::from_static(b"xyz"),
    };
    let expected = b"\x06\0\0\0\x01\0\0\0\x01h\0\0\0\x01\0\0\0\0\0\0\0\x03xyz";
    assert_eq!(sent(write.encode(1)).as_ref(), expected);
    let rename = Request::Extended(Extension::PosixRename {
        from: Bytes::from_static(b"a"),
        to: Bytes::from_static(b"b"),
    });
    let expected = b"\xc8\0\0\0\x02\0\0\0\x18posix-rename@openssh.com\0\0\0\x01a\0\0\0\x01b";
    assert_eq!(sent(rename.encode(2)).as_ref(), expected);
}

#[test]
fn a_status_without_text_is_understood() {
    let packet = Bytes::from_static(b"\x65\0\0\0\x05\0\0\0\x02");
    let (id, reply) = Reply::decode(packet).unwrap();
    let missing = Reply::Status { code: StatusCode::NoSuchFile, text: String::new() };
    assert_eq!((id, reply), (5, missing));
}

#[test]
fn our_own_greeting_offers_what_the_client_uses() {
    let (number, names) = version::decode(sent((version::ours(), Bytes::new()))).unwrap();
    assert_eq!(number, 3);
    let all =
        Offered { posix_rename: true, fsync: true, space: true, limits: true, set_link: true };
    assert_eq!(Offered::new(&names), all);
}

#[test]
fn limits_and_room_are_read_as_openssh_writes_them() {
    let limits = Limits { packet_bytes: 1, read_bytes: 2, write_bytes: 3, handles: 4 };
    let body: Vec<u8> = limits.numbers().iter().flat_map(|n| n.to_be_bytes()).collect();
    assert_eq!(Limits::read(body.into()).unwrap(), limits);
    let numbers: [u64; 11] = [1, 4096, 10, 9, 8, 7, 6, 5, 0, 1, 255];
    let body: Vec<u8> = numbers.iter().flat_map(|n| n.to_be_bytes()).collect();
    let space = Space { free_bytes: 8 * 4096, free_files: 5, files: 7, read_only: true };
    assert_eq!(Space::read(body.into()).unwrap(), space);
}

fn blob() -> impl Strategy<Value = Bytes> {
    prop::collection::vec(any::<u8>(), 0..40).prop_map(Bytes::from)
}

fn attributes() -> impl Strategy<Value = Attributes> {
    let pair = || prop::option::of((any::<u32>(), any::<u32>()));
    (prop::option::of(any::<u64>()), pair(), prop::option::of(any::<u32>()), pair())
        .prop_map(|(size, owner, mode, times)| Attributes { size, owner, mode, times })
}

fn request() -> impl Strategy<Value = Request> {
    prop_oneof![
        (blob(), any::<u32>(), attributes()).prop_map(|(path, flags, attributes)| {
            Request::Open { path, flags: OpenFlags(flags), attributes }
        }),
        blob().prop_map(|handle| Request::Close { handle }),
        (blob(), any::<u64>(), any::<u32>()).prop_map(|(handle, offset, length)| Request::Read {
            handle,
            offset,
            length
        }),
        (blob(), any::<u64>(), blob()).prop_map(|(handle, offset, data)| Request::Write {
            handle,
            offset,
            data
        }),
        (blob(), attributes()).prop_map(|(path, attributes)| Request::Set { path, attributes }),
        (blob(), attributes())
            .prop_map(|(handle, attributes)| Request::SetHandle { handle, attributes }),
        (blob(), attributes())
            .prop_map(|(path, attributes)| Request::MakeDirectory { path, attributes }),
        (blob(), blob()).prop_map(|(from, to)| Request::Rename { from, to }),
        (blob(), blob()).prop_map(|(points_to, path)| Request::MakeLink { points_to, path }),
        blob().prop_map(|path| Request::StatLink { path }),
        blob().prop_map(|path| Request::ReadLink { path }),
        Just(Request::Extended(Extension::Limits)),
        (blob(), blob()).prop_map(|(from, to)| Request::Extended(Extension::HardLink { from, to })),
        blob().prop_map(|handle| Request::Extended(Extension::Fsync { handle })),
        blob().prop_map(|path| Request::Extended(Extension::Space { path })),
        (blob(), attributes()).prop_map(|(path, attributes)| {
            Request::Extended(Extension::SetLink { path, attributes })
        }),
    ]
}

fn reply() -> impl Strategy<Value = Reply> {
    let entry = (blob(), blob(), attributes()).prop_map(|(name, long, attributes)| Entry {
        name,
        long,
        attributes,
    });
    prop_oneof![
        (0_u32..12, ".{0,20}").prop_map(|(code, text)| {
            Reply::Status { code: StatusCode::from_number(code), text }
        }),
        blob().prop_map(Reply::Handle),
        blob().prop_map(Reply::Data),
        prop::collection::vec(entry, 0..5).prop_map(Reply::Names),
        attributes().prop_map(Reply::Attributes),
        blob().prop_map(Reply::Extended),
    ]
}

proptest! {
    #[test]
    fn requests_come_back_as_they_were(id: u32, request in request()) {
        let packet = sent(request.clone().encode(id));
        prop_assert_eq!(Request::decode(packet).unwrap(), (id, request));
    }

    #[test]
    fn replies_come_back_as_they_were(id: u32, reply in reply()) {
        let packet = sent((reply.encode(id), Bytes::new()));
        prop_assert_eq!(Reply::decode(packet).unwrap(), (id, reply));
    }

    #[test]
    fn nonsense_is_an_error_and_never_a_panic(bytes in prop::collection::vec(any::<u8>(), 0..80)) {
        let packet = Bytes::from(bytes);
        let _ = (Request::decode(packet.clone()), Reply::decode(packet.clone()));
        let _ = (version::decode(packet.clone()), Space::read(packet));
    }

    #[test]
    fn a_packet_cut_short_is_an_error(request in request(), cut in 0_usize..30) {
        let packet = sent(request.encode(1));
        let kept = packet.len().saturating_sub(cut + 1);
        // An extension without its fields may be another one's name.
        let _ = Request::decode(packet.slice(..kept));
    }
}
