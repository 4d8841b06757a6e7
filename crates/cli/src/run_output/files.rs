//! What each node prints, in files of its own: `NODE.out` and `NODE.err` below
//! one directory, as it was printed. Few files are open at once, however many
//! nodes there are.

use std::fmt::Write as _;
use std::fs::{File, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

use rustix::fs::OFlags;
use rustix::io::Errno;
use transport::fanout::{LineEnd, StreamName};

use super::args::OutputArgs;
use crate::exit::{CommandError, Exit};

/// Files open at once. Most systems allow a process 1,024, and connections need
/// theirs.
const FILES_MAX: usize = 128;

/// The files of one run.
#[derive(Debug)]
pub(super) struct OutputFiles {
    directory: PathBuf,
    appends: bool,
    nodes: Vec<NodeFiles>,
    open: Vec<OpenFile>,
    /// Counts uses, to close what was not used for longest.
    uses: u64,
    /// The first thing that went wrong. Nothing is written after it to what it
    /// happened to; the run goes on.
    trouble: Option<String>,
}

#[derive(Debug)]
struct NodeFiles {
    name: String,
    /// Whether the files are of this run already: out, err.
    begun: [bool; 2],
    failed: bool,
}

#[derive(Debug)]
struct OpenFile {
    node: usize,
    stream: StreamName,
    file: File,
    used: u64,
}

impl OutputFiles {
    /// Makes the directory, for the user's eyes only, if it is not there.
    ///
    /// # Errors
    /// When it holds something and nothing says what to do with that, or it
    /// cannot be made.
    pub(super) fn new<'a>(
        directory: &Path,
        args: &OutputArgs,
        names: impl Iterator<Item = &'a str>,
    ) -> Result<Self, CommandError> {
        make(directory).map_err(|error| failed("make", directory, &error))?;
        let is_empty = fs_err::read_dir(directory)
            .map(|mut entries| entries.next().is_none())
            .map_err(|error| failed("read", directory, &error))?;
        if !is_empty && !args.append && !args.overwrite {
            let message = format!("the directory {} is not empty", directory.display());
            return Err(CommandError::new(Exit::Refused, message)
                .hint("--append adds to the files in it, --overwrite replaces them"));
        }
        let nodes =
            names.map(|name| NodeFiles { name: file_name(name), begun: [false; 2], failed: false });
        Ok(Self {
            directory: directory.to_owned(),
            appends: args.append,
            nodes: nodes.collect(),
            open: Vec::new(),
            uses: 0,
            trouble: None,
        })
    }

    /// The command was begun on a node: from now on its files are there, and of
    /// this run.
    pub(super) fn begin(&mut self, node: usize) {
        for stream in [StreamName::Out, StreamName::Err] {
            self.write(node, stream, &[]);
        }
    }

    /// Lines of a node.
    pub(super) fn push(&mut self, node: usize, stream: StreamName, bytes: &[u8], end: LineEnd) {
        self.write(node, stream, bytes);
        if end == LineEnd::Newline {
            self.write(node, stream, b"\n");
        }
    }

    /// The node is done; its files are closed.
    pub(super) fn end(&mut self, node: usize) {
        self.open.retain(|open| open.node != node);
    }

    /// What went wrong, to be told once.
    pub(super) fn trouble(&self) -> Option<&str> {
        self.trouble.as_deref()
    }

    fn write(&mut self, node: usize, stream: StreamName, bytes: &[u8]) {
        if self.nodes.get(node).is_none_or(|files| files.failed) {
            return;
        }
        let written = self.file(node, stream).and_then(|file| file.write_all(bytes));
        if let Err(error) = written {
            // Output with a hole is worse than output that ends.
            if let Some(files) = self.nodes.get_mut(node) {
                files.failed = true;
                self.trouble.get_or_insert_with(|| format!("{}: {error}", files.name));
            }
        }
    }

    fn file(&mut self, node: usize, stream: StreamName) -> io::Result<&mut File> {
        self.uses += 1;
        let used = self.uses;
        let known = self.open.iter().position(|open| open.node == node && open.stream == stream);
        let at = match known {
            Some(at) => at,
            None => {
                let file = self.open_file(node, stream)?;
                if self.open.len() >= FILES_MAX {
                    let oldest = self.open.iter().enumerate().min_by_key(|(_, open)| open.used);
                    let oldest = oldest.map(|(at, _)| at).unwrap_or_default();
                    self.open.swap_remove(oldest);
                }
                self.open.push(OpenFile { node, stream, file, used });
                self.open.len() - 1
            }
        };
        let open = self.open.get_mut(at).ok_or_else(|| io::Error::from(io::ErrorKind::NotFound))?;
        open.used = used;
        Ok(&mut open.file)
    }

    /// What is there is replaced the first time, unless it is to be kept.
    fn open_file(&mut self, node: usize, stream: StreamName) -> io::Result<File> {
        let files = self.nodes.get_mut(node).ok_or(io::ErrorKind::NotFound)?;
        let (place, extension) = match stream {
            StreamName::Out => (0, "out"),
            StreamName::Err => (1, "err"),
        };
        let name = format!("{}.{extension}", files.name);
        let begun = files.begun.get_mut(place).ok_or(io::ErrorKind::NotFound)?;
        let file = open_regular(&self.directory.join(&name), &name)?;
        if !std::mem::replace(begun, true) && !self.appends {
            file.set_len(0)?;
        }
        Ok(file)
    }
}

/// Opens a file to append to it, and nothing else that may be there: nobody
/// else's link may lead what nodes print elsewhere, and a pipe would wait for
/// its reader.
fn open_regular(path: &Path, name: &str) -> io::Result<File> {
    let other = |what: &str| io::Error::other(format!("{name} is {what}"));
    let flags = OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::NOCTTY;
    let opened = OpenOptions::new()
        .create(true)
        .append(true)
        .mode(0o600)
        .custom_flags(flags.bits().cast_signed())
        .open(path);
    let file = opened.map_err(|error| match Errno::from_io_error(&error) {
        Some(Errno::LOOP) => other("a link"),
        // A pipe that nobody reads, or a socket.
        Some(Errno::NXIO) => other("no regular file"),
        _ => error,
    })?;
    if file.metadata()?.is_file() { Ok(file) } else { Err(other("no regular file")) }
}

fn make(directory: &Path) -> io::Result<()> {
    if directory.is_dir() {
        return Ok(());
    }
    std::fs::DirBuilder::new().recursive(true).mode(0o700).create(directory)
}

fn failed(what: &str, directory: &Path, error: &io::Error) -> CommandError {
    let message = format!("failed to {what} the directory {}", directory.display());
    CommandError::new(Exit::Failed, message).cause(error)
}

/// A node's name as the name of a file: letters, digits and some signs as they
/// are, everything else as `%` and two digits, so that no two names meet.
fn file_name(name: &str) -> String {
    let mut text = String::with_capacity(name.len());
    for (at, byte) in name.bytes().enumerate() {
        let plain =
            byte.is_ascii_alphanumeric() || b"-_:@+".contains(&byte) || (byte == b'.' && at > 0);
        if plain {
            text.push(char::from(byte));
        } else {
            // Writing to a string cannot fail.
            let _ = write!(text, "%{byte:02X}");
        }
    }
    text
}

#[cfg(test)]
mod tests;
