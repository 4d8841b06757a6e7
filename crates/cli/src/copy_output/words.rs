//! Which words of a command line are files, which one is the target, and which
//! one a directory. Pure, but for the question whether a local file is there.

use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::OsStrExt;
use std::path::PathBuf;

use crate::args::quoted;
use crate::exit::{CommandError, Exit};
use crate::scope;

/// `FILES... TARGET [DIR]`.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct PutWords {
    pub(crate) files: Vec<PathBuf>,
    pub(crate) target: String,
    pub(crate) directory: Option<OsString>,
    /// The target is one only because it is no file here.
    pub(crate) is_guess: bool,
}

/// `FILE TARGET [DIR]`.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct GetWords {
    pub(crate) file: OsString,
    pub(crate) target: String,
    pub(crate) directory: Option<PathBuf>,
}

/// Tells the words of `put` apart. Those after `--` are the target and the
/// directory. Without it the last word is the directory if it looks like one
/// (no target has a slash, or begins with a dot or tilde), or if it is no
/// pattern and the word before it is no local file.
///
/// # Errors
/// What is missing, empty, or means two things.
pub(crate) fn put_words(
    before: &[OsString],
    after: &[OsString],
    is_there: impl Fn(&OsStr) -> bool,
) -> Result<PutWords, CommandError> {
    let words = told_apart(before, after, is_there)?;
    for file in &words.files {
        not_empty("FILE", file.as_os_str(), PUT_FORM)?;
    }
    if let Some(directory) = &words.directory {
        not_empty("DIR", directory, PUT_FORM)?;
    }
    Ok(words)
}

fn told_apart(
    before: &[OsString],
    after: &[OsString],
    is_there: impl Fn(&OsStr) -> bool,
) -> Result<PutWords, CommandError> {
    let words = |files: &[OsString], target, directory: Option<&OsString>| {
        let files = files.iter().map(PathBuf::from).collect();
        let (target, directory) = (target_of(target)?, directory.cloned());
        Ok(PutWords { files, target, directory, is_guess: false })
    };
    match (before, after) {
        ([], _) => Err(usage("no file is named", PUT_FORM)),
        (files, [target]) => words(files, target, None),
        (files, [target, directory]) => words(files, target, Some(directory)),
        (_, [_, _, ..]) => Err(usage("only TARGET and DIR come after `--`", PUT_FORM)),
        ([_], []) => Err(usage("no target is named: which nodes?", PUT_FORM)),
        ([file, target], []) => {
            swapped("put", file, target)?;
            words(std::slice::from_ref(file), target, None)
        }
        ([files @ .., target, directory], []) if looks_like_a_path(directory) => {
            words(files, target, Some(directory))
        }
        ([files @ .., target, directory], [])
            if !looks_like_a_pattern(directory) && !is_there(target) =>
        {
            Ok(PutWords { is_guess: true, ..words(files, target, Some(directory))? })
        }
        ([files @ .., target], []) => words(files, target, None),
    }
}

/// Tells the words of `get` apart.
///
/// # Errors
/// What is missing or empty, or DustCluster's order of them.
pub(crate) fn get_words(words: &[OsString]) -> Result<GetWords, CommandError> {
    match words {
        [file, target, rest @ ..] if rest.len() < 2 => {
            swapped("get", file, target)?;
            not_empty("FILE", file, GET_FORM)?;
            if let Some(directory) = rest.first() {
                not_empty("DIR", directory, GET_FORM)?;
            }
            Ok(GetWords {
                file: file.clone(),
                target: target_of(target)?,
                directory: rest.first().map(PathBuf::from),
            })
        }
        [] | [_] => Err(usage("a file and a target are needed", GET_FORM)),
        _ => Err(usage(
            "there are too many words; quote a glob that the nodes are to expand",
            GET_FORM,
        )),
    }
}

const PUT_FORM: &str =
    "`squall put FILES... TARGET [DIR]`, or `squall put FILES... -- TARGET [DIR]`";
const GET_FORM: &str = "`squall get FILE TARGET [DIR]`";

fn usage(message: &str, form: &str) -> CommandError {
    CommandError::new(Exit::Usage, message).hint(format!("write {form}"))
}

/// An empty word is a variable that is not set, and would mean the home
/// directory there, or this one here.
fn not_empty(what: &str, word: &OsStr, form: &str) -> Result<(), CommandError> {
    if word.is_empty() { Err(usage(&format!("{what} is empty"), form)) } else { Ok(()) }
}

/// Targets have no slash, and begin neither with a dot nor a tilde.
fn looks_like_a_path(word: &OsStr) -> bool {
    let bytes = word.as_bytes();
    bytes.contains(&b'/') || matches!(bytes.first(), Some(b'.' | b'~'))
}

fn looks_like_a_pattern(word: &OsStr) -> bool {
    word.as_bytes().iter().any(|byte| b"*?[!,=&^@:".contains(byte))
}

fn target_of(word: &OsStr) -> Result<String, CommandError> {
    let Some(target) = word.to_str() else {
        return Err(CommandError::new(Exit::Usage, "the target is not UTF-8"));
    };
    scope::refuse_empty(Some(target), &[])?;
    Ok(target.to_owned())
}

/// A path in the place of the target: the other order was meant.
fn swapped(command: &str, file: &OsStr, target: &OsStr) -> Result<(), CommandError> {
    let target_bytes = target.as_bytes();
    let is_path = matches!(target_bytes.first(), Some(b'/' | b'~'))
        || target_bytes.starts_with(b"./")
        || target_bytes.starts_with(b"../");
    if !is_path || looks_like_a_path(file) {
        return Ok(());
    }
    let (file, target) = (file.to_string_lossy(), target.to_string_lossy());
    let message = format!("`{target}` is a path, and a target was expected");
    let order =
        format!("the file comes first: `squall {command} {} {}`", quoted(&target), quoted(&file));
    Err(CommandError::new(Exit::Usage, message).hint(order))
}

#[cfg(test)]
mod tests {
    use super::{get_words, put_words};
    use std::ffi::OsString;

    fn words(line: &str) -> Vec<OsString> {
        line.split_whitespace().map(OsString::from).collect()
    }

    fn put(line: &str) -> String {
        let (before, after) = line.split_once(" -- ").unwrap_or((line, ""));
        // These are local files.
        let is_there = |word: &std::ffi::OsStr| ["a", "b", "demo"].iter().any(|file| word == *file);
        match put_words(&words(before), &words(after), is_there) {
            Ok(put) => {
                let files: Vec<_> = put.files.iter().map(|file| file.to_string_lossy()).collect();
                let directory = put.directory.map(|directory| directory.into_string().unwrap());
                format!("{} | {} | {}", files.join(" "), put.target, directory.unwrap_or_default())
            }
            Err(error) => error.message,
        }
    }

    #[test]
    fn the_words_of_put_are_told_apart() {
        for (line, expected) in [
            ("a worker*", "a | worker* | "),
            ("a worker* /opt/data", "a | worker* | /opt/data"),
            ("a b worker*", "a b | worker* | "),
            ("a b worker* ~/x", "a b | worker* | ~/x"),
            ("a worker[1-2] data", "a | worker[1-2] | data"),
            ("missing b worker*", "missing b | worker* | "),
            ("a missing n1,n2", "a missing | n1,n2 | "),
            ("a demo ./data", "a | demo | ./data"),
            // `demo` is a file here: then it is one.
            ("a demo data", "a demo | data | "),
            ("a -- demo data", "a | demo | data"),
            ("a b -- demo", "a b | demo | "),
            ("a", "no target is named: which nodes?"),
            ("a -- t d e", "only TARGET and DIR come after `--`"),
            ("worker* /etc/hosts", "`/etc/hosts` is a path, and a target was expected"),
        ] {
            assert_eq!(put(line), expected, "{line}");
        }
    }

    #[test]
    fn empty_words_are_refused() {
        let is_there = |word: &std::ffi::OsStr| word == "a";
        for (words, expected) in [
            (&["a", "", "/tmp"][..], "the target is empty; `*` is every node"),
            (&["a", " ", "data"], "the target is empty; `*` is every node"),
            (&["a", ""], "the target is empty; `*` is every node"),
            (&["a", "n1", ""], "DIR is empty"),
            (&["", "n1"], "FILE is empty"),
        ] {
            let words: Vec<OsString> = words.iter().map(OsString::from).collect();
            let error = put_words(&words, &[], is_there).unwrap_err();
            assert_eq!(error.message, expected, "{words:?}");
        }
        for (words, expected) in [
            (["", "worker1", "dir"], "FILE is empty"),
            (["f", "", "dir"], "the target is empty; `*` is every node"),
            (["f", "worker1", ""], "DIR is empty"),
        ] {
            let error = get_words(&words.map(OsString::from)).unwrap_err();
            assert_eq!(error.message, expected, "{words:?}");
        }
    }

    #[test]
    fn the_words_of_get_are_told_apart() {
        let got = get_words(&words("/var/log/x worker* logs")).unwrap();
        assert_eq!((got.target.as_str(), got.directory), ("worker*", Some("logs".into())));
        let swapped = get_words(&words("worker* /etc/hosts here")).unwrap_err();
        assert_eq!(swapped.hints, ["the file comes first: `squall get /etc/hosts 'worker*'`"]);
        assert!(get_words(&words("x")).is_err());
        assert!(get_words(&words("a b c d")).is_err());
    }
}
