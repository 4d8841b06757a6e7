//! The sftp client against our server of files and OpenSSH's.

use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::PermissionsExt;

use transport::Bytes;
use transport::sftp::{Attributes, FileKind, Sftp, SftpOptions};

use crate::support::{noise, servers};

#[tokio::test]
async fn bytes_go_there_and_come_back_many_requests_at_once() {
    for (kind, server) in servers() {
        let session = server.session().await;
        let sftp = Sftp::open(&session, SftpOptions::default()).await.unwrap();
        assert!(sftp.limits().handles > 0, "{kind:?}");
        let directory = sftp.real_path(server.directory.path().as_os_str().as_bytes()).await;
        let path = [&directory.unwrap()[..], b"/- \xff\n'x"].concat();
        let (data, piece) = (noise(3_000_001), sftp.write_bytes() as usize);
        let handle = sftp.create(&path).await.unwrap();
        let mut pending = Vec::new();
        for at in (0..data.len()).step_by(piece) {
            let part = data.slice(at..data.len().min(at + piece));
            pending.push(sftp.write(&handle, at as u64, part).await.unwrap());
            while pending.len() > 4 {
                pending.remove(0).done().await.unwrap();
            }
        }
        for write in pending {
            write.done().await.unwrap();
        }
        sftp.sync(&handle).await.unwrap();
        let wanted = Attributes { mode: Some(0o640), times: Some((5, 6)), ..Attributes::default() };
        sftp.set_handle(&handle, wanted).await.unwrap();
        sftp.close(handle).await.unwrap();
        let local = std::path::Path::new(std::ffi::OsStr::from_bytes(&path));
        assert!(fs::read(local).unwrap() == data, "{kind:?}");
        assert_eq!(fs::metadata(local).unwrap().permissions().mode() & 0o7777, 0o640);

        let handle = sftp.open_to_read(&path).await.unwrap();
        let found = sftp.stat_handle(&handle).await.unwrap();
        assert_eq!((found.size, found.changed_at()), (Some(3_000_001), Some(6)), "{kind:?}");
        let mut read = Vec::new();
        loop {
            let asked = sftp.read(&handle, read.len() as u64, sftp.read_bytes()).await.unwrap();
            let bytes = asked.data().await.unwrap();
            if bytes.is_empty() {
                break;
            }
            read.extend_from_slice(&bytes);
        }
        assert!(read == data, "{kind:?}");
        assert!(sftp.create(&path).await.is_err(), "{kind:?}: it is there");
    }
}

#[tokio::test]
async fn directories_links_and_renames() {
    for (kind, server) in servers() {
        let session = server.session().await;
        let sftp = Sftp::open(&session, SftpOptions::default()).await.unwrap();
        let base = server.path("tree").as_os_str().as_bytes().to_vec();
        let at = |name: &str| [&base[..], b"/", name.as_bytes()].concat();
        sftp.make_directory(&base, 0o700).await.unwrap();
        sftp.make_link(b"no/where", &at("link")).await.unwrap();
        for name in ["a", "b"] {
            let handle = sftp.create(&at(name)).await.unwrap();
            sftp.write(&handle, 0, Bytes::from(name)).await.unwrap().done().await.unwrap();
            sftp.close(handle).await.unwrap();
        }
        sftp.rename_over(&at("a"), &at("b")).await.unwrap();
        assert_eq!(sftp.read_link(&at("link")).await.unwrap().as_ref(), b"no/where");
        assert_eq!(sftp.stat_link(&at("link")).await.unwrap().kind(), FileKind::Symlink);
        assert!(sftp.stat(&at("link")).await.unwrap_err().is_missing(), "{kind:?}");
        let mut names: Vec<_> =
            sftp.list(&base).await.unwrap().into_iter().map(|entry| entry.name).collect();
        names.sort();
        assert_eq!(names, ["b", "link"], "{kind:?}");
        assert!(sftp.space(&base).await.unwrap().unwrap().free_bytes > 0);
        sftp.remove(&at("link")).await.unwrap();
        let denied = sftp.list(b"/no/such/directory").await.unwrap_err();
        assert!(denied.is_missing() && !denied.is_final(), "{kind:?}: {denied}");
    }
}

#[tokio::test]
async fn a_server_that_dies_is_an_error_and_not_a_wait() {
    for (kind, mut server) in servers() {
        let session = server.session().await;
        let sftp = Sftp::open(&session, SftpOptions::default()).await.unwrap();
        server.kill();
        session.abort();
        let error = sftp.stat(b"/").await.unwrap_err();
        assert!(error.is_final(), "{kind:?}: {error}");
    }
}
