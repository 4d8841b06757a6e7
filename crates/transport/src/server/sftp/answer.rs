//! What each request does to the files of the user.

use std::ffi::OsStr;
use std::fs::{self, File, OpenOptions, Permissions};
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{FileExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

use bytes::Bytes;
use rustix::fs::{
    AtFlags, CWD, OFlags, RenameFlags, StatVfs, StatVfsMountFlags, Timespec, Timestamps,
};
use rustix::io::Errno;

use super::handles::{Handle, Handles};
use super::show;
use crate::limits;
use crate::sftp::{Attributes, Entry, Extension, Limits, OpenFlags, Reply, Request, StatusCode};

/// The answering side of one client.
#[derive(Debug, Default)]
pub(super) struct Server {
    handles: Handles,
}

/// A refusal, or what to answer.
type Answer = Result<Reply, Reply>;

impl Reply {
    pub(super) fn bad_message() -> Self {
        Self::Status { code: StatusCode::BadMessage, text: "not understood".to_owned() }
    }
}

const DONE: Reply = Reply::Status { code: StatusCode::Ok, text: String::new() };

impl Server {
    pub(super) fn answer(&mut self, request: Request) -> Reply {
        self.try_answer(request).unwrap_or_else(|refusal| refusal)
    }

    fn try_answer(&mut self, request: Request) -> Answer {
        match request {
            Request::Open { path, flags, attributes } => self.open(&path, flags, attributes),
            Request::Close { handle } => self.close(&handle),
            Request::Read { handle, offset, length } => self.read(&handle, offset, length),
            Request::Write { handle, offset, data } => self.write(&handle, offset, &data),
            Request::StatLink { path } => stat(fs::symlink_metadata(to_path(&path))),
            Request::Stat { path } => stat(fs::metadata(to_path(&path))),
            Request::StatHandle { handle } => stat(self.file(&handle)?.metadata()),
            Request::Set { path, attributes } => done(set(&to_path(&path), attributes)),
            Request::SetHandle { handle, attributes } => {
                done(set_file(self.file(&handle)?, attributes))
            }
            Request::OpenDirectory { path } => self.open_directory(&path),
            Request::ReadDirectory { handle } => self.read_directory(&handle),
            Request::Remove { path } => done(fs::remove_file(to_path(&path))),
            Request::MakeDirectory { path, attributes } => {
                done(make_directory(&to_path(&path), attributes))
            }
            Request::RemoveDirectory { path } => done(fs::remove_dir(to_path(&path))),
            Request::RealPath { path } => name(real_path(&to_path(&path))),
            Request::Rename { from, to } => done(rename(&to_path(&from), &to_path(&to))),
            Request::ReadLink { path } => name(fs::read_link(to_path(&path))),
            Request::MakeLink { points_to, path } => {
                done(std::os::unix::fs::symlink(OsStr::from_bytes(&points_to), to_path(&path)))
            }
            Request::Extended(extension) => self.extended(extension),
        }
    }

    fn extended(&mut self, extension: Extension) -> Answer {
        match extension {
            Extension::PosixRename { from, to } => done(fs::rename(to_path(&from), to_path(&to))),
            Extension::HardLink { from, to } => done(fs::hard_link(to_path(&from), to_path(&to))),
            Extension::Fsync { handle } => done(self.file(&handle)?.sync_all()),
            Extension::Space { path } => space(rustix::fs::statvfs(to_path(&path))),
            Extension::SpaceOfHandle { handle } => space(rustix::fs::fstatvfs(self.file(&handle)?)),
            Extension::Limits => Ok(numbers(&OUR_LIMITS.numbers())),
            Extension::SetLink { path, attributes } => done(set_link(&to_path(&path), attributes)),
            Extension::ExpandPath { path } => name(expanded(&path)),
            Extension::Unknown { .. } => Err(Reply::Status {
                code: StatusCode::Unsupported,
                text: "no such extension".to_owned(),
            }),
        }
    }

    fn file(&mut self, handle: &[u8]) -> Result<&mut File, Reply> {
        self.handles.file(handle).ok_or_else(no_such_handle)
    }

    fn open(&mut self, path: &[u8], flags: OpenFlags, attributes: Attributes) -> Answer {
        if self.handles.is_full() {
            return Err(refusal(&io::Error::from(Errno::MFILE)));
        }
        let appends = flags.has(OpenFlags::APPEND);
        let writes = flags.has(OpenFlags::WRITE) || appends;
        let mut options = OpenOptions::new();
        options
            .read(flags.has(OpenFlags::READ) || !writes)
            .write(writes)
            .append(appends)
            .truncate(writes && flags.has(OpenFlags::TRUNCATE))
            .create(writes && flags.has(OpenFlags::CREATE))
            .create_new(writes && flags.has(OpenFlags::CREATE) && flags.has(OpenFlags::EXCLUSIVE))
            .mode(attributes.mode.unwrap_or(0o666) & 0o7777)
            // A pipe that nobody writes must not hold us up.
            .custom_flags((OFlags::NONBLOCK | OFlags::NOCTTY).bits().cast_signed());
        let file = options.open(to_path(path)).map_err(|error| refusal(&error))?;
        Ok(Reply::Handle(self.handles.add(Handle::File { file, appends })))
    }

    fn close(&mut self, handle: &[u8]) -> Answer {
        self.handles.remove(handle).map(|_| DONE).ok_or_else(no_such_handle)
    }

    fn read(&mut self, handle: &[u8], offset: u64, length: u32) -> Answer {
        let file = self.file(handle)?;
        let length = length.min(limits::SFTP_REQUEST_BYTES_MAX);
        let mut buffer = vec![0; usize::try_from(length).unwrap_or_default()];
        let count = file.read_at(&mut buffer, offset).map_err(|error| refusal(&error))?;
        if count == 0 && length > 0 {
            return Err(Reply::Status { code: StatusCode::Eof, text: "end of file".to_owned() });
        }
        buffer.truncate(count);
        Ok(Reply::Data(buffer.into()))
    }

    fn write(&mut self, handle: &[u8], offset: u64, data: &[u8]) -> Answer {
        match self.handles.get(handle) {
            Some(Handle::File { file, appends: true }) => done(io::Write::write_all(file, data)),
            Some(Handle::File { file, .. }) => done(file.write_all_at(data, offset)),
            Some(Handle::Directory { .. }) | None => Err(no_such_handle()),
        }
    }

    fn open_directory(&mut self, path: &[u8]) -> Answer {
        if self.handles.is_full() {
            return Err(refusal(&io::Error::from(Errno::MFILE)));
        }
        let path = to_path(path);
        let names = fs::read_dir(&path).map_err(|error| refusal(&error))?;
        Ok(Reply::Handle(self.handles.add(Handle::Directory { path, names })))
    }

    fn read_directory(&mut self, handle: &[u8]) -> Answer {
        let Some(Handle::Directory { path, names }) = self.handles.get(handle) else {
            return Err(no_such_handle());
        };
        let mut entries: Vec<Entry> = Vec::new();
        for name in names.by_ref().take(limits::SERVER_SFTP_NAMES) {
            let name = name.map_err(|error| refusal(&error))?.file_name();
            let metadata = fs::symlink_metadata(path.join(&name)).ok();
            entries.push(show::entry(name.as_bytes(), metadata.as_ref()));
        }
        if entries.is_empty() {
            return Err(Reply::Status { code: StatusCode::Eof, text: "no more names".to_owned() });
        }
        Ok(Reply::Names(entries))
    }
}

/// What we take; sizes as OpenSSH has them, which clients ask for anyway.
const OUR_LIMITS: Limits = Limits {
    packet_bytes: 256 * 1024,
    read_bytes: limits::SFTP_REQUEST_BYTES_MAX as u64,
    write_bytes: 255 * 1024,
    handles: limits::SERVER_SFTP_HANDLES_MAX as u64,
};

/// A path as the client means it; nothing is where we are, the home.
fn to_path(bytes: &[u8]) -> PathBuf {
    let bytes = if bytes.is_empty() { b"." } else { bytes };
    PathBuf::from(OsStr::from_bytes(bytes))
}

fn no_such_handle() -> Reply {
    Reply::Status { code: StatusCode::Failure, text: "no such handle".to_owned() }
}

/// An error of the system, in its own words.
fn refusal(error: &io::Error) -> Reply {
    let code = match error.kind() {
        io::ErrorKind::NotFound => StatusCode::NoSuchFile,
        io::ErrorKind::PermissionDenied => StatusCode::PermissionDenied,
        _ => StatusCode::Failure,
    };
    let text = error.to_string();
    let text = text.split(" (os error").next().unwrap_or_default().to_lowercase();
    Reply::Status { code, text }
}

fn done(result: io::Result<()>) -> Answer {
    result.map(|()| DONE).map_err(|error| refusal(&error))
}

fn stat(metadata: io::Result<fs::Metadata>) -> Answer {
    let metadata = metadata.map_err(|error| refusal(&error))?;
    Ok(Reply::Attributes(show::attributes(&metadata)))
}

fn name(path: io::Result<PathBuf>) -> Answer {
    let path = path.map_err(|error| refusal(&error))?;
    Ok(Reply::Names(vec![show::entry(path.as_os_str().as_bytes(), None)]))
}

fn numbers(numbers: &[u64]) -> Reply {
    let body: Vec<u8> = numbers.iter().flat_map(|number| number.to_be_bytes()).collect();
    Reply::Extended(body.into())
}

fn space(found: rustix::io::Result<StatVfs>) -> Answer {
    let space = found.map_err(|error| refusal(&error.into()))?;
    let flag = |there: StatVfsMountFlags, bit: u64| {
        if space.f_flag.contains(there) { bit } else { 0 }
    };
    let flags = flag(StatVfsMountFlags::RDONLY, 1) | flag(StatVfsMountFlags::NOSUID, 2);
    Ok(numbers(&[
        space.f_bsize,
        space.f_frsize,
        space.f_blocks,
        space.f_bfree,
        space.f_bavail,
        space.f_files,
        space.f_ffree,
        space.f_favail,
        space.f_fsid,
        flags,
        space.f_namemax,
    ]))
}

fn timestamps(times: (u32, u32)) -> Timestamps {
    let at = |seconds: u32| Timespec { tv_sec: seconds.into(), tv_nsec: 0 };
    Timestamps { last_access: at(times.0), last_modification: at(times.1) }
}

fn set(path: &Path, wanted: Attributes) -> io::Result<()> {
    if let Some(size) = wanted.size {
        OpenOptions::new().write(true).open(path)?.set_len(size)?;
    }
    if let Some(owner) = wanted.owner {
        std::os::unix::fs::chown(path, Some(owner.0), Some(owner.1))?;
    }
    if let Some(mode) = wanted.mode {
        fs::set_permissions(path, Permissions::from_mode(mode & 0o7777))?;
    }
    if let Some(times) = wanted.times {
        rustix::fs::utimensat(CWD, path, &timestamps(times), AtFlags::empty())?;
    }
    Ok(())
}

fn set_file(file: &File, wanted: Attributes) -> io::Result<()> {
    if let Some(size) = wanted.size {
        file.set_len(size)?;
    }
    if let Some(owner) = wanted.owner {
        std::os::unix::fs::fchown(file, Some(owner.0), Some(owner.1))?;
    }
    if let Some(mode) = wanted.mode {
        file.set_permissions(Permissions::from_mode(mode & 0o7777))?;
    }
    if let Some(times) = wanted.times {
        rustix::fs::futimens(file, &timestamps(times))?;
    }
    Ok(())
}

/// A link has neither size nor mode of its own.
fn set_link(path: &Path, wanted: Attributes) -> io::Result<()> {
    if let Some(owner) = wanted.owner {
        std::os::unix::fs::lchown(path, Some(owner.0), Some(owner.1))?;
    }
    if let Some(times) = wanted.times {
        rustix::fs::utimensat(CWD, path, &timestamps(times), AtFlags::SYMLINK_NOFOLLOW)?;
    }
    Ok(())
}

fn make_directory(path: &Path, attributes: Attributes) -> io::Result<()> {
    use std::os::unix::fs::DirBuilderExt;
    let mode = attributes.mode.unwrap_or(0o777) & 0o7777;
    fs::DirBuilder::new().mode(mode).create(path)
}

/// Version 3 does not rename over something that is there.
fn rename(from: &Path, to: &Path) -> io::Result<()> {
    match rustix::fs::renameat_with(CWD, from, CWD, to, RenameFlags::NOREPLACE) {
        // Not every file system knows the flag.
        Err(Errno::INVAL) if fs::symlink_metadata(to).is_err() => fs::rename(from, to),
        Err(Errno::INVAL) => Err(Errno::EXIST.into()),
        renamed => Ok(renamed?),
    }
}

/// The last part need not be there, as with OpenSSH.
fn real_path(path: &Path) -> io::Result<PathBuf> {
    match fs::canonicalize(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            let (Some(parent), Some(last)) = (path.parent(), path.file_name()) else {
                return Err(error);
            };
            let parent = if parent.as_os_str().is_empty() { Path::new(".") } else { parent };
            Ok(fs::canonicalize(parent)?.join(last))
        }
        found => found,
    }
}

/// `~` and `~/…` are the home.
fn expanded(path: &Bytes) -> io::Result<PathBuf> {
    let home = std::env::var_os("HOME").map_or_else(|| PathBuf::from("."), PathBuf::from);
    match path.as_ref() {
        b"~" => Ok(home),
        [b'~', b'/', rest @ ..] => real_path(&home.join(OsStr::from_bytes(rest))),
        [b'~', ..] => Err(io::ErrorKind::NotFound.into()),
        plain => real_path(&to_path(plain)),
    }
}
