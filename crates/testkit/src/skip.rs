//! What a test cannot do on this machine, said aloud. `cargo xtask test` names
//! a file in `SQUALL_SKIP_FILE`, lists what was written into it when all tests
//! are done, and fails in CI where a skip is not on the checked-in list.

use std::io::Write;

/// The environment variable that names the file.
pub const SKIP_FILE_VARIABLE: &str = "SQUALL_SKIP_FILE";

/// Records that a test, or a part of it, does not run here and why; the caller
/// then returns. Without a file the line goes to stderr, where it is shown when
/// tests run with their output on.
///
/// # Panics
/// When there is a file and it cannot be written: a lost skip would look like
/// a test that passed.
pub fn skip(test_name: &str, reason: &str) {
    let line = skip_line(test_name, reason);
    let Some(path) = std::env::var_os(SKIP_FILE_VARIABLE) else {
        let _ = std::io::stderr().write_all(format!("skipped: {line}").as_bytes());
        return;
    };
    // One write in append mode, so that lines of tests beside each other stay whole.
    let written = std::fs::OpenOptions::new()
        .create(true)
        .append(true)
        .open(&path)
        .and_then(|mut file| file.write_all(line.as_bytes()));
    assert!(written.is_ok(), "cannot record a skip in {}: {written:?}", path.display());
}

/// `name<TAB>reason`, on one line.
fn skip_line(test_name: &str, reason: &str) -> String {
    let reason = reason.split_whitespace().collect::<Vec<_>>().join(" ");
    format!("{test_name}\t{reason}\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reason_of_several_lines_stays_one_record() {
        assert_eq!(skip_line("a_test", "no\n\tsshd  here "), "a_test\tno sshd here\n");
    }
}
