//! A local script for nodes: it travels as standard input, so that nothing has
//! to be copied or cleaned up. Pure, but for reading the file.

use std::path::Path;

use crate::args::quoted;
use crate::exit::{CommandError, Exit};

/// Largest script; each node's shell holds it in memory.
const SCRIPT_BYTES_MAX: u64 = 8 << 20;

/// A script, and the words that make a node run it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Script {
    /// What the node's shell is given, without the script's arguments.
    pub(super) command: String,
    /// What that reads.
    pub(super) text: Vec<u8>,
}

impl Script {
    /// Reads a script.
    ///
    /// # Errors
    /// It cannot be read, or is for an interpreter that reads no script from
    /// its input.
    pub(super) fn read(path: &Path) -> Result<Self, CommandError> {
        let wrong = |why: String| {
            CommandError::new(Exit::Usage, format!("the script {} {why}", path.display()))
        };
        let about = fs_err::metadata(path)
            .map_err(|error| wrong("cannot be read".to_owned()).cause(error))?;
        if about.len() > SCRIPT_BYTES_MAX {
            let limit = SCRIPT_BYTES_MAX >> 20;
            return Err(wrong(format!("is larger than {limit} MiB"))
                .hint("`squall put` copies it, and `squall run` runs the copy"));
        }
        let text =
            fs_err::read(path).map_err(|error| wrong("cannot be read".to_owned()).cause(error))?;
        let name = path.file_name().map_or("script".into(), |name| name.to_string_lossy());
        let command = command(&text, &name).map_err(|interpreter| {
            wrong(format!("is for `{interpreter}`, which is given no script this way"))
                .hint("`squall put` copies it, and `squall run` runs the copy")
        })?;
        Ok(Self { command, text })
    }
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
    use super::command;

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
