use std::collections::BTreeMap;
use std::io::Cursor;
use std::os::unix::ffi::OsStrExt;

use bytes::Bytes;

use super::serve;
use crate::limits;
use crate::sftp::{Attributes, Extension, Frames, OpenFlags, Reply, Request, StatusCode, init};

/// Answers of the server to these requests, by number.
fn talk(requests: Vec<Request>) -> BTreeMap<u32, Reply> {
    let mut input = init().to_vec();
    for (at, request) in requests.into_iter().enumerate() {
        let (head, data) = request.encode(u32::try_from(at).unwrap());
        input.extend_from_slice(&head);
        input.extend_from_slice(&data);
    }
    let mut output = Vec::new();
    serve(&mut Cursor::new(input), &mut output).unwrap();
    let mut frames = Frames::default();
    frames.push(&output);
    let _greeting = frames.next().unwrap().unwrap();
    std::iter::from_fn(|| frames.next().unwrap())
        .map(|packet| Reply::decode(packet).unwrap())
        .collect()
}

fn at(directory: &tempfile::TempDir, name: &[u8]) -> Bytes {
    let mut path = directory.path().as_os_str().as_bytes().to_vec();
    path.push(b'/');
    path.extend_from_slice(name);
    path.into()
}

fn first() -> Bytes {
    Bytes::from_static(&[0, 0, 0, 1])
}

fn code(reply: Option<&Reply>) -> Option<StatusCode> {
    match reply {
        Some(Reply::Status { code, .. }) => Some(*code),
        _ => None,
    }
}

#[test]
fn a_file_is_written_changed_and_read_whatever_its_name() {
    let directory = tempfile::tempdir().unwrap();
    let path = at(&directory, b"- \xff\n'");
    let create =
        OpenFlags::WRITE.and(OpenFlags::CREATE).and(OpenFlags::EXCLUSIVE).and(OpenFlags::READ);
    let wanted = Attributes { mode: Some(0o640), times: Some((7, 9)), ..Attributes::default() };
    let replies = talk(vec![
        Request::Open { path: path.clone(), flags: create, attributes: Attributes::default() },
        Request::Write { handle: first(), offset: 2, data: Bytes::from_static(b"llo") },
        Request::Write { handle: first(), offset: 0, data: Bytes::from_static(b"he") },
        Request::SetHandle { handle: first(), attributes: wanted },
        Request::Extended(Extension::Fsync { handle: first() }),
        Request::Read { handle: first(), offset: 1, length: 100 },
        Request::Read { handle: first(), offset: 5, length: 100 },
        Request::StatHandle { handle: first() },
        Request::Close { handle: first() },
        Request::Close { handle: first() },
        Request::Open { path, flags: create, attributes: Attributes::default() },
    ]);
    assert_eq!(replies[&5], Reply::Data(Bytes::from_static(b"ello")));
    assert_eq!(code(replies.get(&6)), Some(StatusCode::Eof));
    let Reply::Attributes(found) = &replies[&7] else { panic!("{replies:?}") };
    let seen = (found.size, found.mode, found.changed_at());
    assert_eq!(seen, (Some(5), Some(0o100_640), Some(9)));
    let codes: Vec<_> = [4, 8, 9, 10].iter().map(|id| code(replies.get(id)).unwrap()).collect();
    let expected = [StatusCode::Ok, StatusCode::Ok, StatusCode::Failure, StatusCode::Failure];
    assert_eq!(codes, expected);
}

#[test]
fn names_links_and_renames() {
    let directory = tempfile::tempdir().unwrap();
    std::fs::write(directory.path().join("a"), "a").unwrap();
    std::fs::write(directory.path().join("b"), "b").unwrap();
    let (a, b, link) = (at(&directory, b"a"), at(&directory, b"b"), at(&directory, b"link"));
    let replies = talk(vec![
        Request::Rename { from: a.clone(), to: b.clone() },
        Request::Extended(Extension::PosixRename { from: a.clone(), to: b }),
        Request::Stat { path: a.clone() },
        Request::MakeLink { points_to: Bytes::from_static(b"nowhere"), path: link.clone() },
        Request::ReadLink { path: link.clone() },
        Request::OpenDirectory { path: at(&directory, b"") },
        Request::ReadDirectory { handle: first() },
        Request::ReadDirectory { handle: first() },
        Request::RealPath { path: a },
        Request::Extended(Extension::Limits),
        Request::Extended(Extension::Unknown { name: Bytes::from_static(b"what@ever") }),
    ]);
    assert_eq!(code(replies.get(&0)), Some(StatusCode::Failure), "it must not replace");
    assert_eq!(code(replies.get(&1)), Some(StatusCode::Ok));
    assert_eq!(code(replies.get(&2)), Some(StatusCode::NoSuchFile));
    let Reply::Names(names) = &replies[&4] else { panic!("{replies:?}") };
    assert_eq!(names[0].name.as_ref(), b"nowhere");
    let Reply::Names(names) = &replies[&6] else { panic!("{replies:?}") };
    let mut names: Vec<_> = names.iter().map(|entry| entry.name.to_vec()).collect();
    names.sort();
    assert_eq!(names, [b"b".to_vec(), b"link".to_vec()]);
    assert_eq!(code(replies.get(&7)), Some(StatusCode::Eof));
    assert!(matches!(&replies[&8], Reply::Names(_)), "a last part may be missing");
    assert!(matches!(&replies[&9], Reply::Extended(body) if body.len() == 32));
    assert_eq!(code(replies.get(&10)), Some(StatusCode::Unsupported));
}

#[test]
fn handles_are_bounded_and_nonsense_is_answered() {
    let directory = tempfile::tempdir().unwrap();
    let many = limits::SERVER_SFTP_HANDLES_MAX + 1;
    let open = Request::OpenDirectory { path: at(&directory, b"") };
    let replies = talk(vec![open; many]);
    let refused = u32::try_from(many - 1).unwrap();
    assert_eq!(code(replies.get(&refused)), Some(StatusCode::Failure));
    assert!(matches!(&replies[&(refused - 1)], Reply::Handle(_)));

    let mut output = Vec::new();
    let nonsense = [&init()[..], b"\0\0\0\x05\x63\0\0\0\x09"].concat();
    serve(&mut Cursor::new(nonsense), &mut output).unwrap();
    let mut frames = Frames::default();
    frames.push(&output);
    let _greeting = frames.next().unwrap();
    let (id, reply) = Reply::decode(frames.next().unwrap().unwrap()).unwrap();
    assert_eq!((id, code(Some(&reply))), (9, Some(StatusCode::BadMessage)));
}
