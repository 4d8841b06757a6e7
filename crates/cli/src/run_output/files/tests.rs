use std::fs;
use std::os::unix::fs::PermissionsExt as _;

use transport::fanout::{LineEnd, StreamName};

use super::{OutputFiles, file_name};
use crate::exit::Exit;
use crate::run_output::OutputArgs;

fn args() -> OutputArgs {
    OutputArgs::default()
}

#[test]
fn no_two_names_become_one_file() {
    for (name, expected) in [
        ("worker1", "worker1"),
        ("demo:worker1", "demo:worker1"),
        ("login.example.org", "login.example.org"),
        ("../../etc/passwd", "%2E./../etc/passwd".replace('/', "%2F").as_str()),
        (".hidden", "%2Ehidden"),
        ("[::1]", "%5B::1%5D"),
        ("a%2F", "a%252F"),
        ("grün", "gr%C3%BCn"),
    ] {
        assert_eq!(file_name(name), expected);
    }
}

#[test]
fn what_nodes_print_is_in_their_files_as_it_was() {
    let directory = tempfile::tempdir().unwrap();
    let place = directory.path().join("new/out");
    let mut files = OutputFiles::new(&place, &args(), ["n1", "a:n2"].into_iter()).unwrap();
    files.begin(0);
    files.begin(1);
    files.push(0, StreamName::Out, b"one\ntwo", LineEnd::Newline);
    files.push(0, StreamName::Out, b"\xff\x00", LineEnd::Output);
    files.push(1, StreamName::Err, b"long", LineEnd::Cut);
    files.push(1, StreamName::Err, b"er", LineEnd::Newline);
    files.end(0);
    assert_eq!(files.trouble(), None);
    for (name, expected) in [
        ("n1.out", &b"one\ntwo\n\xff\x00"[..]),
        ("n1.err", b""),
        ("a:n2.out", b""),
        ("a:n2.err", b"longer\n"),
    ] {
        assert_eq!(fs::read(place.join(name)).unwrap(), expected, "{name}");
        let mode = fs::metadata(place.join(name)).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600, "{name}");
    }
    assert_eq!(fs::metadata(&place).unwrap().permissions().mode() & 0o777, 0o700);
}

#[test]
fn files_of_another_run_are_kept_unless_something_else_is_said() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("n1.out");
    fs::write(&file, "before\n").unwrap();
    let begin = |args: &OutputArgs| {
        let mut files = OutputFiles::new(directory.path(), args, ["n1"].into_iter())?;
        files.push(0, StreamName::Out, b"now", LineEnd::Newline);
        files.push(0, StreamName::Out, b"and then", LineEnd::Newline);
        Ok::<(), crate::exit::CommandError>(())
    };
    assert_eq!(begin(&args()).unwrap_err().exit, Exit::Refused);
    begin(&OutputArgs { append: true, ..args() }).unwrap();
    assert_eq!(fs::read_to_string(&file).unwrap(), "before\nnow\nand then\n");
    begin(&OutputArgs { overwrite: true, ..args() }).unwrap();
    assert_eq!(fs::read_to_string(&file).unwrap(), "now\nand then\n");
}

#[test]
fn a_file_that_cannot_be_written_is_told_and_harms_no_other() {
    let directory = tempfile::tempdir().unwrap();
    fs::create_dir(directory.path().join("n1.out")).unwrap();
    std::os::unix::fs::symlink("/dev/null", directory.path().join("n2.out")).unwrap();
    let args = OutputArgs { append: true, ..args() };
    let mut files =
        OutputFiles::new(directory.path(), &args, ["n1", "n2", "n3"].into_iter()).unwrap();
    for node in 0..3 {
        files.push(node, StreamName::Out, b"x", LineEnd::Newline);
    }
    assert!(files.trouble().is_some_and(|trouble| trouble.starts_with("n1: ")));
    assert_eq!(fs::read(directory.path().join("n3.out")).unwrap(), b"x\n");
}

#[test]
fn a_pipe_among_the_files_is_refused_and_waited_for_by_nobody() {
    use rustix::fs::{CWD, FileType, Mode, OFlags, mknodat, open};

    let directory = tempfile::tempdir().unwrap();
    let pipe = directory.path().join("n1.out");
    mknodat(CWD, &pipe, FileType::Fifo, Mode::RUSR | Mode::WUSR, 0).unwrap();
    let args = OutputArgs { append: true, ..args() };
    let trouble = || {
        let mut files = OutputFiles::new(directory.path(), &args, ["n1"].into_iter()).unwrap();
        files.begin(0);
        files.trouble().map(str::to_owned)
    };
    let expected = Some("n1: n1.out is no regular file".to_owned());
    assert_eq!(trouble(), expected);
    let reader = open(&pipe, OFlags::RDONLY | OFlags::NONBLOCK, Mode::empty()).unwrap();
    assert_eq!(trouble(), expected);
    drop(reader);

    fs::remove_file(&pipe).unwrap();
    std::os::unix::fs::symlink("/dev/null", &pipe).unwrap();
    assert_eq!(trouble(), Some("n1: n1.out is a link".to_owned()));
}

#[test]
fn many_nodes_need_few_open_files() {
    let directory = tempfile::tempdir().unwrap();
    let names: Vec<String> = (0..300).map(|node| format!("n{node}")).collect();
    let names = names.iter().map(String::as_str);
    let mut files = OutputFiles::new(directory.path(), &args(), names).unwrap();
    for _ in 0..2 {
        for node in 0..300 {
            files.push(node, StreamName::Out, b"line", LineEnd::Newline);
            assert!(files.open.len() <= super::FILES_MAX);
        }
    }
    assert_eq!(fs::read(directory.path().join("n7.out")).unwrap(), b"line\nline\n");
}
