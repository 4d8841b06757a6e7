//! A local script for nodes: it travels as standard input, so that nothing has
//! to be copied or cleaned up. Pure, but for reading the file.

use std::io::{self, Read as _};
use std::path::Path;

use tokio::sync::oneshot;
use tokio_util::sync::CancellationToken;

use crate::args::quoted;
use crate::exit::{CommandError, Exit};

/// Largest script; each node's shell holds it in memory.
const SCRIPT_BYTES_MAX: u64 = 8 << 20;

/// What else can be done with a file.
const COPY_HINT: &str = "`squall put` copies it, and `squall run` runs the copy";

/// A script, and the words that make a node run it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Script {
    /// What the node's shell is given, without the script's arguments.
    pub(super) command: String,
    /// What that reads.
    pub(super) text: Vec<u8>,
}

impl Script {
    /// Reads a script: a file, or a pipe such as a shell's `<(…)`.
    ///
    /// # Errors
    /// It cannot be read, is too large or no script, is for an interpreter
    /// that reads no script from its input, or the user stopped us.
    pub(super) async fn read(path: &Path, stop: &CancellationToken) -> Result<Self, CommandError> {
        let wrong = |why: String| {
            CommandError::new(Exit::Usage, format!("the script {} {why}", path.display()))
        };
        let stopped = || CommandError::new(Exit::Interrupted, "stopped; nothing was run");
        let text = tokio::select! {
            biased;
            () = stop.cancelled() => return Err(stopped()),
            text = begin_to_read(path) => text.unwrap_or_else(|gone| Err(io::Error::other(gone))),
        };
        let text = text.map_err(|error| wrong("cannot be read".to_owned()).cause(error))?;
        if text.len() as u64 > SCRIPT_BYTES_MAX {
            let limit = SCRIPT_BYTES_MAX >> 20;
            return Err(wrong(format!("is larger than {limit} MiB")).hint(COPY_HINT));
        }
        if text.contains(&0) {
            return Err(wrong("is no script: it has NUL bytes, as programs have".to_owned())
                .hint(COPY_HINT));
        }
        let name = path.file_name().map_or("script".into(), |name| name.to_string_lossy());
        let command = command(&text, &name).map_err(|interpreter| {
            wrong(format!("is for `{interpreter}`, which is given no script this way"))
                .hint(COPY_HINT)
        })?;
        Ok(Self { command, text })
    }
}

/// A thread of its own reads it: opening a pipe waits for who writes it, which
/// cannot be cancelled and must not hold up our exit.
fn begin_to_read(path: &Path) -> oneshot::Receiver<io::Result<Vec<u8>>> {
    let (tell, told) = oneshot::channel();
    let path = path.to_owned();
    std::thread::spawn(move || {
        let _ = tell.send(read(&path));
    });
    told
}

/// Not much more than we take, as devices and pipes may have no end.
fn read(path: &Path) -> io::Result<Vec<u8>> {
    let mut text = Vec::new();
    fs_err::File::open(path)?.take(SCRIPT_BYTES_MAX + 1).read_to_end(&mut text)?;
    Ok(text)
}

/// The command that reads a script from its input and runs it, by the script's
/// first line.
///
/// # Errors
/// The interpreter, when it is none that we know.
fn command(text: &[u8], name: &str) -> Result<String, String> {
    let first = text.split(|byte| *byte == b'\n').next().unwrap_or_default();
    let first = String::from_utf8_lossy(first);
    let line = first.strip_prefix("#!").unwrap_or("/bin/sh").trim();
    let mut words = line.split_whitespace();
    let mut interpreter = words.next().unwrap_or("/bin/sh");
    if interpreter.ends_with("/env") {
        interpreter = words.find(|word| *word != "-S").unwrap_or("sh");
    }
    let options: String = words.map(|word| format!(" {}", quoted(word))).collect();
    let short = interpreter.rsplit('/').next().unwrap_or(interpreter);
    let kind = short.trim_end_matches(|c: char| c.is_ascii_digit() || c == '.');
    match kind {
        // Read whole before anything runs: a command in it that reads its
        // input must not eat the rest of the script.
        "sh" | "bash" | "dash" | "ksh" | "mksh" | "zsh" | "busybox" if options != " sh" => {
            Ok(format!("{}{options} -c 'eval \"$(cat)\"' {}", quoted(interpreter), quoted(name)))
        }
        "python" | "perl" | "ruby" => Ok(format!("{}{options} -", quoted(interpreter))),
        _ => Err(short.to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::{Script, command};
    use crate::exit::Exit;
    use rustix::fs::{CWD, FileType, Mode, mknodat};
    use tokio_util::sync::CancellationToken;

    #[tokio::test]
    async fn what_is_no_script_is_refused() {
        let directory = tempfile::tempdir().unwrap();
        let program = directory.path().join("program");
        std::fs::write(&program, b"\x7fELF\0\0").unwrap();
        for (path, says) in [
            (program.as_path(), "is no script"),
            (std::path::Path::new("/dev/zero"), "is larger than 8 MiB"),
            (directory.path(), "cannot be read"),
        ] {
            let error = Script::read(path, &CancellationToken::new()).await.unwrap_err();
            assert_eq!(error.exit, Exit::Usage);
            assert!(error.message.contains(says), "{}", error.message);
        }
    }

    #[tokio::test]
    async fn a_pipe_is_read_to_its_end_unless_the_user_stops_us() {
        let directory = tempfile::tempdir().unwrap();
        let pipe = directory.path().join("pipe");
        mknodat(CWD, &pipe, FileType::Fifo, Mode::RUSR | Mode::WUSR, 0).unwrap();
        let stop = CancellationToken::new();
        let writer = std::thread::spawn({
            let pipe = pipe.clone();
            move || std::fs::write(pipe, "echo hi").unwrap()
        });
        assert_eq!(Script::read(&pipe, &stop).await.unwrap().text, b"echo hi");
        writer.join().unwrap();

        stop.cancel();
        let stopped = Script::read(&pipe, &stop).await.unwrap_err();
        assert_eq!(stopped.exit, Exit::Interrupted);
    }

    #[test]
    fn the_first_line_says_who_reads_the_script() {
        let table = [
            ("echo hi", Ok("/bin/sh -c 'eval \"$(cat)\"' x.sh")),
            ("#!/bin/bash -eu\necho", Ok("/bin/bash -eu -c 'eval \"$(cat)\"' x.sh")),
            ("#!/usr/bin/env bash\n", Ok("bash -c 'eval \"$(cat)\"' x.sh")),
            ("#! /usr/bin/env -S python3.11 -u\n", Ok("python3.11 -u -")),
            ("#!/usr/bin/perl\n", Ok("/usr/bin/perl -")),
            ("#!/usr/bin/awk -f\n", Err("awk")),
            ("\x7fELF\0", Ok("/bin/sh -c 'eval \"$(cat)\"' x.sh")),
        ];
        for (text, expected) in table {
            let made = command(text.as_bytes(), "x.sh");
            let made = made.as_deref().map_err(String::as_str);
            assert_eq!(made, expected, "{text:?}");
        }
    }
}
