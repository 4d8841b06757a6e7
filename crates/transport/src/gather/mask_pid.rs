//! Process ids in text: `sshd[1234]:`, `pid 1234`, `PID: 1234`, `/proc/1234/`,
//! `├─1234 sshd`. A bare number is none. Pure.

/// Words that a pid comes after.
const WORDS: [&str; 8] = ["pid", "pids", "ppid", "pgid", "tid", "process", "proc", "mainpid"];

/// What the last word means for a number that follows.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Before {
    /// Where the word "pid" or its like ended.
    named_until: Option<usize>,
    /// Where a word ended, whatever it was.
    word_until: Option<usize>,
}

impl Before {
    /// Takes note of a word.
    pub(super) fn word(&mut self, line: &[u8], at: usize, length: usize) {
        let word = line.get(at..at + length).unwrap_or_default();
        // Almost every word of a text comes by here.
        let may_be = matches!(word.first(), Some(b'p' | b'P' | b't' | b'T' | b'm' | b'M'));
        let is_pid_word =
            may_be && WORDS.iter().any(|known| word.eq_ignore_ascii_case(known.as_bytes()));
        let starts_with_letter = word.first().is_some_and(u8::is_ascii_alphabetic);
        self.named_until = is_pid_word.then_some(at + length);
        self.word_until = starts_with_letter.then_some(at + length);
    }

    /// Length of the pid at `at`, where a number begins.
    pub(super) fn pid(&self, line: &[u8], at: usize) -> Option<usize> {
        let digits = line.get(at..)?.iter().take_while(|byte| byte.is_ascii_digit()).count();
        let after = line.get(at + digits).copied();
        let is_whole = after.is_none_or(|byte| {
            !super::mask::is_word(byte)
                && (byte != b'.' || !line.get(at + digits + 1).is_some_and(u8::is_ascii_digit))
        });
        let plausible = digits <= 8 && is_whole;
        let is_pid = plausible
            && (self.is_named(line, at)
                || self.is_bracketed(line, at, digits)
                || is_in_tree(line, at));
        is_pid.then_some(digits)
    }

    fn is_named(&self, line: &[u8], at: usize) -> bool {
        let Some(until) = self.named_until else { return false };
        let between = line.get(until..at).unwrap_or_default();
        between.len() <= 4 && between.iter().all(|byte| b" \t:=#(/".contains(byte))
    }

    /// `sshd[1234]`, and not `list[3]`: real pids have more than one digit.
    fn is_bracketed(&self, line: &[u8], at: usize, digits: usize) -> bool {
        let opens = at.checked_sub(1).filter(|opens| line.get(*opens) == Some(&b'['));
        let closes = line.get(at + digits) == Some(&b']');
        let ends = line.get(at + digits + 1).is_none_or(|byte| b": \t\n".contains(byte));
        digits > 1 && opens.is_some() && opens == self.word_until && closes && ends
    }
}

/// `├─1234 ` and `└─1234 `, as systemctl draws process trees.
fn is_in_tree(line: &[u8], at: usize) -> bool {
    let before = line.get(..at).unwrap_or_default();
    before.ends_with("├─".as_bytes()) || before.ends_with("└─".as_bytes())
}
